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
    counts = _counted(compiled, tables, found.criteria)
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


@dataclass(frozen=True, slots=True)
class _Tables:
    study: NDArray[np.int32]  # of each deciding criterion or group
    members: NDArray[np.int32]  # criteria, group by group
    starts: NDArray[np.int32]
    exclude: NDArray[np.bool_]
    molecular: NDArray[np.bool_]  # an exclusion whose silence leaves the pair open
    personal: NDArray[np.bool_]  # age and sex alone


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
        arrays["personal"][firsts].astype(bool),
    )


@dataclass(frozen=True, slots=True)
class _Counts:
    """Per study: criteria violated, those of age and sex among them, open deciding ones, inclusions met and asked."""

    against: NDArray[np.int64]
    personal: NDArray[np.int64]
    open: NDArray[np.int64]
    met: NDArray[np.int64]
    asked: NDArray[np.int64]


def _counted(compiled: CompiledStudies, tables: _Tables, criteria: NDArray[np.int8]) -> _Counts:
    count = len(compiled.studies)
    if not len(tables.members):
        none = np.zeros(count, dtype=np.int64)
        return _Counts(none, none, np.ones(count, dtype=np.int64), none, none)
    values = np.maximum.reduceat(criteria[tables.members], tables.starts)
    include, study = ~tables.exclude, tables.study
    wrong = (include & (values == 0)) | (tables.exclude & (values == 2))
    still_open = (include | tables.molecular) & (values == 1)

    def counted(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(study[mask], minlength=count)

    asked = counted(include)
    open_ones = np.where(asked == 0, np.maximum(counted(still_open), 1), counted(still_open))  # nothing asked is no yes
    return _Counts(counted(wrong), counted(wrong & tables.personal), open_ones, counted(include & (values == 2)), asked)
