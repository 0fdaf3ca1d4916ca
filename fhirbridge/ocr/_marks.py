"""Small marks that detectors pass over: a lone `-` or `+` in a result column, and arrows read as `1`, by shape."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from fhirbridge.records import Box, Word

Grey = NDArray[np.uint8]
_ROWS = 24  # a glyph's height while its shape is looked at
_LONE = re.compile(r"[1Il|tTfJ!i↑↓]")
_LEADING = re.compile(r"[1Il|tTfJ!]\s?(?:%|[x×*]\s?10|fl|fL|pg|g/|mg|mm|u|U)")
_TRAILING = re.compile(r"\d\s?[1Il|tT!](?=$|\s+\S{1,8}$)")
_STROKES = {"一": "-", "二": "-", "—": "-", "十": "+"}  # what engines make of a lone sign, alone or above a rule
_SURE = 0.6  # what a mark found by shape alone is trusted


def completed(picture: NDArray[np.uint8], words: Sequence[Word]) -> tuple[Word, ...]:
    """The words and the lone signs between them that the engine did not see, or took for a Chinese one or two."""
    if len(words) < 8:
        return tuple(words)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    size = float(np.median([_height(word) for word in words]))
    plain = [word for word in words if word.text.strip() not in _STROKES]
    signs = tuple(_signs(grey, plain, size))
    unclear = [
        replace(word, text=_STROKES[word.text.strip()], confidence=min(word.confidence, _SURE))
        for word in words
        if word.text.strip() in _STROKES and not _hides(word, signs)
    ]
    return (*(_arrow_mended(grey, word) for word in plain), *unclear, *signs)


def _hides(word: Word, signs: Sequence[Word]) -> bool:
    """Whether one of the signs stands where a word was read."""
    b = word.box
    return any(
        b.x <= s.box.x + s.box.width / 2 <= b.x + b.width and b.y <= s.box.y + s.box.height / 2 <= b.y + b.height
        for s in signs
    )


def _height(word: Word) -> float:
    if len(word.quad) == 4:
        return float(np.hypot(word.quad[3][0] - word.quad[0][0], word.quad[3][1] - word.quad[0][1]))
    return float(word.box.height)


def _signs(grey: Grey, words: Sequence[Word], size: float) -> Iterator[Word]:
    """Short level strokes and crosses with nothing near them, on a line with other print."""
    block = max(11, int(1.5 * size) | 1)
    ink = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, block, 14)
    count, labels, stats, centres = cv2.connectedComponentsWithStats(ink, connectivity=8)
    wide, high, area = (stats[1:, i] for i in (2, 3, 4))
    stroke = (wide > 0.18 * size) & (high <= max(2.0, 0.2 * size)) & (wide >= 1.8 * high) & (area > 0.55 * wide * high)
    square = (wide > 0.3 * size) & (np.abs(wide - high) <= 0.3 * wide) & (area < 0.62 * wide * high)
    candidates = np.flatnonzero((wide < 0.9 * size) & (stroke | square)) + 1
    if not len(candidates) or count > 200_000:
        return
    covered = _covered(grey.shape, words)
    dark = _contrast(grey, words)
    found = []
    for k in candidates:
        x, y = centres[k]
        box = Box(*(int(v) for v in stats[k, :4]))
        if covered[int(y), int(x)] or y < size / 2 or not _alone(ink, box, size):
            continue
        if square[k - 1] and not _is_cross(labels[box.y : box.y + box.height, box.x : box.x + box.width] == k):
            continue
        near = grey[max(0, int(y - size / 2)) : int(y + size / 2), max(0, int(x - size)) : int(x + size)]
        inked = grey[box.y : box.y + box.height, box.x : box.x + box.width]
        if float(np.quantile(near, 0.9)) - float(inked.min()) > 0.5 * dark and _on_a_line(x, y, words, size):
            found.append(box)
    for box in found:
        level = [other for other in found if abs(other.y - box.y) < 0.4 * size]
        if len(level) < 3:  # more of them are a broken rule
            yield _sign("-" if box.width >= 1.8 * box.height else "+", box, size)


def _is_cross(glyph: NDArray[np.bool_]) -> bool:
    """Whether a glyph is a plus: one bar across, one bar down, crossing in the middle, and nothing in its corners."""
    high, wide = glyph.shape
    rows, cols = glyph.mean(axis=1), glyph.mean(axis=0)
    across, down = int(rows.argmax()), int(cols.argmax())
    middle = abs(across - (high - 1) / 2) <= 0.2 * high and abs(down - (wide - 1) / 2) <= 0.2 * wide
    cy, cx = max(1, high // 3), max(1, wide // 3)
    corners = [glyph[:cy, :cx], glyph[:cy, -cx:], glyph[-cy:, :cx], glyph[-cy:, -cx:]]
    empty = max(float(corner.mean()) for corner in corners) < 0.25
    return middle and rows[across] >= 0.8 and cols[down] >= 0.8 and empty


def _contrast(grey: Grey, words: Sequence[Word]) -> float:
    """How much darker than its paper the print usually is."""
    found = []
    for word in words[:: max(1, len(words) // 40)]:
        b = word.box
        crop = grey[max(0, b.y) : b.y + b.height, max(0, b.x) : b.x + b.width]
        if crop.size:
            found.append(float(np.quantile(crop, 0.9)) - float(np.quantile(crop, 0.05)))
    return float(np.median(found)) if found else 255.0


def _covered(shape: tuple[int, ...], words: Sequence[Word]) -> Grey:
    """Where words stand already."""
    mask = np.zeros(shape, np.uint8)
    for word in words:
        b = word.box
        corners = word.quad or (
            (b.x, b.y),
            (b.x + b.width, b.y),
            (b.x + b.width, b.y + b.height),
            (b.x, b.y + b.height),
        )
        cv2.fillConvexPoly(mask, np.array(corners, np.int32), 1)
    return mask


def _corners(word: Word) -> NDArray[np.float32]:
    b = word.box
    upright = ((b.x, b.y), (b.x + b.width, b.y), (b.x + b.width, b.y + b.height), (b.x, b.y + b.height))
    return np.array(word.quad or upright, np.float32)


def _alone(ink: Grey, box: Box, size: float) -> bool:
    """Whether the paper round a stroke is empty: half a line above and below, a little more at its ends."""
    aside, above = int(0.6 * size), int(0.45 * size)
    y0, x0 = max(0, box.y - above), max(0, box.x - aside)
    around = ink[y0 : box.y + box.height + above, x0 : box.x + box.width + aside]
    inside = ink[box.y : box.y + box.height, box.x : box.x + box.width]
    return int(np.count_nonzero(around)) - int(np.count_nonzero(inside)) <= 0.03 * size * size


def _on_a_line(x: float, y: float, words: Sequence[Word], size: float) -> bool:
    """Whether print stands to the left and to the right at that height, within a page's usual column distance."""
    left = right = False
    for word in words:
        b = word.box
        away = abs(b.y + b.height / 2 - y)
        if away < 0.6 * size + 0.02 * abs(b.x - x):
            left |= -25 * size < b.x + b.width - x < 0
            right |= 0 < b.x - x < 25 * size
    return left and right


def _sign(text: str, box: Box, size: float) -> Word:
    """A sign as a word of full line height, so that it takes its place on the line."""
    middle, half = box.y + box.height / 2, size / 2
    x0, x1 = float(box.x), float(box.x + box.width)
    quad = ((x0, middle - half), (x1, middle - half), (x1, middle + half), (x0, middle + half))
    tall = Box(box.x, round(middle - half), box.width, round(size))
    return Word(text, tall, _SURE, quad)


def _arrow_mended(grey: Grey, word: Word) -> Word:
    """The word with an arrow where the engine read 1, I, t or | and the ink has an arrow's head at one end."""
    text = word.text.strip()
    if _LONE.fullmatch(text):
        return _replaced(word, text, 0, _arrow(grey, word, 0, strict=False))
    if _LEADING.match(text):
        return _replaced(word, text, 0, _arrow(grey, word, 0, strict=True))
    found = _TRAILING.search(text)
    if found:
        glyph = len(text[: found.end() - 1].replace(" ", ""))
        return _replaced(word, text, found.end() - 1, _arrow(grey, word, glyph, strict=True))
    return word


def _replaced(word: Word, text: str, at: int, arrow: str) -> Word:
    if not arrow:
        return word
    return replace(word, text=text[:at] + arrow + text[at + 1 :], confidence=min(word.confidence, _SURE))


def _arrow(grey: Grey, word: Word, which: int, *, strict: bool) -> str:
    """The arrow that a glyph of a word is, counted from 0 without spaces; "" if its shape is none."""
    crop = _upright(grey, word)
    parts = _glyphs(crop)
    if which and len(parts) != len(word.text.replace(" ", "")):
        return ""
    if len(parts) <= which or (strict and len(parts) < 2):
        return ""
    left, right = parts[which]
    if which and left - parts[which - 1][1] < 0.3 * crop.shape[0]:
        return ""  # a digit stands close to the one before it, an arrow does not
    glyph = crop[:, left:right]
    rows = np.flatnonzero(glyph.max(axis=1) > 0)
    glyph = glyph[rows[0] : rows[-1] + 1].astype(np.float64)
    high, wide = glyph.shape
    if high < 0.6 * crop.shape[0] or not 0.1 < wide / high < 0.7:
        return ""
    return _direction(cv2.resize(glyph, (wide, _ROWS), interpolation=cv2.INTER_AREA), 0.45 if strict else 0.7)


def _direction(glyph: NDArray[np.float64], most_uneven: float) -> str:
    """Which end of an upright stroke is an arrow's head: wide, even on both sides, pointed; the tail ends plain.

    A 1 has its flag on one side only, or a foot as wide as its head. The limits were set on 196 places of the
    development pictures where a mark may stand; no 1 of them passes.
    """
    x = np.arange(glyph.shape[1]) + 0.5
    mass = glyph.sum(axis=1) + 1e-6
    centre = (glyph * x).sum(axis=1) / mass
    spread = (glyph * np.abs(x - (glyph.sum(axis=0) * x).sum() / glyph.sum())).sum(axis=1) / mass
    up = spread[3:11].max() > spread[13:21].max()
    if not up:
        spread, centre, mass = spread[::-1], centre[::-1], mass[::-1]
    widest, tail = float(spread[3:11].max()), slice(14, 22)
    aslant = abs(float(np.average(centre[3:11], weights=mass[3:11]) - np.average(centre[tail], weights=mass[tail])))
    headed = widest >= 1.3 * float(spread[13:21].max()) and aslant <= most_uneven * widest
    ends = float(spread[22:24].max()) <= 0.58 * widest and float(spread[0:2].min()) <= 0.7 * widest
    return ("↑" if up else "↓") if headed and ends else ""


def _upright(grey: Grey, word: Word) -> Grey:
    """The word's ink, level, dark parts bright and paper nought."""
    source = _corners(word)
    wide = max(4, round(float(np.linalg.norm(source[1] - source[0]))))
    high = max(8, round(float(np.linalg.norm(source[3] - source[0]))))
    target = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    crop = cv2.warpPerspective(grey, cv2.getPerspectiveTransform(source, target), (wide, high), borderValue=255)
    dark = 255.0 - crop.astype(np.float64)
    dark -= np.quantile(dark, 0.4)
    dark[dark < 0.35 * max(float(np.quantile(dark, 0.985)), 1.0)] = 0
    ink: Grey = np.clip(dark, 0, 255).astype(np.uint8)
    return ink


def _glyphs(crop: Grey) -> list[tuple[int, int]]:
    """Where each glyph of a word begins and ends: columns of ink between columns without."""
    inked = np.concatenate([[False], (crop > 0).sum(axis=0) > 0, [False]])
    edges = np.flatnonzero(inked[1:] != inked[:-1])
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 1]
