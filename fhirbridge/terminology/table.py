"""A user's own names and codes in a CSV, TSV or XLSX file.

Headings: `code` and `name` (or `display`, 编码 and 名称); if there, `synonyms` (separated by ; or |), `system` (one
FHIR URI or short name for all rows) and `kind` (a kind of the lexicon: condition, medication, procedure ...).
"""

from __future__ import annotations

from pathlib import Path

from fhirbridge.errors import UnreadableInput
from fhirbridge.terminology import Record, _codes, _tables

_UNNAMED = "urn:x-local-codes"


def create(path: Path, system: str = "", kind: str = "condition") -> _codes.Codes:
    """The codes of the table; raises UnreadableInput when a column is missing or there are several systems."""
    rows = _codes.table(Path(path))
    code, name = (_codes.column(rows, wanted, Path(path)) for wanted in (("code", "编码"), ("name", "display", "名称")))
    words, of_system, of_kind = (
        _codes.column(rows, (wanted,), Path(path), required=False) for wanted in ("synonym", "system", "kind")
    )
    systems = {row.get(of_system, "") for row in rows if of_system} - {""}
    if len(systems) > 1:
        raise UnreadableInput(path, "holds codes of several systems", "give each system its own file")
    records = [
        Record(row[code], row[name], _split(row.get(words, "")), row.get(of_kind, "") or kind)
        for row in rows
        if row.get(code) and row.get(name)
    ]
    named = system or (systems.pop() if systems else _UNNAMED)
    shown = _tables.SYSTEMS.get(named, named)
    return _codes.Codes(Path(path).stem, shown, _codes.checked(records, Path(path), "codes"))


def _split(words: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in words.replace("|", ";").replace("；", ";").split(";") if word.strip())
