"""Several Bundles of one person -> one patient Bundle: a visit, lab photos and an EHR's export become one record."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from fhirbridge.errors import EmptyInput
from fhirbridge.fhir.record import Record
from fhirbridge.records import LeftOut

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:fhirbridge:joined")
_IDENTITY = (
    "extension",
    "gender",
    "birthDate",
    "name",
    "identifier",
    "telecom",
    "address",
    "deceasedBoolean",
    "deceasedDateTime",
)


def join(records: Iterable[Record | dict[str, Any]], patient_id: str) -> Record:
    """One collection Bundle about one patient, whose id is `patient_id`, from Bundles that are all about that person.

    References to the Bundles' own Patients are turned to the one Patient. Resources that are equal stand once. Where
    two Bundles disagree on sex, birth date or name, the first that says it is kept and the other comes back in
    `left_out`. The caller vouches that the Bundles are about the same person: nothing here compares people.
    """
    sources = [r if isinstance(r, Record) else Record(r) for r in records]
    if not sources:
        raise EmptyInput("join", "there is no Bundle to join")
    url = f"urn:uuid:{uuid.uuid5(_NAMESPACE, patient_id)}"
    patient: dict[str, Any] = {"resourceType": "Patient", "id": patient_id}
    entries: list[dict[str, Any]] = []
    left_out: list[LeftOut] = []
    for number, source in enumerate(sources, 1):
        left_out.extend(source.left_out)
        left_out.extend(_merge(patient, source, f"Bundle {number}"))
        own = _own_references(source)
        for entry in source.json.get("entry", []):
            if entry.get("resource", {}).get("resourceType") not in (None, "Patient"):
                moved = {
                    k: v for k, v in _repointed(entry, own, url).items() if k not in ("request", "search", "response")
                }
                if moved not in entries:
                    entries.append(moved)
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": url, "resource": patient}, *entries],
    }
    return Record(bundle, tuple(left_out), sources[0].fhir_version)


def _merge(patient: dict[str, Any], source: Record, where: str) -> list[LeftOut]:
    """Take what the patient does not have yet; tell what disagrees."""
    told = []
    for other in source.resources("Patient"):
        if "meta" in other and "meta" not in patient:
            patient["meta"] = other["meta"]
        for key in _IDENTITY:
            if key not in other:
                continue
            if key not in patient:
                patient[key] = other[key]
            elif patient[key] != other[key]:
                told.append(LeftOut(where, f"Patient.{key} differs from an earlier Bundle's; the earlier one is kept"))
    return told


def _own_references(source: Record) -> frozenset[str]:
    found = set()
    for entry in source.json.get("entry", []):
        resource = entry.get("resource", {})
        if resource.get("resourceType") == "Patient":
            found.add(f"Patient/{resource.get('id')}")
            if entry.get("fullUrl"):
                found.add(entry["fullUrl"])
    return frozenset(found)


def _repointed(value: Any, own: frozenset[str], url: str) -> Any:
    if isinstance(value, dict):
        return {k: (url if k == "reference" and v in own else _repointed(v, own, url)) for k, v in value.items()}
    if isinstance(value, list):
        return [_repointed(v, own, url) for v in value]
    return value
