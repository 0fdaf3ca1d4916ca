"""The cells of a table's lines -> results: names joined and split from their abbreviations, sections, flags, ranges."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from fhirbridge import languages
from fhirbridge.extract import lab_print, lab_units, lab_wrapped
from fhirbridge.extract.lab_cells import Cell
from fhirbridge.extract.lab_rows import Line
from fhirbridge.extract.lab_tables import Table
from fhirbridge.records import Box, LabResult, LeftOut, Page, Quantity

_MARK = re.compile(r"^[\s*#★☆▲△◆●■/.,:;·]+|[\s*★☆▲△◆●■.,:;·]+$")

_DATE = re.compile(r"(?<!\d)(?:19|20)\d\d[-/.年]\d{1,2}(?!\d)|\d{1,2}/\d{1,2}/(?:19|20)\d\d")


def of_table(table: Table, page: Page) -> tuple[list[LabResult], list[LeftOut]]:
    """The results of a table in order, and the lines that look like rows but whose value was not found."""
    results: list[LabResult] = []
    missing: list[LeftOut] = []
    section, last, remarks = "", 0.0, False
    for line in table.lines:
        cells = {cell.kind: cell for cell in line if cell.kind}
        y = float(np.median([piece.y for cell in line for piece in cell.pieces]))
        near = bool(results) and y - last < 1.9 * max(piece.height for cell in line for piece in cell.pieces)
        if near and lab_wrapped.goes_on_by_category(line):
            results[-1] = lab_wrapped.with_category(results[-1], line)
            last = y
        elif _of_category(cells):
            remarks = True
        elif _is_row(cells, line) and _in_place(cells, table, remarks):
            results.append(_result(cells, section, page))
            last = y
        elif near and not _is_note(line) and lab_wrapped.continues(results[-1], line):
            results[-1] = lab_wrapped.joined(results[-1], line)
            last = y
        elif not _is_note(line):
            if _names_only(cells):
                section = _MARK.sub("", " ".join(cell.text for cell in line)).strip()
            elif "range" in cells and "name" in cells:
                where = _box(line, page)
                place = f"page {page.number}, x {where.x}, y {where.y}"
                missing.append(LeftOut(place, "a row whose result was not found"))
        else:
            remarks = True
    return lab_units.alike(lab_units.powers_restored(results)), missing


def _of_category(cells: dict[str, Cell]) -> bool:
    """Whether a line names who or what a range is for, as tables of interpretation do, and no analyte."""
    name = _clean_name(cells.get("name")) or _clean_name(cells.get("code"))
    return lab_wrapped.is_category(name)


def _is_row(cells: dict[str, Cell], line: Line) -> bool:
    if "value" not in cells or not ("name" in cells or "code" in cells) or _in_sentence(cells["value"], line):
        return False
    if any(_DATE.search(lab_print.plain(cell.text)) for cell in _namings(cells)):
        return False
    value = _unflagged(cells["value"].text)[0]
    unit = "unit" in cells and lab_units.read(cells["unit"].text) is not None
    limits = "range" in cells and lab_print.limits(cells["range"].text) is not None
    if re.fullmatch(r"\d+\.\d+\s?[-~]+\s?\d+\.\d+", value):  # a range: from a table of interpretation
        return False
    if lab_print.number(value) is None and not lab_print.qualitative(value):
        return limits and len(value) <= 12
    loose = sum(len(cell.text) for cell in line if not cell.kind)
    if not (unit or limits or "flag" in cells) and loose > 4:
        return False
    if loose > 20 or (_is_note(line) and not (unit and limits)):
        return False
    return bool(_clean_name(cells.get("name")) or _clean_name(cells.get("code")))


def _in_place(cells: dict[str, Cell], table: Table, remarks: bool) -> bool:
    """Whether a value stands in its column; below a remark it must stand under the heading itself, with its unit."""
    value = cells["value"]
    size = max(piece.height for piece in value.pieces)
    column = table.columns.get("value")
    if column:
        left, right = column.at(value.pieces[0].y)
        if value.left > right + 2 * size or value.right < left - 2 * size:
            return False
    name = table.columns.get("name")
    if column and name and name.left < column.left and value.right < min(c.left for c in _namings(cells)):
        return False
    heads = [heading for heading in table.headings if heading.kind.startswith("value")]
    if not remarks or not heads:
        return True
    under = any(value.left < head.right + size / 2 and value.right > head.left - size / 2 for head in heads)
    return under and bool({"unit", "range"} & set(cells))


def _namings(cells: dict[str, Cell]) -> list[Cell]:
    return [cells[kind] for kind in ("name", "code") if kind in cells]


def _in_sentence(value: Cell, line: Line) -> bool:
    """Whether a value stands inside running text: a name behind it, or much of its own word before and after it."""
    word, start, end = value.pieces[0].word, value.pieces[0].start, value.pieces[-1].end
    others = [piece for cell in line for piece in cell.pieces if piece.word == word]
    if any(cell.kind == "name" and cell.pieces[-1].word == word and cell.pieces[-1].start >= end for cell in line):
        return True
    before = sum(len(piece.text) for piece in others if piece.end <= start)
    after = sum(len(piece.text) for piece in others if piece.start >= end)
    return before > 8 and after > 12


def _names_only(cells: dict[str, Cell]) -> bool:
    return set(cells) <= {"name", "code"} and bool(cells)


def _is_note(line: Line) -> bool:
    """Whether a line is a field of the form or a remark: it begins with such a word."""
    text = lab_print.plain(" ".join(cell.text for cell in line)).strip(" *※#").casefold()
    label = re.split(r"[:：]", text, maxsplit=1)
    if len(label) == 2 and label[0].replace(" ", "") in _labels():
        return True
    return any(text.startswith(word) for word in _notes())


@lru_cache(maxsize=1)
def _labels() -> frozenset[str]:
    return frozenset(
        lab_print.plain(row["label"]).casefold().replace(" ", "")
        for language in languages.names()
        for row in languages.rows(language, "lab_fields")
    )


@lru_cache(maxsize=1)
def _notes() -> tuple[str, ...]:
    return tuple(
        lab_print.plain(row["word"]).casefold()
        for language in languages.names()
        for row in languages.rows(language, "lab_words")
        if row["kind"] == "note"
    )


def _result(cells: dict[str, Cell], section: str, page: Page) -> LabResult:
    value, mark = _unflagged(cells["value"].text)
    name, abbreviation = _names(cells)
    range_text = _range_text(cells)
    limits = lab_print.limits(range_text) if range_text else None
    unit = _unit(cells.get("unit"), limits)
    number = lab_print.number(value)
    parts = tuple(cells.values())
    return LabResult(
        name=name,
        value_text=value,
        box=_box(parts, page),
        quantity=None if number is None else Quantity(number.value, unit, comparator=number.comparator),
        unit=unit,
        low=_limit(limits.low if limits else None, unit),
        high=_limit(limits.high if limits else None, unit),
        range_text=range_text,
        flag=_flag(cells.get("flag"), mark),
        abbreviation=abbreviation,
        section=section,
        method=cells["method"].text if "method" in cells else "",
        confidence=min(piece.sure for cell in parts if cell.kind == "value" for piece in cell.pieces),
        name_confidence=min(piece.sure for cell in _namings(cells)[:1] for piece in cell.pieces),
        value_box=_part_box(cells["value"], page),
    )


def _names(cells: dict[str, Cell]) -> tuple[str, str]:
    """The name as printed and the abbreviation beside it; what was cut from the end of one word is put back."""
    name, code = cells.get("name"), cells.get("code")
    if name and code and code.left > name.left and code.pieces[0].word == name.pieces[-1].word:
        return f"{_clean_name(name)}{'' if code.pieces[0].cut > 0.2 else ' '}{_clean_name(code)}", ""
    return _clean_name(name) or _clean_name(code), _clean_name(code) if name else ""


def _unit(cell: Cell | None, limits: lab_print.Range | None) -> str:
    """The unit as printed, from its own column or from behind the range."""
    text = cell.text if cell else limits.rest if limits else ""
    return lab_units.read(text) or (text if cell else "")


def _range_text(cells: dict[str, Cell]) -> str:
    """The range as printed; two columns of limits as one range."""
    if "range" in cells:
        return cells["range"].text.strip()
    low, high = (cells[kind].text.strip() if kind in cells else "" for kind in ("low", "high"))
    return f"{low}-{high}" if low and high else f">={low}" if low else f"<={high}" if high else ""


def _limit(limit: Quantity | None, unit: str) -> Quantity | None:
    return None if limit is None else Quantity(limit.value, unit, comparator=limit.comparator)


def _unflagged(text: str) -> tuple[str, str]:
    """A value without the mark glued to its end, and that mark."""
    bare = lab_print.plain(text).strip()
    judged = lab_print.number_and_word(bare)
    if judged:
        return judged
    found = re.fullmatch(r"(.*?[\d.+)\w])\s*([↑↓]+|[HL]{1,2}|\*|[HL]\*|\*[HL]|[\[(][HLA][\])]|高|低|偏高|偏低)", bare)
    if found and (lab_print.number(found[1].strip()) is not None or lab_print.ARROWS.fullmatch(found[2])):
        return found[1].strip(), found[2]
    found = re.fullmatch(r"([↑↓]+|[HL]{1,2}|\*)\s*(\d.*)", bare)
    if found and lab_print.number(found[2]) is not None:
        return found[2], found[1]
    return bare, ""


def _flag(cell: Cell | None, mark: str) -> str:
    for text in (cell.text if cell else "", mark):
        found = lab_print.flag(text) if text else None
        if found:
            return found
    return ""


def _clean_name(cell: Cell | None) -> str:
    return _MARK.sub("", cell.text).strip() if cell else ""


def _part_box(cell: Cell, page: Page) -> Box:
    """Where a cell stands when it is part of longer words: each word's box cut in proportion to its characters."""
    left, right, top, bottom = [], [], [], []
    for piece in cell.pieces:
        word = page.words[piece.word]
        wide = word.box.width / max(1, len(word.text))
        left.append(word.box.x + wide * piece.start)
        right.append(word.box.x + wide * piece.end)
        top.append(word.box.y)
        bottom.append(word.box.y + word.box.height)
    x, y = int(min(left)), min(top)
    return Box(x, y, int(max(right)) - x + 1, max(bottom) - y, page.number)


def _box(cells: Sequence[Cell], page: Page) -> Box:
    """The upright rectangle round the words of some cells."""
    boxes = [page.words[piece.word].box for cell in cells for piece in cell.pieces]
    x, y = min(b.x for b in boxes), min(b.y for b in boxes)
    right, bottom = max(b.x + b.width for b in boxes), max(b.y + b.height for b in boxes)
    return Box(x, y, right - x, bottom - y, page.number)
