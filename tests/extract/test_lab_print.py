"""What a piece of print is: numbers, ranges, units and marks."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fhirbridge.extract import lab_print, lab_units


@pytest.mark.parametrize(
    ("text", "value", "comparator"),
    [
        ("6.30", "6.30", ""),
        ("<0.50", "0.50", "<"),
        ("≥1.5", "1.5", ">="),
        ("1,250", "1250", ""),
        ("1.2×10^3", "1.2E+3", ""),
    ],
)
def test_a_number_keeps_its_digits_and_comparator(text: str, value: str, comparator: str) -> None:
    found = lab_print.number(text)
    assert found is not None and str(found.value) == value and found.comparator == comparator


@pytest.mark.parametrize("text", ["6.3.0", "WBC", "3.5-9.5", "", "1:160"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert lab_print.number(text) is None


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("3.5-9.5", "3.5", "9.5"),
        ("3.5～9.5", "3.5", "9.5"),
        ("3.50--9.50", "3.50", "9.50"),
        ("(70 - 100)", "70", "100"),
        ("<5.0", None, "5.0"),
        ("≤5.0", None, "5.0"),
        (">60", "60", None),
        ("0-5/HP", "0", "5"),
        ("120 160", "120", "160"),
        ("4.00一10.00", "4.00", "10.00"),
        ("阴性(-)", None, None),
    ],
)
def test_ranges_in_every_form(text: str, low: str | None, high: str | None) -> None:
    found = lab_print.limits(text)
    assert found is not None
    assert (found.low and found.low.value) == (low and Decimal(low))
    assert (found.high and found.high.value) == (high and Decimal(high))


@pytest.mark.parametrize(
    ("printed", "unit"),
    [
        ("mg/1", "mg/L"),
        ("umo1/L", "umol/L"),
        ("10~9/L", "10^9/L"),
        ("109/L", "10^9/L"),
        ("1U/mL", "IU/mL"),
        ("UIL", "U/L"),
        ("10./L", "10^?/L"),
        ("×10^12/L", "×10^12/L"),
        ("mL/min/1.73m2", "mL/min/1.73m2"),
        ("/HP", "/HP"),
    ],
)
def test_unmistakable_letters_of_units_are_mended(printed: str, unit: str) -> None:
    assert lab_units.read(printed) == unit


@pytest.mark.parametrize("text", ["WBC", "ALT", "GGT", "TSH", "6.3", "阴性", "Hb", "CA125", "T"])
def test_an_analyte_is_no_unit(text: str) -> None:
    assert lab_units.read(text) is None


@pytest.mark.parametrize(
    ("mark", "means"), [("↑", "H"), ("↓", "L"), ("H", "H"), ("偏低", "L"), ("*", "A"), ("High", "H")]
)
def test_marks_beside_a_result(mark: str, means: str) -> None:
    assert lab_print.flag(mark) == means
