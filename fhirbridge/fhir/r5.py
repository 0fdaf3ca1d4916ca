"""R4 resources of a transcript -> R5: the elements that were renamed or changed shape between the two."""

from __future__ import annotations

from typing import Any

_US_CORE = "http://hl7.org/fhir/us/core/"


def converted(resource: dict[str, Any]) -> dict[str, Any]:
    """The resource in R5. US Core is an R4 guide, so its profiles are not claimed."""
    out = dict(resource)
    meta = dict(out.get("meta", {}))
    profiles = [p for p in meta.pop("profile", []) if not p.startswith(_US_CORE)]
    if profiles:
        meta["profile"] = profiles
    if meta:
        out["meta"] = meta
    else:
        out.pop("meta", None)
    change = _CHANGES.get(out["resourceType"])
    if change is not None:
        change(out)
    return out


def _encounter(out: dict[str, Any]) -> None:
    out["status"] = "completed" if out["status"] == "finished" else out["status"]
    out["class"] = [{"coding": [out["class"]]}]
    if "period" in out:
        out["actualPeriod"] = out.pop("period")


def _document(out: dict[str, Any]) -> None:
    context = out.pop("context", {})
    if context.get("encounter"):
        out["context"] = context["encounter"]
    if "period" in context:
        out["period"] = context["period"]
    contents = [{k: v for k, v in content.items() if k != "format"} for content in out["content"]]
    out["content"] = [{**c, "attachment": _attachment(c["attachment"])} for c in contents]


def _attachment(attachment: dict[str, Any]) -> dict[str, Any]:
    """Its size is an integer64 in R5, which JSON writes as a string."""
    return {**attachment, **({"size": str(attachment["size"])} if "size" in attachment else {})}


def _condition(out: dict[str, Any]) -> None:
    if "clinicalStatus" not in out:  # required in R5
        code = {"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "unknown"}
        out["clinicalStatus"] = {"coding": [code]}


def _statement(out: dict[str, Any]) -> None:
    taken = out["status"]
    out["status"] = "recorded"
    out["medication"] = {"concept": out.pop("medicationCodeableConcept")}
    if "context" in out:
        out["encounter"] = out.pop("context")
    system = "http://hl7.org/fhir/CodeSystem/medication-statement-adherence"
    code = {"active": "taking", "completed": "not-taking", "stopped": "stopped", "not-taken": "not-taking"}.get(taken)
    out["adherence"] = {"code": {"coding": [{"system": system, "code": code or "unknown"}]}}
    _dosages(out.get("dosage", []))


def _request(out: dict[str, Any]) -> None:
    out["medication"] = {"concept": out.pop("medicationCodeableConcept")}
    _dosages(out.get("dosageInstruction", []))


def _dosages(dosages: list[dict[str, Any]]) -> None:
    for dosage in dosages:
        if "asNeededBoolean" in dosage:
            dosage["asNeeded"] = dosage.pop("asNeededBoolean")


def _allergy(out: dict[str, Any]) -> None:
    for reaction in out.get("reaction", []):
        reaction["manifestation"] = [{"concept": m} for m in reaction["manifestation"]]


def _procedure(out: dict[str, Any]) -> None:
    for kind in ("DateTime", "String"):
        if f"performed{kind}" in out:
            out[f"occurrence{kind}"] = out.pop(f"performed{kind}")


def _service(out: dict[str, Any]) -> None:
    out["code"] = {"concept": out["code"]}


def _family(out: dict[str, Any]) -> None:
    reasons = out.pop("reasonCode", [])
    if reasons:
        out["reason"] = [{"concept": reason} for reason in reasons]


_CHANGES = {
    "Encounter": _encounter,
    "DocumentReference": _document,
    "Condition": _condition,
    "MedicationStatement": _statement,
    "MedicationRequest": _request,
    "AllergyIntolerance": _allergy,
    "Procedure": _procedure,
    "ServiceRequest": _service,
    "FamilyMemberHistory": _family,
}
