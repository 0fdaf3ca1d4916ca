"""FHIR -> patient: everything one Bundle says about one person, ready to be judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from fhirbridge.records.values import Concept, LeftOut, Quantity

__all__ = ["Item", "ItemKind", "Patient", "When"]


@dataclass(frozen=True, slots=True)
class When:
    """A FHIR date as far as it is known: the first and the last day it can mean (2024-03 is the whole of March)."""

    earliest: date
    latest: date


class ItemKind(StrEnum):
    """What kind of resource an item comes from."""

    CONDITION = "condition"
    OBSERVATION = "observation"
    MEDICATION = "medication"
    PROCEDURE = "procedure"
    ALLERGY = "allergy"
    IMMUNIZATION = "immunization"
    FAMILY = "family"
    ENCOUNTER = "encounter"
    IMAGING = "imaging"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing recorded about a patient. `keys` is what it is and everything it is a kind of (folded names, codes).

    `status` is present, past, absent, possible, planned, pending, or stated (a result). `answer` is a coded or free
    answer; `low` and `high` the result's own reference range; `text` all that the resource says in words.
    """

    kind: ItemKind
    reference: str
    concept: Concept
    keys: frozenset[str]
    status: str = "present"
    start: When | None = None
    end: When | None = None
    quantity: Quantity | None = None
    answer: str = ""
    low: Quantity | None = None
    high: Quantity | None = None
    text: str = ""
    certain: bool = True
    own: frozenset[str] = frozenset()  # of `keys`, those of what it is itself, not of what it is a kind of


@dataclass(frozen=True, slots=True)
class Patient:
    """Everything one Bundle says about one patient, ready to be judged; `narrative` when it rests on a told story."""

    id: str
    sex: str = ""  # FHIR administrative-gender
    birth: When | None = None
    told_age: Quantity | None = None  # "a 58-year-old": where no birth date is recorded, on `told_on` (None: as judged)
    told_on: When | None = None
    deceased: bool = False
    place: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()
    narrative: bool = False
    gaps: tuple[LeftOut, ...] = ()
    fingerprint: str = ""  # changes when anything that is judged changes
