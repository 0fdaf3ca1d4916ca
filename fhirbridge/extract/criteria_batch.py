"""The criteria of many trials, found by as many processes as there are processors."""

from __future__ import annotations

import itertools
import multiprocessing
import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from fhirbridge.extract import criteria
from fhirbridge.records import Criterion, LeftOut, Trial

if TYPE_CHECKING:
    from fhirbridge.terminology.lexicon import Lexicon

Found = tuple[Trial, tuple[Criterion, ...]] | LeftOut
_FEW, _CHUNK = 200, 40  # below so many trials a second process costs more than it saves
_LEXICON: Lexicon | None = None  # what forked processes see without copying


def find_all(trials: Iterable[Trial | LeftOut], lexicon: Lexicon, workers: int | None = None) -> Iterator[Found]:
    """Each trial with its criteria, in the order given; what could not be read passes through."""
    global _LEXICON
    source = iter(trials)
    first = list(itertools.islice(source, _FEW))
    processes = workers or os.cpu_count() or 1
    if len(first) < _FEW or processes < 2 or "fork" not in multiprocessing.get_all_start_methods():
        for one in itertools.chain(first, source):
            yield _found(one, lexicon)
        return
    _LEXICON = lexicon
    if isinstance(first[0], Trial):
        criteria.find(first[0], lexicon)  # tables are read once, before the processes part
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        for chunk in pool.imap(_chunk, _chunks(itertools.chain(first, source))):
            yield from chunk


def _found(one: Trial | LeftOut, lexicon: Lexicon) -> Found:
    return one if isinstance(one, LeftOut) else (one, criteria.find(one, lexicon))


def _chunks(trials: Iterable[Trial | LeftOut]) -> Iterator[list[Trial | LeftOut]]:
    source = iter(trials)
    while chunk := list(itertools.islice(source, _CHUNK)):
        yield chunk


def _chunk(trials: list[Trial | LeftOut]) -> list[Found]:
    assert _LEXICON is not None
    return [_found(one, _LEXICON) for one in trials]
