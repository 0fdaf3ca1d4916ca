"""A picture and an engine -> the words on the page, in pixels of the original file."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from fhirbridge.errors import EngineError, FhirbridgeError
from fhirbridge.ocr import OcrEngine, _marks, _text_layer, _turns
from fhirbridge.records import Page, Picture, Word

LIMIT_SECONDS = 180.0  # for one reading of one page; the slowest engine needs 26 on the largest development picture


def read_page(picture: Picture, engine: OcrEngine) -> Page:
    """What stands on one page. A PDF's text layer is taken where a look at the picture confirms it."""
    height, width = picture.pixels.shape[:2]

    def read(pixels: NDArray[np.uint8]) -> tuple[Word, ...]:
        return _in_time(engine, pixels)

    if picture.words and _text_layer.agrees(picture, read):
        return Page(picture.page, width, height, picture.words, "text layer")
    words = _turns.read_upright(picture.pixels, read)
    return Page(picture.page, width, height, _marks.completed(picture.pixels, words), engine.name)


class _Call(threading.Thread):
    """One call of an engine, on a thread that is left behind when it hangs."""

    def __init__(self, engine: OcrEngine, pixels: NDArray[np.uint8]) -> None:
        super().__init__(name=f"ocr {engine.name}", daemon=True)
        self._engine, self._pixels = engine, pixels
        self.found: object = None
        self.failure: BaseException | None = None

    def run(self) -> None:
        """Keep what the engine gives or raises: foreign code may raise anything, and all of it is an EngineError."""
        try:
            self.found = self._engine.read(self._pixels)
        except BaseException as exc:  # noqa: BLE001
            self.failure = exc


def _in_time(engine: OcrEngine, pixels: NDArray[np.uint8]) -> tuple[Word, ...]:
    """The engine's words; EngineError names the engine when it crashes, hangs or gives something else."""
    call = _Call(engine, pixels)
    call.start()
    call.join(LIMIT_SECONDS)
    cure = "try another one with --ocr"
    if call.is_alive():
        raise EngineError(f"{engine.name} did not finish within {LIMIT_SECONDS:g} s; {cure}")
    if isinstance(call.failure, FhirbridgeError):
        raise call.failure
    if call.failure is not None:
        raise EngineError(f"{engine.name} crashed ({type(call.failure).__name__}); {cure}") from call.failure
    found = call.found
    if not isinstance(found, tuple) or not all(isinstance(word, Word) for word in found):
        raise EngineError(f"{engine.name} gave {type(found).__name__} where words were due; {cure}")
    return found
