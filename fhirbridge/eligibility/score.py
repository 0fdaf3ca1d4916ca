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
    """For every study: its status, the score and its parts (each 0 to 1)."""

    status: NDArray[np.int8]
    score: NDArray[np.float64]
    eligibility: NDArray[np.float64]
    relevance: NDArray[np.float64]
    confirmed: NDArray[np.float64]
    near: NDArray[np.float64]


def scores(compiled: CompiledStudies, found: Columns) -> Scores:
    """Status and score of every study."""
    tables = _tables(compiled)
    violated, open_ones, met, asked, broken = _counted(compiled, tables, found.criteria)
    status = np.where(violated > 0, EXCLUDED, np.where(open_ones > 0, UNDETERMINED, ELIGIBLE)).astype(np.int8)
    confirmed = met / np.maximum(asked, 1)
    odds = relevance_of(compiled, query_of(found.chart))
    relevance = 1 / (1 + np.exp(-odds))
    near = _near(compiled, found.chart.patient.place)
    eligibility = np.choose(status, (np.ones_like(confirmed), 0.6 + 0.3 * confirmed, 0.25 / (1 + broken)))
    score = np.round(relevance * (0.25 + 0.70 * eligibility) + 0.05 * near * relevance, 4)
    return Scores(status, score, eligibility, relevance, confirmed, near)


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


@dataclass(frozen=True, slots=True)
class _Tables:
    study: NDArray[np.int32]  # of each deciding criterion or group
    members: NDArray[np.int32]  # criteria, group by group
    starts: NDArray[np.int32]
    exclude: NDArray[np.bool_]
    molecular: NDArray[np.bool_]  # an exclusion whose silence leaves the pair open


def _tables(compiled: CompiledStudies) -> _Tables:
    """Deciding criteria: clinical ones, alternatives joined to one."""
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
    order = np.argsort(unit, kind="stable")
    members = deciding[order].astype(np.int32)
    _, starts = np.unique(unit[order], return_index=True)
    firsts = members[starts] if len(starts) else members
    return _Tables(
        study_of[firsts],
        members,
        starts.astype(np.int32),
        arrays["exclude"][firsts].astype(bool),
        arrays["molecular"][firsts].astype(bool),
    )


def _counted(
    compiled: CompiledStudies, tables: _Tables, criteria: NDArray[np.int8]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Per study: violations, open deciding criteria, inclusions met, inclusions asked, violations beyond the first."""
    count = len(compiled.studies)
    if not len(tables.members):
        none = np.zeros(count, dtype=np.int64)
        return none, np.ones(count, dtype=np.int64), none, none, none
    values = np.maximum.reduceat(criteria[tables.members], tables.starts)
    include, study = ~tables.exclude, tables.study
    violated = np.bincount(study[(include & (values == 0)) | (tables.exclude & (values == 2))], minlength=count)
    still_open = (include & (values == 1)) | (tables.molecular & (values == 1))
    open_ones = np.bincount(study[still_open], minlength=count)
    asked = np.bincount(study[include], minlength=count)
    met = np.bincount(study[include & (values == 2)], minlength=count)
    open_ones = np.where(asked == 0, np.maximum(open_ones, 1), open_ones)  # nothing asked is no yes
    return violated, open_ones, met, asked, np.maximum(violated - 1, 0)
