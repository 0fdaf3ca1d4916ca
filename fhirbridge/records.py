"""The legend to the map: every record that passes between two stages.

A photo is a `Page` of `Word`s, then `LabResult`s in a `LabReport`; a conversation is a `Transcript` of `Turn`s, then
`Fact`s; a trial record is a `Trial`, then `Criterion`s, each with a tree of `Leaf`s. All are frozen: a stage is a
function from records to records. Enum values are the FHIR codes where FHIR has one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "All",
    "Any",
    "AtLeast",
    "Body",
    "Bound",
    "Box",
    "Coding",
    "Concept",
    "Criterion",
    "Dosage",
    "Fact",
    "FactKind",
    "If",
    "Item",
    "ItemKind",
    "LabHeader",
    "LabReport",
    "LabResult",
    "Leaf",
    "LeafKind",
    "LeftOut",
    "Node",
    "Not",
    "Page",
    "Patient",
    "Picture",
    "Quantity",
    "Span",
    "Speaker",
    "Status",
    "Transcript",
    "Trial",
    "Truth",
    "Turn",
    "Understanding",
    "When",
    "Window",
    "Word",
    "leaves",
]


# ---------------------------------------------------------------------------------------------------- shared by all


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What could not be read, coded or sent: where it stands and why, never the patient's words."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text: `offset` and `length` in Unicode characters of the decoded source."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        """The offset one past the last character."""
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle in pixels of the original file; `page` counts from 1."""

    x: int
    y: int
    width: int
    height: int
    page: int = 1


@dataclass(frozen=True, slots=True)
class Coding:
    """One code of a code system; `system` is the FHIR URI."""

    system: str
    code: str
    display: str = ""


@dataclass(frozen=True, slots=True)
class Concept:
    """What is meant: the preferred name in the source's language and the codes that are decided, if any."""

    name: str
    codings: tuple[Coding, ...] = ()


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as printed or said: `value` keeps its digits (12.30), `unit` its wording, `ucum` the code if decided."""

    value: Decimal
    unit: str = ""
    ucum: str | None = None
    comparator: str = ""  # "", "<", "<=", ">=", ">"


class Truth(StrEnum):
    """Three-valued truth, as in CQL."""

    MET = "met"
    NOT_MET = "not_met"
    UNKNOWN = "unknown"


# ------------------------------------------------------------------------------------------------ photo -> lab report


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One photo or one PDF page, upright as viewers show it (EXIF applied): every `Box` counts in its pixels.

    `pixels` is RGB, shape (height, width, 3). A PDF page is rendered; `words` is its text layer, empty for a photo.
    `data` is the whole file as it came, shared by the pages of one file.
    """

    source: str
    page: int
    pixels: NDArray[np.uint8]
    data: bytes
    content_type: str
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of print as the engine found it; `quad` is its four corners, clockwise from top left, when tilted."""

    text: str
    box: Box
    confidence: float  # 0 to 1
    quad: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One picture or PDF page after reading; boxes are in pixels of the original file."""

    number: int
    width: int
    height: int
    words: tuple[Word, ...]
    engine: str


@dataclass(frozen=True, slots=True)
class LabHeader:
    """What the form says about the patient and the specimen, as printed; None where it does not say."""

    patient_name: str | None = None
    patient_id: str | None = None
    sex: str | None = None  # FHIR administrative-gender
    age: str | None = None
    department: str | None = None
    specimen: str | None = None
    collected: str | None = None  # ISO 8601 as far as printed
    received: str | None = None
    reported: str | None = None
    laboratory: str | None = None
    title: str | None = None
    boxes: tuple[tuple[str, Box], ...] = ()  # field name -> where it stands


@dataclass(frozen=True, slots=True)
class LabResult:
    """One row of a report. `value_text` is verbatim; `quantity` only when it is a number; `doubts` empty = final."""

    name: str
    value_text: str
    box: Box
    quantity: Quantity | None = None
    unit: str = ""
    low: Quantity | None = None
    high: Quantity | None = None
    range_text: str = ""
    flag: str = ""  # HL7 v3-ObservationInterpretation as printed: H, L, HH, LL, A, POS, NEG, N or ""
    abbreviation: str = ""
    section: str = ""  # heading the row stands under (panel, specimen)
    method: str = ""
    codings: tuple[Coding, ...] = ()
    doubts: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ()
    confidence: float = 1.0
    value_box: Box | None = None  # where the value alone stands

    @property
    def side(self) -> str:
        """Where the number lies by the printed range: "L", "N" or "H"; "" where value and range do not tell."""
        if self.quantity is None or (self.low is None and self.high is None):
            return ""
        value, sign = self.quantity.value, self.quantity.comparator
        if self.low is not None and value < self.low.value and sign in ("", "<", "<="):
            return "L"
        if self.high is not None and value > self.high.value and sign in ("", ">", ">="):
            return "H"
        if sign:  # "<0.5" lies inside only if the range reaches down to there; else it is not told
            within = self.low is None if sign in ("<", "<=") else self.high is None
            return "N" if within else ""
        return "N"


@dataclass(frozen=True, slots=True)
class LabReport:
    """A report of one or more pages, its rows in reading order."""

    header: LabHeader
    results: tuple[LabResult, ...]
    pages: tuple[Page, ...]
    language: str
    left_out: tuple[LeftOut, ...] = ()


# ------------------------------------------------------------------------------------------------ words -> facts


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


# ------------------------------------------------------------------------------------------------ trial -> criteria


@dataclass(frozen=True, slots=True)
class Trial:
    """A registry record. `eligibility_text` is the record's own text: every criterion's span points into it."""

    id: str
    registry: str  # the file name of the registry that read it
    title: str
    eligibility_text: str
    official_title: str = ""
    status: str = ""  # FHIR research-study-status
    phase: str = ""  # FHIR research-study-phase
    conditions: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    interventions: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()
    sponsor: str = ""
    summary: str = ""
    description: str = ""
    minimum_age: Quantity | None = None
    maximum_age: Quantity | None = None
    sex: str = ""  # female, male or "" for all
    healthy_volunteers: bool | None = None
    other_ids: tuple[str, ...] = ()
    inclusion_text: str | None = None  # only where the record keeps the sides apart: parts of eligibility_text
    exclusion_text: str | None = None
    start: str = ""
    end: str = ""
    url: str = ""
    language: str = "en"
    left_out: tuple[LeftOut, ...] = ()


class LeafKind(StrEnum):
    """What a leaf asks about."""

    AGE = "age"
    SEX = "sex"
    HEALTHY = "healthy-volunteer"
    DIAGNOSIS = "diagnosis"  # any disease or condition; concepts any-of
    SYMPTOM = "symptom"
    STAGE = "stage"  # values: "IIIB", "IV", "advanced", "metastatic", "T1", "N0", "M1"
    HISTOLOGY = "histology"
    GRADE = "grade"
    BIOMARKER = "biomarker"  # concepts: gene or marker; values: variant, "positive", "negative", "wild type"
    MEDICATION = "medication"  # a medicine or class, taken
    THERAPY = "therapy"  # kind of therapy: chemotherapy, radiotherapy, immunotherapy, surgery, "systemic"
    LINE = "line"  # number of prior lines of therapy
    PROCEDURE = "procedure"
    LABORATORY = "laboratory"
    VITAL_SIGN = "vital-sign"
    SCORE = "score"  # ECOG, KPS, NYHA, Child-Pugh, MMSE ...
    ORGAN_FUNCTION = "organ-function"  # "adequate organ function" without numbers
    PREGNANCY = "pregnancy"
    LACTATION = "lactation"
    CHILDBEARING = "childbearing-potential"
    SMOKING = "smoking"
    ALCOHOL = "alcohol"
    BODY_MEASURE = "body-measure"  # BMI, weight, height
    MEASURABLE_DISEASE = "measurable-disease"
    METASTASIS = "metastasis"
    INFECTION = "infection"  # HIV, HBV, HCV, tuberculosis ...
    ALLERGY = "allergy"
    TRIAL_PARTICIPATION = "trial-participation"
    IMAGING = "imaging"
    ADMINISTRATIVE = "administrative"  # consent, willingness, contraception, life expectancy, opinion, geography
    TEXT = "text"  # not understood: kept verbatim, judged unknown


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of a range. With `times_of` the value multiplies that limit of the patient's own result (2.5 x ULN)."""

    quantity: Quantity
    inclusive: bool = True
    times_of: str = ""  # "ULN", "LLN", "baseline" or ""


@dataclass(frozen=True, slots=True)
class Window:
    """When: within `within` before (or after) `anchor`, or lasting at least `at_least`; UCUM units d, wk, mo, a, h."""

    within: Quantity | None = None
    at_least: Quantity | None = None  # ">= 4 weeks since", "for at least 6 months"
    direction: str = "before"  # before, after, since, during, lasting
    anchor: str = ""  # as written: "first dose", "screening", "randomization"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One computable question. Several `concepts` or `values` mean any of them; `span` is in the eligibility text."""

    kind: LeafKind
    span: Span
    concepts: tuple[Concept, ...] = ()
    values: tuple[str, ...] = ()
    low: Bound | None = None
    high: Bound | None = None
    window: Window | None = None
    count_low: int | None = None  # at least one prior platinum regimen
    count_high: int | None = None
    qualifiers: frozenset[str] = field(
        default_factory=frozenset
    )  # active, uncontrolled, severe, history, current, known


@dataclass(frozen=True, slots=True)
class All:
    """Every child holds."""

    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """At least one child holds."""

    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The child does not hold."""

    child: Node


@dataclass(frozen=True, slots=True)
class AtLeast:
    """At least `count` children hold."""

    count: int
    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class If:
    """`then` is asked only when `condition` holds; otherwise the criterion does not apply."""

    condition: Node
    then: Node


Node = Leaf | All | Any | Not | AtLeast | If


def leaves(node: Node) -> Iterator[Leaf]:
    """The leaves of a tree from left to right."""
    if isinstance(node, Leaf):
        yield node
    elif isinstance(node, Not):
        yield from leaves(node.child)
    elif isinstance(node, If):
        yield from leaves(node.condition)
        yield from leaves(node.then)
    else:
        for child in node.children:
            yield from leaves(child)


class Understanding(StrEnum):
    """What became of a criterion."""

    COMPUTABLE = "computable"
    ADMINISTRATIVE = "administrative"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Criterion:
    """One atomic criterion, verbatim: trial.eligibility_text[span.offset:span.end] == text.

    The tree says what must hold for the criterion *as written* ("no prior chemotherapy" is Not(Leaf)); `exclude` says
    on which side of the form it stands. `group` names criteria of which one is enough (cohorts, alternatives).
    Criteria that come from structured fields (age, sex) have an empty span and `source` "structured".
    """

    text: str
    span: Span
    exclude: bool
    tree: Node
    understanding: Understanding
    section: str = ""  # "Part B", "Cohort 2" where the text is divided so
    context: str = ""  # the full sentence or heading it was cut from, where that changes its sense
    group: str = ""
    source: str = "text"


# ------------------------------------------------------------------------------------------------ FHIR -> patient


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
