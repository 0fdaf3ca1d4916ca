"""ClinicalTrials.gov API v2 records: one study, a list, an API page with `studies`, or one a line; gz or not.

https://clinicaltrials.gov/data-api/about-api/study-data-structure
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fhirbridge.errors import InputError, UnreadableInput
from fhirbridge.records import LeftOut, Trial
from fhirbridge.registries import _fields, _json


class ClinicalTrialsGov:
    """Reads the API v2 shape (`protocolSection`)."""

    name = "clinicaltrials_gov"

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether the head is JSON with a protocolSection."""
        return head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") and b'"protocolSection"' in head

    def read(self, path: Path) -> Iterator[Trial | LeftOut]:
        """The trials of a file one by one; a record that is none as LeftOut."""
        found = False
        for item in _json.records(path):
            if isinstance(item, LeftOut):
                yield item
                continue
            found = True
            place, record = item
            try:
                yield self.read_record(record, place)
            except InputError as error:
                yield LeftOut(place, error.reason)
        if not found:
            raise UnreadableInput(path, "no record in it", "give the JSON of the ClinicalTrials.gov API v2")

    def read_record(self, record: dict[str, Any], place: str = "record") -> Trial:
        """One parsed record; InputError without `protocolSection` or NCT number."""
        protocol = record.get("protocolSection")
        if not isinstance(protocol, dict):
            raise InputError(place, "no protocolSection: not a ClinicalTrials.gov v2 record")
        names = _part(protocol, "identificationModule")
        number = str(names.get("nctId") or "").strip()
        if not number:
            raise InputError(place, "no nctId")
        rules = _part(protocol, "eligibilityModule")
        about = _part(protocol, "descriptionModule")
        healthy = rules.get("healthyVolunteers")
        trial = Trial(
            id=number,
            registry=self.name,
            title=_text(names.get("briefTitle") or names.get("officialTitle")),
            eligibility_text=_text(rules.get("eligibilityCriteria")),
            official_title=_text(names.get("officialTitle")),
            status=_fields.status(_text(_part(protocol, "statusModule").get("overallStatus"))),
            phase=_fields.phase(_strings(_part(protocol, "designModule").get("phases"))),
            conditions=tuple(_strings(_part(protocol, "conditionsModule").get("conditions"))),
            keywords=tuple(_strings(_part(protocol, "conditionsModule").get("keywords"))),
            interventions=_interventions(_part(protocol, "armsInterventionsModule")),
            sites=_sites(_part(protocol, "contactsLocationsModule")),
            contacts=_contacts(_part(protocol, "contactsLocationsModule")),
            sponsor=_text(_part(_part(protocol, "sponsorCollaboratorsModule"), "leadSponsor").get("name")),
            summary=_text(about.get("briefSummary")),
            description=_text(about.get("detailedDescription")),
            minimum_age=_fields.age(_text(rules.get("minimumAge"))),
            maximum_age=_fields.age(_text(rules.get("maximumAge"))),
            sex=_fields.sex(_text(rules.get("sex"))),
            healthy_volunteers=healthy if isinstance(healthy, bool) else _yes(_text(healthy)),
            other_ids=_other_ids(names),
            start=_text(_part(_part(protocol, "statusModule"), "startDateStruct").get("date")),
            end=_text(_part(_part(protocol, "statusModule"), "completionDateStruct").get("date")),
            url=f"https://clinicaltrials.gov/study/{number}",
        )
        return _fields.checked(trial, place)


def create() -> ClinicalTrialsGov:
    """The registry."""
    return ClinicalTrialsGov()


def _part(value: dict[str, Any], name: str) -> dict[str, Any]:
    part = value.get(name)
    return part if isinstance(part, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _strings(value: Any) -> list[str]:
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def _yes(text: str) -> bool | None:
    said = text.strip().lower()
    return True if said in ("yes", "true", "accepts healthy volunteers") else False if said in ("no", "false") else None


def _interventions(module: dict[str, Any]) -> tuple[str, ...]:
    found = []
    for one in _dicts(module.get("interventions")):
        kind, name = _text(one.get("type")).replace("_", " ").capitalize(), _text(one.get("name"))
        found.append(f"{kind}: {name}" if kind and name else name or kind)
    return tuple(f for f in found if f)


def _sites(module: dict[str, Any]) -> tuple[str, ...]:
    found = []
    for one in _dicts(module.get("locations")):
        parts = [_text(one.get(k)) for k in ("facility", "city", "state", "country")]
        found.append(", ".join(p for p in parts if p))
    return tuple(f for f in found if f)


def _contacts(module: dict[str, Any]) -> tuple[str, ...]:
    found = []
    for one in _dicts(module.get("centralContacts")) + _dicts(module.get("overallOfficials")):
        parts = [_text(one.get(k)) for k in ("name", "role", "affiliation", "phone", "email")]
        found.append(", ".join(p for p in parts if p))
    return tuple(f for f in found if f)


def _other_ids(names: dict[str, Any]) -> tuple[str, ...]:
    found = [_text(_part(names, "orgStudyIdInfo").get("id"))]
    found += [_text(one.get("id")) for one in _dicts(names.get("secondaryIdInfos"))]
    return tuple(dict.fromkeys(f for f in found if f))
