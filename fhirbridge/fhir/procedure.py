"""What was done -> Procedure; what is ordered, advised or arranged -> ServiceRequest."""

from __future__ import annotations

from typing import Any

from fhirbridge.fhir import derivation
from fhirbridge.records import Fact, Status

_US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"


def procedure(fact: Fact, base: dict[str, Any]) -> dict[str, Any]:
    """A ServiceRequest for what is planned, else a Procedure done or not done."""
    if fact.status is Status.PLANNED:
        out = {"resourceType": "ServiceRequest", **base, "meta": derivation.meta(_US_CORE + "servicerequest")}
        out["status"], out["intent"] = ("active", "plan") if fact.certain else ("draft", "proposal")
        out["code"] = derivation.concept(fact.concept)
        if fact.onset:
            out["occurrenceDateTime"] = fact.onset
        if fact.onset_text or fact.note:
            out["note"] = [{"text": fact.onset_text or fact.note}]
        return out
    done = fact.status is not Status.ABSENT
    when = {"performedDateTime": fact.onset} if fact.onset else {"performedString": fact.onset_text or "not said"}
    out = {"resourceType": "Procedure", **base}
    out["meta"] = derivation.meta(_US_CORE + "procedure")
    out["status"] = ("completed" if fact.certain else "unknown") if done else "not-done"
    out["code"] = derivation.concept(fact.concept)
    if done:
        out.update(when)
    if fact.body is not None:
        out["bodySite"] = [derivation.concept(fact.body.site)]
    if fact.note:
        out["note"] = [{"text": fact.note}]
    return out
