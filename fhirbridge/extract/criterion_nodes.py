"""Trees of a criterion joined and looked at: all of, any of, the leaves and their kinds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fhirbridge.extract.criterion_records import MEASURES
from fhirbridge.records import All, Any, If, Leaf, LeafKind, Node, Not, Span, Window

__all__ = [
    "EVENTS",
    "all_of",
    "any_of",
    "is_numbered",
    "is_understood",
    "kinds_of",
    "leaves_of",
    "only",
    "replaced",
    "respanned",
    "text_leaf",
    "within",
]

EVENTS = frozenset(
    {
        LeafKind.DIAGNOSIS,
        LeafKind.SYMPTOM,
        LeafKind.PROCEDURE,
        LeafKind.THERAPY,
        LeafKind.MEDICATION,
        LeafKind.INFECTION,
        LeafKind.TRIAL_PARTICIPATION,
        LeafKind.LINE,
        LeafKind.ALCOHOL,
        LeafKind.SMOKING,
        LeafKind.METASTASIS,
    }
)


def all_of(nodes: list[Node]) -> Node:
    """Every one of `nodes`, nested Alls flattened."""
    if len(nodes) == 1:
        return nodes[0]
    flat: list[Node] = []
    for n in nodes:
        flat += n.children if isinstance(n, All) else (n,)
    kept = list(dict.fromkeys(flat))
    return kept[0] if len(kept) == 1 else All(tuple(kept))


def any_of(nodes: list[Node]) -> Node:
    """At least one of `nodes`, nested Anys flattened."""
    if len(nodes) == 1:
        return nodes[0]
    flat: list[Node] = []
    for n in nodes:
        flat += n.children if isinstance(n, Any) else (n,)
    kept = list(dict.fromkeys(flat))
    return kept[0] if len(kept) == 1 else Any(tuple(kept))


def respanned(leaf: Leaf, span: Span) -> Leaf:
    """The leaf at another place (dataclasses.replace takes four times as long)."""
    kept = leaf.low, leaf.high, leaf.window, leaf.count_low, leaf.count_high, leaf.qualifiers
    return Leaf(leaf.kind, span, leaf.concepts, leaf.values, *kept)


def text_leaf(start: int, end: int) -> Leaf:
    """What was not understood."""
    return Leaf(LeafKind.TEXT, Span(start, max(0, end - start)))


def leaves_of(node: Node) -> list[Leaf]:
    if isinstance(node, Leaf):
        return [node]
    if isinstance(node, Not):
        return leaves_of(node.child)
    if isinstance(node, If):
        return leaves_of(node.condition) + leaves_of(node.then)
    return [leaf for child in node.children for leaf in leaves_of(child)]


def kinds_of(node: Node) -> set[LeafKind]:
    """The kinds of a tree's leaves."""
    return {leaf.kind for leaf in leaves_of(node)}


def is_understood(node: Node) -> bool:
    """Whether any leaf asks something."""
    return bool(kinds_of(node) - {LeafKind.TEXT})


def only(node: Node, kind: LeafKind) -> bool:
    """Whether every leaf is of this kind."""
    return kinds_of(node) == {kind}


def is_numbered(node: Node) -> bool:
    """Whether a measure in it has a limit or a value."""
    return any(leaf.kind in MEASURES and (leaf.low or leaf.high or leaf.values) for leaf in leaves_of(node))


def replaced(node: Node, pairs: Mapping[Leaf, Node]) -> Node:
    """The tree with each leaf of `pairs` as what stands for it there; conditions stay."""
    if isinstance(node, Leaf):
        return pairs.get(node, node)
    if isinstance(node, All):
        return all_of([replaced(c, pairs) for c in node.children])
    if isinstance(node, Any):
        return any_of([replaced(c, pairs) for c in node.children])
    if isinstance(node, Not):
        return Not(replaced(node.child, pairs))
    if isinstance(node, If):
        return If(node.condition, replaced(node.then, pairs))
    return node


def within(node: Node, window: Window) -> Node:
    """The tree with the window at every event that has none of its own."""
    pairs: dict[Leaf, Node] = {
        leaf: replace(leaf, window=window) for leaf in leaves_of(node) if leaf.kind in EVENTS and leaf.window is None
    }
    return replaced(node, pairs) if pairs else node
