"""Pair status and score of every study for one patient, all at once. `docs/matching.md` says why each part is there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fhirbridge.eligibility.columns import Columns
from fhirbridge.eligibility.compiled import CompiledStudies
from fhirbridge.eligibility.relevance import query_of, relevance_of

__all__ = ["ELIGIBLE", "EXCLUDED", "STATUS", "UNDETERMINED", "Scores", "scores"]

ELIGIBLE, UNDETERMINED, EXCLUDED = 0, 1, 2
STATUS = ("eligible", "undetermined", "excluded")


@dataclass(frozen=True, slots=True)
class Scores:
    """For every study: its status, the score and its parts (each 0 to 1), and how many criteria speak against it."""

    status: NDArray[np.int8]
    score: NDArray[np.float64]
    eligibility: NDArray[np.float64]
    relevance: NDArray[np.float64]
    confirmed: NDArray[np.float64]
    near: NDArray[np.float64]
    against: NDArray[np.int64]


# Log-odds that eligibility adds to relevance; fitted on TREC 2021 and SIGIR 2016 beside the weights of relevance.
_CONFIRMED, _ELIGIBLE, _AGAINST, _FURTHER, _EXCLUDED, _NEAR = 0.6, 0.5, -1.0, -0.25, -1.5, 0.3


def scores(compiled: CompiledStudies, found: Columns) -> Scores:
    """Status and score of every study.

    What a machine read in a told story speaks against a study but only age and sex exclude by it.
    """
    tables = _tables(compiled)
    counts = _counted(compiled, tables, found.nodes)
    narrative = found.chart.patient.narrative
    excluded = counts.personal > 0 if narrative else counts.against > 0
    open_ones = counts.open + (counts.against if narrative else 0)
    status = np.where(excluded, EXCLUDED, np.where(open_ones > 0, UNDETERMINED, ELIGIBLE)).astype(np.int8)
    confirmed = counts.met / np.maximum(counts.asked, 1)
    near = _near(compiled, found.chart.patient.place)
    odds = relevance_of(compiled, query_of(found.chart))
    weighed = (
        _CONFIRMED * confirmed
        + _ELIGIBLE * (status == ELIGIBLE)
        + _AGAINST * np.minimum(counts.against, 1)
        + _FURTHER * np.clip(counts.against - 1, 0, 4)
        + _EXCLUDED * (status == EXCLUDED)
    )
    score = np.round(_share(odds + weighed + _NEAR * near), 4)
    return Scores(status, score, _share(weighed), _share(odds), confirmed, near, counts.against)


def _share(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = 1 / (1 + np.exp(-odds))
    return found


def _near(compiled: CompiledStudies, place: tuple[str, ...]) -> NDArray[np.float64]:
    """1 in the same city, 0.5 in the same country, 0 elsewhere or where nothing is known."""
    key = f"near {place}"
    if key not in compiled.cache:
        names = [p.casefold() for p in place]
        values = np.zeros(len(compiled.studies))
        for number, study in enumerate(compiled.studies if names else ()):
            sites = " ".join(study.sites).casefold()
            if sites and names[0] in sites:
                values[number] = 1.0
            elif sites and names[-1] in sites.split(", "):
                values[number] = 0.5
        compiled.cache[key] = values
    cached: NDArray[np.float64] = compiled.cache[key]
    return cached


# Counts of a study as one number: criteria violated, those of age and sex of them, open deciding ones, inclusions met.
_FIELDS = (0, 13, 26, 39)
_MOST = (1 << 13) - 1


@dataclass(frozen=True, slots=True)
class _Tables:
    """Deciding criteria (clinical ones, alternatives joined to one), study by study."""

    nodes: NDArray[np.int32]  # the first criterion's node of each
    joined: NDArray[np.int32]  # those that are alternatives of several criteria
    members: NDArray[np.int32]  # nodes of these criteria, one group after the other
    starts: NDArray[np.int32]
    kinds: NDArray[np.int8]  # inclusion or exclusion, molecular, of age and sex alone, as a number
    studies: NDArray[np.int32]  # studies that have any
    firsts: NDArray[np.int32]  # where each of them begins
    asked: NDArray[np.int64]  # inclusions a study has
    added: NDArray[np.int64]  # what a criterion of a kind and value adds to the counts


def _tables(compiled: CompiledStudies) -> _Tables:
    if "tables" not in compiled.cache:
        compiled.cache["tables"] = _made(compiled)
    found: _Tables = compiled.cache["tables"]
    return found


def _made(compiled: CompiledStudies) -> _Tables:
    arrays = compiled.arrays
    study_of = np.repeat(np.arange(len(compiled.studies), dtype=np.int32), np.diff(arrays["first"]))
    deciding = np.flatnonzero(arrays["administrative"] == 0)
    group = arrays["group"][deciding].astype(np.int64)
    unit = np.where(group >= 0, group, group.max(initial=0) + 1 + np.arange(len(deciding)))
    _, first, place = np.unique(unit, return_index=True, return_inverse=True)
    by_study = np.argsort(study_of[deciding[first]], kind="stable")
    rank = np.empty(len(by_study), dtype=np.int64)
    rank[by_study] = np.arange(len(by_study))
    firsts = deciding[first[by_study]]  # a criterion that speaks for each unit, study by study
    units = rank[place]
    sizes = np.bincount(units, minlength=len(by_study))
    several = np.flatnonzero(sizes > 1)
    members = np.flatnonzero(sizes[units] > 1)
    members = members[np.argsort(units[members], kind="stable")]
    starts = np.zeros(len(several), dtype=np.int32)
    np.cumsum(sizes[several][:-1], out=starts[1:] if len(several) else starts)
    exclude, molecular, personal = (arrays[n][firsts].astype(np.int8) for n in ("exclude", "molecular", "personal"))
    studies, begin = np.unique(study_of[firsts], return_index=True)
    return _Tables(
        arrays["node"][firsts],
        several.astype(np.int32),
        arrays["node"][deciding[members]],
        starts,
        (exclude + 2 * molecular + 4 * personal).astype(np.int8),
        studies.astype(np.int32),
        begin.astype(np.int32),
        np.bincount(study_of[firsts[exclude == 0]], minlength=len(compiled.studies)),
        _added(),
    )


def _added() -> NDArray[np.int64]:
    """By kind and value (0 not met, 1 unknown, 2 met)."""
    table = np.zeros((8, 3), dtype=np.int64)
    for kind in range(8):
        exclude, molecular, personal = kind & 1, kind & 2, kind & 4
        table[kind, 2 if exclude else 0] += 1 + ((1 << _FIELDS[1]) if personal else 0)
        table[kind, 1] += 0 if exclude and not molecular else 1 << _FIELDS[2]
        table[kind, 2] += 0 if exclude else 1 << _FIELDS[3]
    return table.ravel()


@dataclass(frozen=True, slots=True)
class _Counts:
    """Per study: criteria violated, those of age and sex among them, open deciding ones, inclusions met and asked."""

    against: NDArray[np.int64]
    personal: NDArray[np.int64]
    open: NDArray[np.int64]
    met: NDArray[np.int64]
    asked: NDArray[np.int64]


def _counted(compiled: CompiledStudies, tables: _Tables, nodes: NDArray[np.int8]) -> _Counts:
    counts = np.zeros(len(compiled.studies), dtype=np.int64)
    if len(tables.nodes):
        values = nodes[tables.nodes]
        if len(tables.joined):
            values[tables.joined] = np.maximum.reduceat(nodes[tables.members], tables.starts)
        counts[tables.studies] = np.add.reduceat(tables.added[tables.kinds * np.int8(3) + values], tables.firsts)
    against, personal, still_open, met = ((counts >> field) & _MOST for field in _FIELDS)
    still_open = np.where(tables.asked == 0, np.maximum(still_open, 1), still_open)  # nothing asked is no yes
    return _Counts(against, personal, still_open, met, tables.asked)
