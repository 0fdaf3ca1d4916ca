"""One thing ahead: while the caller works on one, the next is made in a thread."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")


def one_ahead(things: Iterable[_T]) -> Iterator[_T]:
    """The things in order, the next one made while the caller has the one before. Errors come where they belong."""
    stream = iter(things)
    with ThreadPoolExecutor(1, "one-ahead") as thread:
        coming: Future[list[_T]] = thread.submit(_next, stream)
        while got := coming.result():
            coming = thread.submit(_next, stream)
            yield got[0]


def _next(stream: Iterator[_T]) -> list[_T]:
    return list(itertools.islice(stream, 1))
