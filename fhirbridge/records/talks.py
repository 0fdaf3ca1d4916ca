"""Words -> facts: the turns of a conversation or note and what a clinician would record of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from fhirbridge.records.values import Concept, LeftOut, Quantity, Span

__all__ = ["Body", "Dosage", "Fact", "FactKind", "Speaker", "Status", "Transcript", "Turn"]


class Speaker(StrEnum):
    """Who speaks a turn; NOTE is unlabelled text (dictation, an admission note)."""

    CLINICIAN = "clinician"
    PATIENT = "patient"
    RELATIVE = "relative"
    NOTE = "note"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker says at a stretch; `span` covers the words without the speaker label; times in seconds."""

    speaker: Speaker
    text: str
    span: Span
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True, slots=True)
class Transcript:
    """A decoded source and its turns: text[turn.span.offset:turn.span.end] == turn.text."""

    text: str
    turns: tuple[Turn, ...]
    language: str  # "en", "zh"; the language of most turns
    visit_date: date | None = None
    left_out: tuple[LeftOut, ...] = ()


class FactKind(StrEnum):
    """What kind of thing was said; it decides the FHIR resource."""

    CONDITION = "condition"
    SYMPTOM = "symptom"
    OBSERVATION = "observation"
    VITAL_SIGN = "vital-signs"
    LABORATORY = "laboratory"
    EXAM = "exam"
    SURVEY = "survey"
    SOCIAL_HISTORY = "social-history"
    MEDICATION = "medication"
    ALLERGY = "allergy"
    PROCEDURE = "procedure"
    FAMILY_HISTORY = "family-history"


class Status(StrEnum):
    """How a fact stands. PLANNED: prescribed, advised or ordered; PAST: over, stopped, done."""

    PRESENT = "present"
    ABSENT = "absent"
    POSSIBLE = "possible"
    PAST = "past"
    PLANNED = "planned"


@dataclass(frozen=True, slots=True)
class Dosage:
    """How a medicine is taken, as far as said."""

    text: str = ""
    dose: Quantity | None = None
    frequency: int | None = None  # times per period
    period: Decimal | None = None
    period_unit: str = ""  # UCUM: h, d, wk, mo
    route: Concept | None = None
    as_needed: bool = False
    when: tuple[str, ...] = ()  # FHIR event-timing: HS, AC, PC, CM ...


@dataclass(frozen=True, slots=True)
class Body:
    """A body site and side, as said."""

    site: Concept
    side: str = ""  # left, right, bilateral or ""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing a clinician would record, with the words it rests on.

    `value` is a number with unit, a coded or free answer, or None. `onset`, `abatement` and `period` are ISO 8601 as
    far as known (2024, 2024-03); `onset_text` the words ("three days ago"). `certain` False makes it preliminary.
    """

    kind: FactKind
    concept: Concept
    status: Status
    evidence: tuple[Span, ...]
    value: Quantity | Concept | str | bool | None = None
    components: tuple[tuple[Concept, Quantity], ...] = ()
    onset: str | None = None
    onset_text: str = ""
    abatement: str | None = None
    duration: Quantity | None = None
    severity: str = ""  # mild, moderate, severe
    body: Body | None = None
    course: str = ""
    dosage: Dosage | None = None
    relative: str = ""  # HL7 v3-RoleCode: FTH, MTH, SIS ...
    reaction: tuple[Concept, ...] = ()
    note: str = ""
    certain: bool = True
