"""What stands in brackets behind something: a limit, a variant, a condition, an abbreviation, a restriction."""

# ruff: noqa: E501 - conditions on kinds of pieces are easier to review unbroken
from __future__ import annotations

from dataclasses import replace

from fhirbridge.extract.criterion_conditions import pair
from fhirbridge.extract.criterion_examples import elaborated
from fhirbridge.extract.criterion_exceptions import with_permission, without
from fhirbridge.extract.criterion_nodes import (
    all_of,
    any_of,
    is_numbered,
    is_understood,
    kinds_of,
    leaves_of,
    only,
    replaced,
    text_leaf,
    within,
)
from fhirbridge.extract.criterion_pieces import Piece
from fhirbridge.extract.criterion_reading import WEIGHTLESS, Reading, read_sentence, trimmed
from fhirbridge.extract.criterion_records import MEASURES, Item
from fhirbridge.records import If, Leaf, LeafKind, Node, Not

__all__ = ["with_group"]


def with_group(node: Node, group: Piece, item: Item, reading: Reading) -> Node:
    """The node with what stands in brackets behind it."""
    inner: list[Piece] = list(trimmed(list(group.value)))
    if not inner or all(p.kind in (*WEIGHTLESS, "opinion") for p in inner) or _is_abbreviation(inner, item):
        return node
    if only(node, LeafKind.MEASURABLE_DISEASE):
        return node
    first, last = inner[0], inner[-1]
    if any(p.kind == "except" for p in inner):
        return _with_exception(node, inner, reading)
    if any(p.kind == "allowed" for p in inner):
        allowed = read_sentence([p for p in inner if p.kind not in ("allowed", "note")], reading.excluding())
        method = any(
            w in p.text for p in inner for w in ("result", "test", "sample", "tissue", "assay", "检测", "标本")
        )
        if allowed is None or (method and not is_understood(allowed)):
            return node
        return with_permission(node, allowed, reading)
    if first.kind == "note" or any(p.kind == "note" for p in inner):
        return node
    if (other := _other_washout(node, inner, reading)) is not None:
        return other
    told = {p.kind for p in inner}
    if "amount" in told and told <= WEIGHTLESS | {"variant", "amount", "class"} and _is_limited_marker(node):
        return _with_variants(node, inner)  # "PD-L1 ≥ 1 % (TPS ≥ 1 %)"
    if told <= WEIGHTLESS | {"variant", "or", "and", "positive", "negative"} and _marks(node):
        return _with_variants(node, inner)
    if any(p.kind == "not_allowed" for p in inner):
        return node
    if all(p.kind in (*WEIGHTLESS, "amount", "or", "and", "age", "sexes") for p in inner):
        return _with_amounts(node, inner, item, reading)
    if first.kind == "if" or any(p.kind in ("if", "if_not") for p in inner) or _has_conditional_amount(inner):
        limited = _with_condition(node, inner, item, reading)
        if limited is not None:
            return limited
    detail = read_sentence([p for p in inner if p.kind != "example"], reading.excluding())
    if detail is None or not is_understood(detail):
        example = first.kind == "example" or last.kind == "stop"
        return node if example or detail is None or _is_light(inner) else _restricted(node, inner)
    if only(detail, LeafKind.ADMINISTRATIVE):
        return node
    if _adds_nothing(node, detail):
        return node
    if _limits_only(node) and kinds_of(detail) <= _STATES and not is_numbered(detail):
        return If(detail, node)
    if is_numbered(detail) or kinds_of(detail) & {LeafKind.STAGE, LeafKind.GRADE, LeafKind.SCORE, LeafKind.AGE}:
        if kinds_of(detail) <= {LeafKind.STAGE, LeafKind.GRADE, LeafKind.AGE}:
            return all_of([node, detail])
        return elaborated(node, detail, reading, True)
    if kinds_of(detail) <= {LeafKind.BIOMARKER} and not kinds_of(node) <= {LeafKind.BIOMARKER, LeafKind.TEXT}:
        return all_of([node, detail])
    return elaborated(node, detail, reading, False)


_STATES = frozenset(
    {
        LeafKind.METASTASIS,
        LeafKind.DIAGNOSIS,
        LeafKind.SYMPTOM,
        LeafKind.INFECTION,
        LeafKind.SEX,
        LeafKind.STAGE,
        LeafKind.TEXT,
    }
)


def _limits_only(node: Node) -> bool:
    return all(leaf.kind in MEASURES and (leaf.low or leaf.high) for leaf in leaves_of(node))


def _marks(node: Node) -> bool:
    return any(leaf.kind is LeafKind.BIOMARKER for leaf in leaves_of(node))


_TREATMENTS = frozenset({LeafKind.MEDICATION, LeafKind.THERAPY, LeafKind.PROCEDURE, LeafKind.TEXT})


def _other_washout(node: Node, inner: list[Piece], reading: Reading) -> Node | None:
    """ "Chemotherapy within 3 weeks (6 weeks for mitomycin-C)": a longer time for some of the treatments."""
    first = next((p for p in inner if p.kind not in ("or", "ignored", "mark")), inner[0])
    bound = (first.value.low or first.value.high) if first.kind == "amount" else None
    windows = [leaf.window for leaf in leaves_of(node) if leaf.window is not None]
    if bound is None or bound.quantity.ucum not in ("d", "wk", "mo", "a") or not windows or len(inner) < 2:
        return None
    detail = read_sentence([p for p in inner if p is not first], reading.excluding())
    if detail is None or not kinds_of(detail) <= _TREATMENTS:
        return None
    if not reading.exclude or not is_understood(detail) or not windows[-1].within:
        return node
    return any_of([node, within(detail, replace(windows[-1], within=bound.quantity))])


def _is_limited_marker(node: Node) -> bool:
    markers = [leaf for leaf in leaves_of(node) if leaf.kind is LeafKind.BIOMARKER]
    return bool(markers) and (markers[-1].low is not None or markers[-1].high is not None)


def _with_variants(node: Node, inner: list[Piece]) -> Node:
    """ "EGFR mutation (exon 19 deletion or L858R)": the variants in brackets are the ones meant."""
    values = tuple(dict.fromkeys(str(p.value) for p in inner if p.kind in ("variant", "positive", "negative")))
    last = [leaf for leaf in leaves_of(node) if leaf.kind is LeafKind.BIOMARKER][-1]
    kept = tuple(v for v in last.values if v not in ("mutation", "positive", "sensitising mutation"))
    return replaced(node, {last: replace(last, values=(*kept, *values) if values else last.values)})


def _with_exception(node: Node, inner: list[Piece], reading: Reading) -> Node:
    content = [p for p in inner if p.kind != "except"]
    exception = read_sentence(content, reading.excluding())
    return without(node, exception, inner) or node


def _with_amounts(node: Node, inner: list[Piece], item: Item, reading: Reading) -> Node:
    """ "(≤ 133 µmol/L)" repeats a limit in another unit, "(18-65 years)" is an age, "(> 50 %)" measures what it follows."""
    if any(leaf.kind in MEASURES and (leaf.low or leaf.high) for leaf in leaves_of(node)):
        return node
    aged = None if _is_short(inner) and LeafKind.DIAGNOSIS in kinds_of(node) else read_sentence(inner, reading)
    if aged is not None and kinds_of(aged) == {LeafKind.AGE}:
        return aged if only(node, LeafKind.TEXT) else all_of([node, aged])
    amounts = [p.value for p in inner if p.kind == "amount"]
    if not amounts:
        return node
    measured = [leaf for leaf in leaves_of(node) if leaf.concepts]
    if len(amounts) == 1 and measured and (not amounts[0].bare or amounts[0].unit):
        model = measured[-1]
        kind = model.kind if model.kind in MEASURES else LeafKind.LABORATORY
        span = text_leaf(inner[0].start, inner[-1].end).span
        limit = Leaf(kind, span, model.concepts[:1], (), amounts[0].low, amounts[0].high)
        return _with_limit(node, limit)
    return _restricted(node, inner) if not only(node, LeafKind.TEXT) else node


def _is_short(inner: list[Piece]) -> bool:
    """Whether the years in brackets are no age: "history of cancer (> 5 years)"."""
    bounds = [b for p in inner if p.kind == "amount" for b in (p.value.low, p.value.high) if b is not None]
    return all(b.quantity.value <= 10 for b in bounds)


def _with_limit(node: Node, limit: Leaf) -> Node:
    if isinstance(node, Not):
        return Not(all_of([node.child, limit]))
    return all_of([node, limit])


def _has_conditional_amount(inner: list[Piece]) -> bool:
    first = next((p for p in inner if p.kind not in ("or", "ignored")), inner[0])
    return first.kind == "amount" and any(p.kind == "term" for p in inner)


def _with_condition(node: Node, inner: list[Piece], item: Item, reading: Reading) -> Node | None:
    """ "(≤ 5 x ULN if liver metastases)" behind a limit."""
    amount = next((p for p in inner if p.kind == "amount"), None)
    bases = [leaf for leaf in leaves_of(node) if leaf.kind in MEASURES and (leaf.low or leaf.high)]
    if amount is None:
        if inner[0].kind in ("if", "if_not"):
            condition = read_sentence(inner[1:], reading.excluding())
            if condition is not None and bases:
                return If(Not(condition) if inner[0].kind == "if_not" else condition, node)
        return None
    if not bases:
        return None
    condition = read_sentence([p for p in inner if p.kind not in ("amount", "if", "or")], reading.excluding())
    if condition is None:
        return None
    pairs: dict[Leaf, Node] = {}
    for base in bases:
        low, high = amount.value.low, amount.value.high
        if amount.value.bare and (base.low is None) != (base.high is None):  # "(or 2.0 x ULN in Gilbert's syndrome)"
            low, high = (None, high) if base.low is None else (low, None)
        other = Leaf(base.kind, text_leaf(amount.start, amount.end).span, base.concepts, (), low, high)
        pairs[base] = pair(base, other, condition)
    return replaced(node, pairs)


def _restricted(node: Node, inner: list[Piece]) -> Node:
    rest = text_leaf(inner[0].start, inner[-1].end)
    if isinstance(node, Not):
        return Not(all_of([node.child, rest]))
    return all_of([node, rest])


def _is_light(inner: list[Piece]) -> bool:
    """A remark of at most two unknown words ("(female)", "(ICF)")."""
    return sum(p.kind == "word" for p in inner) <= 2 and not any(p.kind in ("amount", "window") for p in inner)


def _is_abbreviation(inner: list[Piece], item: Item) -> bool:
    words = [p for p in inner if p.kind not in WEIGHTLESS]
    if len(words) != 1:
        return False
    if words[0].kind == "word" and words[0].end - words[0].start <= 8:
        return True
    if words[0].kind == "term":
        known = {c for a in item.anchors for c in a.concepts}
        short = words[0].end - words[0].start <= 5 and words[0].text.isascii()
        return bool(known & set(words[0].value.concepts)) or short
    return words[0].kind in ("history", "current", "treat", "weak_admin", "admin")


def _adds_nothing(node: Node, detail: Node) -> bool:
    known = {c for leaf in leaves_of(node) for c in leaf.concepts}
    said = leaves_of(detail)
    return all(
        leaf.concepts and set(leaf.concepts) <= known and not leaf.values and not leaf.low and not leaf.high
        for leaf in said
    )
