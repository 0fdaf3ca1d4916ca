"""A list item as a tree: its anchors become leaves, what was not understood stays as a TEXT leaf beside them."""

# ruff: noqa: E501 - word lists and patterns are easier to review unbroken
from __future__ import annotations

import itertools
from dataclasses import replace
from decimal import Decimal
from typing import Any as Anything

from fhirbridge.extract.criterion_items import MEASURES, Anchor, Item
from fhirbridge.extract.criterion_numbers import Amount
from fhirbridge.extract.criterion_pieces import Piece
from fhirbridge.records import All, Any, Bound, Coding, Concept, If, Leaf, LeafKind, Node, Not, Quantity, Span, Window

__all__ = ["all_of", "any_of", "node", "text_leaf"]

_AGE_UNITS = frozenset({"a", "mo", "wk", "d"})
_ALLERGENS = frozenset(
    {LeafKind.MEDICATION, LeafKind.THERAPY, LeafKind.PROCEDURE, LeafKind.LABORATORY, LeafKind.BIOMARKER, LeafKind.DIAGNOSIS,
     LeafKind.SYMPTOM, LeafKind.TRIAL_PARTICIPATION, LeafKind.ORGAN_FUNCTION, LeafKind.BODY_MEASURE}
)  # fmt: skip
_TREATMENTS = frozenset({LeafKind.MEDICATION, LeafKind.THERAPY, LeafKind.LINE, LeafKind.PROCEDURE})
_HEAD_QUALIFIER = {"failed": "progressed", "stopped": "stopped", "planned": "planned", "required": "required",
                   "intolerant": "intolerant", "suspected": "suspected", "responded": "responded"}  # fmt: skip
_RAISED = (
    "elevated",
    "increased",
    "high",
    "raised",
    "elevation",
    "elevation of",
    "elevations of",
    "prolonged qt",
    "prolongation",
    "升高",
    "增高",
    "延长",
    "偏高",
)
_LOWERED = ("decreased", "reduced", "low", "降低", "减少", "偏低", "下降", "减低")
_DROPPED_VALUES = frozenset({"mutation", "positive", "expression"})


def all_of(nodes: list[Node]) -> Node:
    """Every one of `nodes`, nested Alls flattened."""
    flat: list[Node] = []
    for n in nodes:
        flat += n.children if isinstance(n, All) else (n,)
    kept = list(dict.fromkeys(flat))
    return kept[0] if len(kept) == 1 else All(tuple(kept))


def any_of(nodes: list[Node]) -> Node:
    """At least one of `nodes`, nested Anys flattened."""
    flat: list[Node] = []
    for n in nodes:
        flat += n.children if isinstance(n, Any) else (n,)
    kept = list(dict.fromkeys(flat))
    return kept[0] if len(kept) == 1 else Any(tuple(kept))


def text_leaf(start: int, end: int) -> Leaf:
    """What was not understood."""
    return Leaf(LeafKind.TEXT, Span(start, max(0, end - start)))


def admin_leaf(item: Item, value: str) -> Leaf:
    """An administrative question and its kind; a life expectancy keeps its number."""
    amount = item.amounts[0] if value == "life expectancy" and item.amounts else None
    low, high = _bounds(amount)
    lasting = item.windows[-1] if item.windows and value == "life expectancy" else None
    if amount is None and lasting is not None:
        low = Bound(lasting.at_least) if lasting.at_least else None
        high = Bound(lasting.within) if lasting.within else None
    return Leaf(LeafKind.ADMINISTRATIVE, Span(item.start, item.end - item.start), (), (value,), low, high)


def node(item: Item, exclude: bool) -> Node | None:
    """What the item asks, None when it says nothing (only words without weight)."""
    made = _asked(item, exclude)
    if made is None or not item.negated or (isinstance(made, Leaf) and made.kind is LeafKind.ADMINISTRATIVE):
        return made
    if isinstance(made, Not):
        return made.child
    kinds = {leaf.kind for leaf in _leaves_of(made)}
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
    asked = [leaf for n in nodes for leaf in _leaves_of(n) if leaf.kind is not LeafKind.TEXT]
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


def _leaves_of(node: Node) -> list[Leaf]:
    if isinstance(node, Leaf):
        return [node]
    if isinstance(node, Not):
        return _leaves_of(node.child)
    if isinstance(node, If):
        return _leaves_of(node.condition) + _leaves_of(node.then)
    return [leaf for child in node.children for leaf in _leaves_of(child)]


def _respanned(node: Node, wider: dict[tuple[int, int], Span]) -> Node:
    if isinstance(node, Leaf):
        return replace(node, span=wider.get((node.span.offset, node.span.end), node.span))
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
    ages = _ages(item)
    if item.study_drug and item.head == "treat" and not item.anchors:
        qualifiers = frozenset(_plain(q) for q in item.qualifiers)
        span = Span(item.start, item.end - item.start)
        leaves.append(Leaf(LeafKind.MEDICATION, span, values=("study drug",), qualifiers=qualifiers))
    measured_sex = item.sex in ("female", "male") and any(a.kind in MEASURES for a in item.anchors)
    named = [a for a in item.anchors if a.kind is LeafKind.INFECTION and a.concepts[0].name != "Infection"]
    for anchor in item.anchors:
        if anchor in allergens:
            continue
        if named and anchor.kind is LeafKind.INFECTION and anchor not in named:
            continue  # "hepatitis C infection" is one question
        made = _leaf(anchor, item)
        if made is not None:
            leaves.append(made)
    leaves += ages
    leaves += [_grade(g, item) for g in item.grades]
    leaves += [_pressures(p) for p in item.pressures]
    leaves += _named_measures(item)
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
    qualifiers = frozenset(_plain(q) for q in item.qualifiers)
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


def _plain(qualifier: str) -> str:
    return qualifier.partition(":")[0]


def _leaf(anchor: Anchor, item: Item) -> Node | None:
    span = Span(anchor.start, anchor.end - anchor.start)
    window = anchor.window or (item.windows[-1] if item.windows else None)
    qualifiers = {_plain(q) for q in anchor.qualifiers}
    if anchor.head in _HEAD_QUALIFIER and anchor.kind is not LeafKind.STAGE:
        qualifiers.add(_HEAD_QUALIFIER[anchor.head])
    made: Node | None
    if anchor.kind in MEASURES:
        made = _measure(anchor, item, qualifiers)
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


def _off(leaf: Leaf) -> Node:
    """ "Off steroids for at least 7 days": not taken within 7 days."""
    window = leaf.window
    if window is not None and window.at_least is not None:
        window = Window(within=window.at_least, direction="before", anchor=window.anchor)
    return Not(replace(leaf, window=window))


def _bounds(amount: Amount | None) -> tuple[Bound | None, Bound | None]:
    return (amount.low, amount.high) if amount is not None else (None, None)


def _general(anchor: Anchor, item: Item, window: Window | None, qualifiers: set[str]) -> Node:
    low: Bound | None = None
    high: Bound | None = None
    amount = anchor.amount
    if amount is None and item.amounts and anchor.kind is not LeafKind.STAGE:
        amount = _dose_or_time(anchor, item)
        if amount is not None and _unit(amount) in ("a", "mo", "wk", "d", "h"):
            window, amount = window or _lasting(amount), None
    if amount is not None:
        low, high = _bounds(amount)
    count = anchor.count or (None, None)
    kind = anchor.kind
    if kind is LeafKind.LINE and anchor.count is None and item.amounts and not _unit(item.amounts[0]):
        count = _as_count(item.amounts.pop(0))
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


def _as_count(amount: Amount) -> tuple[int | None, int | None]:
    """The whole numbers an amount allows: "≥ 2" is (2, None), "< 2" is (None, 1)."""
    low = None if amount.low is None else int(amount.low.quantity.value) + (not amount.low.inclusive)
    high = None if amount.high is None else int(amount.high.quantity.value) - (not amount.high.inclusive)
    return low, high


def _dose_or_time(anchor: Anchor, item: Item) -> Amount | None:
    """The item's amount that can belong to this anchor: a dose for a medicine, a time for a disease."""
    for amount in item.amounts:
        unit = _unit(amount)
        if anchor.kind is LeafKind.MEDICATION and unit in ("mg", "mg/d", "ug/d", "ug", "g/d", "mg/kg", "g"):
            item.amounts.remove(amount)
            return amount
        if (
            unit in ("a", "mo", "wk", "d", "h")
            and not item.age
            and not amount.bare
            and anchor.kind is not LeafKind.MEASURABLE_DISEASE
        ):
            item.amounts.remove(amount)
            return amount
        if anchor.kind in (LeafKind.THERAPY,) and unit in ("Gy",):
            item.amounts.remove(amount)
            return amount
    return None


def _lasting(amount: Amount) -> Window:
    if amount.low is not None:
        return Window(at_least=amount.low.quantity, direction="lasting")
    return Window(within=amount.high.quantity if amount.high else None, direction="lasting")


def _unit(amount: Amount) -> str:
    bound = amount.low or amount.high
    return (bound.quantity.ucum or "") if bound else ""


def _measure(anchor: Anchor, item: Item, qualifiers: set[str]) -> Node | None:
    low, high = _bounds(anchor.amount)
    span = Span(anchor.start, anchor.end - anchor.start)
    values: tuple[str, ...] = tuple(v for v in anchor.values if v not in ("either", "both", "any"))
    if anchor.bounds is not None:
        low, high = (_whole(b) for b in anchor.bounds)
    spoken = [q.partition(":")[2] for q in anchor.qualifiers if q.startswith(("inadequate:", "adequate:"))]
    if low is None and high is None and not values:
        limit = _limits(spoken)
        if limit is None:
            return text_leaf(item.start, item.end) if len(item.anchors) == 1 else None
        low, high = limit
    window = anchor.window or (item.windows[-1] if item.windows else None)
    extra = frozenset(qualifiers - {"inadequate", "adequate", "severe", "moderate", "mild"})
    leaves: list[Node] = [
        Leaf(anchor.kind, span, (c,), values, low, high, window, qualifiers=extra) for c in anchor.concepts
    ]
    if anchor.amount is not None and anchor.amount.equal:
        return any_of([*leaves, text_leaf(anchor.amount.start, anchor.amount.end)])
    further = _further(anchor)
    if further:
        return all_of([*leaves, *further])
    if len(leaves) == 1:
        return leaves[0]
    return (all_of if _means_all(anchor, low) else any_of)(leaves)


def _further(anchor: Anchor) -> list[Node]:
    """A second limit of the same measure in one breath, if it is one ("≥ 20 at screening and ≤ 30 at baseline")."""
    made: list[Node] = []
    for amount in anchor.extra:
        if amount.bare:
            continue
        low, high = _bounds(amount)
        made += [
            Leaf(anchor.kind, Span(amount.start, amount.end - amount.start), (c,), (), low, high)
            for c in anchor.concepts
        ]
    return made


def _means_all(anchor: Anchor, low: Bound | None) -> bool:
    """AST/ALT below a limit means both; above it, either one."""
    return low is None


def _pressures(pressure: tuple[str, int, int, int, int]) -> Node:
    """Both pressures of "> 160/100 mmHg": above, either one; below, both."""
    sign, first, second, start, end = pressure
    above = not (sign.startswith(("<", "≤", "less", "lower", "below", "under", "小", "低")))
    made: list[Node] = []
    for name, code, value in (("Systolic", "8480-6", first), ("Diastolic", "8462-4", second)):
        title = f"{name} blood pressure"
        inclusive = (
            not sign
            or "=" in sign
            or "equal" in sign
            or sign in ("≥", "≤", "at least", "大于等于", "小于等于", "不低于")
        )
        bound = Bound(Quantity(Decimal(value), "mmHg", "mm[Hg]"), inclusive)
        low, high = (bound, None) if above else (None, bound)
        concept = Concept(title, (Coding("http://loinc.org", code, title),))
        made.append(Leaf(LeafKind.VITAL_SIGN, Span(start, end - start), (concept,), (), low, high))
    return any_of(made) if above else all_of(made)


def _whole(value: int | None) -> Bound | None:
    return None if value is None else Bound(Quantity(Decimal(value)))


def _limits(spoken: list[str]) -> tuple[Bound | None, Bound | None] | None:
    one = Quantity(Decimal(1))
    for word in spoken:
        if word in _RAISED:
            return Bound(one, False, "ULN"), None
        if word in _LOWERED:
            return None, Bound(one, False, "LLN")
        if word.startswith("normal") or "normal" in word or word.startswith("正常"):
            return Bound(one, True, "LLN"), Bound(one, True, "ULN")
    return None


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
    low, high = _bounds(amount)
    if not values and amount is None and not qualifiers & {"known"} and anchor.concepts[0].name != "Driver gene":
        return text_leaf(anchor.start, anchor.end)
    kept = frozenset(qualifiers & {"known", "other", "history"})
    return Leaf(LeafKind.BIOMARKER, span, anchor.concepts, tuple(values) or ("positive",), low, high, qualifiers=kept)


def _smoking(anchor: Anchor, item: Item, window: Window | None) -> Node:
    packs = next((a for a in item.amounts if _unit(a) == "{pack-years}"), None)
    span = Span(anchor.start, anchor.end - anchor.start)
    values = tuple(anchor.values)
    if packs is not None:
        item.amounts.remove(packs)
        low, high = _bounds(packs)
        return Leaf(LeafKind.SMOKING, span, anchor.concepts, ("pack-years",), low, high, window)
    daily = next((a for a in item.amounts if _unit(a) == "{cigarettes}/d"), None)
    if daily is not None:
        item.amounts.remove(daily)
        low, high = _bounds(daily)
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


def _ages(item: Item) -> list[Node]:
    """The amounts of the item that are ages."""
    made: list[Node] = []
    for amount in list(item.amounts):
        unit = _unit(amount)
        spelled = any(w in amount.unit for w in ("old", "of age", "岁", "歲", "y/o", "yo", "日龄", "月龄"))
        ranged = amount.low is not None and amount.high is not None and amount.low != amount.high
        alone = not item.anchors and not item.unknown and not item.grades and (unit == "a" or ranged)
        said = item.age and (unit in _AGE_UNITS or (unit == "" and (ranged or not amount.bare)))
        if spelled or said or (alone and unit in _AGE_UNITS):
            item.amounts.remove(amount)
            span = Span(amount.start, amount.end - amount.start)
            low, high = _in_years(amount.low), _in_years(amount.high)
            if amount.equal and low is not None and 12 <= low.quantity.value <= 25:
                high = None  # "age = 18": the sign ≥ was lost
            leaf: Node = Leaf(LeafKind.AGE, span, low=low, high=high)
            made.append(leaf)
    if len(made) == 2 and all(isinstance(m, Leaf) for m in made):
        first, second = made
        outside = isinstance(first, Leaf) and isinstance(second, Leaf) and _outside(first, second)
        return [any_of(made)] if outside else [all_of(made)]
    return made


def _outside(a: Leaf, b: Leaf) -> bool:
    """Below one age or above another: "< 18 or > 75"."""
    lower, upper = (a, b) if a.high is not None and a.low is None else (b, a)
    if lower.high is None or upper.low is None or lower.low is not None or upper.high is not None:
        return False
    return lower.high.quantity.value <= upper.low.quantity.value


def _in_years(bound: Bound | None) -> Bound | None:
    if bound is None or bound.quantity.ucum:
        return bound
    return Bound(Quantity(bound.quantity.value, bound.quantity.unit or "years", "a"), bound.inclusive)


def _named_measures(item: Item) -> list[Node]:
    """Amounts of a measure that no table knows, under the name the text gives it ("prostate volume > 30 mL")."""
    made: list[Node] = []
    for amount in list(item.amounts):
        if (amount.bare and not amount.unit and len(amount.numbers) < 2) or item.tail is not None:
            continue
        before = [p for p in item.unknown if p.end <= amount.start] or [
            p for p in item.unknown if p.start >= amount.end
        ]
        named = tuple(c for a in item.anchors for c in a.concepts if a.kind in _MEASURED)[:1]
        if before:
            named = (Concept(" ".join(p.text for p in before[-5:])),)
            item.unknown = [p for p in item.unknown if p not in before]
        elif not named:
            continue
        item.amounts.remove(amount)
        start = min([amount.start, *[p.start for p in before]])
        end = max([amount.end, *[p.end for p in before]])
        low, high = _bounds(amount)
        window = item.windows[-1] if item.windows else None
        made.append(
            _or_unsure(Leaf(LeafKind.LABORATORY, Span(start, end - start), named, (), low, high, window), amount)
        )
    return made


_MEASURED = frozenset(
    {LeafKind.DIAGNOSIS, LeafKind.SYMPTOM, LeafKind.PROCEDURE, LeafKind.ORGAN_FUNCTION, LeafKind.METASTASIS}
)


def _or_unsure(leaf: Leaf, amount: Amount) -> Node:
    """A bare "= 5" often lost its ≥ or ≤ on the way into a registry: it holds when equal, else nobody knows."""
    if not amount.equal:
        return leaf
    return any_of([leaf, text_leaf(amount.start, amount.end)])


def _grade(grade: tuple[str, int | None, int | None, int, int], item: Item) -> Node:
    _, low, high, start, end = grade
    return Leaf(LeafKind.GRADE, Span(start, end - start), low=_whole(low), high=_whole(high))


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
