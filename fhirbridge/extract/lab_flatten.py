"""Tilted, bent and creased print -> coordinates in which every printed line is level.

The engine's quads tell how each stretch of print runs. A field f(x, y) of hat functions is fitted to those slopes and
to neighbours on one line, so that level = y - f(x, y) is the same along a printed line, whatever the sheet's bend.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fhirbridge.extract import lab_alignment
from fhirbridge.records import Word

_KNOTS = 9
_STIFFNESS = 1.2  # how much a change of slope from knot to knot costs, against a pixel of misfit
_ROUNDS = 3

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Level:
    """A word in level coordinates: from `left` to `right`, its line at height `y`; `word` is its place in the list."""

    word: int
    left: float
    right: float
    y: float
    height: float
    start: int = 0  # the characters of the word that stand here, where a wall between two tables cuts it
    end: int | None = None


def level(words: Sequence[Word]) -> tuple[Level, ...]:
    """Every word in level coordinates, in the order given; a page turned by any angle comes out upright."""
    if not words:
        return ()
    starts, ends, heights = _ends(words)
    turn = _turn(starts, ends, heights)
    starts, ends = starts @ turn.T, ends @ turn.T
    field = _Field(starts, ends, heights)
    y = field.levels((starts + ends) / 2)
    left, right = np.minimum(starts[:, 0], ends[:, 0]), np.maximum(starts[:, 0], ends[:, 0])
    lean = lab_alignment.shear(left, right, y, heights) * (y - y.mean())
    return tuple(
        Level(i, float(a), float(b), float(v), float(h))
        for i, (a, b, v, h) in enumerate(zip(left - lean, right - lean, y, heights, strict=True))
    )


def _ends(words: Sequence[Word]) -> tuple[Floats, Floats, Floats]:
    """The middle of each word's left and of its right side, and its height."""
    quads = np.array([word.quad if len(word.quad) == 4 else _corners(word) for word in words], dtype=float)
    starts, ends = (quads[:, 0] + quads[:, 3]) / 2, (quads[:, 1] + quads[:, 2]) / 2
    sides = np.linalg.norm(quads[:, 3] - quads[:, 0], axis=1) + np.linalg.norm(quads[:, 2] - quads[:, 1], axis=1)
    return starts, ends, np.maximum(sides / 2, 1.0)


def _corners(word: Word) -> tuple[tuple[float, float], ...]:
    b = word.box
    return ((b.x, b.y), (b.x + b.width, b.y), (b.x + b.width, b.y + b.height), (b.x, b.y + b.height))


def _turn(starts: Floats, ends: Floats, heights: Floats) -> Floats:
    """The rotation that makes the longest words level; the identity when no word is long enough to tell."""
    run = ends - starts
    length = np.linalg.norm(run, axis=1)
    telling = length > 2.5 * heights
    if not telling.any():
        return np.eye(2)
    angles = np.arctan2(run[telling, 1], run[telling, 0])
    quarter = _weighted_median(np.round(angles / (math.pi / 2)) % 4, length[telling]) * math.pi / 2
    rest = (angles - quarter + math.pi) % (2 * math.pi) - math.pi
    near = np.abs(rest) < math.pi / 4
    angle = quarter + (_weighted_median(rest[near], length[telling][near]) if near.any() else 0.0)
    cosine, sine = math.cos(angle), math.sin(angle)
    return np.array([[cosine, sine], [-sine, cosine]])


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


class _Field:
    """f(x, y) = sum over knots k of hat_k(x) * (a_k + b_k * y), from slopes first and then from neighbours too."""

    def __init__(self, starts: Floats, ends: Floats, heights: Floats) -> None:
        middle = (starts + ends) / 2
        self._low = float(min(starts[:, 0].min(), ends[:, 0].min()))
        self._span = max(float(ends[:, 0].max()) - self._low, 1.0)
        self._top = float(middle[:, 1].mean())
        self._tall = max(float(np.ptp(middle[:, 1])) / 2, 1.0)
        self._weights = np.zeros(2 * _KNOTS)
        size = float(np.median(heights))
        longer = (ends[:, 0] - starts[:, 0]) > 1.2 * heights
        slopes = [(_pair(s, e), 1.0) for s, e in zip(starts[longer], ends[longer], strict=True)]
        self._fit(slopes, size)
        middles = self.levels(middle)
        columns = lab_alignment.links(starts[:, 0], ends[:, 0], middles, heights)
        bound = [(_pair(ends[i], starts[j]), 2.0) for i, j in columns]
        self._fit([*slopes, *bound], size)
        for _ in range(_ROUNDS):
            self._fit([*slopes, *bound, *_neighbours(starts, ends, heights, self)], size)

    def levels(self, points: Floats) -> Floats:
        """The level of each point (x, y)."""
        return np.asarray(points[:, 1] - self._basis(points) @ self._weights)

    def _basis(self, points: Floats) -> Floats:
        at = (points[:, 0] - self._low) / self._span * (_KNOTS - 1)
        hats = np.maximum(0.0, 1.0 - np.abs(at[:, None] - np.arange(_KNOTS)[None, :]))
        down = ((points[:, 1] - self._top) / self._tall)[:, None]
        return np.hstack([hats, hats * down])

    def _fit(self, pairs: list[tuple[Floats, float]], size: float) -> None:
        """Least squares with Huber weights: f changes between a pair's points as much as y does."""
        if len(pairs) < 3:
            return
        points = np.array([pair for pair, _w in pairs])
        trust = np.array([w for _pair, w in pairs])
        rows = self._basis(points[:, 1]) - self._basis(points[:, 0])
        rise = points[:, 1, 1] - points[:, 0, 1]
        stiff = self._stiffness(math.sqrt(len(pairs)))
        for _ in range(4):
            off = np.abs(rise - rows @ self._weights) / (0.15 * size)
            w = np.sqrt(trust / np.maximum(1.0, off))
            left = np.vstack([rows * w[:, None], stiff])
            right = np.concatenate([rise * w, np.zeros(len(stiff))])
            self._weights = np.linalg.lstsq(left, right, rcond=None)[0]

    @staticmethod
    def _stiffness(scale: float) -> Floats:
        """Second differences between knots, and a pull of the first knot's constants to nought."""
        bend = np.zeros((_KNOTS - 2, _KNOTS))
        for k in range(_KNOTS - 2):
            bend[k, k : k + 3] = (1, -2, 1)
        nothing = np.zeros_like(bend)
        anchor = np.zeros((2, 2 * _KNOTS))
        anchor[0, _KNOTS // 2] = anchor[1, _KNOTS + _KNOTS // 2] = 1.0
        small = 0.02 * np.eye(2 * _KNOTS)
        s = _STIFFNESS * scale / 8
        return np.vstack([np.hstack([s * bend, nothing]), np.hstack([nothing, 2 * s * bend]), anchor, small])


def _pair(start: Floats, end: Floats) -> Floats:
    return np.array([start, end])


def _neighbours(starts: Floats, ends: Floats, heights: Floats, field: _Field) -> list[tuple[Floats, float]]:
    """Each word's end with the start of the nearest word to its right on the same line, both agreeing on it."""
    left, right = field.levels(starts), field.levels(ends)
    gap = starts[None, :, 0] - ends[:, None, 0]
    rise = np.abs(left[None, :] - right[:, None])
    size = np.minimum(heights[:, None], heights[None, :])
    fits = (gap > -0.3 * size) & (rise < 0.4 * size)
    cost = np.where(fits, np.maximum(gap, 0) + 8 * rise, np.inf)
    after, before = cost.argmin(axis=1), cost.argmin(axis=0)
    return [
        (_pair(ends[i], starts[j]), 0.7)
        for i, j in enumerate(after)
        if before[j] == i and i != j and np.isfinite(cost[i, j])
    ]
