"""A picture and an engine -> the words on the page, in pixels of the original file."""

from __future__ import annotations

from fhirbridge.errors import EngineError
from fhirbridge.ocr import OcrEngine, _marks
from fhirbridge.records import Page, Picture


def read_page(picture: Picture, engine: OcrEngine) -> Page:
    """What stands on one page. A PDF page with a sound text layer is not read by the engine at all."""
    height, width = picture.pixels.shape[:2]
    if picture.words:
        return Page(picture.page, width, height, picture.words, "text layer")
    words = engine.read(picture.pixels)
    if not isinstance(words, tuple):
        raise EngineError(f"{engine.name} gave no words but {type(words).__name__}; try another engine with --ocr")
    return Page(picture.page, width, height, _marks.completed(picture.pixels, words), engine.name)
