"""All questions about age at once: bounds as arrays, answered by a few comparisons a patient."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fhirbridge.eligibility.chart import Chart
from fhirbridge.eligibility.judge_person import unit_of_age
from fhirbridge.eligibility.questions import Question
from fhirbridge.records import Bound, LeafKind

__all__ = ["Ages"]

_UNITS = ("a", "mo", "d")  # parts of weeks count, so weeks are judged one by one


class Ages:
    """The age questions of compiled studies whose bounds are whole numbers; the others are judged one by one."""

    def __init__(self, questions: Sequence[Question]) -> None:
        taken = [(n, q) for n, q in enumerate(questions) if q.kind is LeafKind.AGE and self.takes(q)]
        self.numbers = np.array([n for n, _ in taken], dtype=np.int32)
        self.low, self.low_unit = _bounds([q.low for _, q in taken], -1)
        self.high, self.high_unit = _bounds([q.high for _, q in taken], 10**9)

    @staticmethod
    def takes(question: Question) -> bool:
        """Whether a question's bounds are whole and inclusive below; a strict upper bound is one less."""
        low, high = question.low, question.high
        if low is None and high is None:
            return False
        return (low is None or (low.inclusive and _whole(low))) and (high is None or _whole(high))

    def answer(self, chart: Chart, values: NDArray[np.int8]) -> None:
        """Write the answers for one chart into `values`: 2 met, 1 unknown, 0 not met."""
        spans = [chart.age_in(unit) for unit in _UNITS]
        if not len(self.numbers) or any(span is None for span in spans):
            return
        least = np.array([int(span[0]) for span in spans if span], dtype=np.int64)
        most = np.array([int(span[1]) for span in spans if span], dtype=np.int64)
        sure = (least[self.low_unit] >= self.low) & (most[self.high_unit] <= self.high)
        barred = (most[self.low_unit] < self.low) | (least[self.high_unit] > self.high)
        values[self.numbers] = np.where(barred, 0, np.where(sure, 2, 1))


def _whole(bound: Bound) -> bool:
    return bound.quantity.value == int(bound.quantity.value) and unit_of_age(bound) in _UNITS


def _bounds(bounds: list[Bound | None], none: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Values and unit numbers; age is counted in whole units, so "< 65" is "<= 64"."""
    values = [none if b is None else int(b.quantity.value) - (0 if b.inclusive else 1) for b in bounds]
    units = [0 if b is None else _UNITS.index(unit_of_age(b)) for b in bounds]
    return np.array(values, dtype=np.int64), np.array(units, dtype=np.int64)
