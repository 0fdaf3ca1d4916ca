"""A record or a match in the small form that an agent or a person can read at a glance, each fact with its evidence."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fhirbridge.fhir.record import Record

_DERIVATION = "http://hl7.org/fhir/StructureDefinition/derivation-reference"
_FACTS = {
    "AllergyIntolerance",
    "Condition",
    "FamilyMemberHistory",
    "MedicationRequest",
    "MedicationStatement",
    "Observation",
    "Procedure",
    "ServiceRequest",
}


def facts(record: Record) -> list[dict[str, Any]]:
    """The clinical facts of a Bundle, doubtful ones first: type, name, status, value, codes and what each rests on."""
    text = _text(record)
    rows = [_fact(r, text) for r in record.resources() if r["resourceType"] in _FACTS]
    return sorted(rows, key=lambda row: row["certain"])


def _text(record: Record) -> str:
    for source in record.resources("DocumentReference"):
        attachment = source["content"][0]["attachment"]
        if attachment.get("contentType", "").startswith("text/") and "data" in attachment:
            return base64.b64decode(attachment["data"]).decode("utf-8", "replace")
    return ""


def _fact(resource: Mapping[str, Any], text: str) -> dict[str, Any]:
    concept = resource.get("code") or resource.get("medicationCodeableConcept") or {}
    if resource["resourceType"] == "FamilyMemberHistory":
        concept = (resource.get("condition") or [{}])[0].get("code", {})
    verification = _first(resource.get("verificationStatus"))
    status = resource.get("status") if resource["resourceType"] != "Condition" else None
    row = {
        "type": resource["resourceType"],
        "id": resource.get("id"),
        "name": concept.get("text") or next((c.get("display") for c in concept.get("coding", [])), ""),
        "status": verification or status,
        "value": _value(resource),
        "codes": [f"{c.get('system')}|{c.get('code')}" for c in concept.get("coding", [])],
        "evidence": _evidence(resource, text),
        "certain": status != "preliminary" and verification not in ("unconfirmed", "provisional", "differential"),
    }
    return {k: v for k, v in row.items() if v not in (None, "", [])}


def _first(concept: Mapping[str, Any] | None) -> str | None:
    return next((c.get("code") for c in (concept or {}).get("coding", [])), None)


def _value(resource: Mapping[str, Any]) -> str | None:
    quantity = resource.get("valueQuantity")
    if quantity:
        return f"{quantity.get('comparator', '')}{quantity.get('value')} {quantity.get('unit', '')}".strip()
    parts = [str(c["valueQuantity"]["value"]) for c in resource.get("component", []) if "valueQuantity" in c]
    if parts:
        return "/".join(parts)
    concept = resource.get("valueCodeableConcept")
    return concept.get("text") if concept else resource.get("valueString")


def _evidence(resource: Mapping[str, Any], text: str) -> list[str]:
    """The quoted words, or the box on the picture."""
    out = []
    for extension in resource.get("extension", []):
        if extension.get("url") != _DERIVATION:
            continue
        parts = {e["url"]: e for e in extension.get("extension", [])}
        path = str(parts.get("path", {}).get("valueString", ""))
        if "xywh=" in path:
            out.append(path.split("#", 1)[-1])
        elif "offset" in parts and "length" in parts:
            start = parts["offset"]["valueInteger"]
            out.append(text[start : start + parts["length"]["valueInteger"]])
    return out
