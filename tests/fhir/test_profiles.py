"""A resource that claims a US Core profile and does not keep it is found before it is sent."""

from __future__ import annotations

import copy
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from fhirbridge.fhir import profiles, validation
from fhirbridge.fhir.definitions import of

US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
SUBJECT = {"reference": "Patient/1"}


def _code(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def _category(code: str) -> list[dict[str, Any]]:
    return [_code("http://terminology.hl7.org/CodeSystem/observation-category", code)]


def _loinc(code: str) -> dict[str, Any]:
    return _code("http://loinc.org", code)


def _pressure(code: str, value: int) -> dict[str, Any]:
    unit = {"unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}
    return {"code": _loinc(code), "valueQuantity": {"value": Decimal(value), **unit}}


PRESSURE: dict[str, Any] = {
    "resourceType": "Observation",
    "meta": {"profile": [US_CORE + "blood-pressure|6.1.0"]},
    "status": "final",
    "category": _category("vital-signs"),
    "code": _loinc("85354-9"),
    "subject": SUBJECT,
    "effectiveDateTime": "2024-05-01",
    "component": [_pressure("8480-6", 120), _pressure("8462-4", 80)],
}
SMOKING: dict[str, Any] = {
    "resourceType": "Observation",
    "meta": {"profile": [US_CORE + "smokingstatus"]},
    "status": "final",
    "category": _category("social-history"),
    "code": _loinc("72166-2"),
    "subject": SUBJECT,
    "effectiveDateTime": "2024-05-01",
    "valueCodeableConcept": _code("http://snomed.info/sct", "266919005"),
}
PROBLEM: dict[str, Any] = {
    "resourceType": "Condition",
    "meta": {"profile": [US_CORE + "condition-problems-health-concerns"]},
    "category": [_code("http://terminology.hl7.org/CodeSystem/condition-category", "problem-list-item")],
    "code": {"text": "asthma"},
    "subject": SUBJECT,
}
PROCEDURE: dict[str, Any] = {
    "resourceType": "Procedure",
    "meta": {"profile": [US_CORE + "procedure"]},
    "status": "completed",
    "code": {"text": "appendectomy"},
    "subject": SUBJECT,
    "performedDateTime": "2020",
}


@pytest.mark.parametrize(
    "resource", [PRESSURE, SMOKING, PROBLEM, PROCEDURE], ids=lambda r: r["meta"]["profile"][0][-14:]
)
def test_what_keeps_its_profile_passes(resource: dict[str, Any]) -> None:
    assert validation.check(resource) == []


def _less(resource: dict[str, Any], change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    out = copy.deepcopy(resource)
    change(out)
    return out


@pytest.mark.parametrize(
    ("wrong", "path", "reason"),
    [
        (_less(PRESSURE, lambda r: r["component"].pop()), "Observation.component", "1 of at least 2"),
        (_less(PRESSURE, lambda r: r.update(category=_category("exam"))), "Observation.category:VSCat", "missing"),
        (_less(PRESSURE, lambda r: r.update(code=_loinc("1-8"))), "Observation.code", "not the value asked for"),
        (
            _less(PRESSURE, lambda r: r["component"][0]["valueQuantity"].pop("unit")),
            ("Observation.component:systolic.value[x].unit"),
            "missing",
        ),
        (_less(PRESSURE, lambda r: r.pop("effectiveDateTime")), "Observation.effective[x]", "missing"),
        (_less(PRESSURE, lambda r: r.update(effectiveDateTime="2024")), "Observation", "invariant vs-1"),
        (_less(SMOKING, lambda r: r.update(status="preliminary")), "Observation.status", "not of the value set"),
        (_less(SMOKING, lambda r: r.pop("valueCodeableConcept")), "Observation.value[x]", "missing"),
        (_less(PROBLEM, lambda r: r.update(category=[{"text": "x"}])), "Condition.category:us-core", "missing"),
        (_less(PROBLEM, lambda r: r.pop("code")), "Condition.code", "missing"),
        (_less(PROCEDURE, lambda r: r.pop("performedDateTime")), "Procedure", "invariant us-core-7"),
    ],
)
def test_what_breaks_its_profile_is_found_at_its_path(wrong: dict[str, Any], path: str, reason: str) -> None:
    found = validation.check(wrong)
    assert path in [f.path for f in found]
    assert any(reason in f.reason and "us-core" in f.reason + f.cure for f in found)
    assert validation.check({k: v for k, v in wrong.items() if k != "meta"}) == []


def test_a_reason_why_there_is_no_value_counts() -> None:
    absent = {
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]
    }
    told = _less(PROCEDURE, lambda r: r.pop("performedDateTime"))
    assert validation.check({**told, "_performedDateTime": absent}) == []


@pytest.mark.parametrize("url", ["http://example.org/profile", US_CORE + "patient"])
def test_a_profile_of_another_guide_or_kind_asks_nothing(url: str) -> None:
    without_code = {k: v for k, v in PROBLEM.items() if k != "code"}
    assert len(validation.check(without_code)) == 1
    assert validation.check({**without_code, "meta": {"profile": [url]}}) == []


def test_every_invariant_is_of_the_guide_and_every_profile_of_a_resource() -> None:
    table = profiles.table()
    assert set(profiles.INVARIANTS) <= set(table["invariants"])
    assert {p["type"] for p in table["profiles"].values()} <= of("R4").resources
    assert len(table["profiles"]) > 40
