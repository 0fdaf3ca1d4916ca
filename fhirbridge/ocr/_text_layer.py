"""The text layer of a PDF, believed only where the picture bears it out: scans carry layers that say something else."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from fhirbridge.ocr import _cells
from fhirbridge.records import Picture, Word

_FEWEST = 15  # words below which a layer is a stamp or a page number, not the page
_NO_TEXT = re.compile(r"[\ufffd\ue000-\uf8ff\x00-\x08]")  # fonts without a map to Unicode give such characters
_STRIP = 0.22  # of the page's height is read by the engine and compared


def agrees(picture: Picture, read: Callable[[NDArray[np.uint8]], tuple[Word, ...]]) -> bool:
    """Whether the layer stands where ink stands and says, in a strip of the page, what the engine reads there."""
    words = picture.words
    if len(words) < _FEWEST:
        return False
    text = "".join(word.text for word in words)
    if len(_NO_TEXT.findall(text)) > 0.02 * len(text):
        return False
    return _covers(picture, words) and _reads_alike(picture, words, read)


def _covers(picture: Picture, words: Sequence[Word]) -> bool:
    """Whether most print of the page lies under the layer's words."""
    even = _cells.evened(picture.pixels)
    size = _cells.text_height(even)
    cells = _cells.find(even, size) if size else []
    mask = np.zeros(even.shape, bool)
    for word in words:
        b = word.box
        mask[max(0, b.y - 2) : b.y + b.height + 2, max(0, b.x - 2) : b.x + b.width + 2] = True
    middles = [cell.quad.mean(axis=0).astype(int) for cell in cells if cell.height < 3 * size]
    under = sum(bool(mask[min(y, mask.shape[0] - 1), min(x, mask.shape[1] - 1)]) for x, y in middles)
    return under >= 0.7 * len(middles)


def _reads_alike(
    picture: Picture, words: Sequence[Word], read: Callable[[NDArray[np.uint8]], tuple[Word, ...]]
) -> bool:
    """Whether the numbers in the strip with most of them are the same by layer and by engine."""
    height = picture.pixels.shape[0]
    tall = int(_STRIP * height)
    numbers = [(word.box.y, number) for word in words for number in _numbers(word.text)]
    starts = range(0, height - tall + 1, max(1, tall // 3))
    top = max(starts, key=lambda y: sum(y < at < y + tall - 20 for at, _n in numbers), default=0)
    layer = [number for at, number in numbers if top < at < top + tall - 20]
    seen = [number for word in read(picture.pixels[top : top + tall]) for number in _numbers(word.text)]
    if not layer:
        return not seen
    both = sum(min(layer.count(number), seen.count(number)) for number in set(layer))
    return both >= 0.75 * len(layer)


def _numbers(text: str) -> list[str]:
    return re.findall(r"\d+(?:\.\d+)?", text)
