"""SNOMED CT: the Global Patient Set that ships, or the user's own release in RF2 (international, national or IPS).

RF2: https://confluence.ihtsdotools.org/display/DOCRELFMT. Read are the Snapshot (or Full) description files of every
language in the folder or zip file; the fully specified name tells the kind.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from fhirbridge.errors import MissingInput, UnreadableInput
from fhirbridge.terminology import Record, _codes, _tables

_FULL_NAME = "900000000000003001"
_DESCRIPTIONS = re.compile(r"sct2_(Description|TextDefinition)_?.*(Snapshot|Full).*\.txt$", re.IGNORECASE)
_KINDS = {
    "disorder": "condition", "finding": "finding", "situation": "finding", "procedure": "procedure",
    "regime/therapy": "procedure", "body structure": "anatomy", "organism": "organism", "substance": "medication",
    "product": "medication", "medicinal product": "medication", "clinical drug": "medication",
    "medicinal product form": "medication", "observable entity": "analyte", "assessment scale": "score",
    "morphologic abnormality": "finding", "occupation": "social", "event": "finding",
}  # fmt: skip


def create(path: Path | None = None) -> _codes.Codes:
    """The shipped Global Patient Set, or the active descriptions of an RF2 release (folder, zip or file)."""
    if path is None:
        return _codes.Codes("snomed", _tables.SYSTEMS["snomed"], _shipped())
    path = Path(path)
    records = _records(_rows(path))
    return _codes.Codes("snomed", _tables.SYSTEMS["snomed"], _codes.checked(records, path, "active descriptions"))


def _shipped() -> Iterator[Record]:
    for code, name in _tables.codes("snomed").items():
        yield Record(code, _plain(name), (), _kind(name))


def _records(rows: Iterator[list[str]]) -> list[Record]:
    """One record a concept: its latest active names, the fully specified one telling kind and preferred name."""
    latest: dict[str, list[str]] = {}
    for row in rows:
        if row[0] not in latest or latest[row[0]][1] <= row[1]:
            latest[row[0]] = row
    active = [row for row in latest.values() if row[2] == "1"]
    full = {row[4]: row[7] for row in active if row[6] == _FULL_NAME and row[5] == "en"}
    found = ((row[4], _plain(row[7]) if row[6] == _FULL_NAME else row[7], row[6] == _FULL_NAME) for row in active)
    return _codes.named(found, lambda code: _kind(full.get(code, "")))


def _plain(name: str) -> str:
    return re.sub(r" \([^()]*\)$", "", name)


def _kind(full_name: str) -> str:
    tag = re.search(r"\(([^()]*)\)$", full_name)
    return _KINDS.get(tag[1], "finding") if tag else "finding"


def _rows(path: Path) -> Iterator[list[str]]:
    for name, text in _files(path):
        for number, line in enumerate(text.splitlines()):
            row = line.split("\t")
            if number == 0 or not line.strip():
                continue
            if len(row) != 9:
                raise UnreadableInput(name, f"line {number + 1} has {len(row)} columns, not 9", "is it an RF2 file?")
            yield row


def _files(path: Path) -> Iterator[tuple[str, str]]:
    if not path.exists():
        raise MissingInput(path, "no such file or folder")
    if path.is_dir():
        files = sorted(f for f in path.rglob("*.txt") if _DESCRIPTIONS.search(f.name) and "TextDef" not in f.name)
        yield from ((str(file), _codes.decoded(file)) for file in _one_kind(files))
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            wanted = [Path(n) for n in packed.namelist() if _DESCRIPTIONS.search(n) and "TextDef" not in n]
            for name in _one_kind(sorted(wanted)):
                with packed.open(name.as_posix()) as raw:
                    yield f"{path}:{name}", io.TextIOWrapper(raw, encoding="utf-8").read()
    else:
        yield str(path), _codes.decoded(path)


def _one_kind(files: list[Path]) -> list[Path]:
    """The snapshot files; the full ones only when there is no snapshot."""
    return [f for f in files if "Snapshot" in f.name] or files
