"""A trial and its criteria become ResearchStudy, Group and EvidenceVariable, all of one tree."""

from __future__ import annotations

import csv
import gzip
from decimal import Decimal
from pathlib import Path
from typing import Any as Value

import pytest

from fhirbridge import registries
from fhirbridge.fhir import research_study
from fhirbridge.fhir.eligibility_codes import KINDS, LOINC
from fhirbridge.records import (
    All,
    Any,
    AtLeast,
    Bound,
    Coding,
    Concept,
    Criterion,
    If,
    Leaf,
    LeafKind,
    Node,
    Not,
    Quantity,
    Span,
    Trial,
    Understanding,
    Window,
)

TERMINOLOGY = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "terminology"
TEXT = "Haemoglobin at least 9 g/dL; ER or PR positive; no prior chemotherapy; signed consent"
HB = Concept("Hemoglobin", (Coding("http://loinc.org", "718-7", "Hemoglobin"),))
ER = Concept("Estrogen receptor", (Coding("http://loinc.org", "16112-5"),))
CHEMO = Concept("Chemotherapy", (Coding("http://snomed.info/sct", "367336001"),))


def _span(words: str) -> Span:
    return Span(TEXT.index(words), len(words))


def _criterion(words: str, tree: Node, *, exclude: bool = False, kind: str = "computable") -> Criterion:
    return Criterion(words, _span(words), exclude, tree, Understanding(kind))


def _group(*criteria: Criterion, version: str = "R4") -> dict[str, Value]:
    trial = Trial(id="NCT00000001", registry="test", title="A trial", eligibility_text=TEXT)
    record = research_study.build(trial, criteria, fhir_version=version)
    assert record.bundle.entry[1].resource.id == "NCT00000001-eligibility"  # its structure is FHIR's
    return next(record.resources("Group"))


def _extension(element: dict[str, Value], url: str) -> dict[str, Value]:
    return next(e for e in element["extension"] if e["url"].endswith(url))


def test_a_laboratory_limit_is_a_range_with_its_code_and_place() -> None:
    words = "Haemoglobin at least 9 g/dL"
    leaf = Leaf(LeafKind.LABORATORY, _span(words), (HB,), low=Bound(Quantity(Decimal("9.0"), "g/dL", "g/dL")))
    (one,) = _group(_criterion(words, leaf))["characteristic"]
    assert one["code"] == {"coding": [{"system": LOINC, "code": "718-7", "display": "Hemoglobin"}], "text": words}
    assert str(one["valueRange"]["low"]["value"]) == "9.0"
    assert one["exclude"] is False
    place = {e["url"]: e for e in _extension(one, "derivation-reference")["extension"]}
    assert TEXT[place["offset"]["valueInteger"] :][: place["length"]["valueInteger"]] == words


def test_an_exclusive_end_keeps_its_comparator() -> None:
    leaf = Leaf(
        LeafKind.LABORATORY, _span("9"), (HB,), low=Bound(Quantity(Decimal(9), "g/dL", "g/dL"), inclusive=False)
    )
    (one,) = _group(_criterion("9", leaf))["characteristic"]
    assert one["valueQuantity"]["comparator"] == ">"


def test_any_of_refers_to_a_contained_group() -> None:
    words = "ER or PR positive"
    er = Leaf(LeafKind.BIOMARKER, _span("ER"), (ER,), ("positive",))
    pr = Leaf(LeafKind.BIOMARKER, _span("PR positive"), (Concept("PR"),), ("positive",))
    group = _group(_criterion(words, Any((er, pr))))
    (one,), (inner,) = group["characteristic"], group["contained"]
    assert one["valueReference"] == {"reference": f"#{inner['id']}"}
    assert inner["name"] == "any-of 2"
    assert [c["code"]["text"] for c in inner["characteristic"]] == ["ER", "PR positive"]
    assert _extension(one, "cqf-expression")["valueExpression"]["language"] == "text/fhirpath"


def test_a_negated_inclusion_is_a_contained_group_that_excludes() -> None:
    words = "no prior chemotherapy"
    tree = Not(Leaf(LeafKind.THERAPY, _span("prior chemotherapy"), (CHEMO,)))
    group = _group(_criterion(words, tree))
    assert group["characteristic"][0]["exclude"] is False
    assert group["contained"][0]["name"] == "none-of 1"
    assert group["contained"][0]["characteristic"][0]["exclude"] is True


def test_what_was_not_understood_is_there_verbatim_and_marked() -> None:
    words = "signed consent"
    (one,) = _group(_criterion(words, Leaf(LeafKind.TEXT, _span(words)), kind="text"))["characteristic"]
    assert one["code"] == {"text": words}
    assert _extension(one, "understanding")["valueCode"] == "text"


def test_a_window_is_a_period_relative_to_its_event() -> None:
    window = Window(within=Quantity(Decimal(28), "days", "d"), anchor="first dose")
    leaf = Leaf(LeafKind.THERAPY, _span("prior chemotherapy"), (CHEMO,), window=window)
    (one,) = _group(_criterion("prior chemotherapy", leaf, exclude=True))["characteristic"]
    (relative,) = one["period"]["_start"]["extension"]
    said = {e["url"]: e for e in relative["extension"]}
    assert said["event"]["valueCodeableConcept"] == {"text": "first dose"}
    assert said["offset"]["valueDuration"]["code"] == "d"


def _every_kind() -> list[Node]:
    one = Bound(Quantity(Decimal("1.5"), "x ULN", "1"), times_of="ULN")
    window = Window(at_least=Quantity(Decimal(6), "months", "mo"), direction="lasting")
    leaves: list[Node] = []
    for kind in LeafKind:
        leaves.append(Leaf(kind, Span(0, 11)))
        leaves.append(Leaf(kind, Span(0, 11), (HB, ER), ("positive", "IV"), window=window))
        leaves.append(Leaf(kind, Span(0, 11), (HB,), low=one, high=one, count_low=1))
    return [*leaves, AtLeast(2, tuple(leaves[:3])), If(leaves[0], leaves[1]), All(()), Any(()), Not(All(tuple(leaves)))]


@pytest.mark.parametrize("version", ["R4", "R5"])
def test_every_kind_of_leaf_and_node_has_a_valid_form(version: str) -> None:
    criteria = [_criterion("Haemoglobin", tree) for tree in _every_kind()]
    group = _group(*criteria, version=version)
    assert len(group["characteristic"]) == len(criteria)


@pytest.mark.parametrize("version", ["R4", "R5"])
def test_every_field_of_a_record_has_a_valid_place(version: str) -> None:
    trial = Trial(
        id="ChiCTR/2000 1",
        registry="test",
        title="A trial",
        eligibility_text=TEXT,
        official_title="The whole title",
        status="completed",
        phase="phase-2-phase-3",
        conditions=("Asthma",),
        keywords=("breath",),
        interventions=("Drug: Budesonide",),
        sites=("Clinic, Town",),
        contacts=("Dr A, Clinic, +44 20 0000 0000, a@b.example", "a@b.example"),
        sponsor="A sponsor",
        summary="Short",
        description="Long",
        other_ids=("X-1",),
        start="2024-03",
        end="2025",
        url="https://clinicaltrials.gov/study/NCT1",
        language="zh",
    )
    study = next(research_study.build(trial, (), fhir_version=version).resources("ResearchStudy"))
    assert research_study.build(trial, (), fhir_version=version).bundle.entry[0].resource.id == "ChiCTR-2000-1"
    again = registries.one(research_study.build(trial, (), fhir_version=version).json)
    fields = ("title", "official_title", "status", "phase", "conditions", "keywords", "interventions", "sites", "url")
    for name in fields:
        assert getattr(again, name) == getattr(trial, name), (name, study)


def test_the_same_trial_gives_the_same_bundle() -> None:
    trial = Trial(id="NCT00000001", registry="test", title="A trial", eligibility_text=TEXT)
    assert research_study.build(trial, ()).to_json() == research_study.build(trial, ()).to_json()


def test_the_codes_of_kinds_exist() -> None:
    if not TERMINOLOGY.is_dir():
        pytest.skip("the terminology sources are not here")
    with gzip.open(TERMINOLOGY / "loinc-core.csv.gz", "rt", encoding="utf-8") as file:
        loinc = {row["LOINC_NUM"]: row["COMPONENT"] for row in csv.DictReader(file)}
    with gzip.open(TERMINOLOGY / "snomed-gps.tsv.gz", "rt", encoding="utf-8") as file:
        snomed = {code: name for code, _, name in (line.rstrip("\n").partition("\t") for line in file)}
    for coding in KINDS.values():
        known = loinc if coding.system == LOINC else snomed
        assert known[coding.code].startswith(coding.display), coding


def test_a_window_in_half_lives_is_valid_ucum() -> None:
    from fhirbridge.fhir.eligibility_values import duration
    from fhirbridge.terminology import ucum

    told = duration(Quantity(Decimal(5), "half-lives", ucum="half-life"))
    assert told["code"] == "{half-life}"
    assert ucum.is_valid(told["code"])
