"""ClinicalTrials.gov's legacy XML (`clinical_study`), as bulk downloads before 2024 and many archives hold it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from fhirbridge.errors import InputError, UnreadableInput
from fhirbridge.records import LeftOut, Trial
from fhirbridge.registries import _fields, _xml
from fhirbridge.registries._xml import text, texts


class ClinicalTrialsGovXml:
    """Reads `clinical_study` elements, one or many in a file."""

    name = "clinicaltrials_gov_xml"

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether the head is XML with a clinical_study."""
        return b"<clinical_study" in head

    def read(self, path: Path) -> Iterator[Trial | LeftOut]:
        """The trials of a file one by one."""
        found = False
        for place, element in _xml.records(path, "clinical_study"):
            found = True
            try:
                yield _trial(element, place, self.name)
            except InputError as error:
                yield LeftOut(place, error.reason)
        if not found:
            raise UnreadableInput(path, "no clinical_study in it", "give ClinicalTrials.gov XML")

    def read_record(self, record: dict[str, Any]) -> Trial:
        """XML records are not dicts: InputError."""
        raise InputError("record", "ClinicalTrials.gov XML is read from a file")


def create() -> ClinicalTrialsGovXml:
    """The registry."""
    return ClinicalTrialsGovXml()


def _trial(e: Element, place: str, registry: str) -> Trial:
    number = text(e, "id_info/nct_id")
    if not number:
        raise InputError(place, "no nct_id")
    healthy = text(e, "eligibility/healthy_volunteers").lower()
    trial = Trial(
        id=number,
        registry=registry,
        title=text(e, "brief_title") or text(e, "official_title"),
        eligibility_text=_block(e, "eligibility/criteria/textblock"),
        official_title=text(e, "official_title"),
        status=_fields.status(text(e, "overall_status")),
        phase=_fields.phase(text(e, "phase")),
        conditions=texts(e, "condition"),
        keywords=texts(e, "keyword"),
        interventions=_interventions(e),
        sites=_sites(e),
        contacts=_contacts(e),
        sponsor=text(e, "sponsors/lead_sponsor/agency"),
        summary=_block(e, "brief_summary/textblock").strip(),
        description=_block(e, "detailed_description/textblock").strip(),
        minimum_age=_fields.age(text(e, "eligibility/minimum_age")),
        maximum_age=_fields.age(text(e, "eligibility/maximum_age")),
        sex=_fields.sex(text(e, "eligibility/gender")),
        healthy_volunteers=True if healthy.startswith("accepts") else False if healthy == "no" else None,
        other_ids=texts(e, "id_info/org_study_id") + texts(e, "id_info/secondary_id"),
        start=_fields.iso_date(text(e, "start_date")),
        end=_fields.iso_date(text(e, "completion_date")),
        url=f"https://clinicaltrials.gov/study/{number}",
    )
    return _fields.checked(trial, place)


def _block(e: Element, path: str) -> str:
    found = e.find(path)
    return (found.text or "") if found is not None else ""


def _interventions(e: Element) -> tuple[str, ...]:
    pairs = ((text(i, "intervention_type"), text(i, "intervention_name")) for i in e.iterfind("intervention"))
    return tuple(f"{kind}: {name}" if kind else name for kind, name in pairs if name)


def _sites(e: Element) -> tuple[str, ...]:
    found = []
    for place in e.iterfind("location/facility"):
        parts = (text(place, p) for p in ("name", "address/city", "address/state", "address/country"))
        found.append(", ".join(p for p in parts if p))
    return tuple(f for f in found if f)


def _contacts(e: Element) -> tuple[str, ...]:
    found = []
    for path in ("overall_contact", "overall_contact_backup", "overall_official"):
        for one in e.iterfind(path):
            name = " ".join(p for p in (text(one, n) for n in ("first_name", "middle_name", "last_name")) if p)
            parts = (name, text(one, "role"), text(one, "affiliation"), text(one, "phone"), text(one, "email"))
            found.append(", ".join(p for p in parts if p))
    return tuple(f for f in found if f)
