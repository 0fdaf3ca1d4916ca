"""Some of compiled studies as compiled studies of their own, with the questions and trees that they need."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from fhirbridge.eligibility.compiled import CompiledStudies, Layer, Relevance, Texts
from fhirbridge.eligibility.layers import places_of, rows_of

__all__ = ["only"]

Ints = NDArray[np.int32]


def only(compiled: CompiledStudies, ids: Iterable[str]) -> CompiledStudies:
    """The studies of these registry ids, in the order compiled; ids that are not there are passed over."""
    wanted = set(ids)
    chosen = np.array([n for n, s in enumerate(compiled.studies) if s.id in wanted], dtype=np.int32)
    first = compiled.arrays["first"]
    lengths = np.diff(first)[chosen]
    criteria = places_of(first[chosen], lengths)
    needed = _needed(compiled, compiled.arrays["node"][criteria])
    renumbered = np.cumsum(needed, dtype=np.int32) - 1
    leaves = compiled.arrays["question_node"]
    questions = np.flatnonzero(needed[leaves])
    by_criterion = ("exclude", "administrative", "group", "personal", "molecular")
    arrays: dict[str, Ints] = {name: compiled.arrays[name][criteria] for name in by_criterion}
    arrays["first"] = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    arrays["node"] = renumbered[compiled.arrays["node"][criteria]]
    arrays["question_node"] = renumbered[leaves[questions]]
    arrays["node_count"] = np.array([int(needed.sum())], dtype=np.int32)
    layers = [_layer(layer, needed, renumbered) for layer in compiled.layers]
    return CompiledStudies(
        [compiled.studies[n] for n in chosen.tolist()],
        _texts(compiled.texts, criteria),
        [compiled.questions[n] for n in questions.tolist()],
        arrays,
        [layer for layer in layers if len(layer.nodes)],
        _relevance(compiled, chosen),
    )


def _needed(compiled: CompiledStudies, roots: Ints) -> NDArray[np.bool_]:
    """Which nodes the trees of these criteria are made of."""
    needed = np.zeros(int(compiled.arrays["node_count"][0]), dtype=bool)
    needed[roots] = True
    for layer in reversed(compiled.layers):
        rows = np.flatnonzero(needed[layer.nodes])
        lengths = np.diff(layer.starts, append=len(layer.parts))[rows]
        needed[layer.parts[places_of(layer.starts[rows], lengths)]] = True
    return needed


def _layer(layer: Layer, needed: NDArray[np.bool_], renumbered: Ints) -> Layer:
    rows = np.flatnonzero(needed[layer.nodes])
    kept = rows_of(layer, rows, np.diff(layer.starts, append=len(layer.parts))[rows])
    return Layer(kept.op, renumbered[kept.nodes], renumbered[kept.parts], kept.starts, kept.counts)


def _texts(texts: Texts, criteria: NDArray[np.intp]) -> Texts:
    pieces = [texts.blob[int(texts.offsets[n]) : int(texts.offsets[n + 1])] for n in criteria.tolist()]
    offsets = np.zeros(len(pieces) + 1, dtype=np.int64)
    np.cumsum([len(p) for p in pieces], out=offsets[1:])
    return Texts(b"".join(pieces), offsets, texts.flags[criteria])


def _relevance(compiled: CompiledStudies, chosen: Ints) -> Relevance:
    place = np.full(len(compiled.studies), -1, dtype=np.int32)
    place[chosen] = np.arange(len(chosen), dtype=np.int32)
    tables = {}
    for name, (terms, starts, studies, weights) in compiled.relevance.tables.items():
        kept = place[studies] >= 0
        before = np.concatenate(([0], np.cumsum(kept))).astype(np.int32)
        tables[name] = (terms, before[starts], place[studies[kept]], weights[kept])
    return Relevance(tables)
