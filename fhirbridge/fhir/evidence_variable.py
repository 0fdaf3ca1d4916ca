"""The same criteria as R5 EvidenceVariable: combinations nest, so no contained Groups are needed."""

from __future__ import annotations

from typing import Any as Value

from fhirbridge.fhir.eligibility_fhirpath import expression, is_known
from fhirbridge.fhir.eligibility_group import derivation, spread
from fhirbridge.fhir.eligibility_values import characteristic, duration
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
    Trial,
    Understanding,
    Window,
    leaves,
)


def evidence_variable(trial: Trial, criteria: tuple[Criterion, ...], study: str) -> dict[str, Value]:
    """An EvidenceVariable whose one characteristic is all criteria together."""
    out: dict[str, Value] = {
        "resourceType": "EvidenceVariable",
        "id": "",
        "status": "active",
        "title": f"Eligibility {trial.id}",
    }
    members = [_criterion(c, study) for c in criteria]
    if members:
        combined = {"code": "all-of", "characteristic": members}
        out["characteristic"] = [{"definitionByCombination": combined}]
    return out


def _criterion(criterion: Criterion, study: str) -> dict[str, Value]:
    extensions = [derivation(criterion.span, study)] if criterion.span.length else []
    head: dict[str, Value] = {"extension": extensions} if extensions else {}
    head["description"] = criterion.text
    tree = spread(criterion.tree)
    if criterion.understanding != Understanding.COMPUTABLE or not any(_is_asked(leaf) for leaf in leaves(tree)):
        return {**head, "exclude": criterion.exclude, "definitionCodeableConcept": {"text": criterion.text}}
    return {**head, "exclude": criterion.exclude, **_definition(tree)}


def _is_asked(leaf: Leaf) -> bool:
    return leaf.kind not in (LeafKind.TEXT, LeafKind.ADMINISTRATIVE)


def _definition(node: Node) -> dict[str, Value]:
    """definitionByTypeAndValue of a leaf, definitionByCombination of anything else."""
    if isinstance(node, Leaf):
        return _of_leaf(node)
    if isinstance(node, Not):
        return {"definitionByCombination": {"code": "all-of", "characteristic": [_part(node)]}}
    if isinstance(node, If):
        parts = [_part(Not(node.condition)), _part(node.then)]
        return {"definitionByCombination": {"code": "any-of", "characteristic": parts}}
    parts = [_part(child) for child in node.children]
    if not parts:
        return {"definitionExpression": {"language": "text/fhirpath", "expression": expression(node)}}
    if isinstance(node, AtLeast):
        combined = {"code": "at-least", "threshold": node.count, "characteristic": parts}
        return {"definitionByCombination": combined}
    code = "any-of" if isinstance(node, Any) else "all-of"
    assert isinstance(node, (Any, All))
    return {"definitionByCombination": {"code": code, "characteristic": parts}}


def _part(node: Node) -> dict[str, Value]:
    if isinstance(node, Not):
        return {"exclude": True, **_definition(node.child)}
    return {"exclude": False, **_definition(node)}


def _of_leaf(leaf: Leaf) -> dict[str, Value]:
    if not _is_asked(leaf):
        return {"definitionCodeableConcept": {"text": "as described"}}
    if leaf.window is None and any(b and b.times_of for b in (leaf.low, leaf.high)) and is_known(leaf):
        return {"definitionExpression": {"language": "text/fhirpath", "expression": expression(leaf)}}
    plain = characteristic(leaf)
    kind = plain["code"] or {"text": leaf.kind.value}
    value = {k: v for k, v in plain.items() if k.startswith("value")}
    return {"definitionByTypeAndValue": {"type": kind, **value}, **_time(leaf.window)}


def _time(window: Window | None) -> dict[str, Value]:
    """durationQuantity, or timeFromEvent with negative numbers before the event."""
    if window is None or (window.within is None and window.at_least is None):
        return {}
    if window.direction == "lasting" and window.at_least:
        return {"durationRange": {"low": _without_comparator(duration(window.at_least))}}
    sign = 1 if window.direction in ("after", "during") else -1
    ends: dict[str, Value] = {}
    for name, quantity in (("low", window.within), ("high", window.at_least)):
        if quantity:
            size = duration(quantity)
            ends["high" if sign > 0 and name == "low" else name] = {**size, "value": sign * size["value"]}
    return {"timeFromEvent": [{"description": window.anchor or "enrolment", "range": ends}]}


def _without_comparator(quantity: dict[str, Value]) -> dict[str, Value]:
    return {k: v for k, v in quantity.items() if k != "comparator"}
