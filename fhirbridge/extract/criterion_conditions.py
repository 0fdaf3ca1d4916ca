"""Conditions: "X if C", "patients who had X must Y", and the second limit that holds only under one."""

from __future__ import annotations

from fhirbridge.extract.criterion_nodes import all_of, any_of, leaves_of, only, replaced
from fhirbridge.extract.criterion_pieces import Piece
from fhirbridge.extract.criterion_reading import WEIGHTLESS, Reading, read_sentence
from fhirbridge.extract.criterion_records import MEASURES
from fhirbridge.records import All, Any, If, Leaf, LeafKind, Node, Not

__all__ = ["conditioned", "demand", "pair", "settled"]


_DEMANDS = frozenset({"must", "must be", "must have", "should", "should be", "should have", "must meet"})


def demand(pieces: list[Piece], reading: Reading) -> Node | None:
    """ "Patients who received X must Y": Y is asked only of them."""
    first = next((i for i, p in enumerate(pieces[:4]) if p.kind in ("who", "ruled")), None)
    if first is None:
        return None
    at = next((i for i, p in enumerate(pieces) if i > first and p.kind == "ignored" and p.text in _DEMANDS), None)
    if at is None or at == first + 1:
        return None
    condition = read_sentence(pieces[first + 1 : at], reading.excluding())
    then = read_sentence(pieces[at + 1 :], reading)
    if then is None:  # "patients with brain metastases must be stable"
        then = read_sentence([*pieces[first + 1 : at], *pieces[at + 1 :]], reading)
    if condition is None or then is None or only(condition, LeafKind.TEXT) or only(then, LeafKind.ADMINISTRATIVE):
        return None
    return If(condition, then)


def conditioned(pieces: list[Piece], at: int, reading: Reading) -> Node | None:
    """ "X if C", "if C, X"; a second limit of the same measure is an alternative ("≤ 5 x ULN if liver metastases")."""
    negative = pieces[at].kind == "if_not"
    if not any(p.kind not in WEIGHTLESS for p in pieces[:at]):
        comma = next((i for i in range(at + 1, len(pieces)) if pieces[i].kind in ("comma", "open")), None)
        if comma is None:
            return None
        condition = read_sentence(pieces[at + 1 : comma], reading.excluding())
        then = read_sentence(pieces[comma + 1 :], reading)
        if condition is None or then is None or only(condition, LeafKind.ADMINISTRATIVE):
            return then
        return If(Not(condition) if negative else condition, then)
    end = _end_of_condition(pieces, at)
    condition = read_sentence(pieces[at + 1 : end], reading.excluding())
    if condition is None:
        return None
    if negative:
        condition = Not(condition)
    rest = pieces[end:]
    main = read_sentence(pieces[:at], reading)
    if main is None:
        return condition
    alternative = _alternative(main, condition)
    made = alternative if alternative is not None else If(condition, main)
    if not rest:
        return made
    return _further_limit(made, pieces[:at], rest, reading)


def _further_limit(made: Node, before: list[Piece], rest: list[Piece], reading: Reading) -> Node:
    """ "≤ 2.5 x ULN without, or ≤ 5 x ULN with liver metastases": the measure goes on after the first condition."""
    measured = next((i for i, p in enumerate(before) if p.kind == "amount"), None)
    first = next((i for i, p in enumerate(rest) if p.kind not in (*WEIGHTLESS, "or", "and")), None)
    content = rest
    if measured is not None and first is not None and rest[first].kind == "amount":
        content = [*before[:measured], *rest[first:]]
    following = read_sentence(content, reading)
    if following is None:
        return made
    if isinstance(made, If) and isinstance(following, If):
        return all_of([made, following]) if not reading.exclude else any_of([_both(made), _both(following)])
    joined = [made, following]
    if any(p.kind == "or" for p in rest[:3]) and not isinstance(made, If):
        return any_of(joined)
    return any_of(joined) if reading.exclude else all_of(joined)


def _both(node: If) -> Node:
    return all_of([node.condition, node.then])


def _end_of_condition(pieces: list[Piece], at: int) -> int:
    """Where a condition ends: before the next limit of a measure, or a second condition's limit."""
    for i in range(at + 1, len(pieces)):
        if pieces[i].kind in ("comma", "or", "and") and i + 1 < len(pieces):
            following = next((p for p in pieces[i + 1 :] if p.kind not in (*WEIGHTLESS, "or", "and")), None)
            if following is not None and following.kind == "amount" and i > at + 1:
                return i
            if following is not None and following.kind == "term" and following.value.kind in MEASURES and i > at + 1:
                return i
    return len(pieces)


def _alternative(main: Node, condition: Node) -> Node | None:
    """The limit that holds under the condition, beside the one that holds always, or None if there is no such pair."""
    children = list(main.children) if isinstance(main, (All, Any)) else []
    if len(children) < 2:
        return None
    last = children[-1]
    others, changed = [], None
    measured = {leaf.concepts: leaf for leaf in leaves_of(last) if leaf.kind in MEASURES}
    if not measured or len(measured) != len(leaves_of(last)):
        return None
    for child in children[:-1]:
        bases = [leaf for leaf in leaves_of(child) if leaf.kind in MEASURES and leaf.concepts in measured]
        if bases and changed is None:
            changed = replaced(child, {base: pair(base, measured[base.concepts], condition) for base in bases})
            others.append(changed)
        else:
            others.append(child)
    if changed is None:
        return None
    return all_of(others) if isinstance(main, All) else any_of(others)


def pair(base: Leaf, other: Leaf, condition: Node) -> Node:
    """The wider limit under its condition."""
    if _is_wider(other, base):
        return any_of([base, all_of([condition, other])])
    return all_of([base, any_of([Not(condition), other])])


def _is_wider(a: Leaf, b: Leaf) -> bool:
    if a.high is not None and b.high is not None:
        return a.high.quantity.value > b.high.quantity.value
    if a.low is not None and b.low is not None:
        return a.low.quantity.value < b.low.quantity.value
    return False


def settled(node: Node | None) -> Node | None:
    """ "≤ 2.5 x ULN or ≤ 5 x ULN (with liver metastases)": the second limit holds only under its condition."""
    if not isinstance(node, Any):
        return node
    plain = {
        leaf.concepts for n in node.children if not isinstance(n, If) for leaf in leaves_of(n) if leaf.kind in MEASURES
    }
    made = [
        _both(n) if isinstance(n, If) and {leaf.concepts for leaf in leaves_of(n.then)} & plain else n
        for n in node.children
    ]
    return any_of(made)
