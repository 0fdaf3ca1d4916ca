"""Print that goes on below its row: a long name, a method in brackets, a unit cut by a hyphen, a list of ranges."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from fhirbridge import languages
from fhirbridge.extract import lab_cells, lab_print, lab_units
from fhirbridge.extract.lab_cells import Cell
from fhirbridge.records import LabResult, Quantity

_BRACKETED = re.compile(r"[(（\[].*[)）\]]")
_OPEN = re.compile(r"(?:[-,/&(（+]|\bof|\band|\bwith|\bfor|\bto)\s*$", re.IGNORECASE)


def is_category(text: str) -> bool:
    """Whether a text says whom or which stage a range is for: adults, luteal phase, borderline high."""
    bare = re.sub(r"[\s:;,.()-]+", "", lab_print.plain(text)).casefold()
    return bare in _categories()


@lru_cache(maxsize=1)
def _categories() -> frozenset[str]:
    return frozenset(
        re.sub(r"[\s:;,.()-]+", "", lab_print.plain(row["word"])).casefold()
        for language in languages.names()
        for row in languages.rows(language, "lab_words")
        if row["kind"] == "category"
    )


def goes_on_by_category(line: Sequence[Cell]) -> bool:
    """Whether a line is nothing but a category and its range, as lists of ranges below their row are."""
    words = re.split(r"(?=[<>≤≥\d])", lab_print.plain(_text(line)), maxsplit=1)
    if len(words) < 2 or not is_category(words[0]) or any(cell.kind == "flag" for cell in line):
        return False
    limits = lab_print.limits(words[1].strip())
    return limits is not None and bool(limits.low or limits.high)


def with_category(row: LabResult, line: Sequence[Cell]) -> LabResult:
    """The row with one more range of its list: the list is kept as printed, and no limits are chosen from it."""
    text = lab_cells.joined([piece for cell in line for piece in cell.pieces])
    return replace(row, range_text=f"{row.range_text}; {text}".lstrip("; "), low=None, high=None)


def continues(row: LabResult, line: Sequence[Cell]) -> bool:
    """Whether a line without a value goes on with the row above it."""
    kinds = {cell.kind for cell in line if cell.kind}
    if _rest_of_unit(row, line) or kinds == {"range"}:
        return True
    if not kinds or not kinds <= {"name", "code"} or any(not cell.kind for cell in line):
        return False
    text = _text(line)
    if _BRACKETED.fullmatch(text):
        return not row.method
    unfinished = bool(_OPEN.search(row.name)) or row.name.count("(") > row.name.count(")")
    return unfinished or bool(re.match(r"[a-z)）]", text))


def joined(row: LabResult, line: Sequence[Cell]) -> LabResult:
    """The row with what the line below adds to it."""
    unit = _rest_of_unit(row, line)
    if unit:
        return with_unit(row, unit)
    text = _text(line)
    if any(cell.kind == "range" for cell in line):
        limits = lab_print.limits(text)
        if row.range_text or limits is None:
            return replace(row, range_text=f"{row.range_text}; {text}".lstrip("; "), low=None, high=None)
        return replace(row, range_text=text, low=limits.low, high=limits.high)
    if _BRACKETED.fullmatch(text):
        return replace(row, method=text.strip("()（）[] "))
    if re.search(r"[㐀-鿿\-/(]$", row.name):
        return replace(row, name=row.name.removesuffix("-") + text)
    return replace(row, name=f"{row.name} {text}")


def _rest_of_unit(row: LabResult, line: Sequence[Cell]) -> str | None:
    """The whole unit where a hyphen or stroke cut it and the line below holds nothing but its rest."""
    if not row.unit.endswith(("-", "/")) or any(cell.kind not in ("", "unit") for cell in line):
        return None
    return lab_units.read(row.unit.removesuffix("-") + _text(line))


def with_unit(row: LabResult, unit: str) -> LabResult:
    """The row with another unit in its value and limits."""

    def measured(quantity: Quantity | None) -> Quantity | None:
        return None if quantity is None else replace(quantity, unit=unit)

    return replace(row, unit=unit, quantity=measured(row.quantity), low=measured(row.low), high=measured(row.high))


def _text(line: Sequence[Cell]) -> str:
    return " ".join(cell.text for cell in line)
