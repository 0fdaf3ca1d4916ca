"""Photo -> words with boxes. One file an engine; `create()` in it gives an `OcrEngine`.

An engine module also has `available() -> str | None`: None when it can run, else what is missing and how to install it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fhirbridge import choices
from fhirbridge.errors import MissingDependency
from fhirbridge.records import Page, Picture, Word

_BEST = ("rapidocr", "faster_paddle", "tesseract")  # measured: docs/quality.md


class OcrEngine(Protocol):
    """Reads a picture. `name` is what the user types after `--ocr`."""

    name: str

    def read(self, picture: NDArray[np.uint8]) -> tuple[Word, ...]:
        """The words on an RGB picture of shape (height, width, 3), boxes in its pixels; EngineError if it fails."""
        ...


def best() -> OcrEngine:
    """The most accurate engine that is installed; MissingDependency names what to install when none is."""
    lacks = []
    for name in (*_BEST, *(n for n in choices.names("ocr") if n not in _BEST)):
        module = choices.module("ocr", name)
        lack = module.available()
        if lack is None:
            engine: OcrEngine = module.create()
            return engine
        lacks.append(f"{name}: {lack}")
    raise MissingDependency("no OCR engine can run; " + "; ".join(lacks))


def load(source: str | Path | bytes | Any | Sequence[Any]) -> tuple[Picture, ...]:
    """The pages of a report as upright pictures: a path, bytes, a PIL image, an RGB array, or a list of them."""
    from fhirbridge.ocr import _pictures

    return _pictures.load(source)


def read_page(picture: Picture, engine: OcrEngine) -> Page:
    """The words on one page, boxes in the picture's pixels; EngineError if the engine fails."""
    from fhirbridge.ocr import _pages

    return _pages.read_page(picture, engine)
