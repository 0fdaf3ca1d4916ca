"""Neighbouring columns of print -> which of their words share a line, where the sheet is bent by a line or more.

The slope of single words does not tell where a fold between two columns moved the lines. The columns do: lines are
evenly spaced and keep their order, so one smooth shift brings nearly every word beside a word of the next column.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Link = tuple[int, int]

_FEWEST = 4  # words a column needs before its spacing says anything
_REACH = 1.3  # lines of shift that are tried
_SHY = 0.05  # the share of all words that one line of shift must bring to match


def links(left: Floats, right: Floats, level: Floats, height: Floats) -> list[Link]:
    """Pairs (word, word to its right) on one line, from the columns' spacing; none where there are no columns."""
    groups = columns(left, right, level, height)
    most = max((len(column) for column in groups), default=0)
    full = [column for column in groups if len(column) >= 0.5 * most]
    found: list[Link] = []
    for column in full:
        beside = _next(column, full, left, right, level)
        if beside:
            found += _match(column, beside, level)
    return found


def columns(left: Floats, right: Floats, level: Floats, height: Floats) -> list[list[int]]:
    """The words that stand under one another, as lists from top to bottom."""
    order = np.argsort(level)
    parent = list(range(len(level)))
    for place, i in enumerate(order):
        below = order[place + 1 :]
        shared = np.minimum(right[below], right[i]) - np.maximum(left[below], left[i])
        narrow = np.minimum(right[below] - left[below], right[i] - left[i])
        near = level[below] - level[i]
        fits = (shared > 0.5 * narrow) & (near > 0.6 * height[i]) & (near < 3.2 * height[i])
        if fits.any():
            j = int(below[fits][0])
            parent[_root(parent, j)] = _root(parent, int(i))
    groups: dict[int, list[int]] = {}
    for i in order:
        groups.setdefault(_root(parent, int(i)), []).append(int(i))
    return [group for group in groups.values() if len(group) >= _FEWEST]


def shear(left: Floats, right: Floats, level: Floats, height: Floats) -> float:
    """How far the columns lean to the right for each pixel down; 0 where they do not agree on it."""
    groups = columns(left, right, level, height)
    leans: list[float] = []
    for group in groups:
        y = level[group]
        for edge in (left[group], right[group]):
            dy = y[None, :] - y[:, None]
            far = dy > 0.4 * np.ptp(y)
            slope = float(np.median((edge[None, :] - edge[:, None])[far] / dy[far])) if far.any() else 0.0
            rest = edge - slope * y
            if np.median(np.abs(rest - np.median(rest))) < 0.15 * np.median(height[group]):
                leans += [slope] * len(group)
    return float(np.clip(np.median(leans), -0.3, 0.3)) if len(leans) >= 8 else 0.0


def _root(parent: list[int], i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


def _next(mine: list[int], columns: list[list[int]], left: Floats, right: Floats, level: Floats) -> list[int]:
    """The nearest column to the right that runs beside at least half of this one; empty if there is none."""
    best, found = np.inf, list[int]()
    for other in columns:
        gap = float(np.median(left[other]) - np.median(right[mine]))
        top, bottom = max(level[mine[0]], level[other[0]]), min(level[mine[-1]], level[other[-1]])
        long = min(level[mine[-1]] - level[mine[0]], level[other[-1]] - level[other[0]])
        if 0 < gap < best and bottom - top > 0.5 * long:
            best, found = gap, other
    return found


def _match(mine: list[int], other: list[int], level: Floats) -> list[Link]:
    """The pairs under the shift (constant and growing down the page) that brings most words beside one another."""
    a, b = level[mine], level[other]
    pitch = float(min(np.median(np.diff(a)), np.median(np.diff(b))))
    down = (a - a.mean()) / max(float(np.ptp(a)) / 2, 1.0)
    grid = np.linspace(-_REACH, _REACH, 27) * pitch
    best, shift = -np.inf, np.zeros(len(a))
    for constant in grid:
        for growing in grid:
            moved = constant + growing * down
            away = np.abs((a + moved)[:, None] - b[None, :]) / (0.22 * pitch)
            near = np.exp(-(away.min(axis=1) ** 2)).sum() + np.exp(-(away.min(axis=0) ** 2)).sum()
            score = float(near) - _SHY * (len(a) + len(b)) * float(abs(constant) + abs(growing)) / pitch
            if score > best:
                best, shift = score, moved
    if best < 0.6 * (len(b) + min(len(a), len(b))):
        return []
    distance = np.abs((a + shift)[:, None] - b[None, :])
    nearest, back = distance.argmin(axis=1), distance.argmin(axis=0)
    return [(mine[i], other[int(j)]) for i, j in enumerate(nearest) if back[j] == i and distance[i, j] < 0.35 * pitch]
