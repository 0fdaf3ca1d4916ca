"""Questions side by side: what is left over between them, stages and metastases asked for together."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from fhirbridge import languages
from fhirbridge.eligibility.cancer_facts import site_of
from fhirbridge.eligibility.judge import AskAll, AskAny, Asked, AskIf, AskNot
from fhirbridge.eligibility.questions import Question
from fhirbridge.eligibility.questions_of_history import TREATMENTS
from fhirbridge.records import Criterion, Leaf, LeafKind, Node, Truth, leaves

__all__ = ["DISEASES", "all_asked", "any_asked", "for_one_sex", "without_crumbs"]


DISEASES = frozenset((LeafKind.DIAGNOSIS, LeafKind.SYMPTOM, LeafKind.INFECTION))


def all_asked(parts: list[Asked]) -> Asked:
    """Every part; the exceptions beside another malignancy ("except basal cell carcinoma") are weighed with it."""
    if any(isinstance(p, Question) and p.other for p in parts):
        parts = [p for p in parts if not isinstance(p, AskNot)]
    if any(is_kind(p, LeafKind.TEXT) for p in parts) and all(
        is_kind(p, LeafKind.TEXT) or (isinstance(p, AskNot) and _only_diseases(p.part)) for p in parts
    ):
        return Question(LeafKind.TEXT)  # only the exceptions were understood
    if any(is_kind(p, LeafKind.LINE) for p in parts):  # "one prior line for NSCLC": the disease is asked for elsewhere
        parts = [p for p in parts if not (isinstance(p, Question) and p.kind in (LeafKind.DIAGNOSIS, LeafKind.STAGE))]
    return AskAll(tuple(_stages(parts)))


def without_crumbs(children: tuple[Node, ...], criterion: Criterion) -> tuple[Node, ...]:
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
        treated = node.kind in TREATMENTS or node.kind is LeafKind.PROCEDURE
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


def for_one_sex(tree: AskAll) -> Asked:
    """ "Female patients must not be pregnant" asks nothing of men: a condition, where the trial takes both sexes."""
    sexes = [p for p in tree.parts if is_kind(p, LeafKind.SEX)]
    rest = tuple(p for p in tree.parts if not is_kind(p, LeafKind.SEX))
    if len(sexes) != 1 or not rest:
        return tree
    return AskIf(sexes[0], AskAll(rest), Truth.MET)


def any_asked(parts: list[Asked]) -> Asked:
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


def is_kind(part: Asked, kind: LeafKind) -> bool:
    return isinstance(part, Question) and part.kind is kind


def _stages(parts: list[Asked]) -> list[Asked]:
    """Stages named side by side ("IIIB/IIIC unresectable, or IV") are alternatives: no tumour has two."""
    stages = [p for p in parts if isinstance(p, Question) and p.kind is LeafKind.STAGE]
    if len(stages) < 2:
        return parts
    values = tuple(dict.fromkeys(v for s in stages for v in s.values))
    rest = [p for p in parts if not is_kind(p, LeafKind.STAGE)]
    return [*rest, replace(stages[0], values=values)]


def _only_diseases(tree: Asked) -> bool:
    match tree:
        case Question():
            return tree.kind in DISEASES or tree.kind in (LeafKind.HISTOLOGY, LeafKind.STAGE, LeafKind.TEXT)
        case AskNot(part):
            return _only_diseases(part)
        case AskIf(condition, then):
            return _only_diseases(condition) and _only_diseases(then)
        case _:
            return all(_only_diseases(p) for p in tree.parts)
