"""The numbers of an item as leaves: measures with their limits, pressures, grades, ages and doses."""

from __future__ import annotations

from decimal import Decimal

from fhirbridge.extract.criterion_nodes import all_of, any_of, text_leaf
from fhirbridge.extract.criterion_numbers import Amount
from fhirbridge.extract.criterion_records import Anchor, Item
from fhirbridge.records import Bound, Coding, Concept, Leaf, LeafKind, Node, Quantity, Span, Window

__all__ = [
    "age_leaves",
    "as_count",
    "bounds_of",
    "dose_or_time",
    "grade_leaf",
    "lasting_window",
    "measure_leaf",
    "named_measures",
    "pressure_leaves",
    "unit_of",
]


_AGE_UNITS = frozenset({"a", "mo", "wk", "d"})


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


def bounds_of(amount: Amount | None) -> tuple[Bound | None, Bound | None]:
    """The lower and the upper end of an amount."""
    return (amount.low, amount.high) if amount is not None else (None, None)


def as_count(amount: Amount) -> tuple[int | None, int | None]:
    """The whole numbers an amount allows: "≥ 2" is (2, None), "< 2" is (None, 1)."""
    low = None if amount.low is None else int(amount.low.quantity.value) + (not amount.low.inclusive)
    high = None if amount.high is None else int(amount.high.quantity.value) - (not amount.high.inclusive)
    return low, high


def dose_or_time(anchor: Anchor, item: Item) -> Amount | None:
    """The item's amount that can belong to this anchor: a dose for a medicine, a time for a disease."""
    for amount in item.amounts:
        unit = unit_of(amount)
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


def lasting_window(amount: Amount) -> Window:
    """A length of time as the window of something that lasts."""
    if amount.low is not None:
        return Window(at_least=amount.low.quantity, direction="lasting")
    return Window(within=amount.high.quantity if amount.high else None, direction="lasting")


def unit_of(amount: Amount) -> str:
    """The UCUM code of an amount's unit."""
    bound = amount.low or amount.high
    return (bound.quantity.ucum or "") if bound else ""


def measure_leaf(anchor: Anchor, item: Item, qualifiers: set[str]) -> Node | None:
    """A measure with its limits, in numbers or in words ("elevated")."""
    low, high = bounds_of(anchor.amount)
    span = Span(anchor.start, anchor.end - anchor.start)
    values: tuple[str, ...] = tuple(v for v in anchor.values if v not in ("either", "both", "any"))
    if anchor.bounds is not None:
        low, high = (whole(b) for b in anchor.bounds)
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
        low, high = bounds_of(amount)
        made += [
            Leaf(anchor.kind, Span(amount.start, amount.end - amount.start), (c,), (), low, high)
            for c in anchor.concepts
        ]
    return made


def _means_all(anchor: Anchor, low: Bound | None) -> bool:
    """AST/ALT below a limit means both; above it, either one."""
    return low is None


def pressure_leaves(pressure: tuple[str, int, int, int, int]) -> Node:
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


def whole(value: int | None) -> Bound | None:
    """A whole number as an end of a range."""
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


def age_leaves(item: Item) -> list[Node]:
    """The amounts of the item that are ages."""
    made: list[Node] = []
    for amount in list(item.amounts):
        unit = unit_of(amount)
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


def named_measures(item: Item) -> list[Node]:
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
        low, high = bounds_of(amount)
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


def grade_leaf(grade: tuple[str, int | None, int | None, int, int], item: Item) -> Node:
    """A grade with its limits."""
    _, low, high, start, end = grade
    return Leaf(LeafKind.GRADE, Span(start, end - start), low=whole(low), high=whole(high))
