"""One function over many things in several processes, results in the order of the things, memory bounded."""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")
_R = TypeVar("_R")

BATCH = 24  # things a process is handed at once
_AHEAD = 3  # batches waiting for each process
_MOST = 8  # processes, when the caller does not say


def processes() -> int:
    """How many processes this machine has room for."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(_MOST, usable))


def in_order(
    function: Callable[[_T], _R], things: Iterable[_T], *, workers: int = 1, ready: Callable[[], object] | None = None
) -> Iterator[_R]:
    """function(thing) for each thing, in order. With one worker, or few things, in this process.

    `function` and the things must be picklable; `ready` is called once in each process before its first thing.
    """
    stream = iter(things)
    first = list(itertools.islice(stream, BATCH)) if workers > 1 else []
    if workers <= 1 or len(first) < BATCH:
        yield from map(function, itertools.chain(first, stream))
        return
    if ready is not None:
        ready()  # forked processes share what is loaded here
    yield from _pooled(function, itertools.chain(first, stream), workers, ready)


def _pooled(
    function: Callable[[_T], _R], things: Iterator[_T], workers: int, ready: Callable[[], object] | None
) -> Iterator[_R]:
    waiting: deque[Future[list[_R]]] = deque()
    with ProcessPoolExecutor(workers, initializer=ready) as pool:
        try:
            while batch := list(itertools.islice(things, BATCH)):
                waiting.append(pool.submit(_batch, function, batch))
                if len(waiting) >= workers * _AHEAD:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _batch(function: Callable[[_T], _R], things: list[_T]) -> list[_R]:
    return [function(thing) for thing in things]
