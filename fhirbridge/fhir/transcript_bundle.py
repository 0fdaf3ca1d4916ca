"""Facts of a transcript -> one Bundle: the person, the visit, the words, what they say, and how that was found."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from fhirbridge.fhir import condition, derivation, medication, observation, procedure, r5
from fhirbridge.fhir.record import Record
from fhirbridge.records import Fact, FactKind, LeftOut, Speaker, Transcript

_SOURCE = "urn:fhirbridge:transcript"
_NOTE = "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category"
_US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"


def build(
    transcript: Transcript,
    facts: Sequence[Fact],
    left_out: Sequence[LeftOut],
    *,
    transaction: bool = False,
    fhir_version: str = "R4",
    recorded: datetime | None = None,
) -> Record:
    """The Bundle of a transcript. `recorded` is the clock of its Provenance: the visit's date, else now."""
    data = transcript.text.encode("utf-8", "surrogatepass")
    source = hashlib.sha256(data).hexdigest()
    ids = {
        name: derivation.name_id(source, name) for name in ("Patient", "Encounter", "DocumentReference", "Provenance")
    }
    to = {name: f"urn:uuid:{value}" for name, value in ids.items()}
    shared = {"subject": {"reference": to["Patient"]}, "encounter": {"reference": to["Encounter"]}}
    visit = transcript.visit_date.isoformat() if transcript.visit_date else None
    resources = [
        _patient(ids["Patient"], source),
        _encounter(ids["Encounter"], source, visit, shared["subject"]),
        _document(ids["DocumentReference"], transcript, data, visit, to),
    ]
    clinical = []
    for number, fact in enumerate(facts):
        one = derivation.name_id(source, number, fact.kind, fact.concept.name, fact.status)
        base = {"id": one, "extension": derivation.evidence(to["DocumentReference"], fact.evidence), **shared}
        clinical.append(_ordered(_resource(fact, base, visit)))
    resources += clinical
    clock = recorded or _clock(transcript)
    resources.append(_provenance(ids["Provenance"], clinical, to, clock))
    if fhir_version == "R5":
        resources = [r5.converted(resource) for resource in resources]
    return Record(derivation.bundle(resources, transaction), tuple(left_out), fhir_version)


def _resource(fact: Fact, base: dict[str, Any], visit: str | None) -> dict[str, Any]:
    if fact.kind in (FactKind.CONDITION, FactKind.SYMPTOM):
        return condition.condition(fact, base)
    if fact.kind is FactKind.FAMILY_HISTORY:
        return condition.family_history(fact, base)
    if fact.kind is FactKind.MEDICATION:
        return medication.medication(fact, base)
    if fact.kind is FactKind.ALLERGY:
        return medication.allergy(fact, base)
    if fact.kind is FactKind.PROCEDURE:
        return procedure.procedure(fact, base)
    return observation.observation(fact, base, visit)


_FRAME = ("Patient", "Encounter", "DocumentReference", "Provenance")
_FIRST = ("resourceType", "id", "meta", "extension")


def _ordered(resource: dict[str, Any]) -> dict[str, Any]:
    head = {key: resource[key] for key in _FIRST if resource.get(key)}
    return head | {key: value for key, value in resource.items() if key not in _FIRST}


def _clock(transcript: Transcript) -> datetime:
    if transcript.visit_date is None:
        return datetime.now(UTC).replace(microsecond=0)
    return datetime(*transcript.visit_date.timetuple()[:3], tzinfo=UTC)


def _patient(one: str, source: str) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": one,
        "meta": derivation.meta(),
        "identifier": [{"system": f"{_SOURCE}:patient", "value": source[:32]}],
    }


def _encounter(one: str, source: str, visit: str | None, subject: dict[str, str]) -> dict[str, Any]:
    act = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    out: dict[str, Any] = {
        "resourceType": "Encounter",
        "id": one,
        "meta": derivation.meta(_US_CORE + "encounter"),
        "identifier": [{"system": f"{_SOURCE}:encounter", "value": source[:32]}],
        "status": "finished",
        "class": {"system": act, "code": "AMB", "display": "ambulatory"},
        "type": [{"text": "consultation"}],
        "subject": subject,
    }
    if visit:
        out["period"] = {"start": visit, "end": visit}
    return out


def _document(one: str, transcript: Transcript, data: bytes, visit: str | None, to: dict[str, str]) -> dict[str, Any]:
    note = all(turn.speaker is Speaker.NOTE for turn in transcript.turns)
    out: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "id": one,
        "meta": {"profile": [_US_CORE + "documentreference"]},
        "identifier": [{"system": f"{_SOURCE}:document", "value": hashlib.sha256(data).hexdigest()}],
        "status": "current",
        "type": {
            **derivation.code("http://loinc.org", "34109-9", "Note"),
            "text": "clinical note" if note else "transcript of a consultation",
        },
        "category": [
            derivation.code(
                "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
                "clinical-note",
                "Clinical Note",
            )
        ],
        "subject": {"reference": to["Patient"]},
        "content": [
            {
                "attachment": {
                    "contentType": "text/plain; charset=utf-8",
                    "language": "zh-CN" if transcript.language == "zh" else transcript.language,
                    "data": base64.b64encode(data).decode("ascii"),
                    "size": len(data),
                    "hash": base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode("ascii"),
                },
                "format": {
                    "system": "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode",
                    "code": "urn:ihe:iti:xds:2017:mimeTypeSufficient",
                    "display": "mimeType Sufficient",
                },
            }
        ],
        "context": {"encounter": [{"reference": to["Encounter"]}]},
    }
    if visit:
        out["context"]["period"] = {"start": visit, "end": visit}
    return out


def _provenance(one: str, clinical: list[dict[str, Any]], to: dict[str, str], clock: datetime) -> dict[str, Any]:
    from fhirbridge import __version__

    targets = [f"urn:uuid:{resource['id']}" for resource in clinical] or [to["Encounter"]]
    participant = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
    return {
        "resourceType": "Provenance",
        "id": one,
        "target": [{"reference": target} for target in targets],
        "recorded": clock.isoformat().replace("+00:00", "Z"),
        "activity": {"text": "facts read from a transcript"},
        "agent": [
            {
                "type": derivation.code(participant, "assembler", "Assembler"),
                "who": {"display": f"fhirbridge {__version__}"},
            }
        ],
        "entity": [{"role": "source", "what": {"reference": to["DocumentReference"]}}],
    }
