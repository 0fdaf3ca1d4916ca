"""A criterion's tree of leaves -> a tree of questions, with what only the trial as a whole can say."""

from __future__ import annotations

import re

from fhirbridge.eligibility.judge import AskAll, AskAtLeast, Asked, AskIf, AskNot
from fhirbridge.eligibility.questions import Question
from fhirbridge.eligibility.questions_joined import all_asked, any_asked, for_one_sex, without_crumbs
from fhirbridge.eligibility.questions_of_history import (
    WHO_HAD,
    after_failure,
    of_toxicity,
    only_after,
    treatment_only,
    with_history,
)
from fhirbridge.eligibility.questions_of_leaf import question_of
from fhirbridge.eligibility.subjects import Subject, Words, keys_of, subject_of
from fhirbridge.records import All, AtLeast, Criterion, If, Leaf, LeafKind, Node, Not, Truth, leaves
from fhirbridge.records import Any as AnyOf

__all__ = ["Subject", "Words", "asked", "keys_of", "subject_of"]


_ORGANS = re.compile(
    r"(?:organ|marrow|liver|renal|hepatic|kidney|h(?:a)?ematolog\w+|cardiac|heart)\b.{0,40}function\w*.{0,25}(?:adequate|normal|good|well)|"
    r"(?:adequate|normal|good|sufficient|appropriate|acceptable).{0,50}(?:organ|marrow|liver|renal|hepatic|kidney|heart).{0,20}function|"
    r"organs? (?:are |is )?functioning (?:well|normally)|(?:器官|脏器|骨髓|肝|肾|心脏?)[^，。；]{0,12}功能[^，。；]{0,6}(?:正常|良好|充分|足够)",  # noqa: E501
    re.IGNORECASE,
)


def asked(criterion: Criterion, subject: Subject, words: Words | None) -> Asked:
    """The tree of questions of a criterion."""
    if isinstance(criterion.tree, Leaf) and criterion.tree.kind is LeafKind.TEXT and _ORGANS.search(criterion.text):
        return Question(LeafKind.ORGAN_FUNCTION, name=" ".join(criterion.text.split())[:80])
    if subject.cancer and all(leaf.kind is LeafKind.TEXT for leaf in leaves(criterion.tree)):
        failed = after_failure(criterion)
        if failed is not None:
            return failed
    if subject.cancer and (recovered := of_toxicity(criterion)) is not None:
        return recovered
    tree = _node(criterion.tree, criterion, subject, words, asserted=not criterion.exclude)
    if subject.cancer and not criterion.exclude:
        tree = with_history(tree, criterion)
    if not criterion.exclude and WHO_HAD.search(criterion.text):
        tree = only_after(tree)
    if isinstance(tree, AskAll) and not criterion.exclude and not subject.sex and criterion.source != "structured":
        return for_one_sex(tree)
    return tree


def _node(node: Node, criterion: Criterion, subject: Subject, words: Words | None, *, asserted: bool) -> Asked:
    match node:
        case Leaf():
            return question_of(node, criterion, subject, words, asserted)
        case Not(All(children)) if asserted:
            child = All(treatment_only(children, subject, words))
            return AskNot(_node(child, criterion, subject, words, asserted=False))
        case Not(child):
            return AskNot(_node(child, criterion, subject, words, asserted=not asserted))
        case All(children):
            kept = without_crumbs(children, criterion) if asserted and not criterion.exclude else children
            return all_asked([_node(c, criterion, subject, words, asserted=asserted) for c in kept])
        case AnyOf(children):
            return any_asked([_node(c, criterion, subject, words, asserted=asserted) for c in children])
        case AtLeast(count, children):
            return AskAtLeast(count, tuple(_node(c, criterion, subject, words, asserted=asserted) for c in children))
        case If(condition, then):
            otherwise = Truth.NOT_MET if criterion.exclude else Truth.MET
            return AskIf(
                _node(condition, criterion, subject, words, asserted=False),
                _node(then, criterion, subject, words, asserted=asserted),
                otherwise,
            )
