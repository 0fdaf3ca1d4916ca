"""A lone dash is found; an arrow that was read as 1 is told by its shape, and a 1 stays a 1."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from fhirbridge.ocr import _marks
from fhirbridge.records import Box, Word

STEP = 40


def _sheet() -> tuple[Image.Image, list[Word]]:
    """Ten lines of two words with the middle column empty; words are blocks of dark strokes."""
    image = Image.new("RGB", (700, 60 + 10 * STEP), "white")
    words = []
    for line in range(10):
        for x in (40, 500):
            box = Box(x, 40 + line * STEP, 120, 24)
            _strokes(image, box)
            words.append(Word("xxxxxxxxxx", box, 0.99))
    return image, words


def _strokes(image: Image.Image, box: Box) -> None:
    draw = ImageDraw.Draw(image)
    for x in range(box.x, box.x + box.width, 12):
        draw.rectangle((x, box.y + 2, x + 5, box.y + box.height - 3), fill="black")


def _arrow(draw: ImageDraw.ImageDraw, x: int, y: int, up: bool) -> None:
    """An arrow 20 pixels high with a head 8 pixels wide."""
    head = [(x + 4, y), (x, y + 8), (x + 8, y + 8)]
    if not up:
        head = [(px, 2 * y + 20 - py) for px, py in head]
    draw.polygon(head, fill="black")
    draw.rectangle((x + 3, y + 2, x + 4, y + 18), fill="black")


def _one(draw: ImageDraw.ImageDraw, x: int, y: int) -> None:
    """A 1 with its flag on the left and a foot."""
    draw.rectangle((x + 3, y, x + 5, y + 19), fill="black")
    draw.polygon([(x + 3, y), (x, y + 5), (x + 3, y + 5)], fill="black")
    draw.rectangle((x, y + 18, x + 8, y + 19), fill="black")


def test_a_lone_dash_between_two_columns_is_found() -> None:
    image, words = _sheet()
    ImageDraw.Draw(image).rectangle((300, 40 + 3 * STEP + 11, 309, 40 + 3 * STEP + 12), fill="black")
    (found,) = _marks.completed(np.asarray(image), words)[len(words) :]
    assert found.text == "-"
    assert found.box.x == 300 and abs(found.box.y - (40 + 3 * STEP)) <= 3


def test_a_broken_rule_is_no_row_of_dashes() -> None:
    image, words = _sheet()
    for x in range(200, 480, 40):
        ImageDraw.Draw(image).rectangle((x, 40 + 3 * STEP + 11, x + 9, 40 + 3 * STEP + 12), fill="black")
    assert len(_marks.completed(np.asarray(image), words)) == len(words)


@pytest.mark.parametrize(("up", "sign"), [(True, "↑"), (False, "↓")])
def test_an_arrow_read_as_1_behind_a_number_is_an_arrow(up: bool, sign: str) -> None:
    assert _read_again(lambda draw: _arrow(draw, 358, 42, up)) == f"27{sign}"


def test_a_1_behind_a_number_stays() -> None:
    assert _read_again(lambda draw: _one(draw, 358, 42)) == "271"


def _read_again(last: object) -> str:
    """What becomes of a word read as 271 whose last glyph is drawn by `last`."""
    image, words = _sheet()
    draw = ImageDraw.Draw(image)
    for x in (322, 338):
        draw.rectangle((x, 42, x + 7, 61), fill="black")
    last(draw)  # type: ignore[operator]
    words.append(Word("271", Box(318, 40, 52, 24), 0.99))
    return _marks.completed(np.asarray(image, dtype=np.uint8), words)[len(words) - 1].text


def test_the_picture_is_not_written_to() -> None:
    image, words = _sheet()
    pixels: NDArray[np.uint8] = np.asarray(image).copy()
    pixels.setflags(write=False)
    assert len(_marks.completed(pixels, words)) == len(words)


def test_a_lone_plus_is_found_and_a_letter_or_a_square_is_none() -> None:
    image, words = _sheet()
    draw = ImageDraw.Draw(image)
    y = 40 + 3 * STEP + 5
    draw.rectangle((300, y + 6, 313, y + 7), fill="black")
    draw.rectangle((306, y, 307, y + 13), fill="black")
    draw.rectangle((300, y + STEP, 313, y + STEP + 13), outline="black", width=2)
    draw.rectangle((300, y + 2 * STEP, 301, y + 2 * STEP + 13), fill="black")
    draw.rectangle((300, y + 2 * STEP + 12, 313, y + 2 * STEP + 13), fill="black")
    found = _marks.completed(np.asarray(image), words)[len(words) :]
    assert [word.text for word in found] == ["+"]


def test_a_sign_read_as_a_chinese_number_is_a_sign_that_is_doubted() -> None:
    image, words = _sheet()
    words.append(Word("十", Box(300, 160, 20, 24), 0.98))
    (sign,) = _marks.completed(np.asarray(image), words)[len(words) - 1 :]
    assert sign.text == "+" and sign.confidence < 0.7
