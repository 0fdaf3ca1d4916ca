"""Headings and what stands below them -> the columns of a table: where names, values, units and ranges stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fhirbridge import languages
from fhirbridge.extract import lab_print
from fhirbridge.extract.lab_flatten import Level
from fhirbridge.records import Word

KINDS = ("index", "code", "name", "value", "flag", "unit", "range", "method", "previous", "note", "low", "high")
_LEADING = {"index", "code", "name"}
_TELLING = {"value", "value2", "range", "range+unit", "unit"}


Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Heading:
    """A word that heads a column, in level coordinates."""

    kind: str
    left: float
    right: float
    y: float
    height: float
    word: int


@dataclass(frozen=True, slots=True)
class Column:
    """From `left` to `right` at height 0, each moving by `drift` a pixel down (a photo taken at a slant)."""

    left: float
    right: float
    drift: float = 0.0
    trust: float = 1.0

    def at(self, y: float) -> tuple[float, float]:
        """Its edges at a height."""
        return self.left + self.drift * y, self.right + self.drift * y


@dataclass(frozen=True, slots=True)
class Block:
    """One table or one half of a side-by-side form: its words, and its headings if it has any."""

    headings: tuple[Heading, ...]
    levels: tuple[Level, ...]
    columns: dict[str, Column] = field(default_factory=dict)


def heading_lines(levels: Sequence[Level], words: Sequence[Word]) -> list[list[Heading]]:
    """The lines of headings from top to bottom: at least two kinds, one of them value, range or unit."""
    found = [heading for level in levels for heading in _headings(level, words[level.word])]
    found += _spaced(levels, words)
    found.sort(key=lambda heading: heading.y)
    lines: list[list[Heading]] = []
    for heading in found:
        if lines and heading.y - np.median([h.y for h in lines[-1]]) < 1.7 * heading.height:
            lines[-1].append(heading)
        else:
            lines.append([heading])
    return [sorted(line, key=lambda h: h.left) for line in lines if _is_heading_line(line)]


def _is_heading_line(line: Sequence[Heading]) -> bool:
    kinds = {kind for heading in line for kind in heading.kind.split("+")}
    return len(kinds) >= 2 and (bool(kinds & {"value", "value2"}) or bool(kinds & _LEADING and kinds & _TELLING))


def _headings(level: Level, word: Word) -> list[Heading]:
    text = lab_print.plain(word.text).strip()
    kinds = () if text.endswith(":") else _kinds_in(text)
    if not kinds:
        return []
    whole = max(len(text), 1)
    scale = (level.right - level.left) / whole
    return [
        Heading(kind, level.left + a * scale, level.left + b * scale, level.y, level.height, level.word)
        for kind, a, b in kinds
    ]


def _spaced(levels: Sequence[Level], words: Sequence[Word]) -> list[Heading]:
    """Headings printed with wide gaps (two words for the one heading 'name') that the engine read as two words."""
    texts = {v.word: words[v.word].text.strip() for v in levels}
    short = [v for v in levels if 0 < len(texts[v.word]) <= 2 and not _kinds_in(texts[v.word])]
    found = []
    for a in short:
        beside = [b for b in short if 0 < b.left - a.right < 6 * a.height and abs(a.y - b.y) < 0.5 * a.height]
        for b in sorted(beside, key=lambda b: b.left)[:1]:
            kind = _vocabulary().get(_fold(words[a.word].text + words[b.word].text))
            if kind:
                found.append(Heading(kind, a.left, b.right, a.y, a.height, a.word))
    return found


@lru_cache(maxsize=2048)
def _kinds_in(text: str) -> tuple[tuple[str, int, int], ...]:
    """The headings a text is made of, all of it, each with its place; none when anything else stands in it."""
    whole = _vocabulary().get(_fold(text)) or _misread(_fold(text))
    if whole:
        return ((whole, 0, len(text)),)
    best: dict[int, tuple[tuple[str, int, int], ...]] = {0: ()}
    for start in range(len(text)):
        if start not in best:
            continue
        for end in range(start + 1, min(len(text), start + 30) + 1):
            kind = _vocabulary().get(_fold(text[start:end]))
            if kind and _apart(text, start, end) and (end not in best or len(best[end]) > len(best[start]) + 1):
                best[end] = (*best[start], (kind, start, end))
    return best.get(len(text), ())


def _misread(text: str) -> str:
    """The kind of the headings that are one misread character away from a text of four Chinese ones; "" if none is."""
    if not re.fullmatch(r"[㐀-鿿]{4,8}", text):
        return ""
    kinds = {
        kind
        for known, kind in _vocabulary().items()
        if len(known) == len(text) and sum(a != b for a, b in zip(known, text, strict=True)) == 1
    }
    return kinds.pop() if len(kinds) == 1 else ""


def _apart(text: str, start: int, end: int) -> bool:
    """Whether Latin letters are not cut in two: Test|s is no heading."""
    return not any(re.fullmatch(r"[A-Za-z0-9]{2}", text[at - 1 : at + 1]) for at in (start, end) if at)


def _fold(text: str) -> str:
    return re.sub(r"[\s.:*]+", "", lab_print.plain(text)).casefold()


@lru_cache(maxsize=1)
def _vocabulary() -> dict[str, str]:
    return {
        _fold(row["heading"]): row["kind"]
        for language in languages.names()
        for row in languages.rows(language, "lab_headings")
    }


def split_sides(line: Sequence[Heading]) -> list[list[Heading]]:
    """The headings of each half of a side-by-side form; one list when no kind is repeated."""
    starts = [0]
    for i in range(1, len(line)):
        begins = line[i].kind in _LEADING and line[i - 1].kind not in _LEADING
        seen = {h.kind for h in line[starts[-1] : i]}
        coming = {h.kind for h in line[i:]}
        if begins and len(seen & coming - {"note"}) >= 2:  # also where the first half's name heading was not read
            starts.append(i)
    return [list(line[a:b]) for a, b in zip(starts, [*starts[1:], len(line)], strict=True)]


def seam(levels: Sequence[Level], low: float, high: float) -> Column:
    """The emptiest line down the page between two places: where the halves of a form meet, as far left as it is so."""
    low, high = min(low, high), max(low, high)
    left = np.array([v.left for v in levels])
    right = np.array([v.right for v in levels])
    y = np.array([v.y for v in levels])
    middle = float(y.mean())
    size = float(np.median([v.height for v in levels]))
    tried: list[tuple[float, float, float]] = []
    for drift in (0.0, 0.02, -0.02, 0.05, -0.05, 0.09, -0.09):
        move = drift * (y - middle)
        for x in np.linspace(low, high, 41):
            over = np.minimum(right - move - x, x - left + move).clip(min=-0.3 * size) / size + 0.3
            tried.append((float(over.sum()) + abs(drift) * 5, float(x), drift))
    enough = min(tried)[0] + 0.3 + 0.004 * len(levels)
    _cost, x, drift = min((t for t in tried if t[0] <= enough), key=lambda t: (t[1] + t[0], abs(t[2])))
    return Column(x - drift * middle, x - drift * middle, drift)


def from_headings(headings: Sequence[Heading], left: float, right: float) -> dict[str, Column]:
    """The columns as their headings promise: each reaches half way to its neighbours."""
    columns: dict[str, Column] = {}
    ordered = sorted(headings, key=lambda h: h.left)
    for i, heading in enumerate(ordered):
        start = left if i == 0 else (ordered[i - 1].right + heading.left) / 2
        end = right if i == len(ordered) - 1 else (heading.right + ordered[i + 1].left) / 2
        for kind in heading.kind.split("+"):
            kind = "value" if kind == "value2" else kind
            if kind in columns:
                old = columns[kind]
                columns[kind] = Column(min(old.left, start), max(old.right, end), trust=0.5)
            else:
                columns[kind] = Column(start, end, trust=0.5)
    return columns


def from_cells(cells: Iterable[tuple[str, float, float, float]]) -> dict[str, Column]:
    """The columns as (kind, left, right, y) of the cells read so far show them: medians, slant and all."""
    by_kind: dict[str, list[tuple[float, float, float]]] = {}
    for kind, left, right, y in cells:
        by_kind.setdefault(kind, []).append((left, right, y))
    return {kind: _column(np.array(found)) for kind, found in by_kind.items() if len(found) >= 3}


def _column(found: Floats) -> Column:
    """Its drift by the steadier of its two edges, then its usual extent."""
    y = found[:, 2]
    drifts = [_drift(found[:, side], y) for side in (0, 1)]
    drift = min(drifts, key=lambda pair: pair[1])[0]
    left, right = found[:, 0] - drift * y, found[:, 1] - drift * y
    return Column(float(np.quantile(left, 0.15)), float(np.quantile(right, 0.85)), drift)


def _drift(x: Floats, y: Floats) -> tuple[float, float]:
    """Theil-Sen slope of x over y and the spread that is left; no slope where it does not straighten the edge."""
    spread = float(np.median(np.abs(x - np.median(x))))
    if len(x) < 5 or float(np.ptp(y)) < 1:
        return 0.0, spread
    dx, dy = x[:, None] - x[None, :], y[:, None] - y[None, :]
    far = np.abs(dy) > 0.2 * np.ptp(y)
    slope = max(-0.1, min(0.1, float(np.median(dx[far] / dy[far])))) if far.any() else 0.0
    rest = x - slope * y
    left = float(np.median(np.abs(rest - np.median(rest))))
    return (slope, left) if left < 0.6 * spread else (0.0, spread)
