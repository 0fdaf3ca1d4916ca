"""Medicines -> MedicationStatement (taken) or MedicationRequest (prescribed, advised); allergies."""

from __future__ import annotations

from typing import Any

from fhirbridge.fhir import derivation
from fhirbridge.records import Dosage, Fact, Status

_US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
_ALLERGY_CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
_ALLERGY_VERIFICATION = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"


def medication(fact: Fact, base: dict[str, Any]) -> dict[str, Any]:
    """A MedicationRequest for what is planned, else a MedicationStatement."""
    if fact.status is Status.PLANNED:
        out = {"resourceType": "MedicationRequest", **base, "meta": derivation.meta(_US_CORE + "medicationrequest")}
        out["status"], out["intent"] = ("active", "order") if fact.certain else ("draft", "proposal")
        out["medicationCodeableConcept"] = derivation.concept(fact.concept)
        out["requester"] = {"display": "the clinician who spoke"}
        key = "dosageInstruction"
    else:
        out = {"resourceType": "MedicationStatement", **base, "meta": derivation.meta()}
        out["context"] = out.pop("encounter")
        out["status"] = {Status.PAST: "completed", Status.ABSENT: "not-taken", Status.POSSIBLE: "unknown"}.get(
            fact.status, "active"
        )
        if fact.status is Status.PAST and fact.note == "stopped":
            out["status"] = "stopped"
        if not fact.certain:
            out["status"] = "unknown"
        out["medicationCodeableConcept"] = derivation.concept(fact.concept)
        key = "dosage"
    if fact.onset:
        out["effectivePeriod" if key == "dosage" else "authoredOn"] = (
            {"start": fact.onset} if key == "dosage" else fact.onset
        )
    if fact.dosage is not None:
        out[key] = [dosage(fact.dosage)]
    if fact.note and fact.note != "stopped":
        out["note"] = [{"text": fact.note}]
    return out


def dosage(said: Dosage) -> dict[str, Any]:
    """A FHIR Dosage as far as it was said."""
    out: dict[str, Any] = {}
    if said.text:
        out["text"] = said.text
    repeat: dict[str, Any] = {}
    if said.frequency is not None and said.period is not None:
        repeat = {"frequency": said.frequency, "period": said.period, "periodUnit": said.period_unit}
    if said.when and not (said.frequency and said.frequency > 1):
        repeat["when"] = list(said.when)
    if repeat:
        out["timing"] = {"repeat": repeat}
    if said.as_needed:
        out["asNeededBoolean"] = True
    if said.route is not None:
        out["route"] = derivation.concept(said.route)
    if said.dose is not None:
        out["doseAndRate"] = [{"doseQuantity": derivation.quantity(said.dose)}]
    return out


def allergy(fact: Fact, base: dict[str, Any]) -> dict[str, Any]:
    """An AllergyIntolerance with its reactions."""
    out = {"resourceType": "AllergyIntolerance", **base, "meta": derivation.meta(_US_CORE + "allergyintolerance")}
    out["patient"] = out.pop("subject")
    refuted = fact.status is Status.ABSENT and "716186003" not in {c.code for c in fact.concept.codings}
    clinical = "inactive" if refuted or fact.status is Status.PAST else "active"
    verification = "refuted" if refuted else "confirmed" if fact.certain else "unconfirmed"
    out["clinicalStatus"] = derivation.code(_ALLERGY_CLINICAL, clinical, clinical.capitalize())
    out["verificationStatus"] = derivation.code(_ALLERGY_VERIFICATION, verification, verification.capitalize())
    out["code"] = derivation.concept(fact.concept)
    if fact.reaction:
        out["reaction"] = [{"manifestation": [derivation.concept(r) for r in fact.reaction]}]
    return out
