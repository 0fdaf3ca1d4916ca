"""What is wrong is found with its path, what is right passes, and nothing wrong is sent."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

import fhirbridge as fb
from fhirbridge.fhir import validation
from fhirbridge.fhir.definitions import of
from fhirbridge.fhir.invariants import BY_TYPE, CONTAINING, WHOLE
from fhirbridge.terminology import ucum
from tests.fhir.raw_server import answer, raw_server

GOOD: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "o",
    "status": "final",
    "_status": {"extension": [{"url": "urn:x", "valueString": "y"}]},
    "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}], "text": "Hb"},
    "subject": {"reference": "Patient/1"},
    "effectiveDateTime": "2024-05-01T10:00:00+08:00",
    "valueQuantity": {"value": Decimal("12.30"), "unit": "g/dL", "system": "http://unitsofmeasure.org", "code": "g/dL"},
    "referenceRange": [{"low": {"value": 12}, "high": {"value": 16}}],
}


PATIENT: dict[str, Any] = {"resourceType": "Patient", "id": "p"}
LOCAL = {"reference": "#p"}
REPEAT = "Observation.effectiveTiming.repeat"


def _with(**changes: Any) -> dict[str, Any]:
    return {k: v for k, v in {**GOOD, **changes}.items() if v is not None}


def test_what_is_right_passes() -> None:
    assert validation.check(GOOD, ucum=ucum.is_valid) == []


@pytest.mark.parametrize(
    ("wrong", "path", "reason"),
    [
        (_with(status="finall"), "Observation.status", "required value set"),
        (_with(status=None, _status=None), "Observation.status", "missing"),
        (_with(code=None), "Observation.code", "missing"),
        (_with(valueString="x"), "Observation.value[x]", "more than one"),
        (_with(category={"text": "x"}), "Observation.category", "not a list"),
        (_with(note=[]), "Observation.note", "empty list"),
        (_with(colour="red"), "Observation.colour", "no such element"),
        (_with(code="718-7"), "Observation.code", "not an object"),
        (_with(effectiveDateTime="1.5.2024"), "Observation.effectiveDateTime", "not a dateTime"),
        (_with(effectiveDateTime="2024-05-01T10:00:00"), "Observation.effectiveDateTime", "not a dateTime"),
        (_with(id="a b"), "Observation.id", "not a id"),
        (_with(subject={"reference": "Condition/1"}), "Observation.subject", "refers to Condition"),
        (_with(subject={"reference": "urn:uuid:c"}), "Observation.subject", "refers to Condition"),
        (_with(valueQuantity={"value": "12.3"}), "Observation.valueQuantity.value", "not a decimal"),
        (_with(valueQuantity={"value": True}), "Observation.valueQuantity.value", "not a decimal"),
        (_with(valueQuantity={"code": "g"}), "Observation.valueQuantity", "qty-3"),
        (_with(dataAbsentReason={"text": "x"}), "Observation", "obs-6"),
        (_with(component=[{"code": GOOD["code"]}]), "Observation", "obs-7"),
        (_with(referenceRange=[{"appliesTo": [{"text": "x"}]}]), "Observation.referenceRange[0]", "obs-3"),
        (_with(effectiveDateTime="2023-02-29"), "Observation.effectiveDateTime", "not a dateTime"),
        (_with(_status={"value": "final"}), "Observation._status.value", "no such element"),
        (_with(_status=["x"]), "Observation._status", "a list"),
        (_with(subject={"reference": "#p"}), "Observation", "ref-1"),
        (_with(contained=[PATIENT]), "Observation", "dom-3"),
        (_with(contained=[PATIENT | {"meta": {"versionId": "1"}}], subject=LOCAL), "Observation", "dom-4"),
        (_with(contained=[PATIENT | {"gender": "f"}], subject=LOCAL), "Observation.contained[0].gender", "value set"),
        (_with(effectiveTiming={"repeat": {"period": -1, "periodUnit": "d"}}, effectiveDateTime=None), REPEAT, "tim-5"),
        ({"resourceType": "Observatio"}, "Observatio", "not a FHIR R4 resource type"),
    ],
)
def test_what_is_wrong_is_found_at_its_path(wrong: dict[str, Any], path: str, reason: str) -> None:
    found = validation.check(wrong, kinds={"urn:uuid:c": "Condition"})
    assert [f.path for f in found] == [path]
    assert reason in found[0].reason
    assert found[0].cure


def test_units_are_ucum() -> None:
    printed = _with(valueQuantity={**GOOD["valueQuantity"], "code": "mmHg"})
    assert [f.path for f in validation.check(printed, ucum=ucum.is_valid)] == ["Observation.valueQuantity.code"]
    for code in ("Cel", "mm[Hg]", "10*9/L", "{score}", "%", "mL/min/{1.73_m2}", "1"):
        assert ucum.is_valid(code), code


@pytest.mark.parametrize(
    ("kind", "value", "key"),
    [
        ("Condition", {"abatementDateTime": "2020", "subject": {"reference": "Patient/1"}}, "con-4"),
        ("AllergyIntolerance", {"patient": {"reference": "Patient/1"}}, "ait-1"),
        ("Group", {"type": "person", "actual": False, "member": [{"entity": {"reference": "Patient/1"}}]}, "grp-1"),
        ("Organization", {"active": True}, "org-1"),
        ("Organization", {"name": "x", "telecom": [{"use": "home"}]}, "org-3"),
        ("Bundle", {"type": "collection", "total": 1}, "bdl-1"),
        ("Bundle", {"type": "transaction", "entry": [{"resource": PATIENT}]}, "bdl-3"),
        ("Bundle", {"type": "collection", "entry": [{"fullUrl": "urn:x", "resource": PATIENT}] * 2}, "bdl-7"),
        ("Condition", {"subject": {"reference": "Patient/1"}, "onsetAge": {"value": 5}}, "age-1"),
    ],
)
def test_invariants_of_other_kinds(kind: str, value: dict[str, Any], key: str) -> None:
    (finding,) = validation.check({"resourceType": kind, **value})
    assert key in finding.reason


def test_every_invariant_is_hl7s_and_belongs_to_a_type() -> None:
    both = of("R4").invariants | of("R5").invariants
    assert set(BY_TYPE) <= set(of("R4").types)
    assert {key for rules in (*BY_TYPE.values(), CONTAINING, WHOLE) for key, _ in rules} <= set(both)


def test_nothing_wrong_is_sent_unless_one_insists() -> None:
    wrong = {"resource": _with(status="finall", subject={"reference": "Patient/1", "display": "Mrs Secret"})}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": GOOD}, wrong]}
    reply = {"resourceType": "Bundle", "entry": [{"response": {"status": "201"}}] * 2}
    with raw_server(answer(200, json.dumps(reply))) as server:
        client = fb.FHIRServer(server.base)
        refused = client.push(bundle)
        assert (refused.created, len(refused.failed), server.requests) == (0, 2, [])
        assert "Observation.status: not a code of its required value set; one of amended" in refused.failed[1].reason
        assert "Secret" not in str(refused.failed)
        assert client.push(bundle, insist=True).created == 2


WRITTEN = (
    "AllergyIntolerance Bundle Condition Device DiagnosticReport DocumentReference Encounter FamilyMemberHistory Group "
    "Location MedicationRequest MedicationStatement Observation Organization Patient Practitioner Procedure Provenance "
    "ResearchStudy ResearchSubject ServiceRequest Specimen"
)


@pytest.mark.parametrize("kind", WRITTEN.split())
def test_the_typed_view_by_r4b_has_the_elements_of_r4(kind: str) -> None:
    from fhir.resources.R4B import get_fhir_model_class

    fields = get_fhir_model_class(kind).model_fields.items()
    typed = {field.alias or name for name, field in fields if not name.endswith("__ext")}
    assert typed - {"fhir_comments", "resource_type", "resourceType"} == set(of("R4").types[kind].elements)


R5: dict[str, Any] = {
    "resourceType": "Group",
    "type": "person",
    "membership": "definitional",
    "characteristic": [{"code": {"text": "x"}, "valueBoolean": True, "exclude": False}],
}


def test_r5_is_checked_by_its_own_definitions() -> None:
    assert validation.check(R5, fhir_version="R5") == []
    older = {f.path for f in validation.check(R5)}
    assert older == {"Group.membership", "Group.actual"}
    assert [f.path for f in validation.check({**R5, "membership": "definite"}, fhir_version="R5")] == [
        "Group.membership"
    ]
    assert [f.path for f in validation.check({**R5, "actual": False}, fhir_version="R5")] == ["Group.actual"]
    condition = {"resourceType": "Condition", "subject": {"reference": "Patient/1"}, "abatementString": "x"}
    told = validation.check({**condition, "clinicalStatus": {"text": "?"}}, fhir_version="R5")
    assert "con-3" in told[0].reason


def test_an_r5_bundle_is_checked_before_it_is_sent() -> None:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {**R5, "type": None}}]}
    with raw_server(answer(200)) as server:
        summary = fb.FHIRServer(server.base).push(fb.Record(bundle, fhir_version="R5"))
        again = fb.FHIRServer(server.base).push(bundle, fhir_version="R5")
    assert server.requests == []
    assert "Group.type" in summary.failed[0].reason
    assert summary.failed == again.failed
