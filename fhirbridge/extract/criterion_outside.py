"""Bounds that no value can keep ("> 38 or < 36"): the two sides of a normal range, each a question of its own."""

from __future__ import annotations

from dataclasses import replace

from fhirbridge.extract.criterion_nodes import any_of
from fhirbridge.records import All, AtLeast, If, Leaf, LeafKind, Node, Not


def apart(node: Node) -> Node:
    """The tree with each leaf whose low end lies above its high end as "above the one or below the other".

    Two inclusive ends may as well be a range told backwards: which is meant is unknown, and the leaf becomes text.
    """
    if isinstance(node, Leaf):
        return _sides(node)
    if isinstance(node, Not):
        return Not(apart(node.child))
    if isinstance(node, If):
        return If(apart(node.condition), apart(node.then))
    children = tuple(apart(child) for child in node.children)
    if isinstance(node, AtLeast):
        return AtLeast(node.count, children)
    return All(children) if isinstance(node, All) else any_of(list(children))


def _sides(leaf: Leaf) -> Node:
    low, high = leaf.low, leaf.high
    if low is None or high is None or low.times_of != high.times_of or low.quantity.ucum != high.quantity.ucum:
        return leaf
    if low.quantity.value <= high.quantity.value:
        return leaf
    if low.inclusive and high.inclusive:
        return Leaf(LeafKind.TEXT, leaf.span)
    return any_of([replace(leaf, high=None), replace(leaf, low=None)])
