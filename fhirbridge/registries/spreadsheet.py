"""A hospital's own list of trials: CSV or XLSX with English or Chinese headings (`languages/*/trial_headings.tsv`)."""

from __future__ import annotations

import csv
import itertools
import re
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, TextIO

from fhirbridge import languages
from fhirbridge.errors import InputError, UnreadableInput
from fhirbridge.records import LeftOut, Trial
from fhirbridge.registries import _fields

_ENCODINGS = ("utf-8-sig", "gb18030", "utf-16")
_HEADING_ROWS = 20  # a title or notes may stand above the headings
_NEEDED = ("inclusion", "exclusion", "eligibility")
_Row = tuple[int, list[str]]


class Spreadsheet:
    """Reads one row a trial. Cells of one field in several columns are joined."""

    name = "spreadsheet"

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether it is XLSX, or text whose first rows hold headings of criteria."""
        if head[:4] == b"PK\x03\x04":
            return path.suffix.lower() in (".xlsx", ".xlsm", ".zip", "")
        if path.suffix.lower() in (".csv", ".tsv"):
            return True
        return head.lstrip()[:1] not in (b"{", b"[", b"<") and b"," in head and _is_headed(head)

    def read(self, path: Path) -> Iterator[Trial | LeftOut]:
        """The trials of a file row by row; a row without number or criteria as LeftOut."""
        rows = _xlsx(path) if _is_xlsx(path) else _csv(path)
        number, columns = _headings(path, rows)
        seen: set[str] = set()
        for row, cells in rows:
            if not any(cells):
                continue
            place = f"{path}, row {row}"
            try:
                trial = _trial(_fields_of(columns, cells), place, self.name)
            except InputError as error:
                yield LeftOut(place, error.reason)
                continue
            if trial.id in seen:
                yield LeftOut(place, f"{trial.id} stands in an earlier row; this row is read as well")
            seen.add(trial.id)
            yield trial
        if not seen:
            raise UnreadableInput(path, f"no trial below the headings of row {number}", "one row a trial")

    def read_record(self, record: dict[str, Any]) -> Trial:
        """One row as a dict by heading; InputError if its headings are not a trial list's."""
        names = [str(k) for k in record]
        columns = [_field(n) for n in names]
        if not any(c in _NEEDED for c in columns):
            raise InputError("record", "no heading of criteria in it")
        return _trial(_fields_of(columns, [_cell(v) for v in record.values()]), "record", self.name)


def create() -> Spreadsheet:
    """The registry."""
    return Spreadsheet()


@lru_cache(maxsize=1)
def _table() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (row["field"], re.compile(row["pattern"], re.IGNORECASE))
        for language in languages.names()
        for row in languages.rows(language, "trial_headings")
    )


def _field(heading: str) -> str:
    """The field a heading names, "" for one that is not known."""
    words = re.sub(r"[\s_]+", " ", heading).strip(" :：*#")
    tight = words.replace(" ", "")
    for name, pattern in _table():
        if pattern.fullmatch(words) or (not words.isascii() and pattern.fullmatch(tight)):
            return name
    return ""


def _is_headed(head: bytes) -> bool:
    text = head.decode("utf-8", "ignore") + head.decode("gb18030", "ignore")
    first = text.splitlines()[:1]
    return any(_field(cell) in _NEEDED for line in first for cell in line.split(","))


def _headings(path: Path, rows: Iterator[_Row]) -> tuple[int, list[str]]:
    """The row of headings and the field of each column; UnreadableInput says what is missing."""
    best: tuple[int, int, list[str], list[str]] = (0, 0, [], [])
    for number, cells in itertools.islice(rows, _HEADING_ROWS):
        columns = [_field(cell) for cell in cells]
        known = len({c for c in columns if c})
        if known > best[0]:
            best = (known, number, columns, cells)
        if known >= 2 and any(c in _NEEDED for c in columns):
            return _checked(path, number, columns, cells)
    return _checked(path, best[1], best[2], best[3])


def _checked(path: Path, number: int, columns: list[str], cells: list[str]) -> tuple[int, list[str]]:
    missing = [] if "id" in columns else ["a column for the trial's number (编号, Trial ID)"]
    if not any(c in _NEEDED for c in columns):
        missing.append("a column for the criteria (入选标准 and 排除标准, Inclusion Criteria and Exclusion Criteria)")
    if missing or not columns:
        merged = " (empty headings: merged cells?)" if cells.count("") > len(cells) // 3 else ""
        raise UnreadableInput(
            path,
            f"headings not found: {' and '.join(missing) or 'no heading is known'}{merged}",
            "name the columns so in one row without merged cells; see docs/trials.md",
        )
    return number, columns


def _fields_of(columns: list[str], cells: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, cell in zip(columns, cells, strict=False):
        if name and cell:
            found[name] = f"{found[name]}\n{cell}" if name in found else cell
    return found


def _trial(cells: dict[str, str], place: str, registry: str) -> Trial:
    number = cells.get("id", "").split("\n")[0].strip()
    if not number:
        raise InputError(place, "no trial number in the row")
    sides = cells.get("inclusion", ""), cells.get("exclusion", "")
    language = languages.detect("".join(sides) + cells.get("eligibility", ""))
    if any(sides):
        eligibility, inclusion, exclusion = _fields.joined_text(*sides, language)
    else:
        eligibility, inclusion, exclusion = cells.get("eligibility", ""), None, None
    low, high = _ages(cells)
    trial = Trial(
        id=number,
        registry=registry,
        title=cells.get("title") or cells.get("official_title") or cells.get("summary") or number,
        eligibility_text=eligibility,
        official_title=cells.get("official_title", ""),
        status=_fields.status(cells.get("status")),
        phase=_fields.phase(cells.get("phase")),
        conditions=_listed(cells.get("conditions", "")),
        keywords=_listed(cells.get("keywords", "")),
        interventions=_listed(cells.get("interventions", "")),
        sites=_listed(cells.get("sites", "")),
        contacts=_listed(cells.get("contacts", "")),
        sponsor=cells.get("sponsor", ""),
        summary=cells.get("summary", ""),
        description=cells.get("description", ""),
        minimum_age=_fields.age(low),
        maximum_age=_fields.age(high),
        sex=_fields.sex(cells.get("sex")),
        healthy_volunteers=_yes(cells.get("healthy", "")),
        inclusion_text=inclusion,
        exclusion_text=exclusion,
        start=_fields.iso_date(cells.get("start")),
        end=_fields.iso_date(cells.get("end")),
        url=cells.get("url", ""),
        language=language,
    )
    return _fields.checked(trial, place)


def _ages(cells: dict[str, str]) -> tuple[str, str]:
    """The two limits of "18岁(最小年龄)至75岁(最大年龄)", "18-75", "≥18", or of two columns."""
    if "minimum_age" in cells or "maximum_age" in cells:
        return cells.get("minimum_age", ""), cells.get("maximum_age", "")
    said = cells.get("age", "")
    parts = re.split(r"至|到|[-–—~～]| to ", said.replace("\n", " "), maxsplit=1)
    if len(parts) == 2:
        unit = re.search(r"(?:周岁|岁|个月|月|天|years?|months?)", parts[1])
        low = parts[0] + (unit[0] if unit and re.fullmatch(r"\s*[0-9.]+\s*", parts[0]) else "")
        return low, parts[1]
    if re.search(r"≤|<|以下|below|under|up to|不超过", said):
        return "", said
    return said, ""


def _yes(said: str) -> bool | None:
    word = said.strip().lower()
    return (
        True if word in ("yes", "true", "是", "有", "接受") else False if word in ("no", "false", "否", "无") else None
    )


def _listed(said: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(t.strip() for t in re.split(r"[;；\n|]", said) if t.strip()))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (datetime, date)):
        return value.isoformat()[:10]
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).replace("_x000D_", "").replace("\r\n", "\n").strip()


def _is_xlsx(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _xlsx(path: Path) -> Iterator[_Row]:
    """The rows of the first sheet that has any, read as a stream."""
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise UnreadableInput(path, "not a readable XLSX workbook", "save it again as .xlsx or .csv") from error
    try:
        for sheet in book.worksheets:
            rows = (
                (number, [_cell(v) for v in cells]) for number, cells in enumerate(sheet.iter_rows(values_only=True), 1)
            )
            first = next((row for row in rows if any(row[1])), None)
            if first is not None:
                yield first
                yield from rows
                return
    finally:
        book.close()


def _csv(path: Path) -> Iterator[_Row]:
    csv.field_size_limit(50_000_000)
    with _decoded(path) as file:
        sample = file.read(65_536)
        file.seek(0)
        delimiter = max(",\t;", key=sample.split("\n", 1)[0].count)
        try:
            for cells in (reader := csv.reader(file, delimiter=delimiter)):
                yield reader.line_num, [_cell(c) for c in cells]
        except csv.Error as error:
            raise UnreadableInput(path, f"not valid CSV ({error})", "is a quote missing?") from error


def _decoded(path: Path) -> TextIO:
    """The file opened in the encoding it is in: UTF-8, GB18030 (as Chinese Excel saves) or UTF-16."""
    with path.open("rb") as raw:
        head = raw.read(4)
    order: Iterable[str] = ("utf-16",) if head[:2] in (b"\xff\xfe", b"\xfe\xff") else _ENCODINGS[:2]
    for encoding in order:
        try:
            with path.open("r", encoding=encoding, newline="") as file:
                for _ in iter(lambda f=file: f.read(1 << 20), ""):  # type: ignore[misc]
                    pass
        except UnicodeError:
            continue
        return path.open("r", encoding=encoding, newline="")
    raise UnreadableInput(path, "neither UTF-8 nor GB18030 text", "save it as UTF-8")
