"""Measured, examined, scored and social facts -> Observation."""

from __future__ import annotations

from typing import Any

from fhirbridge.fhir import derivation
from fhirbridge.records import Coding, Concept, Fact, FactKind, Quantity, Status

_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_DISPLAY = {
    "vital-signs": "Vital Signs",
    "laboratory": "Laboratory",
    "exam": "Exam",
    "survey": "Survey",
    "social-history": "Social History",
}
_US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
_VITAL_PROFILES = {
    "85354-9": "blood-pressure", "8867-4": "heart-rate", "9279-1": "respiratory-rate", "8310-5": "body-temperature",
    "29463-7": "body-weight", "8302-2": "body-height", "39156-5": "bmi", "59408-5": "pulse-oximetry",
    "9843-4": "head-circumference",
}  # fmt: skip
_SMOKING = "72166-2"
_OXIMETRY = "59408-5"


def observation(fact: Fact, base: dict[str, Any], effective: str | None) -> dict[str, Any]:
    """An Observation; `effective` is the visit's date where it is known."""
    out = {"resourceType": "Observation", **base, "meta": derivation.meta(_profile(fact, effective))}
    out["status"] = "final" if fact.certain and fact.status is not Status.POSSIBLE else "preliminary"
    category = fact.kind.value if fact.kind.value in _DISPLAY else "exam"
    out["category"] = [derivation.code(_CATEGORY, category, _DISPLAY[category])]
    out["code"] = derivation.concept(fact.concept)
    if _OXIMETRY in _codes(fact):  # US Core asks for the code of the saturation itself beside that of the oximeter's
        out["code"]["coding"].append(derivation.coding(Coding("http://loinc.org", "2708-6")))
    if effective:
        out["effectiveDateTime"] = fact.onset or effective
    if fact.components:
        out["component"] = [
            {"code": derivation.concept(name), "valueQuantity": derivation.quantity(value)}
            for name, value in fact.components
        ]
    else:
        _value(fact, out)
    if fact.body is not None:
        out["bodySite"] = derivation.concept(fact.body.site)
    if fact.note:
        out["note"] = [{"text": fact.note}]
    return out


def _codes(fact: Fact) -> set[str]:
    return {c.code for c in fact.concept.codings if c.system == "http://loinc.org"}


def _profile(fact: Fact, effective: str | None) -> str:
    codes = _codes(fact)
    if fact.kind is FactKind.LABORATORY:
        return _US_CORE + "observation-lab"
    if fact.kind is FactKind.VITAL_SIGN and effective and (fact.components or isinstance(fact.value, Quantity)):
        for code in codes & _VITAL_PROFILES.keys():
            return _US_CORE + _VITAL_PROFILES[code]
    if _SMOKING in codes and effective and fact.certain and isinstance(fact.value, Concept):
        return _US_CORE + "smokingstatus"
    return ""


def _value(fact: Fact, out: dict[str, Any]) -> None:
    value = fact.value
    if isinstance(value, Quantity):
        out["valueQuantity"] = derivation.quantity(value)
    elif isinstance(value, Concept):
        out["valueCodeableConcept"] = derivation.concept(value)
    elif isinstance(value, bool):
        out["valueCodeableConcept"] = _present(value)
    elif value:
        out["valueString"] = value
    else:
        out["valueCodeableConcept"] = _present(fact.status is not Status.ABSENT)


def _present(is_there: bool) -> dict[str, Any]:
    if is_there:
        return {**derivation.code("http://snomed.info/sct", "52101004", "Present"), "text": "present"}
    return {**derivation.code("http://snomed.info/sct", "2667000", "Absent"), "text": "absent"}
