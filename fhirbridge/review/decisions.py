"""What a reviewer decides about a fact, written into the Bundle: final, changed or entered in error, and by whom."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from fhirbridge.errors import InputError
from fhirbridge.fhir.plain_facts import concept_of, status_of, value_of

_VERIFICATION = {
    "Condition": "http://terminology.hl7.org/CodeSystem/condition-ver-status",
    "AllergyIntolerance": "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification",
}
# v3-ObservationValue: the machine's AIAST stays, a clinician now vouches for it too.
_VOUCHED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "CLINAST",
    "display": "clinician asserted",
}
_STATUSES = {
    "Condition": ("confirmed", "refuted", "unconfirmed", "provisional", "differential"),
    "AllergyIntolerance": ("confirmed", "refuted", "unconfirmed"),
    "Observation": ("final", "preliminary"),
    "MedicationStatement": ("active", "completed", "stopped", "not-taken"),
    "MedicationRequest": ("active", "completed", "stopped", "cancelled"),
    "Procedure": ("completed", "not-done", "preparation"),
    "ServiceRequest": ("active", "completed", "revoked"),
    "FamilyMemberHistory": ("completed", "partial"),
}


@dataclass(frozen=True, slots=True)
class Decision:
    """`verdict` is accept, reject or change; a change says the new name, value, unit or status (None: as it was)."""

    verdict: str
    name: str | None = None
    value: str | None = None
    unit: str | None = None
    status: str | None = None


def statuses(resource_type: str) -> tuple[str, ...]:
    """The statuses a reviewer may choose for a kind of resource."""
    return _STATUSES.get(resource_type, ())


def reviewed(
    bundle: Mapping[str, Any], decisions: Mapping[str, Decision], reviewer: str, at: datetime
) -> dict[str, Any]:
    """The Bundle with the decisions (by resource id) carried out and a Provenance that names the reviewer.

    Accepted facts become final or confirmed (a refuted one stays refuted), rejected ones entered-in-error. What the
    machine had read stays beside every change, as a note. Facts without a decision are as they were.
    """
    if not reviewer.strip():
        raise InputError("review", "no reviewer named", "say who reviews")
    out = copy.deepcopy(dict(bundle))
    touched = []
    for entry in out["entry"]:
        resource = entry["resource"]
        decision = decisions.get(str(resource.get("id")))
        if decision is not None:
            _carry_out(resource, decision, reviewer, at)
            touched.append(entry)
    if touched:
        out["entry"].append(_provenance(touched, reviewer, at))
    return out


def _carry_out(resource: dict[str, Any], decision: Decision, reviewer: str, at: datetime) -> None:
    if decision.verdict == "reject":
        _set_status(resource, "entered-in-error")
        return
    if decision.verdict == "change":
        before = ", ".join(filter(None, (concept_of(resource).get("text"), value_of(resource), status_of(resource))))
        _change(resource, decision)
        note = {"authorString": reviewer, "time": at.isoformat(), "text": f"Machine reading: {before}"}
        resource.setdefault("note", []).append(note)
    elif decision.verdict != "accept":
        raise InputError("review", f"unknown verdict '{decision.verdict}'", "accept, reject or change")
    if not decision.status:
        _confirm(resource)
    security = resource.setdefault("meta", {}).setdefault("security", [])
    if _VOUCHED not in security:
        security.append(dict(_VOUCHED))


def _confirm(resource: dict[str, Any]) -> None:
    if resource["resourceType"] == "Observation":
        resource["status"] = "final"
    elif resource["resourceType"] in _VERIFICATION and status_of(resource) != "refuted":
        _set_status(resource, "confirmed")


def _set_status(resource: dict[str, Any], status: str) -> None:
    kind = resource["resourceType"]
    if kind in _VERIFICATION:
        resource["verificationStatus"] = {"coding": [{"system": _VERIFICATION[kind], "code": status}]}
        if status == "entered-in-error":
            resource.pop("clinicalStatus", None)  # con-5: none on what was entered in error
    else:
        resource["status"] = status


def _change(resource: dict[str, Any], decision: Decision) -> None:
    if decision.status is not None:
        if decision.status not in statuses(resource["resourceType"]):
            raise InputError(
                "review", f"a {resource['resourceType']} cannot be '{decision.status}'", "choose from the list"
            )
        _set_status(resource, decision.status)
    if decision.name is not None and decision.name != concept_of(resource).get("text"):
        concept = concept_of(resource)
        if isinstance(concept, dict):  # other words mean other codes: the machine's codes no longer stand for them
            concept.clear()
            concept["text"] = decision.name
    if decision.value is not None and resource["resourceType"] == "Observation":
        _change_value(resource, decision.value.strip(), decision.unit)


def _change_value(resource: dict[str, Any], value: str, unit: str | None) -> None:
    comparator, digits = "", value
    for sign in ("<=", ">=", "<", ">"):
        if value.startswith(sign):
            comparator, digits = sign, value[len(sign) :].strip()
            break
    try:
        number = Decimal(digits)
    except InvalidOperation:
        for key in ("valueQuantity", "valueString", "valueCodeableConcept"):
            resource.pop(key, None)
        resource["valueCodeableConcept"] = {"text": value}
        return
    quantity = dict(resource.get("valueQuantity", {}))
    quantity.pop("comparator", None)
    if unit is not None and unit != quantity.get("unit", ""):
        quantity = {"unit": unit} if unit else {}
    for key in ("valueString", "valueCodeableConcept"):
        resource.pop(key, None)
    sign_of = {"comparator": comparator} if comparator else {}
    resource["valueQuantity"] = {"value": number, **sign_of, **{k: v for k, v in quantity.items() if k != "value"}}
    resource.pop("interpretation", None)  # it judged the other value


def _provenance(touched: list[dict[str, Any]], reviewer: str, at: datetime) -> dict[str, Any]:
    targets = [
        {"reference": e.get("fullUrl") or f"{e['resource']['resourceType']}/{e['resource']['id']}"} for e in touched
    ]
    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"urn:fhirbridge:review:{reviewer}:{at.isoformat()}:{targets}")
    kind = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
    resource = {
        "resourceType": "Provenance",
        "id": str(identity),
        "target": targets,
        "recorded": at.isoformat(),
        "activity": {"text": "review of a machine's reading"},
        "agent": [
            {
                "type": {"coding": [{"system": kind, "code": "verifier", "display": "Verifier"}]},
                "who": {"display": reviewer},
            }
        ],
    }
    return {"fullUrl": f"urn:uuid:{identity}", "resource": resource}
