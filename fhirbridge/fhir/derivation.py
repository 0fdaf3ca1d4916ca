"""What every resource that came out of a source carries: its evidence, the mark of a machine, its id."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from fhirbridge.records import Coding, Concept, Quantity, Span

DERIVATION = "http://hl7.org/fhir/StructureDefinition/derivation-reference"
PATH = "DocumentReference.content[0].attachment.data"
_AIAST = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "AIAST",
    "display": "Artificial Intelligence asserted",
}
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:fhirbridge:transcript")


def name_id(*parts: object) -> str:
    """An id that is the same whenever the same things are said of the same source."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(map(str, parts))))


def evidence(document: str, spans: Iterable[Span], limit: int = 4) -> list[dict[str, Any]]:
    """derivation-reference extensions: offset and length in characters of the document's decoded text."""
    unique = list(dict.fromkeys(spans))[:limit]
    return [
        {
            "url": DERIVATION,
            "extension": [
                {"url": "reference", "valueReference": {"reference": document}},
                {"url": "path", "valueString": PATH},
                {"url": "offset", "valueInteger": span.offset},
                {"url": "length", "valueInteger": span.length},
            ],
        }
        for span in unique
    ]


def meta(profile: str = "") -> dict[str, Any]:
    """meta with the security label of machine-made content, and the profile that the resource conforms to."""
    out: dict[str, Any] = {"profile": [profile]} if profile else {}
    out["security"] = [dict(_AIAST)]
    return out


def concept(value: Concept) -> dict[str, Any]:
    """A CodeableConcept: the name as text, and the codes that are decided."""
    out: dict[str, Any] = {}
    if value.codings:
        out["coding"] = [coding(c) for c in value.codings]
    out["text"] = value.name
    return out


def coding(value: Coding) -> dict[str, str]:
    """A Coding with its display where it is known."""
    out = {"system": value.system, "code": value.code}
    if value.display:
        out["display"] = value.display
    return out


def code(system: str, value: str, display: str = "") -> dict[str, Any]:
    """A CodeableConcept of one code."""
    return {"coding": [coding(Coding(system, value, display))]}


def quantity(value: Quantity) -> dict[str, Any]:
    """A Quantity with the unit as said and, where decided, its UCUM code."""
    out: dict[str, Any] = {"value": value.value}
    if value.comparator:
        out["comparator"] = value.comparator
    if value.unit or value.ucum:
        out["unit"] = value.unit or value.ucum
    if value.ucum:
        out["system"] = "http://unitsofmeasure.org"
        out["code"] = value.ucum
    return out


def bundle(resources: list[dict[str, Any]], transaction: bool) -> dict[str, Any]:
    """A collection of the resources, or a transaction that creates each once by its first identifier."""
    entries = []
    for resource in resources:
        entry: dict[str, Any] = {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource}
        if transaction:
            entry["request"] = {"method": "POST", "url": resource["resourceType"]}
            if resource.get("identifier"):
                first = resource["identifier"][0]
                entry["request"]["ifNoneExist"] = f"identifier={first['system']}|{first['value']}"
        entries.append(entry)
    return {"resourceType": "Bundle", "type": "transaction" if transaction else "collection", "entry": entries}
