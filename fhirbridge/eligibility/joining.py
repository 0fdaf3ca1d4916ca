"""Two compiled sets of studies as one, so that only records that changed are read and understood again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhirbridge.eligibility.compiled import CompiledStudies, Layer, Relevance, Texts
from fhirbridge.eligibility.layers import places_of

__all__ = ["joined"]

Ints = NDArray[np.int32]


def joined(first: CompiledStudies, second: CompiledStudies) -> CompiledStudies:
    """The studies of the first, then those of the second; no study may be in both."""
    both = {s.id for s in first.studies} & {s.id for s in second.studies}
    if both:
        raise ValueError(f"{sorted(both)[0]} is in both sets")
    questions = {question: number for number, question in enumerate(first.questions)}
    places = [questions.setdefault(question, len(questions)) for question in second.questions]
    count = int(first.arrays["node_count"][0])
    renumbered = np.arange(count, count + int(second.arrays["node_count"][0]), dtype=np.int32)
    nodes = np.full(len(questions), -1, dtype=np.int32)
    nodes[: len(first.questions)] = first.arrays["question_node"]
    for place, node in zip(places, second.arrays["question_node"].tolist(), strict=True):
        if nodes[place] < 0:
            nodes[place] = renumbered[node]
        renumbered[node] = nodes[place]
    arrays = {
        name: np.concatenate((first.arrays[name], second.arrays[name]))
        for name in ("exclude", "administrative", "personal", "molecular")
    }
    group = second.arrays["group"]
    beyond = int(first.arrays["group"].max(initial=-1)) + 1
    arrays["group"] = np.concatenate((first.arrays["group"], np.where(group >= 0, group + beyond, -1)))
    arrays["first"] = np.concatenate((first.arrays["first"], second.arrays["first"][1:] + first.arrays["first"][-1]))
    arrays["node"] = np.concatenate((first.arrays["node"], renumbered[second.arrays["node"]]))
    arrays["question_node"] = nodes
    arrays["node_count"] = np.array([count + len(renumbered)], dtype=np.int32)
    layers = [*first.layers, *(_moved(layer, renumbered) for layer in second.layers)]
    return CompiledStudies(
        [*first.studies, *second.studies],
        _texts(first.texts, second.texts),
        list(questions),
        {name: array.astype(np.int32) for name, array in arrays.items()},
        _by_depth(layers, count + len(renumbered)),
        _relevance(first, second),
        (*first.left_out, *second.left_out),
    )


def _moved(layer: Layer, renumbered: Ints) -> Layer:
    return Layer(layer.op, renumbered[layer.nodes], renumbered[layer.parts], layer.starts, layer.counts)


def _by_depth(layers: list[Layer], count: int) -> list[Layer]:
    """The same nodes in as few layers as their depth and operators need."""
    depth = np.zeros(count, dtype=np.int32)
    rows: dict[tuple[int, str], list[Layer]] = {}
    for layer in layers:
        depths = 1 + np.maximum.reduceat(depth[layer.parts], layer.starts)
        depth[layer.nodes] = depths
        lengths = np.diff(layer.starts, append=len(layer.parts))
        for level in np.unique(depths).tolist():
            chosen = np.flatnonzero(depths == level)
            own = lengths[chosen]
            parts = layer.parts[places_of(layer.starts[chosen], own)]
            part = Layer(layer.op, layer.nodes[chosen], parts, own.astype(np.int32), layer.counts[chosen])
            rows.setdefault((level, layer.op), []).append(part)
    return [_one(op, parts) for (_, op), parts in sorted(rows.items(), key=lambda row: row[0])]


def _one(op: str, parts: list[Layer]) -> Layer:
    """Layers of one depth and operator as one; their `starts` hold lengths here."""
    lengths = np.concatenate([p.starts for p in parts])
    starts = (np.cumsum(lengths) - lengths).astype(np.int32)
    nodes, below, counts = (np.concatenate([getattr(p, n) for p in parts]) for n in ("nodes", "parts", "counts"))
    return Layer(op, nodes, below, starts, counts)


def _texts(first: Texts, second: Texts) -> Texts:
    offsets = np.concatenate((first.offsets, second.offsets[1:] + first.offsets[-1]))
    return Texts(first.blob + second.blob, offsets, np.concatenate((first.flags, second.flags)))


def _relevance(first: CompiledStudies, second: CompiledStudies) -> Relevance:
    tables = {}
    for name, one in first.relevance.tables.items():
        two = second.relevance.tables[name]
        terms = {term: place for place, term in enumerate(sorted({*one[0], *two[0]}))}
        columns = [_postings(one, terms, 0), _postings(two, terms, len(first.studies))]
        places, studies, weights = (np.concatenate(c) for c in zip(*columns, strict=True))
        order = np.argsort(places, kind="stable")
        starts = np.searchsorted(places[order], np.arange(len(terms) + 1)).astype(np.int32)
        tables[name] = (terms, starts, studies[order].astype(np.int32), weights[order])
    return Relevance(tables)


def _postings(
    table: tuple[dict[str, int], Ints, Ints, Any], terms: dict[str, int], offset: int
) -> tuple[Any, Any, Any]:
    """The postings of a table with the new numbers of terms and studies."""
    own, starts, studies, weights = table
    numbers = np.zeros(len(own), dtype=np.int64)
    numbers[list(own.values())] = [terms[term] for term in own]
    return np.repeat(numbers, np.diff(starts)), studies + offset, weights
