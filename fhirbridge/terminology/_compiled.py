"""The lexicon ready made: `data/lexicon.gz`, written by tools/build_lexicon.py, read in a fraction of a second.

Sections are separated by a line "=", each a list of lines. It carries a fingerprint of the tables it was made from:
when somebody has changed a word since, the tables are read again on top, which takes longer but is right.
"""

from __future__ import annotations

import hashlib
from importlib import resources

from fhirbridge import languages
from fhirbridge.terminology import _scanning, _tables

_SECTION = "\n=\n"


def fingerprint() -> str:
    """The hash of the tables that people edit."""
    files = [resources.files("fhirbridge.terminology") / "data" / "concepts.tsv"]
    files += [resources.files("fhirbridge.languages") / lang / "synonyms.tsv" for lang in languages.names()]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def write(rows: list[str], names: _scanning.Names) -> str:
    """The text of the file: fingerprint, rows, then the names and the lengths of names."""
    sections = [fingerprint(), "\n".join(rows)]
    for part in _scanning.Names.TABLES:
        table: dict[str, int] = getattr(names, part)
        sections += ["\n".join(table), "\n".join(map(str, table.values()))]
    for part in ("words", "characters"):
        lengths: dict[str, tuple[int, ...]] = getattr(names, part)
        sections += ["\n".join(lengths), "\n".join(" ".join(map(str, v)) for v in lengths.values())]
    return _SECTION.join(sections)


def read() -> tuple[str, list[str], _scanning.Names]:
    """The fingerprint, the rows and the names, as `write` got them."""
    made_from, rows, *tables = _tables.text("lexicon.gz").split(_SECTION)
    names = _scanning.Names()
    for part, keys, values in zip(_scanning.Names.TABLES, tables[0:8:2], tables[1:8:2], strict=True):
        setattr(names, part, dict(zip(keys.split("\n"), map(int, values.split("\n")), strict=True)) if keys else {})
    seen: dict[str, tuple[int, ...]] = {}
    for part, keys, values in zip(("words", "characters"), tables[8::2], tables[9::2], strict=True):
        for value in set(values.split("\n")) - seen.keys():
            seen[value] = tuple(map(int, value.split()))
        setattr(names, part, dict(zip(keys.split("\n"), map(seen.__getitem__, values.split("\n")), strict=True)))
    return made_from, rows.split("\n"), names
