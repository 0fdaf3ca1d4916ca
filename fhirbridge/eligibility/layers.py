"""The trees of all criteria joined to answers, layer by layer: for a patient only what differs from an empty chart."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhirbridge.eligibility.compiled import CompiledStudies, Layer

__all__ = ["Trees", "joined", "places_of", "rows_of"]

Ints = NDArray[np.int32]
Values = NDArray[np.int8]


class Trees:
    """All nodes of compiled studies: which stand above which, and the layers in which they are worked out."""

    def __init__(self, compiled: CompiledStudies) -> None:
        self.layers = compiled.layers
        self.count = int(compiled.arrays["node_count"][0])
        self.leaves = compiled.arrays["question_node"]
        self.lengths = [np.diff(layer.starts, append=len(layer.parts)) for layer in self.layers]
        none = [np.zeros(0, dtype=np.int32)]
        below = np.concatenate([*none, *(layer.parts for layer in self.layers)])
        pairs = zip(self.layers, self.lengths, strict=True)
        above = np.concatenate([*none, *(np.repeat(layer.nodes, own) for layer, own in pairs)])
        order = np.argsort(below, kind="stable")
        self.above = above[order]
        self.first_above = np.searchsorted(below[order], np.arange(self.count + 1))

    def all_nodes(self, answers: Values) -> Values:
        """The value of every node, from the answers to all questions."""
        nodes = np.ones(self.count, dtype=np.int8)
        nodes[self.leaves] = answers
        for layer in self.layers:
            nodes[layer.nodes] = joined(layer, nodes)
        return nodes

    def changed_nodes(self, before: Values, answers: Values) -> Values:
        """The same, from what they were with other answers: only what stands above a changed one is worked out."""
        nodes = before.copy()
        touched = np.zeros(self.count, dtype=bool)
        changed = self.leaves[nodes[self.leaves] != answers]
        nodes[self.leaves] = answers
        for layer, lengths in zip(self.layers, self.lengths, strict=True):
            touched[self._above(changed)] = True
            rows = np.flatnonzero(touched[layer.nodes])
            if not len(rows):
                changed = changed[:0]
                continue
            part = rows_of(layer, rows, lengths[rows])
            found = joined(part, nodes)
            changed = part.nodes[found != nodes[part.nodes]]
            nodes[part.nodes] = found
        return nodes

    def _above(self, nodes: Ints) -> Ints:
        first = self.first_above[nodes]
        found: Ints = self.above[places_of(first, self.first_above[nodes + 1] - first)]
        return found


def rows_of(layer: Layer, rows: NDArray[np.intp], lengths: Any) -> Layer:
    """Some rows of a layer as a layer."""
    starts = np.zeros(len(rows), dtype=np.int32)
    np.cumsum(lengths[:-1], out=starts[1:])
    parts = layer.parts[places_of(layer.starts[rows], lengths)]
    return Layer(layer.op, layer.nodes[rows], parts, starts, layer.counts[rows])


def places_of(starts: Any, lengths: Any) -> Any:
    """The places in an array of spans with these starts and lengths, one after the other."""
    ends = np.cumsum(lengths)
    return np.repeat(starts - ends + lengths, lengths) + np.arange(ends[-1] if len(ends) else 0)


def joined(layer: Layer, nodes: Values) -> Values:
    """The values of a layer's nodes from those of their parts (Kleene)."""
    parts = nodes[layer.parts]
    if layer.op == "not":
        return (2 - parts).astype(np.int8)
    if layer.op == "all":
        return np.minimum.reduceat(parts, layer.starts)
    if layer.op == "any":
        return np.maximum.reduceat(parts, layer.starts)
    if layer.op == "if":
        condition, then = parts[0::2], parts[1::2]
        otherwise = layer.counts.astype(np.int8)
        open_value = np.where(then == otherwise, then, 1)
        return np.where(condition == 2, then, np.where(condition == 0, otherwise, open_value)).astype(np.int8)
    held = np.add.reduceat((parts == 2).astype(np.int32), layer.starts)
    could = np.add.reduceat((parts > 0).astype(np.int32), layer.starts)
    return np.where(held >= layer.counts, 2, np.where(could >= layer.counts, 1, 0)).astype(np.int8)
