"""Print that goes on below its row: a long name, a method in brackets, a unit cut by a hyphen, a list of ranges."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from fhirbridge.extract import lab_print, lab_units
from fhirbridge.extract.lab_cells import Cell
from fhirbridge.records import LabResult, Quantity

_OPEN = re.compile(r"(?:[-,/&(（+]|\bof|\band|\bwith|\bfor|\bto)\s*$", re.IGNORECASE)


def continues(row: LabResult, cells: Mapping[str, Cell]) -> bool:
    """Whether a line without a value goes on with the row above it."""
    kinds = set(cells)
    if kinds == {"unit"} or kinds == {"range"}:
        return bool(row.range_text or row.unit)
    if not kinds or not kinds <= {"name", "code"}:
        return False
    text = _text(cells)
    if re.fullmatch(r"[(（\[].*[)）\]]", text):
        return not row.method
    return (
        bool(re.match(r"[a-z)）]", text)) or bool(_OPEN.search(row.name)) or row.name.count("(") > row.name.count(")")
    )


def joined(row: LabResult, cells: Mapping[str, Cell]) -> LabResult:
    """The row with what the line below adds to it."""
    if "unit" in cells:
        text = row.unit.removesuffix("-") + cells["unit"].text
        unit = lab_units.read(text)
        return with_unit(row, unit) if unit and not lab_units.read(row.unit) else row
    if "range" in cells:
        text = f"{row.range_text}; {cells['range'].text}" if row.range_text else cells["range"].text
        limits = lab_print.limits(text)
        if row.range_text or limits is None:
            return replace(row, range_text=text, low=None, high=None)
        return replace(row, range_text=text, low=limits.low, high=limits.high)
    text = _text(cells)
    if re.fullmatch(r"[(（\[].*[)）\]]", text):
        return replace(row, method=text.strip("()（）[] "))
    space = "" if re.search(r"[㐀-鿿\-/(]$", row.name) else " "
    return replace(row, name=f"{row.name.removesuffix('-') if space == '' else row.name}{space}{text}")


def with_unit(row: LabResult, unit: str) -> LabResult:
    """The row with another unit in its value and limits."""

    def measured(quantity: Quantity | None) -> Quantity | None:
        return None if quantity is None else replace(quantity, unit=unit)

    return replace(row, unit=unit, quantity=measured(row.quantity), low=measured(row.low), high=measured(row.high))


def _text(cells: Mapping[str, Cell]) -> str:
    return " ".join(cell.text for cell in sorted(cells.values(), key=lambda cell: cell.left))
