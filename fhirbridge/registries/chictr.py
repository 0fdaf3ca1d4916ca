"""ChiCTR and other WHO ICTRP records in the ICTRP's XML layout (`trial` or `Triall` elements).

https://www.who.int/clinical-trials-registry-platform: the export formats of primary registries.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from fhirbridge import languages
from fhirbridge.errors import InputError, UnreadableInput
from fhirbridge.records import LeftOut, Trial
from fhirbridge.registries import _fields, _xml
from fhirbridge.registries._xml import text, texts


class ChiCtr:
    """Reads ICTRP XML. The two sides of the criteria are kept apart in it."""

    name = "chictr"

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether the head is ICTRP XML."""
        return b"<trial_id" in head and (b"<Triall" in head or b"<trial>" in head or b"<trials" in head)

    def read(self, path: Path) -> Iterator[Trial | LeftOut]:
        """The trials of a file one by one."""
        found = False
        for tag in ("Triall", "trial"):
            for place, element in _xml.records(path, tag):
                found = True
                try:
                    yield _trial(element, place, self.name)
                except InputError as error:
                    yield LeftOut(place, error.reason)
            if found:
                return
        raise UnreadableInput(path, "no trial in it", "give XML in the ICTRP layout")

    def read_record(self, record: dict[str, Any]) -> Trial:
        """XML records are not dicts: InputError."""
        raise InputError("record", "ICTRP XML is read from a file")


def create() -> ChiCtr:
    """The registry."""
    return ChiCtr()


def _trial(e: Element, place: str, registry: str) -> Trial:
    number = text(e, "main/trial_id")
    if not number:
        raise InputError(place, "no trial_id")
    inclusion = _whole(e, "criteria/inclusion_criteria")
    exclusion = _whole(e, "criteria/exclusion_criteria")
    language = languages.detect(inclusion + exclusion)
    eligibility, first, second = _fields.joined_text(inclusion, exclusion, language)
    design = ": ".join(t for t in (text(e, "main/study_type"), text(e, "main/study_design")) if t)
    trial = Trial(
        id=number,
        registry=registry,
        title=text(e, "main/public_title") or text(e, "main/scientific_title"),
        eligibility_text=eligibility,
        official_title=text(e, "main/scientific_title"),
        status=_fields.status(text(e, "main/recruitment_status")),
        phase=_fields.phase(text(e, "main/phase")),
        conditions=_listed(text(e, "main/hc_freetext")) + texts(e, "health_condition_code/hc_code"),
        keywords=texts(e, "health_condition_keyword/hc_keyword"),
        interventions=_listed(text(e, "main/i_freetext")),
        sites=texts(e, "countries/country2"),
        contacts=_contacts(e),
        sponsor=text(e, "main/primary_sponsor"),
        description=design,
        minimum_age=_fields.age(text(e, "criteria/agemin")),
        maximum_age=_fields.age(text(e, "criteria/agemax")),
        sex=_fields.sex(text(e, "criteria/gender")),
        other_ids=tuple(t for t in (text(e, "main/utrn"), *texts(e, "secondary_ids/secondary_id/sec_id")) if t),
        inclusion_text=first,
        exclusion_text=second,
        start=_fields.iso_date(text(e, "main/date_enrolment")),
        url=text(e, "main/url"),
        language=language,
    )
    return _fields.checked(trial, place)


def _whole(e: Element, path: str) -> str:
    found = e.find(path)
    return "".join(found.itertext()).strip() if found is not None else ""


def _listed(said: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(t.strip() for t in re.split(r"[;；]", said) if t.strip()))


def _contacts(e: Element) -> tuple[str, ...]:
    found = []
    for one in e.iterfind("contacts/contact"):
        name = " ".join(t for t in (text(one, n) for n in ("firstname", "middlename", "lastname")) if t)
        parts = (name, text(one, "affiliation"), text(one, "telephone"), text(one, "email"))
        found.append(", ".join(p for p in parts if p))
    return tuple(dict.fromkeys(f for f in found if f))
