"""One anchor of an item as a leaf: a disease, marker, treatment, infection or habit with what was said about it."""

# ruff: noqa: E501 - word lists and patterns are easier to review unbroken
from __future__ import annotations

from dataclasses import replace

from fhirbridge.extract.criterion_limits import as_count, bounds_of, dose_or_time, lasting_window, measure_leaf, unit_of
from fhirbridge.extract.criterion_nodes import text_leaf
from fhirbridge.extract.criterion_records import MEASURES, Anchor, Item
from fhirbridge.records import Bound, Leaf, LeafKind, Node, Not, Span, Window

__all__ = ["admin_leaf", "leaf_of", "plain"]


_HEAD_QUALIFIER = {"failed": "progressed", "stopped": "stopped", "planned": "planned", "required": "required",
                   "intolerant": "intolerant", "suspected": "suspected", "responded": "responded"}  # fmt: skip


_DROPPED_VALUES = frozenset({"mutation", "positive", "expression"})


def admin_leaf(item: Item, value: str) -> Leaf:
    """An administrative question and its kind; a life expectancy keeps its number."""
    amount = item.amounts[0] if value == "life expectancy" and item.amounts else None
    low, high = bounds_of(amount)
    lasting = item.windows[-1] if item.windows and value == "life expectancy" else None
    if amount is None and lasting is not None:
        low = Bound(lasting.at_least) if lasting.at_least else None
        high = Bound(lasting.within) if lasting.within else None
    return Leaf(LeafKind.ADMINISTRATIVE, Span(item.start, item.end - item.start), (), (value,), low, high)


def plain(qualifier: str) -> str:
    """A qualifier without the words it was said in."""
    return qualifier.partition(":")[0]


def leaf_of(anchor: Anchor, item: Item) -> Node | None:
    """The leaf of an anchor in its item; None where it asks nothing."""
    span = Span(anchor.start, anchor.end - anchor.start)
    window = anchor.window or (item.windows[-1] if item.windows else None)
    since = window is not None and (window.within or window.direction == "since")
    if since and anchor.window is None and _is_treated(anchor, item):
        window = None  # "breast cancer treated with chemotherapy within 12 months": the treatment was then
    qualifiers = {plain(q) for q in anchor.qualifiers}
    if anchor.head in _HEAD_QUALIFIER and anchor.kind is not LeafKind.STAGE:
        qualifiers.add(_HEAD_QUALIFIER[anchor.head])
    made: Node | None
    if anchor.kind in MEASURES:
        made = measure_leaf(anchor, item, qualifiers)
    elif anchor.kind is LeafKind.PREGNANCY:
        made = _pregnancy(anchor, item, window)
    elif anchor.kind is LeafKind.CHILDBEARING:
        made = Leaf(anchor.kind, span, values=("yes",))
        made = Not(made) if anchor.values == ["no"] else made
    elif anchor.kind is LeafKind.ORGAN_FUNCTION:
        made = Leaf(anchor.kind, span, values=tuple(anchor.values), qualifiers=frozenset({"adequate"}))
        if "inadequate" in qualifiers or "uncontrolled" in qualifiers:
            made = Not(made)
    elif anchor.kind is LeafKind.BIOMARKER:
        made = _biomarker(anchor, item, qualifiers)
    elif anchor.kind is LeafKind.SMOKING:
        made = _smoking(anchor, item, window)
    elif anchor.kind is LeafKind.INFECTION:
        made = _infection(anchor, span, window, qualifiers)
    else:
        made = _general(anchor, item, window, qualifiers)
    if anchor.head == "off" and isinstance(made, Leaf):
        return _off(made)
    return Not(made) if made is not None and anchor.negated else made


_TREATMENTS = frozenset({LeafKind.THERAPY, LeafKind.MEDICATION, LeafKind.PROCEDURE, LeafKind.LINE})


def _is_treated(anchor: Anchor, item: Item) -> bool:
    """Whether the anchor is the disease that a treatment in the same item was given for."""
    return anchor.kind in (LeafKind.DIAGNOSIS, LeafKind.SYMPTOM) and any(
        a.kind in _TREATMENTS and a.head != "allergy" for a in item.anchors
    )


def _off(leaf: Leaf) -> Node:
    """ "Off steroids for at least 7 days": not taken within 7 days."""
    window = leaf.window
    if window is not None and window.at_least is not None:
        window = Window(within=window.at_least, direction="before", anchor=window.anchor)
    return Not(replace(leaf, window=window))


def _general(anchor: Anchor, item: Item, window: Window | None, qualifiers: set[str]) -> Node:
    low: Bound | None = None
    high: Bound | None = None
    amount = anchor.amount
    if amount is None and item.amounts and anchor.kind is not LeafKind.STAGE:
        amount = dose_or_time(anchor, item)
        if amount is not None and unit_of(amount) in ("a", "mo", "wk", "d", "h"):
            window, amount = window or lasting_window(amount), None
    if amount is not None:
        low, high = bounds_of(amount)
    count = anchor.count or (None, None)
    kind = anchor.kind
    if kind is LeafKind.LINE and anchor.count is None and item.amounts and not unit_of(item.amounts[0]):
        count = as_count(item.amounts.pop(0))
    if kind is LeafKind.DIAGNOSIS and anchor.head == "family":
        return text_leaf(item.start, item.end)
    qualifiers.discard("adequate")
    qualifiers.discard("inadequate")
    if kind is LeafKind.HEALTHY or kind is LeafKind.STAGE:
        qualifiers = set()
        window = None
    return Leaf(
        kind, Span(anchor.start, anchor.end - anchor.start), anchor.concepts, tuple(dict.fromkeys(anchor.values)), low, high, window,
        count[0], count[1], frozenset(qualifiers),
    )  # fmt: skip


def _pregnancy(anchor: Anchor, item: Item, window: Window | None) -> Node:
    if "planned" in anchor.values or anchor.head == "planned":
        return admin_leaf(item, "contraception")
    leaf = Leaf(anchor.kind, Span(anchor.start, anchor.end - anchor.start), anchor.concepts, window=window)
    return Not(leaf) if "negative" in anchor.values else leaf


def _biomarker(anchor: Anchor, item: Item, qualifiers: set[str]) -> Node:
    values = list(dict.fromkeys(anchor.values))
    span = Span(anchor.start, anchor.end - anchor.start)
    if "-" in item.values and not values:
        values = ["negative"]
    specific = [v for v in values if v not in _DROPPED_VALUES]
    values = specific or values
    amount = item.amounts.pop(0) if item.amounts else None
    low, high = bounds_of(amount)
    if not values and amount is None and not qualifiers & {"known"} and anchor.concepts[0].name != "Driver gene":
        return text_leaf(anchor.start, anchor.end)
    kept = frozenset(qualifiers & {"known", "other", "history"})
    return Leaf(LeafKind.BIOMARKER, span, anchor.concepts, tuple(values) or ("positive",), low, high, qualifiers=kept)


def _smoking(anchor: Anchor, item: Item, window: Window | None) -> Node:
    packs = next((a for a in item.amounts if unit_of(a) == "{pack-years}"), None)
    span = Span(anchor.start, anchor.end - anchor.start)
    values = tuple(anchor.values)
    if packs is not None:
        item.amounts.remove(packs)
        low, high = bounds_of(packs)
        return Leaf(LeafKind.SMOKING, span, anchor.concepts, ("pack-years",), low, high, window)
    daily = next((a for a in item.amounts if unit_of(a) == "{cigarettes}/d"), None)
    if daily is not None:
        item.amounts.remove(daily)
        low, high = bounds_of(daily)
        return Leaf(LeafKind.SMOKING, span, anchor.concepts, ("cigarettes per day",), low, high, window)
    return Leaf(LeafKind.SMOKING, span, anchor.concepts, values, window=window)


def _infection(anchor: Anchor, span: Span, window: Window | None, qualifiers: set[str]) -> Node:
    status = [v for v in anchor.values if v in ("positive", "negative")]
    values = tuple(v for v in anchor.values if v not in ("any", "negative", "mutation"))
    qualifiers -= {"inadequate", "adequate"}
    leaf = Leaf(
        LeafKind.INFECTION,
        span,
        anchor.concepts,
        tuple(dict.fromkeys(values)),
        window=window,
        qualifiers=frozenset(qualifiers),
    )
    return Not(leaf) if status and status[-1] == "negative" else leaf
