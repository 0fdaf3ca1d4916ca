"""All questions about measured values at once: for each measure the limits as arrays, compared with the latest result.

What `judge_measure` says of one question, said of all that ask for the same measure. Numbers are compared as floats; a
result that lies on a limit, or that is no plain number, is left to be judged exactly, one question at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fhirbridge.eligibility import formulas, judge_measure
from fhirbridge.eligibility.chart import Chart
from fhirbridge.eligibility.measures import Measure, in_unit, measures
from fhirbridge.eligibility.questions import Question
from fhirbridge.records import Bound, Item, LeafKind, Quantity, Window

__all__ = ["Results"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Values = NDArray[np.int8]
_KINDS = (LeafKind.LABORATORY, LeafKind.VITAL_SIGN, LeafKind.SCORE, LeafKind.BODY_MEASURE)
_NEAR = 1e-9  # relative; nearer than this two numbers are compared as decimals
_PLAIN, _UPPER, _LOWER, _ELSE = range(
    4
)  # a limit is a value, a multiple of the result's own limits, or of something else
_TIMES = {"": _PLAIN, "ULN": _UPPER, "LLN": _LOWER}


@dataclass(frozen=True, slots=True)
class _Side:
    """One end of the ranges that questions ask for: NaN where it cannot be compared; `asked` where there is one."""

    limit: Floats
    times: Values
    inclusive: NDArray[np.bool_]
    asked: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Asked:
    """All questions about one measure."""

    measure: Measure
    numbers: Ints
    low: _Side
    high: _Side
    window: Ints


class Results:
    """The questions about numbers of one measure; the rest are judged one by one."""

    def __init__(self, questions: Sequence[Question]) -> None:
        by_measure: dict[str, list[int]] = {}
        for number, question in enumerate(questions):
            if self.takes(question):
                by_measure.setdefault(question.measure, []).append(number)
        self._windows: dict[Window, int] = {}
        self._asked = {key: self._of(measures()[key], numbers, questions) for key, numbers in by_measure.items()}
        self._starts = lru_cache(maxsize=8)(self._started)

    @staticmethod
    def takes(question: Question) -> bool:
        """Whether a question asks for a number of a measure that is one number."""
        known = question.kind in _KINDS and question.measure in measures()
        return known and bool(question.low or question.high) and not judge_measure.is_special(question.measure)

    def _of(self, measure: Measure, numbers: list[int], questions: Sequence[Question]) -> _Asked:
        asked = [questions[n] for n in numbers]
        windows = np.array([self._window(q) for q in asked], dtype=np.int32)
        low, high = _side([q.low for q in asked], measure), _side([q.high for q in asked], measure)
        return _Asked(measure, np.array(numbers, dtype=np.int32), low, high, windows)

    def _window(self, question: Question) -> int:
        if question.window is None or not judge_measure.is_recent_asked(question):
            return -1
        return self._windows.setdefault(question.window, len(self._windows))

    def _started(self, day: date) -> NDArray[np.int64]:
        """The first day of each window, and a day before all others for no window, which stands last."""
        days = [judge_measure.recent_since(w, day).toordinal() for w in self._windows]
        return np.array([*days, -1], dtype=np.int64)

    def answer(self, chart: Chart, values: Values) -> Ints:
        """Write the answers for one chart into `values`; the questions left, to be judged one by one."""
        left: list[Ints] = []
        for key, asked in self._asked.items():
            if chart.measured.get(key) or formulas.can_compute(key):
                left.append(self._answer(asked, chart, values))
        return np.concatenate(left) if left else np.zeros(0, dtype=np.int32)

    def _answer(self, asked: _Asked, chart: Chart, values: Values) -> Ints:
        results = chart.measured.get(asked.measure.key, [])
        recent = np.zeros(len(asked.numbers), dtype=bool)
        exact = recent.copy()
        if results:
            newest = results[0].start
            if newest is None:
                recent[:] = True
            else:
                recent = newest.latest.toordinal() >= self._starts(chart.as_of)[asked.window]
                if any(i.start is None for i in results):
                    exact = ~recent  # what is older than asked for may give way to what has no date
            same_day = [i for i in results if i.start == newest] if newest else results[:1]
            answers, doubt = _compared(asked, same_day)
            chosen = asked.numbers[recent]
            values[chosen] = answers[recent]
            exact |= recent & doubt
        old = ~recent & ~exact
        if old.any() and (made := formulas.computed(asked.measure.key, chart)) is not None:
            answers, doubt = _within(asked, float(made[0]), float(made[1]))
            values[asked.numbers[old]] = answers[old]
            exact |= old & doubt
        left: Ints = asked.numbers[exact]
        return left


def _side(bounds: list[Bound | None], measure: Measure) -> _Side:
    limits, times = [], []
    for bound in bounds:
        limit = None if bound is None else bound.quantity.value
        if bound is not None and not bound.times_of:
            limit = in_unit(measure, bound.quantity, asked=True)
        limits.append(np.nan if limit is None else float(limit))
        times.append(_PLAIN if bound is None else _TIMES.get(bound.times_of, _ELSE))
    inclusive = [bound is None or bound.inclusive for bound in bounds]
    asked = [bound is not None for bound in bounds]
    return _Side(np.array(limits), np.array(times, dtype=np.int8), np.array(inclusive), np.array(asked))


def _compared(asked: _Asked, items: list[Item]) -> tuple[Values, NDArray[np.bool_]]:
    """The answers of results of one day, which must agree, and where they are in doubt."""
    answers: Values | None = None
    doubt = np.zeros(len(asked.numbers), dtype=bool)
    for item in items:
        if item.quantity is None or item.quantity.comparator:
            return np.ones(len(asked.numbers), dtype=np.int8), np.ones(len(asked.numbers), dtype=bool)
        found, unsure = _one(asked, item, item.quantity)
        doubt |= unsure
        answers = found if answers is None else np.where(answers == found, found, 1).astype(np.int8)
    assert answers is not None
    return answers, doubt


def _one(asked: _Asked, item: Item, quantity: Quantity) -> tuple[Values, NDArray[np.bool_]]:
    here = in_unit(asked.measure, quantity)
    value = np.nan if here is None else float(here)
    upper, lower = (_own_limit(asked.measure, here, limit) for limit in (item.high, item.low))
    doubt = np.zeros(len(asked.numbers), dtype=bool)
    wrong, open_ones = doubt.copy(), doubt.copy()
    for side, is_low in ((asked.low, True), (asked.high, False)):
        factor = np.array([1.0, upper, lower, np.nan])[side.times]
        limit = side.limit * factor
        holds, unsure = _holds(value, limit, side.inclusive, is_low)
        if here is None:
            unsure |= side.times != _PLAIN  # compared as printed, where both have one unit
        known = ~np.isnan(limit) & (here is not None)
        wrong |= side.asked & known & ~holds
        open_ones |= side.asked & ~known
        doubt |= side.asked & unsure
    return np.where(wrong, 0, np.where(open_ones, 1, 2)).astype(np.int8), doubt


def _own_limit(measure: Measure, here: object, limit: Quantity | None) -> float:
    """A limit of the result's own reference range in the measure's unit, NaN where there is none to compare with."""
    if limit is None:
        return np.nan
    found = in_unit(measure, limit)
    if here is None or found is None:
        return np.inf  # to be compared as printed: never near, marked below
    return float(found)


def _holds(
    value: float, limit: Floats, inclusive: NDArray[np.bool_], is_low: bool
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether a value lies on the right side of limits, and where it is too near to say."""
    with np.errstate(invalid="ignore"):
        beyond = value > limit if is_low else value < limit
        near = np.abs(value - limit) <= _NEAR * np.maximum(np.abs(limit), abs(value))
        equal = (value == limit) & inclusive
    return beyond | equal, near | np.isinf(limit)


def _within(asked: _Asked, least: float, most: float) -> tuple[Values, NDArray[np.bool_]]:
    """The answers of a computed value that lies between two numbers."""
    doubt = np.zeros(len(asked.numbers), dtype=bool)
    wrong, open_ones = doubt.copy(), doubt.copy()
    for side, is_low in ((asked.low, True), (asked.high, False)):
        limit = np.where(side.times == _PLAIN, side.limit, np.nan)
        ends = [_holds(value, limit, side.inclusive, is_low) for value in (least, most)]
        held, missed = ends[0][0] & ends[1][0], ~ends[0][0] & ~ends[1][0]
        known = ~np.isnan(limit)
        wrong |= side.asked & known & missed
        open_ones |= side.asked & ~(known & (held | missed))
        doubt |= side.asked & (ends[0][1] | ends[1][1])
    return np.where(wrong, 0, np.where(open_ones, 1, 2)).astype(np.int8), doubt
