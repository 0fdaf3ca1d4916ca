"""Photo -> words with boxes. One file an engine; `create()` in it gives an `OcrEngine`.

An engine module also has `available() -> str | None`: None when it can run, else what is missing and how to install it.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fhirbridge.records import Word


class OcrEngine(Protocol):
    """Reads a picture. `name` is what the user types after `--ocr`."""

    name: str

    def read(self, picture: NDArray[np.uint8]) -> tuple[Word, ...]:
        """The words on an RGB picture of shape (height, width, 3), boxes in its pixels; EngineError if it fails."""
        ...
