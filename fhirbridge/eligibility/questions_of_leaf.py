"""One leaf of a criterion's tree -> one question, with what the criterion's words and the trial add to it."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache

from fhirbridge.eligibility.judge import AskAny, Asked
from fhirbridge.eligibility.measures import measure_of
from fhirbridge.eligibility.questions import Question
from fhirbridge.eligibility.questions_joined import DISEASES
from fhirbridge.eligibility.questions_of_history import TREATMENTS
from fhirbridge.eligibility.subjects import MALIGNANT, Subject, Words, keys_of
from fhirbridge.languages import fold
from fhirbridge.records import Bound, Concept, Criterion, Leaf, LeafKind, Quantity, Window, leaves

__all__ = ["question_of"]


_MEASURED = frozenset(
    (LeafKind.LABORATORY, LeafKind.VITAL_SIGN, LeafKind.SCORE, LeafKind.BODY_MEASURE, LeafKind.BIOMARKER)
)


_VALUED = (_MEASURED - {LeafKind.BIOMARKER}) | {
    LeafKind.AGE,
    LeafKind.SEX,
    LeafKind.PREGNANCY,
    LeafKind.LACTATION,
    LeafKind.CHILDBEARING,
}


_OTHER = re.compile(
    r"other|second|concurrent|additional|another|prior|previous|history|concomitant|co-?existing|5 years|within|active|"
    r"其他|其它|第二|既往|病史|合并|同时|年内|病史",
    re.IGNORECASE,
)


_BARE = frozenset(
    (LeafKind.PREGNANCY, LeafKind.LACTATION, LeafKind.CHILDBEARING, LeafKind.HEALTHY, LeafKind.MEASURABLE_DISEASE)
)


# The qualifiers that a judge weighs; others ("histologically confirmed") are told in the text and change no answer.
_WEIGHED = frozenset(
    [
        "active",
        "current",
        "ongoing",
        "concurrent",
        "present",
        "concomitant",
        "uncontrolled",
        "severe",
        "symptomatic",
        "asymptomatic",
        "untreated",
        "unstable",
        "significant",
        "serious",
        "moderate",
        "mild",
        "acute",
        "chronic",
        "decompensated",
        "progressive",
        "refractory",
        "relapsed",
        "recurrent",
        "history",
        "prior",
        "known",
        "confirmed",
        "documented",
        "other",
        "second",
        "additional",
        "planned",
        "scheduled",
        "preplanned",
        "future",
        "anticipated",
        "requires",
        "expected",
        "advanced",
        "metastatic",
        "mixed",
        "negative",
        "positive",
        "normal",
        "abnormal",
        "high",
        "low",
        "elevated",
        "never",
        "former",
    ]
) | {"clinically significant", "with brain"}


_CYCLES = re.compile(r"\bcycles?\b|\bcourses?\b|\bdoses?\b|周期|疗程", re.IGNORECASE)


_NAMED = frozenset((LeafKind.DIAGNOSIS, LeafKind.SYMPTOM, LeafKind.MEDICATION, LeafKind.PROCEDURE, LeafKind.THERAPY))


_VAGUE = frozenset(
    [
        "disease",
        "diseases",
        "illness",
        "disorder",
        "disorders",
        "condition",
        "conditions",
        "medical condition",
        "mass",
        "lesion",
        "medication",
        "medications",
        "drug",
        "drugs",
        "medicine",
        "treatment",
        "treatments",
        "therapy",
        "therapies",
        "procedure",
        "procedures",
        "blood test",
        "history",
        "finding",
        "findings",
        "symptom",
        "symptoms",
        "complication",
        "complications",
        "疾病",
        "药物",
        "治疗",
        "检查",
        "症状",
        "病变",
    ]
)


_SIGNIFICANT = re.compile(
    r"^\W*(?:(?:patients?|participants?|subjects?|has|have|with|who|a|any|history|of|other|active|current) )*"
    r"(?:clinically significant|significant|clinically relevant|serious|severe)|^\W*(?:患者|有|存在)*(?:严重|有临床意义)",  # noqa: E501
    re.IGNORECASE,
)


_WITHIN = re.compile(
    r"(?:within|in the (?:last|past|previous)|during the (?:last|past)|less than|<) (?:the )?(?:last |past |previous )?(\d+) ?"  # noqa: E501
    r"(days?|weeks?|wks?|months?|years?)",
    re.IGNORECASE,
)


_MARKERS = frozenset({"pdl1", "pdl1_cps", "tmb", "ki67", "psa", "afp", "cea", "ca125", "ca199"})


_BESIDE = frozenset({"other", "concomitant", "concurrent", "additional", "second"})


_DRIVER = re.compile(r"driver|co-?mutation|targetable|actionable|驱动", re.IGNORECASE)


_KNOWN = re.compile(
    r"^\W*(?:\d+\W+)?(?:(?:patients?|participants?|subjects?|has|have|had|with|who|a|the|any|is|are) )*"
    r"(?:known|confirmed|documented)\b|^\W*(?:\d+\W+)?(?:患者)?(?:有)?(?:已知|明确)",
    re.IGNORECASE,
)


def question_of(leaf: Leaf, criterion: Criterion, subject: Subject, words: Words | None, asserted: bool) -> Asked:
    if leaf.kind is LeafKind.TEXT or (leaf.kind is LeafKind.HISTOLOGY and _said_no(leaf, criterion)):
        return Question(LeafKind.TEXT)
    if leaf.kind is LeafKind.AGE and leaf.low and leaf.high and leaf.low.quantity == leaf.high.quantity:
        return _one_age(leaf, criterion)
    if leaf.kind in _NAMED and leaf.concepts and all(fold(c.name) in _VAGUE for c in leaf.concepts):
        return Question(LeafKind.TEXT)
    if leaf.kind is LeafKind.ADMINISTRATIVE:
        return Question(leaf.kind, required=asserted)
    concepts = leaf.concepts or (Concept(""),)
    parts = tuple(_question(leaf, c, criterion, subject, words, asserted) for c in concepts)
    return parts[0] if len(parts) == 1 else AskAny(parts)


def _one_age(leaf: Leaf, criterion: Criterion) -> Question:
    """Nobody asks for one single age: it is the least or the most, as the words say."""
    least = re.search(r"minimum|at least|older|above|over|最小|以上|不小于", criterion.text, re.IGNORECASE)
    most = re.search(r"maximum|at most|younger|below|under|up to|最大|以下|不大于", criterion.text, re.IGNORECASE)
    if bool(least) == bool(most) or leaf.low is None or leaf.low.quantity.value < 10:
        return Question(LeafKind.TEXT)
    return Question(LeafKind.AGE, low=leaf.low if least else None, high=leaf.high if most else None)


def _said_no(leaf: Leaf, criterion: Criterion) -> bool:
    """Whether a histology is a piece of its opposite ("non-" stands right before "small cell")."""
    start = leaf.span.offset - criterion.span.offset
    return 0 < start <= len(criterion.text) and bool(_NON.search(criterion.text[:start]))


_NON = re.compile(r"(?:non|非)[-\s‐–]*$", re.IGNORECASE)


def _question(
    leaf: Leaf, concept: Concept, criterion: Criterion, subject: Subject, words: Words | None, asserted: bool
) -> Question:
    keys = keys_of(concept, words) if concept.name else ()
    if "topoisomerase" in concept.name.casefold() and re.search(r"topoisomerase[- ](?:I|1)\b", criterion.text):
        keys = ("irinotecan", "topotecan")  # etoposide inhibits topoisomerase II
    disease = leaf.kind in DISEASES
    other = (
        disease
        and bool(MALIGNANT & set(keys))
        and not asserted
        and (subject.cancer or bool(_OTHER.search(criterion.text)))
    )
    index = disease and asserted and bool(set(keys) & (subject.keys | subject.above) or _narrower(keys, subject, words))
    measure = measure_of(concept) if leaf.kind in _MEASURED else ""
    if leaf.kind is LeafKind.BIOMARKER and measure not in _MARKERS:
        measure = ""
    if leaf.kind is LeafKind.SMOKING and (leaf.low or leaf.high):
        measure = "pack_years"
    kind = LeafKind.PREGNANCY if disease and "pregnancy" in keys else leaf.kind
    qualifiers = set(leaf.qualifiers)
    if disease and not asserted and _SIGNIFICANT.match(criterion.text):
        qualifiers.add("significant")
    cycles = bool(_CYCLES.search(criterion.text)) and leaf.kind is not LeafKind.LINE
    window = leaf.window
    if window is None and leaf.kind in TREATMENTS and not asserted:
        window = _window_of(criterion)
    if leaf.kind is LeafKind.BIOMARKER and _KNOWN.match(criterion.text):
        qualifiers.add("known")
    anchors: set[str] = set()
    if other:
        anchors = set(subject.keys - MALIGNANT) | ({"cancer"} if subject.cancer else set())
    elif disease and not asserted and (qualifiers & _BESIDE or set(keys) & subject.above):
        anchors = set() if subject.cancer else set(subject.keys)
    elif leaf.kind is LeafKind.BIOMARKER and _DRIVER.search(" ".join((concept.name, *leaf.values))):
        anchors = {f"gene {g}" for g in subject.genes}
    if kind in _BARE:
        return Question(kind, required=asserted)
    return Question(
        kind=kind,
        name=concept.name,
        keys=keys,
        measure=measure,
        values=leaf.values,
        low=_plain_bound(leaf.low),
        high=_plain_bound(leaf.high),
        window=_plain_window(window),
        count_low=None if cycles else leaf.count_low,
        count_high=None if cycles else leaf.count_high,
        qualifiers=tuple(sorted(q for q in qualifiers if q in _WEIGHED)),
        required=asserted and leaf.kind not in _VALUED,
        index=index,
        other=other,
        anchors=tuple(sorted(anchors)),
        words=criterion.text if other else "",
    )


def _plain_bound(bound: Bound | None) -> Bound | None:
    """A bound without the spelling of its unit, so that trials share it."""
    return None if bound is None else replace(bound, quantity=_plain_quantity(bound.quantity))


def _plain_quantity(quantity: Quantity) -> Quantity:
    return replace(quantity, unit=quantity.ucum) if quantity.ucum else quantity


def _plain_window(window: Window | None) -> Window | None:
    """A window without its anchor: every window is counted back from the day of judgement."""
    if window is None:
        return None
    within = _plain_quantity(window.within) if window.within else None
    at_least = _plain_quantity(window.at_least) if window.at_least else None
    return Window(within, at_least, window.direction)


@lru_cache(maxsize=8)
def _window_of(criterion: Criterion) -> Window | None:
    """The window that treatments listed together share, where the tree gives it to one of them or to none."""
    windows = {leaf.window for leaf in leaves(criterion.tree) if leaf.window and leaf.window.within}
    if len(windows) == 1:
        return windows.pop()
    found = None if windows else _WITHIN.search(criterion.text)
    if not found or re.search(r"\b(?:ever|any time)\b", criterion.text):
        return None
    unit = {"d": "d", "w": "wk", "m": "mo", "y": "a", "天": "d", "日": "d", "周": "wk", "月": "mo", "年": "a"}[
        found[2][0].lower()
    ]
    return Window(Quantity(Decimal(found[1]), found[2], unit))


def _narrower(keys: tuple[str, ...], subject: Subject, words: Words | None) -> bool:
    """Whether the disease asked for is a kind of what the trial is about ("NSCLC" in a lung cancer trial)."""
    if words is None or not keys:
        return False
    entry = words.find(keys[0])
    return entry is not None and bool({fold(k) for k in words.above(entry)} & subject.keys)
