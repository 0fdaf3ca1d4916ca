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

_UNITS = ("a", "mo", "d")
_IN_DAYS = {"d": 1, "wk": 7}


class Ages:
    """The age questions of compiled studies whose limits are whole numbers; the others are judged one by one."""

    def __init__(self, questions: Sequence[Question]) -> None:
        taken = [(n, q) for n, q in enumerate(questions) if self.takes(q)]
        self.numbers = np.array([n for n, _ in taken], dtype=np.int32)
        self.low, self.low_unit = _limits([q.low for _, q in taken], -1, low=True)
        self.high, self.high_unit = _limits([q.high for _, q in taken], 10**9, low=False)
        calendar = [q.low is not None and not q.low.inclusive and unit_of_age(q.low) not in _IN_DAYS for _, q in taken]
        self.by_birthday = np.array(calendar, dtype=bool)  # "> 18 years" holds from the day after the birthday

    @staticmethod
    def takes(question: Question) -> bool:
        """Whether a question is about age, with whole limits."""
        bounds = [b for b in (question.low, question.high) if b is not None]
        return question.kind is LeafKind.AGE and bool(bounds) and all(_whole(b) for b in bounds)

    def answer(self, chart: Chart, values: NDArray[np.int8]) -> NDArray[np.int32]:
        """Write the answers for one chart into `values` (2 met, 1 unknown, 0 not met); the questions left open."""
        spans = [chart.age_in(unit) for unit in _UNITS]
        if not len(self.numbers) or any(span is None for span in spans):
            return self.numbers[:0]
        least = np.array([int(span[0]) for span in spans if span], dtype=np.int64)
        most = np.array([int(span[1]) for span in spans if span], dtype=np.int64)
        sure = (least[self.low_unit] >= self.low) & (most[self.high_unit] <= self.high)
        barred = (most[self.low_unit] < self.low) | (least[self.high_unit] > self.high)
        values[self.numbers] = np.where(barred, 0, np.where(sure, 2, 1))
        birthday = (least[self.low_unit] == self.low - 1) | (most[self.low_unit] == self.low - 1)
        left: NDArray[np.int32] = self.numbers[birthday & self.by_birthday]
        return left


def _whole(bound: Bound) -> bool:
    unit = unit_of_age(bound)
    return bound.quantity.value == int(bound.quantity.value) and (unit in _UNITS or unit in _IN_DAYS)


def _limits(bounds: list[Bound | None], none: int, *, low: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Values and unit numbers; age is counted in whole units, so "< 65" is "<= 64" and "> 18" is ">= 19"."""
    values, units = [], []
    for bound in bounds:
        unit = "a" if bound is None else unit_of_age(bound)
        strict = 0 if bound is None or bound.inclusive else 1 if low else -1
        values.append(none if bound is None else int(bound.quantity.value) * _IN_DAYS.get(unit, 1) + strict)
        units.append(_UNITS.index("d" if unit in _IN_DAYS else unit))
    return np.array(values, dtype=np.int64), np.array(units, dtype=np.int64)
