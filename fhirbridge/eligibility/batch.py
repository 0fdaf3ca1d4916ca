"""Patients against compiled studies: one pure function a patient, in one process or many, always in the same order."""

from __future__ import annotations

import hashlib
import itertools
import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhirbridge import __version__
from fhirbridge.eligibility import policy as policies
from fhirbridge.eligibility.chart import Chart
from fhirbridge.eligibility.columns import columns
from fhirbridge.eligibility.compiled import CompiledStudies
from fhirbridge.eligibility.explain import explained, row_of
from fhirbridge.eligibility.matches import Matches
from fhirbridge.eligibility.policy import Policy
from fhirbridge.eligibility.score import Scores, scores
from fhirbridge.errors import ConfigurationError
from fhirbridge.records import LeftOut, Patient

__all__ = ["Settings", "each", "judged", "marked", "match", "ranked", "reasons_wanted"]


@dataclass(frozen=True)
class Settings:
    """How to judge: as of which day, how many studies to list, reasons for "all", the "top" or "none".

    `reserve`: how many more to name without reasons, for a run that goes on from this one.
    """

    as_of: date
    top: int | None = None
    explain: str = "all"
    policy: Policy = field(default_factory=policies.load)
    reserve: int = 0

    @property
    def fingerprint(self) -> str:
        """What changes when patients would be judged, cut or explained in another way."""
        told = repr((__version__, self.top, self.explain, self.policy, self.reserve))
        return hashlib.sha256(told.encode()).hexdigest()[:12]

    @classmethod
    def of(cls, as_of: date | None, top: int | None, explain: str, policy: Any, reserve: int = 0) -> Settings:
        """Settings with today and the shipped policy where nothing is given; ConfigurationError for a wrong word."""
        if explain not in ("all", "top", "none"):
            raise ConfigurationError(f"explain: '{explain}' is none of all, top, none")
        return cls(as_of or date.today(), top, explain, policies.load(policy), reserve)


def judged(patient: Patient, compiled: CompiledStudies, settings: Settings) -> dict[str, Any]:
    """One patient's row as the contract lays it out: studies ranked, judged, with reasons and what is missing."""
    chart = Chart(patient, settings.as_of, settings.policy)
    result, order = ranked(compiled, chart)
    top = len(order) if settings.top is None else min(settings.top, len(order))
    reasons = reasons_wanted(settings, top)
    listed = [
        explained(compiled, chart, result, int(study), rank, with_reasons=rank <= reasons)
        for rank, study in enumerate(order[: top + settings.reserve], 1)
    ]
    return marked(row_of(chart, listed[:top], listed[top:] if settings.reserve else None), compiled, settings)


def ranked(compiled: CompiledStudies, chart: Chart) -> tuple[Scores, NDArray[np.intp]]:
    """The scores of all studies for one chart, and their numbers in the order of rank."""
    result = scores(compiled, columns(compiled, chart))
    return result, np.lexsort((_places(compiled), -result.score, result.status))


def marked(row: dict[str, Any], compiled: CompiledStudies, settings: Settings) -> dict[str, Any]:
    """A row with what it was made with, for a run that goes on from it: the way of judging, and the trials."""
    return row | {"settings": settings.fingerprint, "studies": compiled.fingerprint}


def reasons_wanted(settings: Settings, listed: int) -> int:
    """For how many of the studies listed reasons are made."""
    if settings.explain == "none":
        return 0
    return listed if settings.explain == "all" else min(listed, settings.top or 20)


def _places(compiled: CompiledStudies) -> Any:
    """The rank of each study's id, to break ties the same way whatever order they came in."""
    if "places" not in compiled.cache:
        ids = np.array([s.id for s in compiled.studies])
        places = np.empty(len(ids), dtype=np.int32)
        places[np.argsort(ids, kind="stable")] = np.arange(len(ids))
        compiled.cache["places"] = places
    return compiled.cache["places"]


def match(
    people: Iterable[Any],
    compiled: CompiledStudies,
    settings: Settings,
    *,
    read: Callable[[Any], Iterable[Patient | LeftOut]] | None = None,
    workers: int = 1,
    judge: Judge | None = None,
    fhir: Any = None,
) -> Matches:
    """The matches of all patients, in the order given. With `read`, `people` are unread inputs, read where judged."""

    def rows() -> Iterator[dict[str, Any] | LeftOut]:
        found = each(people, compiled, settings, read=read, workers=workers, judge=judge)
        return itertools.chain.from_iterable(found)

    return Matches(rows, compiled.left_out, settings.as_of, fhir=fhir)


Judge = Callable[[Any], dict[str, Any]]
_SHARED: tuple[Judge, Any] | None = None  # what forked workers see without copying


def each(
    people: Iterable[Any],
    compiled: CompiledStudies,
    settings: Settings,
    *,
    read: Callable[[Any], Iterable[Patient | LeftOut]] | None = None,
    workers: int = 1,
    judge: Judge | None = None,
) -> Iterator[list[dict[str, Any] | LeftOut]]:
    """For each input in order, the rows of the patients in it (one, as a rule) or why there is none.

    `judge` makes the row of a patient where not every study is to be judged anew.
    """
    make = judge or partial(judged, compiled=compiled, settings=settings)
    if workers <= 1:
        for one in people:
            yield list(_row(one, make, read))
        return
    global _SHARED
    from fhirbridge.eligibility.columns import index_of

    index_of(compiled).silent(compiled, settings.policy, False)
    _SHARED = (make, read)
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        for lists in pool.imap(_chunk, _chunks(people, 8)):
            yield from lists


def _chunks(people: Iterable[Any], size: int) -> Iterator[list[Any]]:
    source = iter(people)
    while chunk := list(itertools.islice(source, size)):
        yield chunk


def _chunk(people: list[Any]) -> list[list[dict[str, Any] | LeftOut]]:
    assert _SHARED is not None
    judge, read = _SHARED
    return [list(_row(one, judge, read)) for one in people]


def _row(one: Any, judge: Judge, read: Any) -> Iterator[dict[str, Any] | LeftOut]:
    for person in (one,) if read is None or isinstance(one, (LeftOut, Patient)) else read(one):
        yield person if isinstance(person, LeftOut) else judge(person)
