"""Pages photographed sideways or upside down: told by where print runs and by how sure the engine is, then turned."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fhirbridge.ocr import _cells
from fhirbridge.records import Box, Word

Pixels = NDArray[np.uint8]
Reader = Callable[[Pixels], tuple[Word, ...]]

_SOUND = 0.86  # upright print is read with 0.94 and more, turned print with 0.68 to 0.78 (development pictures)
_LOOK = 1200  # pixels a side while the direction of print is looked at


def read_upright(pixels: Pixels, read: Reader) -> tuple[Word, ...]:
    """The words of a page however it lies, corners in reading order, boxes in the pixels that were given."""
    sideways = _is_sideways(pixels)
    first = 1 if sideways else 0
    words = _read_turned(pixels, read, first)
    if _sureness(words) >= _SOUND or not words:
        return words
    if _sureness(_read_turned(_middle(pixels), read, first + 2)) <= _sureness(words) + 0.05:
        return words
    return max(words, _read_turned(pixels, read, first + 2), key=_weight)


def _is_sideways(pixels: Pixels) -> bool:
    """Whether longer stretches of print run up and down than across."""
    scale = min(1.0, _LOOK / max(pixels.shape[:2]))
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    even = _cells.evened(np.asarray(small, dtype=np.uint8))
    size = _cells.text_height(even)
    if size == 0:
        return False
    across, down = _run(even, size), _run(np.ascontiguousarray(even.T), size)
    return down > 1.15 * across and down > 20 * size


def _run(even: Pixels, size: float) -> float:
    return sum(cell.width for cell in _cells.find(even, size) if cell.width > 3 * cell.height)


def _middle(pixels: Pixels) -> Pixels:
    """The middle third of a page, enough to tell how it lies."""
    height, width = pixels.shape[:2]
    return pixels[height // 3 : max(height // 3 + 100, 2 * height // 3), width // 6 : max(100, 5 * width // 6)]


def _sureness(words: Sequence[Word]) -> float:
    letters = sum(len(word.text) for word in words)
    return sum(word.confidence * len(word.text) for word in words) / letters if letters else 0.0


def _weight(words: Sequence[Word]) -> float:
    return sum(len(word.text) * word.confidence**2 for word in words)


def _read_turned(pixels: Pixels, read: Reader, quarters: int) -> tuple[Word, ...]:
    quarters %= 4
    if not quarters:
        return read(pixels)
    height, width = pixels.shape[:2]
    words = read(np.ascontiguousarray(np.rot90(pixels, quarters)))
    return tuple(_turned_back(word, quarters, width, height) for word in words)


def _turned_back(word: Word, quarters: int, width: int, height: int) -> Word:
    """A word read on the turned page, in the pixels of the page as it was: its corners keep their reading order."""
    b = word.box
    upright = ((b.x, b.y), (b.x + b.width, b.y), (b.x + b.width, b.y + b.height), (b.x, b.y + b.height))
    corners = [_point(float(x), float(y), quarters, width, height) for x, y in word.quad or upright]
    xs, ys = [x for x, _y in corners], [y for _x, y in corners]
    box = Box(round(min(xs)), round(min(ys)), round(max(xs) - min(xs)), round(max(ys) - min(ys)), b.page)
    return Word(word.text, box, word.confidence, tuple(corners))


def _point(x: float, y: float, quarters: int, width: int, height: int) -> tuple[float, float]:
    if quarters == 1:
        return width - y, x
    if quarters == 2:
        return width - x, height - y
    return y, height - x
