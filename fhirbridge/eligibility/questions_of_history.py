"""The treatment that a criterion's words ask to have been given, failed or left out, where its leaves do not say so."""

from __future__ import annotations

import re
from dataclasses import replace

from fhirbridge.eligibility.cancer_facts import GENES
from fhirbridge.eligibility.judge import AskAll, AskAny, Asked, AskIf, AskNot
from fhirbridge.eligibility.questions import Question
from fhirbridge.eligibility.subjects import Subject, Words, keys_of
from fhirbridge.eligibility.therapies import kinds_asked
from fhirbridge.records import Criterion, Leaf, LeafKind, Node, Truth, leaves

__all__ = ["TREATMENTS", "WHO_HAD", "after_failure", "of_toxicity", "only_after", "treatment_only", "with_history"]


TREATMENTS = frozenset((LeafKind.THERAPY, LeafKind.MEDICATION))


_FAILED = re.compile(
    r"fail(?:ed|ure)|progress(?:ed|ion)|refractory|resistan|relapsed (?:after|on)|intoleran|失败|进展|耐药|难治|不耐受",
    re.IGNORECASE,
)


_UNTREATED = re.compile(
    r"^\W*(?:no|without) (?:prior|previous) (?:systemic |anti-?cancer |medical )*(?:therapy|treatment)|^\W*(?:既往)?未(?:曾)?接受过[^，。]{0,10}治疗",  # noqa: E501
    re.IGNORECASE,
)


WHO_HAD = re.compile(
    r"^\W*(?:for )?(?:patients|subjects|participants|those|women|men)\b.{0,20}\b(?:who|that)\b.{0,15}"
    r"\b(?:received|had|undergone|taken|taking|treated)\b.{0,200}\b(?:must|should|need to|are required|is required)\b",
    re.IGNORECASE | re.DOTALL,
)


def after_failure(criterion: Criterion) -> Question | None:
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


def with_history(tree: Asked, criterion: Criterion) -> Asked:
    """A tree with the treatment that its words ask for or rule out, where the leaves do not say so."""
    if _UNTREATED.search(criterion.text):
        untreated = AskNot(Question(LeafKind.THERAPY, name="systemic anticancer therapy", values=("systemic",)))
        if not _ALLOWED.search(criterion.text):
            return untreated
        return AskAny((untreated, tree if treatments_in(tree) else Question(LeafKind.TEXT)))
    if _STANDARD.search(criterion.text) and not treatments_in(tree):
        given = Question(LeafKind.THERAPY, name="systemic treatment", values=("systemic",), required=True)
        return AskAll((tree, given))
    return tree


_TOXICITY = re.compile(
    r"(?:toxicit|toxic effect|adverse (?:event|effect|reaction)|side effect|\bAEs?\b).{0,80}"
    r"\b(?:prior|previous|earlier|past|preceding)\b.{0,60}(?:therap|treatment|chemo|radi|surg|immuno)|"
    r"(?:recover|resol)\w*.{0,60}(?:toxic|adverse|acute|side effect).{0,80}(?:therap|treatment|chemo|radi)|"
    r"\b(?:prior|previous)\b.{0,60}(?:therap|treatment|chemo|radi|surg).{0,60}(?:toxicit|adverse|side effect)|"
    r"(?:既往|之前|以往|先前|前期)[^。；]{0,20}(?:治疗|化疗|放疗)[^。；]{0,20}(?:毒性|不良反应|副作用)",
    re.IGNORECASE | re.DOTALL,
)
_ABOUT_TREATMENT = TREATMENTS | {
    LeafKind.TEXT,
    LeafKind.ADMINISTRATIVE,
    LeafKind.LINE,
    LeafKind.GRADE,
    LeafKind.PROCEDURE,
}


def of_toxicity(criterion: Criterion) -> Asked | None:
    """ "Recovered from toxicities of prior therapy" asks nothing of a patient who had none; None for other criteria."""
    kinds = {leaf.kind for leaf in leaves(criterion.tree) if not _is_unknown_measure(leaf)}
    if not kinds <= _ABOUT_TREATMENT or not _TOXICITY.search(criterion.text):
        return None
    given = Question(LeafKind.THERAPY, name="Anticancer therapy", values=("anticancer",))
    told = Question(LeafKind.TEXT)
    return AskAll((given, told)) if criterion.exclude else AskIf(given, told, Truth.MET)


def _is_unknown_measure(leaf: Leaf) -> bool:
    """A number under a name no table knows ("recovered toxicities grade ≤ 1")."""
    return leaf.kind is LeafKind.LABORATORY and not any(c.codings for c in leaf.concepts)


_GIVEN = TREATMENTS | {LeafKind.LINE}


def treatment_only(children: tuple[Node, ...], subject: Subject, words: Words | None) -> tuple[Node, ...]:
    """ "No prior therapy for ALK+ NSCLC" in a trial of it: what the therapy was for is not asked again."""
    if not any(isinstance(c, Leaf) and c.kind in _GIVEN for c in children):
        return children
    return tuple(c for c in children if not (isinstance(c, Leaf) and _is_subject(c, subject, words)))


def _is_subject(leaf: Leaf, subject: Subject, words: Words | None) -> bool:
    if leaf.kind is LeafKind.BIOMARKER:
        return any(GENES[g].search(c.name) for g in subject.genes if g in GENES for c in leaf.concepts)
    about = subject.keys | subject.above
    return leaf.kind is LeafKind.DIAGNOSIS and any(about & set(keys_of(c, words)) for c in leaf.concepts)


def only_after(tree: Asked) -> Asked:
    """ "Patients who received radiotherapy must ...": asked only of those who did."""
    given = tuple(replace(q, window=None, count_low=None, count_high=None) for q in treatments_in(tree))
    return AskIf(AskAny(given), tree, Truth.MET) if given else tree


def treatments_in(tree: Asked) -> list[Question]:
    """The questions of a tree about treatments."""
    match tree:
        case Question():
            return [tree] if tree.kind in TREATMENTS or tree.kind is LeafKind.PROCEDURE else []
        case AskNot(part):
            return treatments_in(part)
        case AskIf(condition, then):
            return [*treatments_in(condition), *treatments_in(then)]
        case _:
            return [q for part in tree.parts for q in treatments_in(part)]
