"""Print that goes on below its row: a long name, a method in brackets, a unit cut by a hyphen, a list of ranges."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from fhirbridge.extract import lab_print, lab_units
from fhirbridge.extract.lab_cells import Cell
from fhirbridge.records import LabResult, Quantity

_BRACKETED = re.compile(r"[(（\[].*[)）\]]")
_OPEN = re.compile(r"(?:[-,/&(（+]|\bof|\band|\bwith|\bfor|\bto)\s*$", re.IGNORECASE)


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
