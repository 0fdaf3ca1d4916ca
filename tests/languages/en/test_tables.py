"""The English tables: codes that exist, patterns that compile, anchors that their patterns can meet."""

from __future__ import annotations

import csv
import gzip
import re
from pathlib import Path

import pytest

from fhirbridge import languages
from fhirbridge.records import Status

TERMINOLOGY = Path(__file__).resolve().parents[4] / "shared" / "data" / "terminology"
needs_terminology = pytest.mark.skipif(not TERMINOLOGY.is_dir(), reason="needs the terminologies of ../shared")
KINDS = {
    "negated", "possible", "past", "history", "hypothetical", "family", "other", "planned", "stopped", "continued",
    "asks", "stop", "pseudo", "exam", "exam-end",
}  # fmt: skip


@needs_terminology
def test_every_loinc_code_is_one() -> None:
    with gzip.open(TERMINOLOGY / "loinc-core.csv.gz", "rt", encoding="utf-8") as file:
        known = {row["LOINC_NUM"] for row in csv.DictReader(file)}
    used = {row["loinc"] for row in languages.rows("en", "measures")}
    used |= {code.split("|")[1] for code in _codes() if code.startswith("loinc|")}
    assert used - known == set()
    assert {"21908-9", "8664-5", "2708-6", "72166-2", "85354-9", "8480-6", "8462-4", "34109-9"} <= known


@needs_terminology
def test_every_snomed_code_is_in_the_global_patient_set() -> None:
    with gzip.open(TERMINOLOGY / "snomed-gps.tsv.gz", "rt", encoding="utf-8") as file:
        known = {line.split("\t")[0] for line in file}
    used = {code.split("|")[1] for code in _codes() if code.startswith("sct|")}
    used |= {row["snomed"] for row in languages.rows("en", "routes") if row["snomed"]}
    # those that the builders write: severity, present and absent, smoking, no known allergy
    used |= {"255604002", "6736007", "24484000", "52101004", "2667000", "266919005", "8517006", "77176002", "716186003"}
    assert used - known == set()


@needs_terminology
def test_every_icd_code_is_one() -> None:
    with gzip.open(TERMINOLOGY / "icd10cm-codes-2026-04.txt.gz", "rt", encoding="utf-8") as file:
        known = {line.split()[0] for line in file if line.strip()}
    used = {code.split("|")[1].replace(".", "") for code in _codes() if code.startswith("icd10cm|")}
    assert used - known == set()


def _codes() -> list[str]:
    return [c.strip() for row in languages.rows("en", "expressions") for c in (row["codes"] or "").split(";") if c]


@pytest.mark.parametrize("row", languages.rows("en", "expressions"), ids=lambda row: row["name"])
def test_an_expression_is_sound(row: dict[str, str]) -> None:
    re.compile(row["pattern"])
    assert row["status"] in ("", "flip", "open", "if-no", *(s.value for s in Status))
    assert set(filter(None, row["who"].split("|"))) <= {"patient", "relative", "clinician", "note"}
    assert all(anchor == anchor.strip().lower() and anchor for anchor in row["anchor"].split("|"))


def test_cues_are_known_and_said_once() -> None:
    rows = languages.rows("en", "cues")
    assert {row["kind"] for row in rows} <= KINDS
    assert {row["direction"] for row in rows} <= {"forward", "backward", "both"}
    phrases = [row["phrase"] for row in rows]
    assert len(phrases) == len(set(phrases))
    assert all(phrase == phrase.lower() for phrase in phrases)


def test_measures_have_a_range() -> None:
    from decimal import Decimal

    for row in languages.rows("en", "measures"):
        assert Decimal(row["low"]) < Decimal(row["high"]), row["name"]
        assert row["kind"] in ("vital-signs", "laboratory", "survey")


def test_replies_are_yes_no_or_unsure() -> None:
    rows = languages.rows("en", "replies")
    assert {row["polarity"] for row in rows} == {"yes", "no", "unsure"}
    assert {row["place"] for row in rows} == {"start", "anywhere"}
