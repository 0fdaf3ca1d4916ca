"""The tables a clinician reviews: every code exists and says what it should, every word leads to its concept."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from pathlib import Path

import pytest

from fhirbridge import languages
from fhirbridge.terminology import _folding, _tables, lexicon

SOURCES = Path(__file__).resolve().parents[3] / "shared" / "data" / "terminology"
KINDS = {
    "condition", "symptom", "finding", "medication", "medication-class", "procedure", "analyte", "biomarker", "gene",
    "score", "vital-sign", "anatomy", "organism", "therapy", "allergen", "social",
}  # fmt: skip
ROWS = _tables.rows("concepts.tsv")
WORDS = lexicon.load()
needs_sources = pytest.mark.skipif(not SOURCES.is_dir(), reason="the terminology sources are not beside this checkout")


def unpacked(name: str) -> str:
    return gzip.decompress((SOURCES / name).read_bytes()).decode("utf-8")


def used(column: str) -> set[str]:
    return {code for row in ROWS for code in (row.get(column) or "").split(";") if code}


@needs_sources
def test_every_icd10cm_code_is_in_the_april_2026_release() -> None:
    listed = set(unpacked("icd10cm-codes-2026-04.txt.gz").split())
    assert not {code for code in used("icd10cm") if code.replace(".", "") not in listed}


@needs_sources
def test_every_snomed_code_is_in_the_global_patient_set() -> None:
    listed = {line.partition("\t")[0] for line in unpacked("snomed-gps.tsv.gz").splitlines()}
    assert not used("snomed") - listed


@needs_sources
def test_every_loinc_code_is_in_the_table() -> None:
    listed = {line.partition(",")[0] for line in unpacked("loinc-core.csv.gz").splitlines()}
    listed |= set(re.findall(r'"code" : "(\d+-\d)"', unpacked("utg-loinc.cache.gz")))
    assert not used("loinc") - listed


@needs_sources
def test_the_displays_are_those_of_the_sources() -> None:
    tabular = unpacked("icd10cm-tabular-2026-04.xml.gz")
    descriptions = dict(re.findall(r"<name>([A-Z]\w\w(?:\.\w+)?)</name>\s*<desc>([^<]+)</desc>", tabular))
    full_names = dict(line.split("\t", 1) for line in unpacked("snomed-gps.tsv.gz").splitlines() if line[:1].isdigit())
    wrong = []
    for row in ROWS:
        entry = WORDS.find(row["key"])
        for coding in entry.concept.codings if entry else ():
            if coding.system == _tables.SYSTEMS["snomed"]:
                if full_names[coding.code].rpartition(" (")[0] != coding.display:
                    wrong.append(coding)
            elif coding.system == _tables.SYSTEMS["icd10cm"] and coding.code in descriptions:
                text = descriptions[coding.code].replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
                if text != coding.display:
                    wrong.append(coding)
    assert not wrong


def test_every_row_has_a_known_kind_and_parents_that_exist() -> None:
    keys = {row["key"] for row in ROWS}
    assert len(keys) == len(ROWS)
    assert {row["kind"] for row in ROWS} <= KINDS
    parents = {p for row in ROWS for p in (row.get("parents") or "").split(";") if p}
    assert not parents - keys


def test_nothing_is_its_own_ancestor() -> None:
    parents = {r["key"]: [p for p in (r.get("parents") or "").split(";") if p] for r in ROWS}

    def climbs_to(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = list(parents[start])
        while waiting:
            key = waiting.pop()
            if key not in seen:
                seen.add(key)
                waiting.extend(parents[key])
        return seen

    assert not {key for key in parents if key in climbs_to(key)}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_word_of_the_tables_leads_to_its_concept(language: str) -> None:
    lost = []
    for row in languages.rows(language, "synonyms"):
        for name in lexicon._spoken(row, language):
            found = WORDS.find(name)
            if found is None or found.key != row["key"]:
                lost.append((row["key"], name, found and found.key))
    assert len(lost) <= 25, lost  # words that two concepts share: the later one has them


@pytest.mark.parametrize(("language", "least"), [("en", 1200), ("zh", 1500)])
def test_the_tables_cover_everyday_practice(language: str, least: int) -> None:
    rows = languages.rows(language, "synonyms")
    assert len(rows) >= least
    kinds = Counter(row["kind"] for row in ROWS)
    assert all(kinds[kind] > 5 for kind in KINDS), kinds


def test_short_abbreviations_count_only_in_capitals() -> None:
    loose = [
        name
        for row in languages.rows("en", "synonyms")
        for name in lexicon._spoken(row, "en")
        if len(name) <= 2 and name.isalpha() and not _folding.capitals(name) and not _folding.exact(name)
    ]
    assert set(loose) <= {"bp"}, loose
