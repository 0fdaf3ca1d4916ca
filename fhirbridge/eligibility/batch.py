"""Patients against compiled studies: one pure function a patient, in one process or many, always in the same order."""

from __future__ import annotations

import itertools
import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from fhirbridge.eligibility import policy as policies
from fhirbridge.eligibility.chart import Chart
from fhirbridge.eligibility.columns import columns
from fhirbridge.eligibility.compiled import CompiledStudies
from fhirbridge.eligibility.explain import explained, row_of
from fhirbridge.eligibility.matches import Matches
from fhirbridge.eligibility.policy import Policy
from fhirbridge.eligibility.score import scores
from fhirbridge.errors import ConfigurationError
from fhirbridge.records import LeftOut, Patient

__all__ = ["Settings", "each", "judged", "match"]


@dataclass(frozen=True)
class Settings:
    """How to judge: as of which day, how many studies to list, reasons for "all", the "top" or "none"."""

    as_of: date
    top: int | None = None
    explain: str = "all"
    policy: Policy = field(default_factory=policies.load)

    @classmethod
    def of(cls, as_of: date | None, top: int | None, explain: str, policy: Any) -> Settings:
        """Settings with today and the shipped policy where nothing is given; ConfigurationError for a wrong word."""
        if explain not in ("all", "top", "none"):
            raise ConfigurationError(f"explain: '{explain}' is none of all, top, none")
        return cls(as_of or date.today(), top, explain, policies.load(policy))


def judged(patient: Patient, compiled: CompiledStudies, settings: Settings) -> dict[str, Any]:
    """One patient's row as the contract lays it out: studies ranked, judged, with reasons and what is missing."""
    chart = Chart(patient, settings.as_of, settings.policy)
    found = columns(compiled, chart)
    result = scores(compiled, found)
    order = np.lexsort((_places(compiled), -result.score, result.status))
    if settings.top is not None:
        order = order[: settings.top]
    limit = len(order) if settings.explain == "all" else min(len(order), settings.top or 20)
    reasons = 0 if settings.explain == "none" else limit
    listed = [
        explained(compiled, chart, result, int(study), rank, with_reasons=rank <= reasons)
        for rank, study in enumerate(order, 1)
    ]
    return row_of(chart, listed)


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
    fhir: Any = None,
) -> Matches:
    """The matches of all patients, in the order given. With `read`, `people` are unread inputs, read where judged."""
    return Matches(
        lambda: _rows(people, compiled, settings, workers, read), compiled.left_out, settings.as_of, fhir=fhir
    )


_SHARED: tuple[CompiledStudies, Settings, Any] | None = None  # what forked workers see without copying


def each(
    people: Iterable[Any],
    compiled: CompiledStudies,
    settings: Settings,
    *,
    read: Callable[[Any], Iterable[Patient | LeftOut]] | None = None,
    workers: int = 1,
) -> Iterator[list[dict[str, Any] | LeftOut]]:
    """For each input in order, the rows of the patients in it (one, as a rule) or why there is none."""
    if workers <= 1:
        for one in people:
            yield list(_row(one, compiled, settings, read))
        return
    global _SHARED
    from fhirbridge.eligibility.columns import index_of

    index_of(compiled).silent(compiled, settings.policy, False)
    index_of(compiled).silent(compiled, settings.policy, True)
    _SHARED = (compiled, settings, read)
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        for lists in pool.imap(_chunk, _chunks(people, 8)):
            yield from lists


def _rows(
    people: Iterable[Any], compiled: CompiledStudies, settings: Settings, workers: int, read: Any
) -> Iterator[dict[str, Any] | LeftOut]:
    for rows in each(people, compiled, settings, read=read, workers=workers):
        yield from rows


def _chunks(people: Iterable[Any], size: int) -> Iterator[list[Any]]:
    source = iter(people)
    while chunk := list(itertools.islice(source, size)):
        yield chunk


def _chunk(people: list[Any]) -> list[list[dict[str, Any] | LeftOut]]:
    assert _SHARED is not None
    compiled, settings, read = _SHARED
    return [list(_row(one, compiled, settings, read)) for one in people]


def _row(one: Any, compiled: CompiledStudies, settings: Settings, read: Any) -> Iterator[dict[str, Any] | LeftOut]:
    for person in read(one) if read is not None and not isinstance(one, (LeftOut, Patient)) else (one,):
        yield person if isinstance(person, LeftOut) else judged(person, compiled, settings)
