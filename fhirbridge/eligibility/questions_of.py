"""A criterion's tree of leaves -> a tree of questions, with what only the trial as a whole can say."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any, Protocol

from fhirbridge import languages
from fhirbridge.eligibility.cancer_facts import GENES, site_of
from fhirbridge.eligibility.judge import AskAll, AskAny, AskAtLeast, Asked, AskIf, AskNot
from fhirbridge.eligibility.measures import measure_of
from fhirbridge.eligibility.questions import Question
from fhirbridge.eligibility.therapies import kinds_asked
from fhirbridge.languages import detect, fold
from fhirbridge.records import (
    All,
    AtLeast,
    Bound,
    Concept,
    Criterion,
    If,
    Leaf,
    LeafKind,
    Node,
    Not,
    Quantity,
    Trial,
    Truth,
    Window,
    leaves,
)
from fhirbridge.records import (
    Any as AnyOf,
)

__all__ = ["Subject", "Words", "asked", "keys_of", "subject_of"]

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
_DISEASES = frozenset((LeafKind.DIAGNOSIS, LeafKind.SYMPTOM, LeafKind.INFECTION))
_MALIGNANT = frozenset(
    {"cancer", "malignant neoplasm", "malignancy", "neoplasm", "malignant tumor", "tumor", "恶性肿瘤"}
)
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
_TREATMENTS = frozenset((LeafKind.THERAPY, LeafKind.MEDICATION))
_ORGANS = re.compile(
    r"(?:organ|marrow|liver|renal|hepatic|kidney|h(?:a)?ematolog\w+|cardiac|heart)\b.{0,40}function\w*.{0,25}(?:adequate|normal|good|well)|"
    r"(?:adequate|normal|good|sufficient|appropriate|acceptable).{0,50}(?:organ|marrow|liver|renal|hepatic|kidney|heart).{0,20}function|"
    r"organs? (?:are |is )?functioning (?:well|normally)|(?:器官|脏器|骨髓|肝|肾|心脏?)[^，。；]{0,12}功能[^，。；]{0,6}(?:正常|良好|充分|足够)",  # noqa: E501
    re.IGNORECASE,
)
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
_NEGATIVE = re.compile(r"negative|wild|absent|阴性|野生", re.IGNORECASE)
_KNOWN = re.compile(
    r"^\W*(?:\d+\W+)?(?:(?:patients?|participants?|subjects?|has|have|had|with|who|a|the|any|is|are) )*"
    r"(?:known|confirmed|documented)\b|^\W*(?:\d+\W+)?(?:患者)?(?:有)?(?:已知|明确)",
    re.IGNORECASE,
)


class Words(Protocol):
    """What is asked of the lexicon."""

    def find(self, name: str, language: str | None = None) -> Any:
        """The entry with exactly this name."""

    def by_code(self, system: str, code: str) -> Any:
        """The entry of a code."""

    def scan(self, text: str, language: str) -> Any:
        """The names in a text."""

    def above(self, what: Any) -> Any:
        """The keys of all that an entry is a kind of."""


@dataclass(frozen=True)
class Subject:
    """What a trial is about: keys of the diseases it names, and those of all they are kinds of."""

    keys: frozenset[str]
    above: frozenset[str]
    genes: frozenset[str] = frozenset()
    sex: str = ""

    @property
    def cancer(self) -> bool:
        """Whether it is about cancer."""
        return bool(_MALIGNANT & (self.keys | self.above))


def subject_of(trial: Trial, words: Words | None, criteria: tuple[Criterion, ...] = ()) -> Subject:
    """The diseases that a trial's conditions and title name."""
    keys: set[str] = set()
    above: set[str] = set()
    for text in (*trial.conditions, trial.title):
        if words is None:
            keys.add(fold(text))
            continue
        for hit in words.scan(text, detect(text)):
            if hit.entry.kind in ("condition", "symptom", "finding"):
                keys.add(fold(hit.entry.key))
                above.update(fold(k) for k in words.above(hit.entry))
    genes = {g for g, mark in GENES.items() if mark.search(" ".join((*trial.conditions, *trial.keywords, trial.title)))}
    return Subject(frozenset(keys), frozenset(above), frozenset(genes | _genes_asked(criteria)), trial.sex)


def _genes_asked(criteria: tuple[Criterion, ...]) -> set[str]:
    """The genes that inclusion criteria ask to be altered."""
    found: set[str] = set()
    for criterion in criteria:
        if not criterion.exclude:
            for leaf in _asserted(criterion.tree):
                if leaf.kind is LeafKind.BIOMARKER and not any(_NEGATIVE.search(v) for v in leaf.values):
                    found |= {g for c in leaf.concepts for g, mark in GENES.items() if mark.search(c.name)}
    return found


def _asserted(node: Node) -> list[Leaf]:
    match node:
        case Leaf():
            return [node]
        case All(children) | AnyOf(children) | AtLeast(_, children):
            return [leaf for child in children for leaf in _asserted(child)]
        case If(_, then):
            return _asserted(then)
        case _:
            return []


def keys_of(concept: Concept, words: Words | None) -> tuple[str, ...]:
    """The keys that an item must have one of to be this concept or a kind of it."""
    found: list[str] = []
    entry = words.find(concept.name) if words is not None and concept.name else None
    if entry is None and words is not None:
        entry = next((e for c in concept.codings if (e := words.by_code(c.system, c.code)) is not None), None)
    if entry is not None:
        found.append(fold(entry.key))
    elif concept.name:
        found.append(fold(concept.name))
        for coding in concept.codings:
            found.append(f"{_short(coding.system)}|{coding.code}")
    return tuple(dict.fromkeys(k for k in found if k))


def _short(system: str) -> str:
    for name, mark in (
        ("icd10", "icd-10"),
        ("sct", "snomed"),
        ("loinc", "loinc"),
        ("rxnorm", "rxnorm"),
        ("atc", "atc"),
    ):
        if mark in system:
            return name
    return system


def asked(criterion: Criterion, subject: Subject, words: Words | None) -> Asked:
    """The tree of questions of a criterion."""
    if isinstance(criterion.tree, Leaf) and criterion.tree.kind is LeafKind.TEXT and _ORGANS.search(criterion.text):
        return Question(LeafKind.ORGAN_FUNCTION, name=" ".join(criterion.text.split())[:80])
    if subject.cancer and all(leaf.kind is LeafKind.TEXT for leaf in leaves(criterion.tree)):
        failed = _after_failure(criterion)
        if failed is not None:
            return failed
    tree = _node(criterion.tree, criterion, subject, words, asserted=not criterion.exclude)
    if subject.cancer and not criterion.exclude:
        tree = _with_history(tree, criterion)
    if not criterion.exclude and _WHO_HAD.search(criterion.text):
        tree = _only_after(tree)
    if isinstance(tree, AskAll) and not criterion.exclude and not subject.sex and criterion.source != "structured":
        return _for_one_sex(tree)
    return tree


def _node(node: Node, criterion: Criterion, subject: Subject, words: Words | None, *, asserted: bool) -> Asked:
    match node:
        case Leaf():
            return _leaf(node, criterion, subject, words, asserted)
        case Not(child):
            return AskNot(_node(child, criterion, subject, words, asserted=not asserted))
        case All(children):
            kept = _without_crumbs(children, criterion) if asserted and not criterion.exclude else children
            return _all([_node(c, criterion, subject, words, asserted=asserted) for c in kept])
        case AnyOf(children):
            return _any([_node(c, criterion, subject, words, asserted=asserted) for c in children])
        case AtLeast(count, children):
            return AskAtLeast(count, tuple(_node(c, criterion, subject, words, asserted=asserted) for c in children))
        case If(condition, then):
            otherwise = Truth.NOT_MET if criterion.exclude else Truth.MET
            return AskIf(
                _node(condition, criterion, subject, words, asserted=False),
                _node(then, criterion, subject, words, asserted=asserted),
                otherwise,
            )


_FAILED = re.compile(
    r"fail(?:ed|ure)|progress(?:ed|ion)|refractory|resistan|relapsed (?:after|on)|intoleran|失败|进展|耐药|难治|不耐受",
    re.IGNORECASE,
)
_UNTREATED = re.compile(
    r"^\W*(?:no|without) (?:prior|previous) (?:systemic |anti-?cancer |medical )*(?:therapy|treatment)|^\W*(?:既往)?未(?:曾)?接受过[^，。]{0,10}治疗",  # noqa: E501
    re.IGNORECASE,
)
_WHO_HAD = re.compile(
    r"^\W*(?:for )?(?:patients|subjects|participants|those|women|men)\b.{0,20}\b(?:who|that)\b.{0,15}"
    r"\b(?:received|had|undergone|taken|taking|treated)\b.{0,200}\b(?:must|should|need to|are required|is required)\b",
    re.IGNORECASE | re.DOTALL,
)


def _after_failure(criterion: Criterion) -> Question | None:
    """The treatment that "failed standard treatment" or "EGFR-TKI resistance" asks to have been given."""
    if criterion.exclude or not _FAILED.search(criterion.text) or len(criterion.text) > 200:
        return None
    kinds = tuple(k for k in kinds_asked(criterion.text) if k not in ("surgery", "radiotherapy"))
    treated = re.search(r"treatment|therapy|care|regimen|治疗|方案|化疗", criterion.text, re.IGNORECASE)
    if not kinds and not treated:
        return None
    name = " ".join(criterion.text.split())[:60] if kinds else "systemic anticancer therapy"
    return Question(LeafKind.THERAPY, name=name, values=("systemic",) if not kinds else (), required=True)


_STANDARD = re.compile(
    r"(?:standard|conventional|available|prior|previous)\b.{0,40}(?:fail|progress|intoler|refractory)|"
    r"fail(?:ed|ure).{0,30}(?:standard|conventional)|标准治疗[^，。；]{0,12}(?:失败|不耐受|进展)",
    re.IGNORECASE,
)
_ALLOWED = re.compile(r"however|except|allowed|permitted|unless|除外|允许|除非", re.IGNORECASE)


def _with_history(tree: Asked, criterion: Criterion) -> Asked:
    """A tree with the treatment that its words ask for or rule out, where the leaves do not say so."""
    if _UNTREATED.search(criterion.text):
        untreated = AskNot(Question(LeafKind.THERAPY, name="systemic anticancer therapy", values=("systemic",)))
        return AskAny((untreated, Question(LeafKind.TEXT))) if _ALLOWED.search(criterion.text) else untreated
    if _STANDARD.search(criterion.text) and not _treatments(tree):
        given = Question(LeafKind.THERAPY, name="systemic treatment", values=("systemic",), required=True)
        return AskAll((tree, given))
    return tree


def _only_after(tree: Asked) -> Asked:
    """ "Patients who received radiotherapy must ...": asked only of those who did."""
    given = tuple(replace(q, window=None, count_low=None, count_high=None) for q in _treatments(tree))
    return AskIf(AskAny(given), tree, Truth.MET) if given else tree


def _treatments(tree: Asked) -> list[Question]:
    match tree:
        case Question():
            return [tree] if tree.kind in _TREATMENTS or tree.kind is LeafKind.PROCEDURE else []
        case AskNot(part):
            return _treatments(part)
        case AskIf(condition, then):
            return [*_treatments(condition), *_treatments(then)]
        case _:
            return [q for part in tree.parts for q in _treatments(part)]


def _all(parts: list[Asked]) -> Asked:
    """Every part; the exceptions beside another malignancy ("except basal cell carcinoma") are weighed with it."""
    if any(isinstance(p, Question) and p.other for p in parts):
        parts = [p for p in parts if not isinstance(p, AskNot)]
    if any(_is(p, LeafKind.TEXT) for p in parts) and all(
        _is(p, LeafKind.TEXT) or (isinstance(p, AskNot) and _only_diseases(p.part)) for p in parts
    ):
        return Question(LeafKind.TEXT)  # only the exceptions were understood
    if any(_is(p, LeafKind.LINE) for p in parts):  # "one prior line for NSCLC": the disease is asked for elsewhere
        parts = [p for p in parts if not (isinstance(p, Question) and p.kind in (LeafKind.DIAGNOSIS, LeafKind.STAGE))]
    return AskAll(tuple(_stages(parts)))


def _without_crumbs(children: tuple[Node, ...], criterion: Criterion) -> tuple[Node, ...]:
    """The parts of an inclusion without words left over that narrow nothing ("definitive", "core").

    Every other leftover ("refractory", "follicular") stays and keeps the criterion unknown.
    """
    measured = {leaf.kind for c in children for leaf in leaves(c)} - _EMPTY
    listed = LeafKind.LABORATORY in measured and measured <= _MEASURING
    kept = tuple(c for c in children if not _crumb(c, criterion, listed))
    return kept if any(leaf.kind not in _EMPTY for c in kept for leaf in leaves(c)) else children


_EMPTY = frozenset((LeafKind.TEXT, LeafKind.ADMINISTRATIVE))


# What a list of limits is made of: beside these a leftover word ("renal", "HGB", "肝脏") heads or repeats a value.
_MEASURING = frozenset((LeafKind.LABORATORY, LeafKind.ORGAN_FUNCTION, LeafKind.VITAL_SIGN, LeafKind.METASTASIS))


def _crumb(node: Node, criterion: Criterion, listed: bool) -> bool:
    if not isinstance(node, Leaf):
        return False
    start = node.span.offset - criterion.span.offset
    if node.kind is not LeafKind.TEXT:  # "co-operative" is no operation
        treated = node.kind in _TREATMENTS or node.kind is LeafKind.PROCEDURE
        together = re.search(r"\bco-?operati", criterion.text, re.IGNORECASE)
        return treated and bool(together) and not re.search(r"surg|resect|\boperation", criterion.text, re.IGNORECASE)
    if start < 0 or start + node.span.length > len(criterion.text):
        return False
    words = criterion.text[start : start + node.span.length].strip(" .,;:*-()\n\r").casefold()
    if listed and len(words.split()) <= 2 and not re.search(r"\d|[<>≤≥=]", words):
        return True
    return words in _neutral() or all(word in _neutral() for word in words.split())


@lru_cache(maxsize=1)
def _neutral() -> frozenset[str]:
    """Words of both languages that narrow no demand: any other word left over keeps its criterion unknown."""
    return frozenset(row["word"] for name in languages.names() for row in languages.rows(name, "neutral_words"))


def _for_one_sex(tree: AskAll) -> Asked:
    """ "Female patients must not be pregnant" asks nothing of men: a condition, where the trial takes both sexes."""
    sexes = [p for p in tree.parts if _is(p, LeafKind.SEX)]
    rest = tuple(p for p in tree.parts if not _is(p, LeafKind.SEX))
    if len(sexes) != 1 or not rest:
        return tree
    return AskIf(sexes[0], AskAll(rest), Truth.MET)


def _any(parts: list[Asked]) -> Asked:
    """Any part; brain and meningeal metastases asked for together are settled by one negative brain scan."""
    brain = any(
        isinstance(p, Question) and p.kind is LeafKind.METASTASIS and "meninges" not in site_of(_told(p)) for p in parts
    )
    if brain:
        parts = [_beside_brain(p) for p in parts]
    return AskAny(tuple(parts))


def _told(question: Question) -> str:
    return " ".join((question.name, *question.values))


def _beside_brain(part: Asked) -> Asked:
    if isinstance(part, Question) and "meninges" in site_of(_told(part)):
        return replace(part, kind=LeafKind.METASTASIS, qualifiers=(*part.qualifiers, "with brain"))
    return part


def _is(part: Asked, kind: LeafKind) -> bool:
    return isinstance(part, Question) and part.kind is kind


def _stages(parts: list[Asked]) -> list[Asked]:
    """Stages named side by side ("IIIB/IIIC unresectable, or IV") are alternatives: no tumour has two."""
    stages = [p for p in parts if isinstance(p, Question) and p.kind is LeafKind.STAGE]
    if len(stages) < 2:
        return parts
    values = tuple(dict.fromkeys(v for s in stages for v in s.values))
    rest = [p for p in parts if not _is(p, LeafKind.STAGE)]
    return [*rest, replace(stages[0], values=values)]


def _only_diseases(tree: Asked) -> bool:
    match tree:
        case Question():
            return tree.kind in _DISEASES or tree.kind in (LeafKind.HISTOLOGY, LeafKind.STAGE, LeafKind.TEXT)
        case AskNot(part):
            return _only_diseases(part)
        case AskIf(condition, then):
            return _only_diseases(condition) and _only_diseases(then)
        case _:
            return all(_only_diseases(p) for p in tree.parts)


def _leaf(leaf: Leaf, criterion: Criterion, subject: Subject, words: Words | None, asserted: bool) -> Asked:
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
    disease = leaf.kind in _DISEASES
    other = (
        disease
        and bool(_MALIGNANT & set(keys))
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
    if window is None and leaf.kind in _TREATMENTS and not asserted:
        window = _window_of(criterion)
    if leaf.kind is LeafKind.BIOMARKER and _KNOWN.match(criterion.text):
        qualifiers.add("known")
    anchors: set[str] = set()
    if other:
        anchors = set(subject.keys - _MALIGNANT) | ({"cancer"} if subject.cancer else set())
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
