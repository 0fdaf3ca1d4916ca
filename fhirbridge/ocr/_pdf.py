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
    """The text layer's words in pixels of the rendered page; a word ends at a space or a gap."""
    layer = page.get_textpage()
    words: list[Word] = []
    for index in range(layer.count_rects()):
        left, bottom, right, top = layer.get_rect(index)
        text = layer.get_text_bounded(left, bottom, right, top).strip()
        if text:
            x, y = page_point(page, scale, (left, top))
            right_x, bottom_y = page_point(page, scale, (right, bottom))
            words.append(Word(text, Box(round(x), round(y), round(right_x - x), round(bottom_y - y)), 1.0))
    return tuple(words)


def page_point(page: Any, scale: float, point: tuple[float, float]) -> tuple[float, float]:
    """A PDF point (origin bottom left) in pixels of the rendered page (origin top left)."""
    left, _bottom, _right, top = page.get_cropbox()
    return (point[0] - left) * scale, (top - point[1]) * scale
