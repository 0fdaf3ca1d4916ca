"""Printed units in both languages become the right UCUM, and conversions agree with ucumvert."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fhirbridge.terminology import ucum


@pytest.mark.parametrize(
    ("printed", "code", "kind"),
    [
        ("×10⁹/L", "10*9/L", "number"),
        ("10^12/L", "10*12/L", "number"),
        ("*10^9/L", "10*9/L", "number"),
        ("x10^3/µL", "10*3/uL", "number"),
        ("109/L", "10*9/L", "number"),  # the superscript lost
        ("thou/mm3", "10*3/uL", "number"),
        ("Million/cumm", "10*6/uL", "number"),
        ("Lakhs/cumm", "10*5/uL", "number"),
        ("K/uL", "10*3/uL", "number"),
        ("G/L", "10*9/L", "number"),
        ("g/L", "g/L", "mass"),
        ("gm/dL", "g/dL", "mass"),
        ("g%", "g/dL", "mass"),
        ("μmol/L", "umol/L", "molar"),
        ("umo1/L", "umol/L", "molar"),
        ("毫摩尔/升", "mmol/L", "molar"),
        ("mEq/L", "meq/L", "molar"),
        ("U/L", "U/L", "catalytic"),
        ("uIU/mL", "u[IU]/mL", "units"),
        ("mIU/L", "m[IU]/L", "units"),
        ("mL/min/1.73m2", "mL/min/{1.73_m2}", "flow"),
        ("mm/hr", "mm/h", "velocity"),
        ("秒", "s", "time"),
        ("个/HP", "/[HPF]", "hpf"),
        ("/LPF", "/[LPF]", "lpf"),
        ("mg/24h", "mg/(24.h)", "mass-rate"),
        ("mg/gCr", "mg/g{creat}", "mass-ratio"),
        ("mg/mmol", "mg/mmol", "mass-per-mole"),
        ("ug/mL FEU", "ug/mL{FEU}", "mass-feu"),
        ("S/CO", "{s_co_ratio}", "index"),
        ("mmHg", "mm[Hg]", "pressure"),
        ("%", "%", "fraction"),
        ("fL", "fL", "volume"),
        ("pg", "pg", "mass-per-cell"),
    ],
)
def test_printed_unit_becomes_ucum(printed: str, code: str, kind: str) -> None:
    assert (ucum.code(printed), ucum.kind(ucum.code(printed))) == (code, kind)


@pytest.mark.parametrize("printed", ["", "阴性", "10^12/", "U/LL", "R", "g/dL mmol/L", "见备注"])
def test_what_is_no_unit_gets_no_code(printed: str) -> None:
    assert ucum.code(printed) is None


def test_every_code_of_the_spelling_table_is_valid_ucum() -> None:
    for row in ucum.rows("unit-spellings.tsv"):
        if row["ucum"] and row["ucum"] not in {"Cel", "[degF]", "[pH]"}:
            assert ucum.measure(row["ucum"]) is not None, row


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("g/L", "mg/dL"),
        ("10*9/L", "10*3/uL"),
        ("10*12/L", "/uL"),
        ("mmol/L", "umol/dL"),
        ("[lb_av]", "kg"),
        ("[in_i]", "cm"),
        ("mm[Hg]", "kPa"),
        ("U/L", "ukat/L"),
        ("mg/(24.h)", "g/d"),
        ("mL/min", "L/h"),
        ("wk", "d"),
        ("a", "mo"),
    ],
)
def test_conversion_agrees_with_ucumvert(source: str, target: str) -> None:
    import ucumvert

    registry = ucumvert.PintUcumRegistry()
    expected = registry.from_ucum(source).to(registry.from_ucum(target)).magnitude
    assert float(ucum.convert(Decimal(1), source, target) or 0) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("value", "source", "target", "mass", "expected"),
    [
        ("88.4", "umol/L", "mg/dL", "113.12", "1.000"),  # creatinine
        ("5.5", "mmol/L", "mg/dL", "180.156", "99.1"),  # glucose
        ("200", "mg/dL", "mmol/L", "386.65", "5.17"),  # cholesterol
        ("9.3", "mmol/L", "g/dL", "16114", "14.99"),  # haemoglobin, monomer
    ],
)
def test_mass_and_molar_by_molar_mass(value: str, source: str, target: str, mass: str, expected: str) -> None:
    got = ucum.convert(Decimal(value), source, target, molar_mass=Decimal(mass))
    assert got is not None and abs(got / Decimal(expected) - 1) < Decimal("0.001")


def test_mass_never_becomes_molar_without_a_molar_mass() -> None:
    assert ucum.convert(Decimal(1), "mg/dL", "mmol/L") is None


def test_units_of_different_things_do_not_convert() -> None:
    assert ucum.convert(Decimal(1), "[IU]/L", "U/L") is None
    assert ucum.convert(Decimal(1), "g/L", "s") is None


def test_divalent_equivalents_are_half_a_mole() -> None:
    assert ucum.convert(Decimal("4.8"), "meq/L", "mmol/L", valence=2) == Decimal("2.4")
