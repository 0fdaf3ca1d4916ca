"""Trial -> criteria: a registry record, and each criterion with its tree of questions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from fhirbridge.records.values import Concept, LeftOut, Quantity, Span

__all__ = [
    "All",
    "Any",
    "AtLeast",
    "Bound",
    "Criterion",
    "If",
    "Leaf",
    "LeafKind",
    "Node",
    "Not",
    "Trial",
    "Understanding",
    "Window",
    "leaves",
]


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
