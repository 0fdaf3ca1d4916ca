"""A trial and its criteria -> ResearchStudy and eligibility Group, as one Bundle."""

from __future__ import annotations

import uuid
from typing import Any

from fhirbridge.fhir import eligibility_group
from fhirbridge.fhir.record import Record
from fhirbridge.records import Criterion, Trial

_IDENTIFIERS = {
    "NCT": "https://clinicaltrials.gov",
    "ChiCTR": "http://www.chictr.org.cn",
    "CTR": "http://www.chinadrugtrials.org.cn",
}


def build(trial: Trial, criteria: tuple[Criterion, ...], *, fhir_version: str = "R4") -> Record:
    """A collection Bundle of the ResearchStudy and its eligibility Group; the same trial gives the same Bundle."""
    study = _study(trial)
    group = eligibility_group.group(trial, criteria, f"ResearchStudy/{study['id']}", fhir_version)
    resources = [study, group]
    if fhir_version == "R5":
        study["recruitment"] = {"eligibility": {"reference": f"Group/{group['id']}"}}
    else:
        study["enrollment"] = [{"reference": f"Group/{group['id']}"}]
    bundle = {
        "resourceType": "Bundle",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"fhirbridge:{trial.registry}:{trial.id}")),
        "type": "collection",
        "entry": [{"fullUrl": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, r['id'])}", "resource": r} for r in resources],
    }
    return Record(bundle, trial.left_out, fhir_version)


def _study(trial: Trial) -> dict[str, Any]:
    study: dict[str, Any] = {
        "resourceType": "ResearchStudy",
        "id": trial.id,
        "identifier": [{"system": _system(trial.id), "value": trial.id}],
        "title": trial.title,
        "status": trial.status or "active",
        "note": [{"text": trial.eligibility_text}],
    }
    return study


def _system(number: str) -> str:
    return next((uri for start, uri in _IDENTIFIERS.items() if number.startswith(start)), "urn:fhirbridge:study")
