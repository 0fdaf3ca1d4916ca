"""A trial -> its criteria: the structured age, sex and health, then the text cut and understood."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from fhirbridge.extract.criteria_bounds import bounded
from fhirbridge.extract.criteria_context import Contexts
from fhirbridge.extract.cutting import cut
from fhirbridge.extract.plain_text import plain
from fhirbridge.extract.understand import understand
from fhirbridge.records import (
    All,
    Any,
    AtLeast,
    Bound,
    Criterion,
    If,
    Leaf,
    LeafKind,
    LeftOut,
    Node,
    Not,
    Quantity,
    Span,
    Trial,
    Understanding,
    leaves,
)

if TYPE_CHECKING:
    from fhirbridge.terminology.lexicon import Lexicon

_EMPTY = Span(0, 0)
# What a line above opened lines may ask besides announcing them ("Histologically confirmed NSCLC with:").
_ANNOUNCED = {LeafKind.ORGAN_FUNCTION, LeafKind.TEXT, LeafKind.ADMINISTRATIVE, LeafKind.LABORATORY}
_LONGEST_LABEL = 48  # characters of a line above that is a label and no sentence
_Understand = Callable[[Criterion], Criterion]


def find(trial: Trial, lexicon: Lexicon) -> tuple[Criterion, ...]:
    """The criteria of a trial: structured ones first, then those of the text in its order, each with its tree."""
    shown = replace(trial, eligibility_text=plain(trial.eligibility_text))

    def one(criterion: Criterion) -> Criterion:
        return understand(criterion, shown, lexicon)

    contexts = Contexts(one, shown)

    def in_context(criterion: Criterion) -> Criterion:
        return contexts.applied(one(criterion))

    found = [_understood(criterion, shown, in_context) for criterion in cut(trial)]
    found = [_bounded(c, shown.eligibility_text) for c in found]
    if shown.eligibility_text != trial.eligibility_text:
        found = [_verbatim(c, trial) for c in found]
    return (*structured(trial), *found)


def structured(trial: Trial) -> Iterator[Criterion]:
    """The criteria that the record states as fields: age, sex, healthy volunteers."""
    if trial.minimum_age or trial.maximum_age:
        low = Bound(trial.minimum_age) if trial.minimum_age else None
        high = Bound(trial.maximum_age) if trial.maximum_age else None
        yield _field(_ages(trial), Leaf(LeafKind.AGE, _EMPTY, low=low, high=high))
    if trial.sex in ("female", "male"):
        yield _field(f"Sex: {trial.sex}", Leaf(LeafKind.SEX, _EMPTY, values=(trial.sex,)))
    if trial.healthy_volunteers is False:
        yield replace(_field("Healthy volunteers", Leaf(LeafKind.HEALTHY, _EMPTY)), exclude=True)


def _field(text: str, leaf: Leaf) -> Criterion:
    return Criterion(text, _EMPTY, False, leaf, Understanding.COMPUTABLE, source="structured")


def _ages(trial: Trial) -> str:
    ends = []
    if trial.minimum_age:
        ends.append(f"minimum age {trial.minimum_age.value} {trial.minimum_age.unit}")
    if trial.maximum_age:
        ends.append(f"maximum age {trial.maximum_age.value} {trial.maximum_age.unit}")
    return ", ".join(ends).capitalize()


def _bounded(criterion: Criterion, text: str) -> Criterion:
    tree = bounded(criterion.tree, text)
    return criterion if tree is criterion.tree else replace(criterion, tree=tree)


def _verbatim(criterion: Criterion, trial: Trial) -> Criterion:
    return replace(criterion, text=trial.eligibility_text[criterion.span.offset : criterion.span.end])


def _understood(criterion: Criterion, trial: Trial, read: _Understand) -> Criterion:
    """The criterion with its tree: a list held together is understood line by line."""
    words = trial.eligibility_text[criterion.span.offset : criterion.span.end]
    shown = criterion if criterion.text == words else replace(criterion, text=words)
    if isinstance(criterion.tree, Leaf):
        known = read(shown)
        return known if known.understanding == Understanding.COMPUTABLE else _labelled(shown, known, read)
    tree, kinds = _filled(shown, criterion.tree, trial, read)
    if isinstance(tree, All) and len(criterion.tree.children if isinstance(criterion.tree, All) else ()) == 1:
        tree = _lead(tree)
    return replace(criterion, tree=tree, understanding=_together(kinds, tree))


def _labelled(shown: Criterion, known: Criterion, read: _Understand) -> Criterion:
    """The criterion read with the label above it ("Age:" over "18 to 65"), where that makes it a question."""
    label = shown.context
    if not label or len(label) > _LONGEST_LABEL:
        return known
    prefix = f"{label} "
    together = Span(shown.span.offset - len(prefix), shown.span.length + len(prefix))
    told = read(replace(shown, text=prefix + shown.text, span=together))
    if told.understanding != Understanding.COMPUTABLE:
        return known
    return replace(told, text=shown.text, span=shown.span, tree=_within(told.tree, shown.span))


def _within(node: Node, span: Span) -> Node:
    """The tree with every place inside the criterion's own words."""
    if isinstance(node, Leaf):
        start = max(node.span.offset, span.offset)
        place = Span(start, node.span.end - start) if node.span.end > start else span
        return replace(node, span=place)
    if isinstance(node, Not):
        return Not(_within(node.child, span))
    if isinstance(node, If):
        return If(_within(node.condition, span), _within(node.then, span))
    return replace(node, children=tuple(_within(child, span) for child in node.children))


def _lead(tree: All) -> Node:
    """The tree of a line above opened lines: what only announces them asks nothing."""
    asked = {leaf.kind for leaf in leaves(tree) if leaf.kind not in _ANNOUNCED}
    return tree.children[0] if asked else All(())


def _filled(
    criterion: Criterion, node: Node, trial: Trial, read: _Understand
) -> tuple[Node, tuple[Understanding, ...]]:
    """The tree with every TEXT leaf understood in the light of the line above it."""
    if isinstance(node, Leaf):
        lead = trial.eligibility_text[criterion.span.offset : node.span.offset]
        first = re.sub(r"\s+", " ", re.split(r"\n\s*[-*•\d(a-z]", lead)[0]).strip()
        part = replace(
            criterion,
            text=trial.eligibility_text[node.span.offset : node.span.end],
            span=node.span,
            tree=node,
            context=" ".join(p for p in (criterion.context, first) if p),
        )
        known = read(part)
        return known.tree, (known.understanding,)
    if isinstance(node, (All, Any, AtLeast)):
        pairs = [_filled(criterion, child, trial, read) for child in node.children]
        return replace(node, children=tuple(p[0] for p in pairs)), tuple(u for p in pairs for u in p[1])
    return node, ()


def _together(kinds: tuple[Understanding, ...], tree: Node) -> Understanding:
    """A list is computable when any line of it is; an empty one is."""
    if Understanding.COMPUTABLE in kinds or (isinstance(tree, (All, Any)) and not tree.children):
        return Understanding.COMPUTABLE
    return Understanding.ADMINISTRATIVE if Understanding.ADMINISTRATIVE in kinds else Understanding.TEXT


def counts(criteria: tuple[Criterion, ...]) -> dict[str, int]:
    """How many criteria of the text became computable, administrative or stayed text.

    A line that only announces the lines beneath it is no criterion of its own and is not counted.
    """
    found = dict.fromkeys((kind.value for kind in Understanding), 0)
    for criterion in criteria:
        announces = isinstance(criterion.tree, (All, Any)) and not criterion.tree.children
        if criterion.source != "structured" and not announces:
            found[criterion.understanding.value] += 1
    return found


def disagreements(trial: Trial, criteria: tuple[Criterion, ...]) -> tuple[LeftOut, ...]:
    """Where the text says another age or sex than the structured fields, which win."""
    found = []
    for criterion in criteria:
        if criterion.source == "structured" or not isinstance(criterion.tree, Leaf) or criterion.exclude:
            continue
        if reason := _contradiction(trial, criterion.tree):
            found.append(LeftOut(trial.id, f"{reason}; the structured field is used"))
    return tuple(found)


def _contradiction(trial: Trial, leaf: Leaf) -> str:
    if leaf.kind == LeafKind.SEX and trial.sex and leaf.values and trial.sex not in leaf.values:
        return f"the text asks for {' or '.join(leaf.values)}, the sex field says {trial.sex}"
    if leaf.kind != LeafKind.AGE or leaf.window is not None:
        return ""
    for name, said, stated in (("minimum", leaf.low, trial.minimum_age), ("maximum", leaf.high, trial.maximum_age)):
        if said is None or stated is None:
            continue
        in_text, in_field = _years(said.quantity), _years(stated)
        apart = 0 if said.inclusive else 1  # "over 17" is 18
        if in_text is not None and in_field is not None and abs(in_text - in_field) > apart:
            return f"the text says {name} age {_shown(said.quantity)}, the field {_shown(stated)}"
    return ""


def _shown(quantity: Quantity) -> str:
    return f"{quantity.value} {quantity.unit}"


_IN_YEARS = {"a": 1.0, "mo": 1 / 12, "wk": 7 / 365.25, "d": 1 / 365.25, "h": 1 / 8766, "": 1.0}


def _years(quantity: Quantity) -> float | None:
    unit = quantity.ucum or quantity.unit
    return float(quantity.value) * _IN_YEARS[unit] if unit in _IN_YEARS else None
