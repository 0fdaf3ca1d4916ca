"""A trial and its criteria -> ResearchStudy and eligibility Group (R5: EvidenceVariable too), as one Bundle."""

from __future__ import annotations

import re
import uuid
from typing import Any

from fhirbridge.fhir import eligibility_group, evidence_variable
from fhirbridge.fhir.record import Record
from fhirbridge.records import Criterion, Trial

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:fhirbridge:study")
_IDENTIFIERS = (
    ("NCT", "https://clinicaltrials.gov"),
    ("ChiCTR", "http://www.chictr.org.cn"),
    ("CTR", "http://www.chinadrugtrials.org.cn"),
)
_PHASE = "http://terminology.hl7.org/CodeSystem/research-study-phase"
_PARTY = "http://hl7.org/fhir/research-study-party-role"
_PROGRESS = "http://hl7.org/fhir/research-study-status"
_DATE = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2})?)?")
# FHIR R5 keeps the recruitment state in progressStatus; `status` is a publication status there.
_R5_STATUS = {"completed": "retired", "withdrawn": "retired", "administratively-completed": "retired"}


def build(trial: Trial, criteria: tuple[Criterion, ...], *, fhir_version: str = "R4") -> Record:
    """A collection Bundle of the ResearchStudy and its eligibility Group; the same trial gives the same Bundle."""
    url = _url(trial, "study")
    study = _study(trial)
    group = eligibility_group.group(trial, criteria, url, fhir_version)
    group["id"] = _id(f"{study['id'][:52]}-eligibility")
    entries = [(url, study), (_url(trial, "group"), group)]
    if fhir_version == "R5":
        _to_r5(study, trial)
        study["recruitment"] = {"eligibility": {"reference": _url(trial, "group")}}
        variable = evidence_variable.evidence_variable(trial, criteria, url)
        variable["id"] = _id(f"{study['id'][:52]}-variable")
        entries.append((_url(trial, "variable"), variable))
    else:
        study["enrollment"] = [{"reference": _url(trial, "group")}]
    bundle = {
        "resourceType": "Bundle",
        "id": _url(trial, "bundle").removeprefix("urn:uuid:"),
        "type": "collection",
        "entry": [{"fullUrl": full, "resource": resource} for full, resource in entries],
    }
    return Record(bundle, trial.left_out, fhir_version)


def _url(trial: Trial, what: str) -> str:
    return f"urn:uuid:{uuid.uuid5(_NAMESPACE, f'{trial.registry}|{trial.id}|{what}')}"


def _id(text: str) -> str:
    """A FHIR id of a registry number: its letters, digits, - and .; one derived from it where nothing is left."""
    clean = re.sub(r"[^A-Za-z0-9.-]+", "-", text).strip("-.")[:64]
    return clean or str(uuid.uuid5(_NAMESPACE, text))


def _study(trial: Trial) -> dict[str, Any]:
    study: dict[str, Any] = {
        "resourceType": "ResearchStudy",
        "id": _id(trial.id),
        "language": "zh-CN" if trial.language == "zh" else "en",
        "identifier": [{"system": _system(trial.id), "value": trial.id}, *({"value": i} for i in trial.other_ids)],
        "title": trial.title or trial.official_title or trial.id,
        "status": trial.status or "active",
        "phase": _phase(trial.phase),
        "condition": [{"text": text} for text in trial.conditions],
        "focus": [{"text": text} for text in trial.interventions],
        "contact": [_contact(text) for text in trial.contacts],
        "relatedArtifact": [{"type": "documentation", "url": trial.url}] if trial.url else [],
        "keyword": [{"text": text} for text in trial.keywords],
        "location": [{"text": text} for text in trial.sites],
        "description": "\n\n".join(t for t in (trial.summary, trial.description) if t.strip()),
        "period": _period(trial),
        "sponsor": {"display": trial.sponsor} if trial.sponsor else {},
        "note": [{"text": trial.eligibility_text}] if trial.eligibility_text.strip() else [],
        "objective": [{"name": trial.official_title}] if trial.official_title.strip() else [],
    }
    return {key: value for key, value in study.items() if value}


def _system(number: str) -> str:
    return next((uri for start, uri in _IDENTIFIERS if number.startswith(start)), "urn:fhirbridge:study")


def _phase(code: str) -> dict[str, Any]:
    return {"coding": [{"system": _PHASE, "code": code}]} if code else {}


def _contact(text: str) -> dict[str, Any]:
    """A ContactDetail of "name, ..., phone, e-mail"."""
    parts = [p.strip() for p in text.split(", ")]
    telecom = []
    for part in parts:
        if "@" in part:
            telecom.append({"system": "email", "value": part})
        elif re.fullmatch(r"[+(]?[\d() .\-/extEXT]{6,}", part):
            telecom.append({"system": "phone", "value": part})
    said = {t["value"] for t in telecom}
    name = ", ".join(p for p in parts if p not in said)
    return {k: v for k, v in (("name", name), ("telecom", telecom)) if v}


def _period(trial: Trial) -> dict[str, str]:
    ends = (("start", trial.start), ("end", trial.end))
    return {name: text for name, text in ends if _DATE.fullmatch(text)}


def _to_r5(study: dict[str, Any], trial: Trial) -> None:
    """Turn the R4 elements into R5's: parties, comparison of states, coded references."""
    state = study["status"]
    study["status"] = _R5_STATUS.get(state, "active")
    study["progressStatus"] = [{"state": {"coding": [{"system": _PROGRESS, "code": state}]}}]
    for artifact in study.get("relatedArtifact", []):
        artifact["document"] = {"url": artifact.pop("url")}
    if "focus" in study:
        study["focus"] = [{"concept": concept} for concept in study["focus"]]
    parties = [{"name": c["name"], "role": _role("general-contact")} for c in study.pop("contact", []) if "name" in c]
    if study.pop("sponsor", None):
        parties.append({"name": trial.sponsor, "role": _role("lead-sponsor")})
    if parties:
        study["associatedParty"] = parties
    if sites := study.pop("location", []):
        study["site"] = [{"display": site["text"]} for site in sites]


def _role(code: str) -> dict[str, Any]:
    return {"coding": [{"system": _PARTY, "code": code}]}
