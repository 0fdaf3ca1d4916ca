"""Matches as FHIR: a searchset Bundle a patient, as trial-matching services answer, and ResearchSubject candidates."""

from __future__ import annotations

import uuid
from typing import Any

__all__ = ["research_subject", "searchset"]

_REGISTRIES = (
    ("NCT", "http://clinicaltrials.gov"),
    ("ChiCTR", "http://www.chictr.org.cn"),
    ("CTR", "http://www.chinadrugtrials.org.cn"),
)
_GRADES = "http://terminology.hl7.org/CodeSystem/match-grade"
_GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
_NAMES = uuid.UUID("6a6f8f0e-3d1b-5f0a-9a53-6d5c1c7b9f10")


def searchset(row: dict[str, Any]) -> dict[str, Any]:
    """The searchset Bundle of one patient's row: ResearchStudy entries with mode match, score and match grade."""
    entries = [_entry(row, match) for match in row["matches"]]
    name = f"{row['patient']}|{row['as_of']}"
    return {
        "resourceType": "Bundle",
        "id": str(uuid.uuid5(_NAMES, name)),
        "type": "searchset",
        "timestamp": f"{row['as_of']}T00:00:00Z",
        "total": len(entries),
        "entry": entries,
    }


_SURE = {"eligible": "certain", "undetermined": "possible", "excluded": "certainly-not"}


def _entry(row: dict[str, Any], match: dict[str, Any]) -> dict[str, Any]:
    number = match["study"].split("/", 1)[1]
    study = {
        "resourceType": "ResearchStudy",
        "id": _fhir_id(number),
        "identifier": [{"system": _system(number), "value": number}],
        "title": match["title"],
        "status": "active",
    }
    grade = {"url": _GRADE, "valueCode": _SURE[match["status"]]}
    url = f"{_system(number)}/{number}"
    return {
        "fullUrl": url,
        "resource": study,
        "search": {"extension": [grade], "mode": "match", "score": match["score"]},
    }


def _system(number: str) -> str:
    return next((system for mark, system in _REGISTRIES if number.startswith(mark)), "urn:fhirbridge:study")


def _fhir_id(number: str) -> str:
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-.") else "-" for c in number)
    return plain[:64] or "study"


def research_subject(patient: str, study: str, as_of: str, score: float) -> dict[str, Any]:
    """A ResearchSubject with status candidate, its id always the same for the same patient and study."""
    number = study.split("/", 1)[1]
    return {
        "resourceType": "ResearchSubject",
        "id": str(uuid.uuid5(_NAMES, f"{patient}|{study}")),
        "identifier": [{"system": "urn:fhirbridge:candidate", "value": f"{patient.split('/', 1)[1]}|{number}"}],
        "status": "candidate",
        "period": {"start": as_of},
        "study": {
            "reference": f"ResearchStudy/{_fhir_id(number)}",
            "identifier": {"system": _system(number), "value": number},
        },
        "individual": {"reference": patient},
        "extension": [{"url": "urn:fhirbridge:match-score", "valueDecimal": score}],
    }
