"""The tables behind the trees: codes that exist, units that UCUM knows, phrases that can be found."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest
from ucumvert import get_ucum_parser  # type: ignore[import-untyped]

from fhirbridge import languages
from fhirbridge.extract import criterion_numbers, criterion_variants, criterion_windows, criterion_words

SHARED = Path(__file__).parents[3] / "shared" / "data" / "terminology"
needs_terminologies = pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/data/terminology")


def coded() -> list[tuple[str, str]]:
    rows = [row for language in ("en", "zh") for row in languages.rows(language, "criterion_terms")]
    return sorted({(row["name"], code) for row in rows for code in (row["code"] or "").split("+") if code})


@needs_terminologies
def test_every_code_of_the_terms_exists() -> None:
    with gzip.open(SHARED / "loinc-core.csv.gz", "rt", encoding="utf-8") as lines:
        loinc = {row["LOINC_NUM"] for row in csv.DictReader(lines)}
    with gzip.open(SHARED / "snomed-gps.tsv.gz", "rt", encoding="utf-8") as lines:
        snomed = {line.split("\t", 1)[0] for line in lines}

    unknown = [(n, c) for n, c in coded() if c[2:] not in (loinc if c.startswith("L:") else snomed)]

    assert unknown == []


def test_every_unit_is_ucum() -> None:
    parser = get_ucum_parser()
    codes = {row["ucum"] for language in ("en", "zh") for row in languages.rows(language, "criterion_units")}

    for code in sorted(codes):
        parser.parse(code)


def test_chinese_terms_have_their_kind_and_codes_from_the_english_row() -> None:
    english = {row["name"] for row in languages.rows("en", "criterion_terms")}

    orphans = [r["name"] for r in languages.rows("zh", "criterion_terms") if not r["kind"] and r["name"] not in english]

    assert orphans == []


@pytest.mark.parametrize(
    ("phrase", "plain"),
    [
        ("x", ["x"]),
        ("[serum] iron", ["iron", "serum iron"]),
        ("(a/b) c", ["a c", "b c"]),
        ("level (Hb)", ["level (Hb)"]),
    ],
)
def test_table_phrases_stand_for_plain_ones(phrase: str, plain: list[str]) -> None:
    assert criterion_words.expand(phrase) == plain


def test_folding_keeps_every_character_at_its_place() -> None:
    text = "ＡＬＴ≧３ × ULN &gt; İ “x” µmol"

    assert len(criterion_words.fold(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("18 to 75 years", "18", "75"),
        ("≥ 100,000/mm3", "100000", None),
        ("> 2.5 x ULN", "2.5", None),
        ("between 18 and 65 years", "18", "65"),
        ("≤ 1,5 mg/dL", None, "1.5"),
        ("at least ten points", "10", None),
        ("1×10^3IU/mL以上", "1000", None),
        ("三十八度五以上", "38.5", None),
        ("18～65岁", "18", "65"),
        ("不超过3次", None, "3"),
        ("60 years or older", "60", None),
        ("5 mg or less", None, "5"),
        ("more than 450 ms", "450", None),
        ("100 000/uL or more", "100000", None),
    ],
)
def test_numbers(text: str, low: str | None, high: str | None) -> None:
    (amount,) = criterion_numbers.find(criterion_words.fold(text))

    shown = tuple(None if b is None else str(b.quantity.value) for b in (amount.low, amount.high))
    assert shown == (low, high)


@pytest.mark.parametrize(
    ("text", "language", "within", "at_least", "anchor"),
    [
        ("within 28 days before the first dose", "en", "28 d", None, "first dose"),
        ("in the past 5 years", "en", "5 a", None, ""),
        ("at least 4 weeks since the last dose", "en", None, "4 wk", "last dose"),
        ("for at least 6 months", "en", None, "6 mo", ""),
        ("within 4 weeks or 5 half-lives, whichever is longer", "en", "4 wk", None, ""),
        ("随机前4周内", "zh", "4 wk", None, "随机"),
        ("近三个月内", "zh", "3 mo", None, ""),
        ("持续3个月以上", "zh", None, "3 mo", ""),
    ],
)
def test_windows(text: str, language: str, within: str | None, at_least: str | None, anchor: str) -> None:
    (timed,) = criterion_windows.find(criterion_words.fold(text), language)

    sides = (timed.window.within, timed.window.at_least)
    assert tuple(None if q is None else f"{q.value} {q.ucum}" for q in sides) == (within, at_least)
    assert timed.window.anchor == anchor


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("stage IIIB/C or IV", "stage", ("IIIB", "IIIC", "IV")),
        ("NYHA class III-IV", "class", ("class", 3, 4)),
        ("grade 2 or greater", "class", ("grade", 2, None)),
        ("Child-Pugh class A or B", "letters", ("A", "B")),
        ("at least one prior regimen", "count", (1, None)),
        ("no more than 2 prior lines", "count", (None, 2)),
        ("T1-3", "stage", ("T1", "T2", "T3")),
        ("blood pressure > 160/100 mmHg", "pressure", (">", 160, 100)),
    ],
)
def test_notations(text: str, kind: str, value: object) -> None:
    found = criterion_variants.find(text, criterion_words.fold(text))

    assert [(v.kind, v.value) for v in found] == [(kind, value)]


@pytest.mark.parametrize("text", ["IV antibiotics", "Phase I-II trial", "II期临床试验", "type 2 diabetes"])
def test_what_only_looks_like_a_stage(text: str) -> None:
    assert criterion_variants.find(text, criterion_words.fold(text)) == []
