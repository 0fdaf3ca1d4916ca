"""A code system held in memory: what every file a user brings becomes."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from fhirbridge.errors import EmptyInput, MissingInput, UnreadableInput
from fhirbridge.records import Coding
from fhirbridge.terminology import Record, _folding

_ENCODINGS = ("utf-8-sig", "utf-16", "gb18030")


class Codes:
    """The codes of one system with their names; a `Terminology`."""

    def __init__(self, name: str, system: str, records: Iterable[Record]) -> None:
        self.name = name
        self.system = system
        self._records = {record.code: record for record in records}
        self._found: dict[str, list[str]] | None = None

    def __len__(self) -> int:
        return len(self._records)

    def display(self, code: str) -> str | None:
        """The preferred name of a code, None if the code is not known."""
        record = self._records.get(code)
        return record.name if record else None

    def find(self, name: str) -> tuple[Coding, ...]:
        """The codes whose name (first) or synonym is `name`, case and spacing folded."""
        if self._found is None:
            self._found = {}
            for rank in (0, 1):
                for record in self._records.values():
                    for known in record.synonyms if rank else (record.name,):
                        codes = self._found.setdefault(_key(known), [])
                        if record.code not in codes:
                            codes.append(record.code)
        return tuple(Coding(self.system, code, self._records[code].name) for code in self._found.get(_key(name), ()))

    def records(self) -> Iterator[Record]:
        """Every code with its names."""
        yield from self._records.values()


def _key(name: str) -> str:
    return _folding.compact(name) if _folding.is_chinese(name) else _folding.phrase(name)


def named(found: Iterable[tuple[str, str, bool]], kind: Callable[[str], str]) -> list[Record]:
    """Records from (code, name, whether it is the preferred one): the preferred name first, without repetitions."""
    names: dict[str, list[str]] = {}
    for code, name, preferred in found:
        known = names.setdefault(code, [])
        if name and name not in known:
            known.insert(0, name) if preferred else known.append(name)
    return [Record(code, known[0], tuple(known[1:]), kind(code)) for code, known in names.items() if known]


def checked(records: list[Record], path: Path, wanted: str) -> list[Record]:
    """The records; EmptyInput when there is none."""
    if not records:
        raise EmptyInput(path, f"holds no {wanted}", "check that it is the right file and not cut off")
    return records


def decoded(path: Path) -> str:
    """The text of a file in UTF-8, UTF-16 or GB18030."""
    if not path.is_file():
        raise MissingInput(path, "no such file")
    raw = path.read_bytes()
    for encoding in _ENCODINGS:
        if encoding == "utf-16" and raw[:2] not in (b"\xff\xfe", b"\xfe\xff"):
            continue
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableInput(path, "is neither UTF-8 nor GB18030 text", "save it as UTF-8")


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV, TSV or XLSX file by heading; headings lower-case and without spaces at the ends."""
    lines = _sheet(path) if path.suffix.lower() == ".xlsx" else _separated(path)
    header = [cell.strip().lower() for cell in next(lines, [])]
    rows = [dict(zip(header, map(str.strip, cells), strict=False)) for cells in lines]
    if not rows:
        raise EmptyInput(path, "has no rows", "the first line must hold the headings")
    return rows


def _separated(path: Path) -> Iterator[list[str]]:
    text = decoded(path)
    kept = "\n".join(line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    first = kept.partition("\n")[0]
    separator = max("\t,;|", key=first.count)
    yield from csv.reader(io.StringIO(kept), delimiter=separator)


def _sheet(path: Path) -> Iterator[list[str]]:
    import openpyxl

    if not path.is_file():
        raise MissingInput(path, "no such file")
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise UnreadableInput(path, "is not an XLSX workbook", "save it as CSV") from error
    for cells in book.worksheets[0].iter_rows(values_only=True):
        yield ["" if cell is None else str(cell) for cell in cells]
    book.close()


def column(rows: list[dict[str, str]], headings: Iterable[str], path: Path, required: bool = True) -> str:
    """The heading of `rows` that is one of `headings` (equal first, then containing); "" when it may be missing."""
    present = list(rows[0])
    for wanted in headings:
        if wanted in present:
            return wanted
    for wanted in headings:
        for heading in present:
            if wanted in heading:
                return heading
    if required:
        raise UnreadableInput(path, f"has no column {'/'.join(headings)}", f"its headings: {', '.join(present[:12])}")
    return ""
