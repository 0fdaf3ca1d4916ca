"""Processes give their results in the order of the things."""

from __future__ import annotations

import time

import pytest

from fhirbridge import parallel


def _slow_when_even(number: int) -> int:
    if number % 2 == 0:
        time.sleep(0.002)
    return number * number


@pytest.mark.parametrize(("count", "workers"), [(0, 2), (5, 2), (200, 1), (200, 3)])
def test_results_come_in_order(count: int, workers: int) -> None:
    found = parallel.in_order(_slow_when_even, iter(range(count)), workers=workers)
    assert list(found) == [n * n for n in range(count)]


def test_things_are_taken_only_as_they_are_needed() -> None:
    taken: list[int] = []

    def things() -> object:
        for number in range(100_000):
            taken.append(number)
            yield number

    results = parallel.in_order(_slow_when_even, things(), workers=2)  # type: ignore[arg-type]
    assert next(results) == 0
    assert len(taken) <= 10 * parallel.BATCH
    results.close()  # type: ignore[attr-defined]
