"""Pages that lie on their side or upside down are read, and their boxes stay in the pixels of the file."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from fhirbridge.ocr import _turns
from fhirbridge.records import Box, Word


def _page() -> NDArray[np.uint8]:
    """An upright page: lines of print, strokes that are black above and grey below."""
    image = Image.new("RGB", (600, 420), "white")
    draw = ImageDraw.Draw(image)
    for y in range(60, 400, 40):
        for x in range(60, 540, 14):
            draw.rectangle((x, y, x + 9, y + 7), fill="black")
            draw.rectangle((x, y + 8, x + 9, y + 15), fill=(120, 120, 120))
    return np.asarray(image)


class Honest:
    """Reads one word at a known place, and is unsure when the print does not stand upright."""

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, pixels: NDArray[np.uint8]) -> tuple[Word, ...]:
        """One long word at a known place."""
        self.seen += 1
        above, below = pixels[:-1, :, 0], pixels[1:, :, 0]
        black, grey = int(((above > 200) & (below < 50)).sum()), int(((above > 200) & (below == 120)).sum())
        upright = black > 5 * grey
        return (Word("A" * 30, Box(60, 60, 100, 20), 0.99 if upright else 0.7),)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_turned_page_is_read_and_its_boxes_fall_on_the_print_of_the_file(quarters: int) -> None:
    upright = _page()
    marked = upright.copy()
    marked[60:80, 60:160] = (255, 0, 0)  # where the word stands
    turned = np.ascontiguousarray(np.rot90(upright, quarters))
    (word,) = _turns.read_upright(turned, Honest())
    where = np.argwhere((np.rot90(marked, quarters) != np.rot90(upright, quarters)).any(axis=2))
    top, left = where.min(axis=0)
    bottom, right = where.max(axis=0)
    box = word.box
    assert abs(box.x - left) <= 3 and abs(box.y - top) <= 3
    assert abs(box.x + box.width - right) <= 3 and abs(box.y + box.height - bottom) <= 3


def test_an_upright_page_is_read_once() -> None:
    reader = Honest()
    _turns.read_upright(_page(), reader)
    assert reader.seen == 1
