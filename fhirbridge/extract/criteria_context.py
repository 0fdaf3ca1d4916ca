"""What the line above a list says of every line in it: a time window, history, or that none may be.

"History of any of the following within 6 months:" is read with a stand-in disease in place of the list; what the
reader of criteria then finds on the stand-in holds for each line beneath.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from fhirbridge.records import (
    All,
    Any,
    AtLeast,
    Criterion,
    If,
    Leaf,
    LeafKind,
    Node,
    Not,
    Span,
    Trial,
    Understanding,
    Window,
)

_LIST = re.compile(
    r"(?:(?:any|all|one|either|each|at least one)(?: \(?1\)?)?(?: or more)?(?: of)?(?: the)? )?\bfollowing\b"
    r"(?: (?:conditions?|diseases?|disorders?|diagnos[ei]s|criteria|events?|procedures?|treatments?|medications?|drugs?"
    r"|therap(?:y|ies)|symptoms?|comorbidities|findings|illnesses))?",
    re.IGNORECASE,
)
_LIST_ZH = re.compile(
    r"(?:以下|下列)(?:任[意何一]+)?(?:一?[项种个条])?(?:或多[项种个])?(?:的)?(?:情况|情形|疾病|病史|条件|标准|病症|事件|治疗|药物|手术)?(?:之一|中的?任[意何一]+[项种个])?"
)
_STAND_IN = {"en": "stroke", "zh": "脑卒中"}
_INHERIT = {
    LeafKind.DIAGNOSIS,
    LeafKind.SYMPTOM,
    LeafKind.MEDICATION,
    LeafKind.THERAPY,
    LeafKind.PROCEDURE,
    LeafKind.INFECTION,
    LeafKind.METASTASIS,
}


@dataclass(frozen=True, slots=True)
class Said:
    """What holds for every line: its window, its qualifiers, whether it must not be."""

    window: Window | None = None
    qualifiers: frozenset[str] = frozenset()
    negated: bool = False


_NOTHING = Said()


class Contexts:
    """Reads each context once; `understand` is the reader of criteria for one trial."""

    def __init__(self, understand: Callable[[Criterion], Criterion], trial: Trial) -> None:
        self._understand, self._trial = understand, trial
        self._known: dict[tuple[str, bool], Said] = {}

    def applied(self, criterion: Criterion) -> Criterion:
        """The criterion with what the line above it says of all its lines."""
        if not criterion.context or criterion.understanding != Understanding.COMPUTABLE:
            return criterion
        said = self._said(criterion.context, criterion.exclude)
        if said == _NOTHING:
            return criterion
        tree = _inherited(criterion.tree, said)
        return replace(criterion, tree=Not(tree) if said.negated and not isinstance(tree, Not) else tree)

    def _said(self, context: str, exclude: bool) -> Said:
        if (context, exclude) not in self._known:
            self._known[context, exclude] = self._read(context, exclude)
        return self._known[context, exclude]

    def _read(self, context: str, exclude: bool) -> Said:
        chinese = bool(re.search(r"[㐀-鿿]", context))
        stand_in = _STAND_IN["zh" if chinese else "en"]
        pattern = _LIST_ZH if chinese else _LIST
        text = pattern.sub(stand_in, context.rstrip(" :："), count=1)
        if stand_in not in text:
            return _NOTHING
        leaf = Leaf(LeafKind.TEXT, Span(0, len(text)))
        asked = Criterion(text, leaf.span, exclude, leaf, Understanding.TEXT)
        return _of_stand_in(self._understand(asked).tree, text.index(stand_in), negated=False) or _NOTHING


def _of_stand_in(node: Node, at: int, *, negated: bool) -> Said | None:
    if isinstance(node, Leaf):
        if node.kind == LeafKind.DIAGNOSIS and node.span.offset <= at < node.span.end:
            return Said(node.window, node.qualifiers & {"history"}, negated)
        return None
    if isinstance(node, Not):
        return _of_stand_in(node.child, at, negated=not negated)
    children = (node.condition, node.then) if isinstance(node, If) else node.children
    return next((s for s in (_of_stand_in(c, at, negated=negated) for c in children) if s), None)


def _inherited(node: Node, said: Said) -> Node:
    if isinstance(node, Leaf):
        if node.kind not in _INHERIT:
            return node
        window = node.window or said.window
        return replace(node, window=window, qualifiers=node.qualifiers | said.qualifiers)
    if isinstance(node, Not):
        return Not(_inherited(node.child, said))
    if isinstance(node, If):
        return If(node.condition, _inherited(node.then, said))
    if isinstance(node, (All, Any, AtLeast)):
        return replace(node, children=tuple(_inherited(child, said) for child in node.children))
    return node
