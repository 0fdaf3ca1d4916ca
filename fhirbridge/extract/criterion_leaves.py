"""A list item as a tree: its anchors become leaves, what was not understood stays as a TEXT leaf beside them."""

# ruff: noqa: E501 - word lists and patterns are easier to review unbroken
from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any as Anything

from fhirbridge.extract.criterion_anchors import admin_leaf, leaf_of, plain
from fhirbridge.extract.criterion_limits import age_leaves, grade_leaf, named_measures, pressure_leaves
from fhirbridge.extract.criterion_nodes import all_of, leaves_of, respanned, text_leaf
from fhirbridge.extract.criterion_pieces import Piece
from fhirbridge.extract.criterion_records import MEASURES, Anchor, Item
from fhirbridge.records import All, Concept, If, Leaf, LeafKind, Node, Not, Span

__all__ = ["node"]


_ALLERGENS = frozenset(
    {LeafKind.MEDICATION, LeafKind.THERAPY, LeafKind.PROCEDURE, LeafKind.LABORATORY, LeafKind.BIOMARKER, LeafKind.DIAGNOSIS,
     LeafKind.SYMPTOM, LeafKind.TRIAL_PARTICIPATION, LeafKind.ORGAN_FUNCTION, LeafKind.BODY_MEASURE}
)  # fmt: skip


_TREATMENTS = frozenset({LeafKind.MEDICATION, LeafKind.THERAPY, LeafKind.LINE, LeafKind.PROCEDURE})


def node(item: Item, exclude: bool) -> Node | None:
    """What the item asks, None when it says nothing (only words without weight)."""
    made = _asked(item, exclude)
    if made is None or not item.negated or (isinstance(made, Leaf) and made.kind is LeafKind.ADMINISTRATIVE):
        return made
    if isinstance(made, Not):
        return made.child
    kinds = {leaf.kind for leaf in leaves_of(made)}
    if exclude and LeafKind.TEXT in kinds and len(kinds) > 1:
        # whoever lacks the known part would be excluded for a reason nobody understood
        return all_of([Not(made), text_leaf(item.start, item.end)])
    return Not(made)


def _asked(item: Item, exclude: bool) -> Node | None:
    if item.admin and not _keeps_clinical(item):
        return admin_leaf(item, item.admin)
    if item.head in ("risk", "family"):
        return text_leaf(item.start, item.end)
    leaves = _spread(_leaves(item, exclude), item)
    if item.admin:
        leaves.append(admin_leaf(item, item.admin))
    rest = _rest(item, leaves)
    if not leaves:
        if item.opinion:
            return admin_leaf(item, item.opinion)
        return text_leaf(rest[0], rest[1]) if rest else None
    if item.opinion == "unsuitable":
        leaves.append(admin_leaf(item, "unsuitable"))
    if rest:
        leaves.append(text_leaf(*rest))
    if not exclude and len(leaves) == 2 and _is_scale_by_age(item):
        aged = next((n for n in leaves if isinstance(n, Leaf) and n.kind is LeafKind.AGE), None)
        if aged is not None:  # "Karnofsky for patients > 16 years"
            return If(aged, next(n for n in leaves if n is not aged))
    return _conditional(leaves)


_TREATED = _TREATMENTS | {LeafKind.TRIAL_PARTICIPATION, LeafKind.ALLERGY}


def _unnamed_treatment(item: Item, span: tuple[int, int]) -> Leaf:
    """ "No prior therapy for metastatic disease" denies a therapy, not the disease."""
    if any(a.kind in (LeafKind.STAGE, LeafKind.BIOMARKER) for a in item.anchors):
        window = item.windows[-1] if item.windows else None
        concept = Concept("Anticancer therapy")
        return Leaf(LeafKind.THERAPY, Span(span[0], span[1] - span[0]), (concept,), ("anticancer",), window=window)
    return text_leaf(*span)


def _spread(nodes: list[Node], item: Item) -> list[Node]:
    """The leaves with spans that share out the item's words: a number, a window or a qualifier is part of the evidence."""
    asked = [leaf for n in nodes for leaf in leaves_of(n) if leaf.kind is not LeafKind.TEXT]
    spans = sorted({(leaf.span.offset, leaf.span.end) for leaf in asked})
    if not spans or any(a[1] > b[0] for a, b in itertools.pairwise(spans)):
        return nodes
    wider: dict[tuple[int, int], Span] = {}
    for i, (start, end) in enumerate(spans):
        low = item.start if i == 0 else max(spans[i - 1][1], item.start)
        high = item.end if i == len(spans) - 1 else min(spans[i + 1][0], item.end)
        low, high = min(low, start), max(high, end)
        wider[start, end] = Span(low, high - low)
    return [_respanned(n, wider) for n in nodes]


def _respanned(node: Node, wider: dict[tuple[int, int], Span]) -> Node:
    if isinstance(node, Leaf):
        return respanned(node, wider.get((node.span.offset, node.span.end), node.span))
    if isinstance(node, Not):
        return Not(_respanned(node.child, wider))
    if isinstance(node, If):
        return If(_respanned(node.condition, wider), _respanned(node.then, wider))
    return replace(node, children=tuple(_respanned(child, wider) for child in node.children))


def _keeps_clinical(item: Item) -> bool:
    """Age, scores, pregnancy and measured values stay beside consent and contraception."""
    strong = (LeafKind.PREGNANCY, LeafKind.LACTATION, LeafKind.SCORE)
    if any(a.kind is LeafKind.BIOMARKER and a.values for a in item.anchors) and item.admin == "tissue":
        return True
    if item.admin in ("life expectancy", "consent", "willing", "comply", "tissue"):
        return item.age and bool(item.amounts) and item.admin != "life expectancy"
    return any(a.kind in strong or (a.kind in MEASURES and a.amount) for a in item.anchors)


def _is_scale_by_age(item: Item) -> bool:
    """Whether a score without a limit is only assigned to an age."""
    return any(a.kind is LeafKind.SCORE and a.amount is None and a.bounds is None for a in item.anchors)


_TREATED_FOR = frozenset({LeafKind.DIAGNOSIS, LeafKind.SYMPTOM, LeafKind.METASTASIS, LeafKind.STAGE})


def _is_washout(item: Item) -> bool:
    """Whether the item only asks how long ago a treatment was."""
    window = item.windows[-1] if item.windows else None
    since = window is not None and window.at_least is not None and window.direction == "since"
    return since and any(a.kind in _TREATMENTS for a in item.anchors)


def _leaves(item: Item, exclude: bool) -> list[Node]:
    leaves: list[Node] = []
    allergens = [a for a in item.anchors if a.head == "allergy" and a.kind in _ALLERGENS]
    if allergens or (item.allergen and item.head == "allergy") or (item.head == "allergy" and not item.anchors):
        leaves.append(_allergy(item, allergens))
    if (
        item.treatment
        and (item.negated or exclude)
        and item.anchors
        and not any(a.kind in _TREATED for a in item.anchors)
    ):
        leaves.insert(0, _unnamed_treatment(item, item.treatment))
    ages = age_leaves(item)
    given = item.head in ("treat", "stopped") or item.windows or "history" in item.qualifiers
    if item.study_drug and given and not item.anchors:
        qualifiers = frozenset(plain(q) for q in item.qualifiers)
        span = Span(item.start, item.end - item.start)
        window = item.windows[-1] if item.windows else None
        leaves.append(Leaf(LeafKind.MEDICATION, span, values=("study drug",), window=window, qualifiers=qualifiers))
    measured_sex = item.sex in ("female", "male") and any(a.kind in MEASURES for a in item.anchors)
    named = [a for a in item.anchors if a.kind is LeafKind.INFECTION and a.concepts[0].name != "Infection"]
    for anchor in item.anchors:
        if anchor in allergens:
            continue
        if anchor.kind in _TREATED_FOR and _is_washout(item):
            continue  # "surgery for brain metastases was completed 2 weeks ago" asks for no metastases
        if named and anchor.kind is LeafKind.INFECTION and anchor not in named:
            continue  # "hepatitis C infection" is one question
        made = leaf_of(anchor, item)
        if made is not None:
            leaves.append(made)
    leaves += ages
    leaves += [grade_leaf(g, item) for g in item.grades]
    leaves += [pressure_leaves(p) for p in item.pressures]
    leaves += named_measures(item)
    if not leaves and item.count is not None:
        leaves += [_line(item)]
    sex = item.sex
    if sex in ("female", "male") and not any(
        a.kind in (LeafKind.PREGNANCY, LeafKind.LACTATION, LeafKind.CHILDBEARING) for a in item.anchors
    ):
        sexed = Leaf(LeafKind.SEX, Span(item.start, item.end - item.start), values=(sex,))
        if measured_sex and not item.sex_first:
            return [All((sexed, all_of(leaves)))] if exclude else [If(sexed, all_of(leaves))]
        if leaves or not item.unknown:
            leaves.append(sexed)
    elif sex == "any" and not leaves and not item.unknown:
        leaves.append(Leaf(LeafKind.SEX, Span(item.start, item.end - item.start), values=("female", "male")))
    return leaves


def _allergy(item: Item, allergens: list[Anchor]) -> Node:
    concepts = [c for a in allergens for c in a.concepts if a.kind is not LeafKind.TRIAL_PARTICIPATION]
    item.allergen = item.allergen or any(a.kind is LeafKind.TRIAL_PARTICIPATION for a in allergens)
    words = _phrases([p for p in item.unknown if p.kind == "word"])
    if len(words) <= 3 and not item.tail:
        concepts += [Concept(" ".join(w.text for w in phrase)) for phrase in words]
        item.unknown = []
    values = ("study drug",) if item.allergen else ()
    qualifiers = frozenset(plain(q) for q in item.qualifiers)
    leaf = Leaf(
        LeafKind.ALLERGY, Span(item.start, item.end - item.start), tuple(dict.fromkeys(concepts)), values, qualifiers=qualifiers
    )  # fmt: skip
    return leaf


def _phrases(words: list[Piece]) -> list[list[Piece]]:
    """Neighbouring words together."""
    runs: list[list[Piece]] = []
    for word in words:
        if runs and word.start - runs[-1][-1].end <= 1:
            runs[-1].append(word)
        else:
            runs.append([word])
    return runs


def _line(item: Item) -> Node:
    low, high = item.count or (None, None)
    return Leaf(LeafKind.LINE, Span(item.start, item.end - item.start), count_low=low, count_high=high)


def _rest(item: Item, leaves: list[Node]) -> tuple[int, int] | None:
    """The stretch of words, numbers and tails that nobody understood, or None."""
    spans = [(p.start, p.end) for p in item.unknown]
    spans += [(a.start, a.end) for a in item.amounts]
    if item.tail is not None:
        spans.append(item.tail)
    if item.values and not any(a.kind is LeafKind.BIOMARKER for a in item.anchors) and item.values != ["-"]:
        spans.append((item.start, item.end))
    if not spans:
        return None
    return min(s for s, _ in spans), max(e for _, e in spans)


def _conditional(leaves: list[Node]) -> Node:
    """Women of childbearing potential and a pregnancy test in one breath: the test is asked of them only."""
    fertile = [n for n in leaves if isinstance(n, Leaf) and n.kind is LeafKind.CHILDBEARING]
    tests = [
        n for n in leaves if isinstance(n, Not) and isinstance(n.child, Leaf) and n.child.kind is LeafKind.PREGNANCY
    ]
    if fertile and tests:
        others: list[Anything] = [n for n in leaves if n not in fertile and n not in tests]
        return all_of([If(fertile[0], tests[0]), *others])
    return all_of(leaves)
