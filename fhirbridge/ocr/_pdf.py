"""PDF pages -> pictures, with the words of the text layer where the file has one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pypdfium2 as pdfium

from fhirbridge.errors import EmptyInput, InputTooLarge, UnreadableInput
from fhirbridge.ocr._pictures import MOST_PAGES, MOST_PIXELS
from fhirbridge.records import Box, Word

DPI = 200
MOST_CHARACTERS = 20_000

Area = tuple[float, float, float, float]
_NOTHING: Area = (float("inf"), float("inf"), float("-inf"), float("-inf"))


def pages(name: str, data: bytes) -> Iterator[tuple[Any, ...]]:
    """Each page as (name, pixels, data, media type, words), rendered at 200 dpi or less for a huge sheet."""
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as exc:
        if "password" in str(exc).lower():
            raise UnreadableInput(name, "the PDF is encrypted", "save a copy without a password") from exc
        raise UnreadableInput(name, "the PDF is damaged", "save it again") from exc
    try:
        if len(document) > MOST_PAGES:
            raise InputTooLarge(name, f"more than {MOST_PAGES} pages", "give the pages of one report")
        if not len(document):
            raise EmptyInput(name, "the PDF has no page", "save it again")
        for index in range(len(document)):
            yield _page(name, document[index], data)
    finally:
        document.close()


def _page(name: str, page: Any, data: bytes) -> tuple[Any, ...]:
    width, height = page.get_size()
    if width * height <= 0:
        raise UnreadableInput(name, "a PDF page has no size", "save it again")
    scale = min(DPI / 72, (MOST_PIXELS / 4 / (width * height)) ** 0.5)
    try:
        pixels = np.ascontiguousarray(page.render(scale=scale).to_numpy()[:, :, ::-1])
    except pdfium.PdfiumError as exc:
        raise UnreadableInput(name, "a PDF page cannot be drawn", "save it again, or photograph it") from exc
    return name, pixels, data, "application/pdf", _words(page, scale)


def _words(page: Any, scale: float) -> tuple[Word, ...]:
    """The text layer's words in pixels of the rendered page: a word ends where the line does or at a wide gap."""
    layer = page.get_textpage()
    words: list[Word] = []
    text, area = "", _NOTHING
    for index in range(min(layer.count_chars(), MOST_CHARACTERS)):
        character = layer.get_text_range(index, 1)
        if not character.strip():
            text += " " if text and not text.endswith(" ") and character not in "\r\n" else ""
            continue
        box = _corners(page, scale, layer.get_charbox(index))
        if text and not _goes_on(area, box):
            words += _word(text, area)
            text, area = "", _NOTHING
        text += character
        area = (min(area[0], box[0]), min(area[1], box[1]), max(area[2], box[2]), max(area[3], box[3]))
    return (*words, *_word(text, area))


def _goes_on(area: Area, box: Area) -> bool:
    """Whether a character stands right behind the word: on its line and less than a line's height away."""
    height = max(area[3] - area[1], box[3] - box[1], 1.0)
    middle = (box[1] + box[3]) / 2
    on_line = area[1] - 0.3 * height < middle < area[3] + 0.3 * height
    return on_line and -0.5 * height < box[0] - area[2] < 0.9 * height


def _word(text: str, area: Area) -> list[Word]:
    if not text.strip():
        return []
    left, top, right, bottom = (round(value) for value in area)
    return [Word(text.strip(), Box(left, top, max(1, right - left), max(1, bottom - top)), 1.0)]


def _corners(page: Any, scale: float, box: tuple[float, float, float, float]) -> Area:
    """A box in PDF points (origin bottom left, page not turned) in pixels of the rendered page (origin top left)."""
    left, bottom, right, top = page.get_cropbox()
    x0, y0, x1, y1 = box
    width, height = right - left, top - bottom
    ends = [_turned(x - left, top - y, (width, height), page.get_rotation()) for x, y in ((x0, y1), (x1, y0))]
    xs, ys = [x * scale for x, _y in ends], [y * scale for _x, y in ends]
    return min(xs), min(ys), max(xs), max(ys)


def _turned(x: float, y: float, size: tuple[float, float], rotation: int) -> tuple[float, float]:
    """A point from the top left of the page as stored, from the top left of the page as shown."""
    width, height = size
    return {90: (height - y, x), 180: (width - x, height - y), 270: (y, width - x)}.get(rotation, (x, y))
