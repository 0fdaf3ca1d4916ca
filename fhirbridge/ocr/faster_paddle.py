"""faster-paddle: the same PP-OCR models in Rust, about twice as fast, with upright boxes only (extra `ocr-fast`).

Its boxes do not tell how a line is tilted, so rows of a slanted or bent sheet are told by their columns alone.
"""

from __future__ import annotations

import importlib.util
import io
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fhirbridge.errors import EngineError, MissingDependency
from fhirbridge.records import Box, Word

INSTALL = "pip install 'fhirbridge[ocr-fast]'"


def available() -> str | None:
    """None when the engine can run, else what is missing and how to install it."""
    if importlib.util.find_spec("faster_paddle") is None:
        return f"the package faster-paddle is not installed: {INSTALL}"
    return None


def create() -> FasterPaddle:
    """The engine; its bundled small model loads at the first picture. MissingDependency says how to install it."""
    lack = available()
    if lack:
        raise MissingDependency(lack)
    return FasterPaddle()


class FasterPaddle:
    """PP-OCRv6 small, both models inside the wheel; nothing is downloaded."""

    name = "faster_paddle"

    def __init__(self) -> None:
        self._reader: Any = None
        self._lock = threading.Lock()

    def read(self, picture: NDArray[np.uint8]) -> tuple[Word, ...]:
        """The words on an RGB picture, one for each line of a cell, in upright boxes."""
        store = io.BytesIO()
        Image.fromarray(picture).save(store, "BMP")
        with self._lock:
            try:
                found = self._loaded().ocr(store.getvalue())["bounds"]
            except (RuntimeError, ValueError, KeyError, TypeError, OSError) as exc:
                cure = f"try --ocr rapidocr, or install it anew: {INSTALL}"
                raise EngineError(f"faster_paddle failed on this picture ({type(exc).__name__}); {cure}") from exc
        return tuple(_word(found[key]) for key in sorted(found) if str(found[key]["text"]).strip())

    def _loaded(self) -> Any:
        if self._reader is None:
            import faster_paddle

            self._reader = faster_paddle.OcrEngine(model_size="small", det_max_side=2000)
        return self._reader


def _word(bound: dict[str, Any]) -> Word:
    (x0, y0), (x1, y1) = bound["topLeftCoord"], bound["bottomRightCoord"]
    box = Box(round(x0), round(y0), max(1, round(x1 - x0)), max(1, round(y1 - y0)))
    return Word(str(bound["text"]).strip(), box, min(1.0, max(0.0, float(bound["confidence"]))))
