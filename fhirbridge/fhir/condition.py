"""Facts about diseases, injuries and symptoms -> Condition; a relative's -> FamilyMemberHistory."""

from __future__ import annotations

from typing import Any

from fhirbridge.fhir import derivation
from fhirbridge.records import Fact, FactKind, Status

_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/condition-category"
_CONCERN = "http://hl7.org/fhir/us/core/CodeSystem/condition-category"
_US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-condition-"
_PROBLEMS, _DIAGNOSIS = "problems-health-concerns", "encounter-diagnosis"
_SEVERITY = {"mild": ("255604002", "Mild"), "moderate": ("6736007", "Moderate"), "severe": ("24484000", "Severe")}
_ROLE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
_ROLES = {
    "FTH": "father", "MTH": "mother", "SIS": "sister", "BRO": "brother", "SON": "natural son",
    "DAU": "natural daughter", "GRMTH": "grandmother", "GRFTH": "grandfather", "AUNT": "aunt", "UNCLE": "uncle",
    "COUSN": "cousin", "FAMMEMB": "family member", "CHILD": "child", "SIB": "sibling", "PRN": "parent",
    "GRPRN": "grandparent",
}  # fmt: skip


def condition(fact: Fact, base: dict[str, Any]) -> dict[str, Any]:
    """A Condition; `base` holds what all resources share."""
    symptom = fact.kind is FactKind.SYMPTOM
    possible = fact.status is Status.POSSIBLE or not fact.certain
    if symptom:
        category, profile = derivation.code(_CONCERN, "health-concern", "Health Concern"), _PROBLEMS
    elif possible:
        category, profile = (
            derivation.code(_CATEGORY, "encounter-diagnosis", "Encounter Diagnosis"),
            "encounter-diagnosis",
        )
    else:
        category, profile = (
            derivation.code(_CATEGORY, "problem-list-item", "Problem List Item"),
            "problems-health-concerns",
        )
    out = {"resourceType": "Condition", **base, "meta": derivation.meta(_US_CORE + profile)}
    clinical = _clinical(fact)
    if clinical:
        out["clinicalStatus"] = derivation.code(_CLINICAL, clinical, clinical.capitalize())
    out["verificationStatus"] = _verification(fact)
    out["category"] = [category]
    if fact.severity in _SEVERITY:
        out["severity"] = derivation.code("http://snomed.info/sct", *_SEVERITY[fact.severity])
    out["code"] = derivation.concept(fact.concept)
    if fact.body is not None:
        site = derivation.concept(fact.body.site)
        if fact.body.side and fact.body.side not in site["text"]:
            site["text"] = f"{fact.body.side} {site['text']}"
        out["bodySite"] = [site]
    out["subject"] = base["subject"]
    _when(fact, out)
    if fact.note or fact.course:
        out["note"] = [{"text": text} for text in (fact.course, fact.note) if text]
    return out


def _when(fact: Fact, out: dict[str, Any]) -> None:
    if fact.status is Status.ABSENT:
        return
    if fact.onset:
        out["onsetDateTime"] = fact.onset
    elif fact.onset_text:
        out["onsetString"] = fact.onset_text
    if fact.abatement:
        out["abatementDateTime"] = fact.abatement


def _clinical(fact: Fact) -> str:
    if fact.status is Status.ABSENT:
        return ""
    if fact.status is Status.PAST:
        return "remission" if fact.course == "remission" else "resolved"
    return "resolved" if fact.abatement else "active"


def _verification(fact: Fact) -> dict[str, Any]:
    if fact.status is Status.ABSENT:
        return derivation.code(_VERIFICATION, "refuted", "Refuted")
    if fact.status is Status.POSSIBLE:
        if fact.kind is FactKind.SYMPTOM:
            return derivation.code(_VERIFICATION, "unconfirmed", "Unconfirmed")
        return derivation.code(_VERIFICATION, "provisional", "Provisional")
    if not fact.certain:
        return derivation.code(_VERIFICATION, "unconfirmed", "Unconfirmed")
    return derivation.code(_VERIFICATION, "confirmed", "Confirmed")


def family_history(fact: Fact, base: dict[str, Any]) -> dict[str, Any]:
    """A FamilyMemberHistory; a condition that no relative has is its `reasonCode` without `condition`."""
    role = fact.relative if fact.relative in _ROLES else "FAMMEMB"
    out = {"resourceType": "FamilyMemberHistory", **base, "meta": derivation.meta()}
    out["patient"] = out.pop("subject")
    out.pop("encounter", None)
    out["status"] = "completed"
    out["relationship"] = derivation.code(_ROLE, role, _ROLES[role])
    if fact.status is Status.ABSENT:
        out["reasonCode"] = [derivation.concept(fact.concept)]
        out["note"] = [{"text": f"denied: {fact.concept.name}"}]
    else:
        out["condition"] = [{"code": derivation.concept(fact.concept)}]
    return out
