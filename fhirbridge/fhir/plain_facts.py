"""A Bundle's facts in the small form that people and agents read at a glance, each with the evidence it rests on."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fhirbridge.fhir.derivation import DERIVATION

if TYPE_CHECKING:
    from fhirbridge.fhir.record import Record

XYWH = re.compile(r"(?:page=(\d+)&)?xywh=pixel:(\d+),(\d+),(\d+),(\d+)")
CLINICAL = {
    "AllergyIntolerance",
    "Condition",
    "FamilyMemberHistory",
    "MedicationRequest",
    "MedicationStatement",
    "Observation",
    "Procedure",
    "ServiceRequest",
}
_DOUBTED = ("unconfirmed", "provisional", "differential", "unknown", "draft")


def facts(record: Record) -> list[dict[str, Any]]:
    """The clinical facts, doubtful ones first: type, id, name, status, value, codes, evidence, certain.

    `evidence` holds quoted words, or `xywh=pixel:X,Y,W,H`; `spans` their offsets and lengths, `boxes` page and pixels.
    """
    text = source_text(record)
    rows = [_fact(r, text) for r in record.resources() if r["resourceType"] in CLINICAL]
    return sorted(rows, key=lambda row: row["certain"])


def source_text(record: Record) -> str:
    """The transcript a Bundle was read from, "" where it was a picture or is not included."""
    for source in record.resources("DocumentReference"):
        attachment = source["content"][0]["attachment"]
        if attachment.get("contentType", "").startswith("text/") and "data" in attachment:
            return base64.b64decode(attachment["data"]).decode("utf-8", "replace")
    return ""


def concept_of(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    """The CodeableConcept that says what a resource is about."""
    if resource["resourceType"] == "FamilyMemberHistory":
        conditions: Mapping[str, Any] = (resource.get("condition") or [{}])[0].get("code", {})
        return conditions
    found: Mapping[str, Any] = resource.get("code") or resource.get("medicationCodeableConcept") or {}
    return found


def value_of(resource: Mapping[str, Any]) -> str:
    """The value as a person writes it: "12.30 g/dL", "128/72", "negative", or ""."""
    quantity = resource.get("valueQuantity")
    if quantity:
        return f"{quantity.get('comparator', '')}{quantity.get('value')} {quantity.get('unit', '')}".strip()
    parts = [str(c["valueQuantity"]["value"]) for c in resource.get("component", []) if "valueQuantity" in c]
    if parts:
        return "/".join(parts)
    concept = resource.get("valueCodeableConcept") or {}
    return str(concept.get("text") or resource.get("valueString") or "")


def status_of(resource: Mapping[str, Any]) -> str:
    """The verification status of what has one, else the status."""
    verification = (resource.get("verificationStatus") or {}).get("coding") or [{}]
    return str(verification[0].get("code") or resource.get("status") or "")


def _fact(resource: Mapping[str, Any], text: str) -> dict[str, Any]:
    concept, status = concept_of(resource), status_of(resource)
    words, spans, boxes = _evidence(resource, text)
    row = {
        "type": resource["resourceType"],
        "id": resource.get("id"),
        "name": concept.get("text") or next((c.get("display") for c in concept.get("coding", [])), ""),
        "status": status,
        "value": value_of(resource),
        "codes": [f"{c.get('system')}|{c.get('code')}" for c in concept.get("coding", [])],
        "evidence": words,
        "spans": spans,
        "boxes": boxes,
        "notes": [n.get("text", "") for n in resource.get("note", [])],
        "certain": status != "preliminary" and status not in _DOUBTED,
    }
    return {k: v for k, v in row.items() if v not in (None, "", [])}


def _evidence(resource: Mapping[str, Any], text: str) -> tuple[list[str], list[list[int]], list[list[int]]]:
    words: list[str] = []
    spans: list[list[int]] = []
    boxes: list[list[int]] = []
    for extension in resource.get("extension", []):
        if extension.get("url") != DERIVATION:
            continue
        parts = {e["url"]: e for e in extension.get("extension", [])}
        box = XYWH.search(str(parts.get("path", {}).get("valueString", "")))
        if box:
            words.append(box[0])
            boxes.append([int(n or 1) for n in box.groups()])
        elif "offset" in parts and "length" in parts:
            start, length = parts["offset"]["valueInteger"], parts["length"]["valueInteger"]
            words.append(text[start : start + length])
            spans.append([start, length])
    return words, spans, boxes
