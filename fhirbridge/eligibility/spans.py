"""Many items against many windows at once: what `windows.in_window` says of one item and one window."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from fhirbridge.eligibility import windows
from fhirbridge.eligibility.chart import Chart, last_day
from fhirbridge.records import Item, Window

__all__ = ["DATELESS", "INSIDE", "OUTSIDE", "Windows", "days_of", "inside_of"]

Values = NDArray[np.int8]
OUTSIDE, INSIDE, DATELESS = range(3)


class Windows:
    """The distinct windows of questions as limits in days, worked out for a day of judgement."""

    def __init__(self) -> None:
        self._numbers: dict[Window, int] = {}
        self._limits: dict[date, tuple[Values, NDArray[np.int64]]] = {}

    def number(self, window: Window | None) -> int:
        """The number of a window, -1 for any time."""
        if window is None or windows.kind_of(window) == windows.ANY_TIME:
            return -1
        return self._numbers.setdefault(window, len(self._numbers))

    def limits(self, chart: Chart) -> tuple[Values, NDArray[np.int64]]:
        """For each window its kind and the day that decides, as an ordinal."""
        if chart.as_of not in self._limits:
            kinds = np.array([windows.kind_of(w) for w in self._numbers], dtype=np.int8)
            days = [windows.limit_of(w, chart).toordinal() for w in self._numbers]
            self._limits[chart.as_of] = kinds, np.array(days, dtype=np.int64)
        return self._limits[chart.as_of]


def days_of(item: Item, chart: Chart) -> tuple[int, int, int, int]:
    """First and last day on which it last held and of its start, as ordinals; -1 where it has no date."""
    early, late = last_day(item, chart.as_of)
    held = (-1, -1) if early is None or late is None else (early.toordinal(), late.toordinal())
    start = (item.start.earliest.toordinal(), item.start.latest.toordinal()) if item.start else (-1, -1)
    return *held, *start


def inside_of(kinds: Values, limits: NDArray[np.int64], told: NDArray[np.int64]) -> Values:
    """Whether days fall into windows, as `windows.in_window` says it of one."""
    lasting, within = kinds == windows.LASTING, kinds == windows.WITHIN
    early = np.where(lasting, told[:, 2], told[:, 0])
    late = np.where(lasting, told[:, 3], told[:, 1])
    inside = np.where(within, early >= limits, late <= limits)
    outside = np.where(within, late < limits, early > limits)
    return np.where(late < 0, DATELESS, np.where(inside, INSIDE, np.where(outside, OUTSIDE, DATELESS)))
