"""Analyte tables: every code is LOINC's, and analyte, specimen and unit decide it."""

from __future__ import annotations

import csv
import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from fhirbridge import languages
from fhirbridge.records import Box, LabHeader, LabReport, LabResult, Quantity
from fhirbridge.terminology import _analytes, loinc, ucum

SHARED = Path(__file__).parents[3] / "shared" / "data"
needs_loinc = pytest.mark.skipif(
    not (SHARED / "terminology" / "loinc-core.csv.gz").exists(), reason="the LOINC table is not in ../shared"
)


def row(name: str, value: str, unit: str = "", abbreviation: str = "", section: str = "") -> LabResult:
    try:
        quantity = Quantity(Decimal(value), unit)
    except ArithmeticError:
        quantity = None
    return LabResult(name, value, Box(0, 0, 1, 1), quantity, unit, abbreviation=abbreviation, section=section)


def coded(*rows: LabResult, specimen: str | None = None) -> list[str]:
    report = loinc.code(LabReport(LabHeader(specimen=specimen), rows, (), "en"))
    return [r.codings[0].code if r.codings else "" for r in report.results]


def test_there_are_at_least_500_analytes_with_a_code_and_names_in_both_languages() -> None:
    known = [a for a in _analytes.table().values() if a.codes]
    assert len(known) >= 500
    assert all(a.names.get("en") or a.abbreviations for a in known)
    assert all(a.names.get("zh") for a in known)


@needs_loinc
def test_every_code_is_in_loinc_with_the_component_of_the_table() -> None:
    with gzip.open(SHARED / "terminology" / "loinc-core.csv.gz", "rt", encoding="utf-8") as lines:
        core = {r["LOINC_NUM"]: r["COMPONENT"] for r in csv.DictReader(lines)}
    wrong = [r for r in ucum.rows("analyte-codes.tsv") if core.get(r["loinc"]) != r["component"]]
    assert wrong == []


@needs_loinc
def test_mass_molar_and_other_kinds_agree_with_loincs_example_unit() -> None:
    units = json.loads(gzip.decompress((SHARED / "terminology" / "loinc-units.json.gz").read_bytes()))
    strict = {"mass", "molar", "catalytic", "time", "volume", "mass-per-cell", "mass-rate", "molar-rate", "pressure"}
    wrong = []
    for r in ucum.rows("analyte-codes.tsv"):
        kinds = {ucum.kind(u) for u in units.get(r["loinc"], [])} - {"other"}
        if r["kind"] in strict and kinds and not kinds & {r["kind"], "mass-feu", "mass-ddu", "units"}:
            wrong.append((r["analyte"], r["kind"], r["loinc"], kinds))
    assert wrong == []


@needs_loinc
def test_the_system_agrees_with_loincs_own_names_where_they_are_known() -> None:
    text = gzip.decompress((SHARED / "terminology" / "utg-loinc.cache.gz").read_bytes()).decode()
    systems = {"serum": ("Serum", "SerPl"), "urine": ("Urine",), "csf": ("Cerebral spinal",), "fluid": ("Body fluid",)}
    for r in ucum.rows("analyte-codes.tsv"):
        at = text.find(f'"code" : "{r["loinc"]}"')
        display = text[at : at + 250].partition('"display" : "')[2].partition('"')[0] if at >= 0 else ""
        if " in " in display and r["specimen"] in systems:
            assert any(s in display for s in systems[r["specimen"]]), (r, display)


def test_no_analyte_has_two_codes_for_one_specimen_and_kind() -> None:
    for known in _analytes.table().values():
        keys = [(c.specimen, c.kind) for c in known.codes]
        assert len(keys) == len(set(keys)), known.key


def test_the_languages_list_the_same_analytes() -> None:
    keys = [[r["analyte"] for r in languages.rows(lang, "analytes")] for lang in ("en", "zh")]
    assert keys[0] == keys[1]


@pytest.mark.parametrize(
    ("name", "unit", "code"),
    [
        ("Creatinine", "mg/dL", "2160-0"),
        ("Creatinine", "umol/L", "14682-9"),
        ("Creatinine, urine", "mg/dL", "2161-8"),
        ("尿肌酐", "mmol/L", "14683-7"),
        ("谷丙转氨酶", "U/L", "1742-6"),
        ("*丙氨酸氨基转移酶(ALT)", "U/L", "1742-6"),
        ("GPT", "IU/L", "1742-6"),
        ("血红蛋白", "g/L", "718-7"),
        ("Haemoglobin", "g/dL", "718-7"),
        ("Neutrophils", "%", "770-8"),
        ("Neutrophils", "10^9/L", "751-8"),
        ("红细胞分布宽度", "fL", "21000-5"),
        ("红细胞分布宽度", "%", "788-0"),
        ("PCT", "ng/mL", "33959-8"),
        ("PCT", "%", "51637-7"),
        ("尿酸", "umol/L", "14933-6"),
        ("尿素氮", "mmol/L", "22664-7"),
        ("γ-谷氨酰转肽酶", "U/L", "2324-2"),
        ("TSH", "μIU/mL", "3016-3"),
        ("CK-MB", "ng/mL", "13969-1"),
        ("CK-MB", "U/L", "32673-6"),
    ],
)
def test_name_and_unit_decide_the_code(name: str, unit: str, code: str) -> None:
    found = loinc.find(name, unit=unit)
    assert found is not None and found.code == code


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("Hemoglobin", ""),  # mass or molar?
        ("Creatinine", ""),
        ("Creatinine", "U/L"),  # no such property
        ("MCHC", "%"),
        ("xyz", "mg/dL"),
        ("红细胞分布宽度SD", "%"),
    ],
)
def test_what_is_not_decided_gets_no_code(name: str, unit: str) -> None:
    assert loinc.find(name, unit=unit) is None


@pytest.mark.parametrize(
    ("name", "abbreviation", "keys"),
    [
        ("Cholesterol", "HDL", ("hdl",)),  # a name that was cut in two
        ("Free", "T3", ("ft3",)),
        ("Calcium", "ALT", ()),  # they contradict each other
        ("空腹血糖", "GLU", ("glu-fast",)),
        ("HbAlc", "", ("hba1c",)),  # misread by one letter
        ("前列腺特异性抗照", "", ("psa",)),
        ("向接胆红素", "", ()),  # direct or indirect?
        ("Vitamin D9", "", ()),
        ("IgB", "", ()),
        ("CRP", "", ("crp",)),
        ("超敏C反应蛋白", "CRP", ("hscrp",)),
    ],
)
def test_names_cut_or_misread_are_known_only_where_nothing_else_is_as_near(
    name: str, abbreviation: str, keys: tuple[str, ...]
) -> None:
    assert _analytes.candidates(name, abbreviation) == keys


def test_urine_rows_are_known_by_their_company() -> None:
    rows = (
        row("比重", "1.015"),
        row("亚硝酸盐", "阴性"),
        row("酮体", "阴性"),
        row("白细胞", "12", "/ul", "WBC"),
        row("白细胞", "1+", "", "LEU"),
        row("葡萄糖", "-"),
    )
    assert coded(*rows) == ["2965-2", "5802-4", "2514-8", "51487-7", "5799-2", "2349-9"]


def test_section_headings_tell_urine_from_blood_on_one_page() -> None:
    rows = (row("Glucose", "90", "mg/dL", section="CHEMISTRY"), row("Glucose", "15", "mg/dL", section="URINALYSIS"))
    assert coded(*rows) == ["2345-7", "2350-7"]


def test_the_printed_specimen_counts() -> None:
    assert coded(row("Protein", "30", "mg/dL"), specimen="CSF") == ["2880-3"]
    assert coded(row("肌酐", "88", "μmol/L"), specimen="EDTA抗凝全血") == ["14682-9"]


def test_fasting_glucose_is_also_glucose() -> None:
    report = loinc.code(LabReport(LabHeader(), (row("空腹血糖", "5.6", "mmol/L"),), (), "zh"))
    assert [c.code for c in report.results[0].codings] == ["14771-0", "14749-6"]


@pytest.mark.parametrize(
    ("value", "source", "target", "code", "expected"),
    [
        ("1.0", "mg/dL", "umol/L", "2160-0", "88.4"),
        ("5.5", "mmol/L", "mg/dL", "14749-6", "99.1"),
        ("5.0", "mmol/L", "mg/dL", "14647-2", "193.3"),
        ("1.7", "mmol/L", "mg/dL", "14927-8", "150.5"),
        ("9.3", "mmol/L", "g/L", "59260-0", "149.9"),
        ("17.1", "umol/L", "mg/dL", "14631-6", "1.0"),
        ("20", "mg/dL", "mmol/L", "3094-0", "7.14"),
        ("2.5", "mmol/L", "mg/dL", "2000-8", "10.02"),
        ("360", "umol/L", "mg/dL", "14933-6", "6.05"),
        ("4.8", "meq/L", "mmol/L", "2000-8", "2.4"),
        ("6.5", "%", "mmol/mol", "4548-4", "47.5"),
        ("10", "m[IU]/L", "pmol/L", "20448-7", "59.7"),
        ("30", "ng/mL", "nmol/L", "1989-3", "74.9"),
    ],
)
def test_values_convert_between_the_units_of_one_analyte(
    value: str, source: str, target: str, code: str, expected: str
) -> None:
    got = loinc.convert(Decimal(value), source, target, code)
    assert got is not None and abs(got / Decimal(expected) - 1) < Decimal("0.005")


@needs_loinc
def test_molar_masses_agree_with_lhncbcs_factors() -> None:
    checked = 0
    with (SHARED / "terminology" / "mass-molar-conversion.tsv").open(encoding="utf-8") as lines:
        for r in csv.DictReader(lines, delimiter="\t"):
            known = loinc.of_code(r["FROM_LOINC"]) or loinc.of_code(r["TO_LOINC"])
            if known is None or known[0].molar_mass is None or known[0].key in {"acr", "pcr-u"}:
                continue
            got = loinc.convert(Decimal(1), r["FROM_UNIT"], r["TO_UNIT"], known[0].key)
            if got is None or "." not in r["FACTOR"]:
                continue
            checked += 1
            if known[0].key == "bun":  # LHNCBC takes urea nitrogen for urea
                continue
            # its factors go both ways and slip in powers of ten; the digits must agree
            digits = [(got / Decimal(r["FACTOR"])).log10() % 1, (got * Decimal(r["FACTOR"])).log10() % 1]
            assert any(min(abs(d), 1 - abs(d)) < Decimal("0.025") for d in digits), (r, got)
    assert checked > 40


def test_codes_of_the_same_analyte_are_kept_together() -> None:
    assert set(loinc.same_analyte("2160-0")) == {"2160-0", "14682-9"}
    assert "2161-8" in loinc.same_analyte("2160-0", same_specimen=False)


@pytest.mark.skipif(not (SHARED / "labs").exists(), reason="the synthetic reports are not in ../shared")
def test_synthetic_reports_are_coded_right() -> None:
    right = wrong = total = 0
    for file in sorted((SHARED / "labs" / "synthetic-dev").glob("*_clean.json")):
        gold = json.loads(file.read_text(encoding="utf-8"))
        rows = [
            row(i["name_as_printed"], i["value"].lstrip("<>"), i["unit"] or "", i["code"] or "") for i in gold["items"]
        ]
        report = loinc.code(LabReport(LabHeader(specimen=gold["header"]["specimen"]), tuple(rows), (), gold["lang"]))
        for got, item in zip(report.results, gold["items"], strict=True):
            codes = [c.code for c in got.codings]
            total += 1
            right += item["loinc"] in codes
            wrong += bool(codes) and item["loinc"] not in codes
    assert right / total >= 0.95
    assert wrong / total <= 0.01
