"""FHIRPath of criteria, run by fhirpathpy: a second opinion on the project's own judgement."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any as Value

import fhirpathpy
import pytest
from fhirpathpy.models import models

from fhirbridge import pipeline, registries
from fhirbridge.extract import criteria
from fhirbridge.fhir.eligibility_fhirpath import expression
from fhirbridge.records import (
    All,
    Any,
    AtLeast,
    Bound,
    Coding,
    Concept,
    If,
    Leaf,
    LeafKind,
    Node,
    Not,
    Quantity,
    Span,
    Trial,
    Window,
)
from fhirbridge.terminology import lexicon

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
HERE = Span(0, 1)
HB = Concept("Hemoglobin", (Coding("http://loinc.org", "718-7"),))
ALT = Concept("ALT", (Coding("http://loinc.org", "1742-6"),))
ASTHMA = Concept("asthma", (Coding("http://hl7.org/fhir/sid/icd-10-cm", "J45"),))
STROKE = Concept("stroke", (Coding("http://hl7.org/fhir/sid/icd-10-cm", "I63"),))
GOUT = Concept("gout", (Coding("http://hl7.org/fhir/sid/icd-10-cm", "M10"),))
METFORMIN = Concept("metformin")


def _coded(system: str, code: str) -> dict[str, Value]:
    return {"coding": [{"system": system, "code": code}]}


def _observation(code: str, value: str, unit: str, **more: Value) -> dict[str, Value]:
    quantity = {"value": Decimal(value), "code": unit}
    return {"resourceType": "Observation", "code": _coded("http://loinc.org", code), "valueQuantity": quantity, **more}


ICD = "http://hl7.org/fhir/sid/icd-10-cm"
TAKEN = {"text": "Metformin"}
REFUTED = {"coding": [{"code": "refuted"}]}
PATIENT = {
    "resourceType": "Bundle",
    "entry": [
        {"resource": resource}
        for resource in (
            {"resourceType": "Patient", "gender": "female", "birthDate": f"{date.today().year - 50}-01-01"},
            _observation("718-7", "10.5", "g/dL"),
            _observation("1742-6", "80", "U/L", referenceRange=[{"high": {"value": Decimal(40)}}]),
            {
                "resourceType": "Condition",
                "code": _coded(ICD, "J45.909"),
                "onsetDateTime": f"{date.today().year - 5}-01-01",
            },
            {"resourceType": "Condition", "code": _coded(ICD, "I63.9"), "verificationStatus": REFUTED},
            {
                "resourceType": "MedicationStatement",
                "status": "active",
                "medicationCodeableConcept": {"text": "Metformin"},
            },
        )
    ],
}


def _at(number: str, unit: str = "", *, times_of: str = "", inclusive: bool = True) -> Bound:
    return Bound(Quantity(Decimal(number), unit, unit or None), inclusive, times_of)


def _holds(node: Node) -> bool | None:
    found = fhirpathpy.evaluate(PATIENT, expression(node), {}, models["r4"])
    return found[0] if found else None


def _has(concept: Concept, years: int | None = None) -> Leaf:
    window = Window(within=Quantity(Decimal(years), "years", "a")) if years else None
    return Leaf(LeafKind.DIAGNOSIS, HERE, (concept,), window=window)


@pytest.mark.parametrize(
    ("node", "holds"),
    [
        (Leaf(LeafKind.AGE, HERE, low=_at("18", "a"), high=_at("75", "a")), True),
        (Leaf(LeafKind.AGE, HERE, high=_at("40", "a")), False),
        (Leaf(LeafKind.SEX, HERE, values=("female",)), True),
        (Leaf(LeafKind.SEX, HERE, values=("male",)), False),
        (Leaf(LeafKind.LABORATORY, HERE, (HB,), low=_at("9.0", "g/dL")), True),
        (Leaf(LeafKind.LABORATORY, HERE, (HB,), low=_at("10.5", "g/dL", inclusive=False)), False),
        (
            Leaf(LeafKind.LABORATORY, HERE, (HB,), low=_at("90", "g/L")),
            None,
        ),  # another unit: not converted, not guessed
        (Leaf(LeafKind.LABORATORY, HERE, (ALT,), high=_at("2.5", times_of="ULN")), True),
        (Leaf(LeafKind.LABORATORY, HERE, (ALT,), high=_at("1.5", times_of="ULN")), False),
        (_has(ASTHMA), True),
        (_has(ASTHMA, 10), True),
        (_has(STROKE), False),  # recorded as ruled out
        (_has(GOUT), None),  # the record is silent
        (Not(_has(ASTHMA)), False),
        (Not(_has(GOUT)), None),
        (All((_has(ASTHMA), _has(GOUT))), None),
        (Any((_has(ASTHMA), _has(GOUT))), True),
        (All(()), True),
        (Any(()), False),
        (AtLeast(2, (_has(ASTHMA), _has(STROKE), _has(GOUT))), None),
        (AtLeast(1, (_has(ASTHMA), _has(GOUT))), True),
        (AtLeast(2, (_has(ASTHMA), _has(STROKE))), False),
        (If(_has(STROKE), _has(GOUT)), True),
        (If(_has(ASTHMA), _has(STROKE)), False),
        (Leaf(LeafKind.MEDICATION, HERE, (METFORMIN,)), True),
        (Leaf(LeafKind.TEXT, HERE), None),
    ],
)
def test_fhirpath_says_what_the_tree_says(node: Node, holds: bool | None) -> None:
    assert _holds(node) is holds


def test_fhirpath_never_contradicts_the_projects_own_judgement() -> None:
    """Where FHIRPath has an answer to a criterion of the fixtures, match gives the same or leaves it open."""
    patient = FIXTURES / "patients" / "bundle_en" / "bundle.json"
    studies = FIXTURES / "trials" / "registry" / "studies.json"
    bundle = json.loads(patient.read_text("utf-8"))
    own: dict[tuple[str, str], str] = {}
    for line in pipeline.match([patient], [studies], explain="all").to_lines("ndjson"):
        for match in json.loads(line)["matches"]:
            for criterion in match["criteria"]:
                own[match["study"].rpartition("/")[2], criterion["text"]] = criterion["result"]
    compared = 0
    for trial in registries.read(studies):
        assert isinstance(trial, Trial)
        for criterion in criteria.find(trial, lexicon.load()):
            answer = fhirpathpy.evaluate(bundle, expression(criterion.tree), {}, models["r4"])
            result = own.get((trial.id, criterion.text))
            if answer and result in ("met", "not_met"):
                compared += 1
                assert answer[0] is (result == "met"), (trial.id, criterion.text)
    assert compared >= 5
