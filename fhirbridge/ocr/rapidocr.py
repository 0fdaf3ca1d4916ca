"""RapidOCR: PP-OCR models run by onnxruntime, shipped in the rapidocr wheel; nothing is downloaded.

The line classifier stays off: it turns upright `g/dL` upside down into `7p/6`.
"""

from __future__ import annotations

import importlib.util
import os
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fhirbridge.errors import EngineError, MissingDependency
from fhirbridge.records import Box, Word

INSTALL = "pip install rapidocr onnxruntime"
_GAP = 1.0  # a gap wider than this many line heights between two characters parts two cells


def available() -> str | None:
    """None when the engine can run, else what is missing and how to install it."""
    for package in ("rapidocr", "onnxruntime"):
        if importlib.util.find_spec(package) is None:
            return f"the package {package} is not installed: {INSTALL}"
    return None


def create() -> RapidOcr:
    """The engine; its models load at the first picture. MissingDependency says how to install it."""
    lack = available()
    if lack:
        raise MissingDependency(lack)
    return RapidOcr()


class RapidOcr:
    """PP-OCR detection and recognition. One instance may serve several threads, one after the other."""

    name = "rapidocr"

    def __init__(self, threads: int | None = None) -> None:
        self._threads = threads or int(os.environ.get("OMP_NUM_THREADS", "0")) or os.cpu_count() or 1
        self._reader: Any = None
        self._lock = threading.Lock()

    def read(self, picture: NDArray[np.uint8]) -> tuple[Word, ...]:
        """The words on an RGB picture: one for each stretch of print without a wide gap, with its four corners."""
        with self._lock:
            try:
                found = self._loaded()(np.ascontiguousarray(picture[:, :, ::-1]))
            except (RuntimeError, ValueError, IndexError, TypeError, AttributeError, OSError) as exc:
                cure = f"try --ocr tesseract, or install it anew: {INSTALL}"
                raise EngineError(f"rapidocr failed on this picture ({type(exc).__name__}); {cure}") from exc
        if found.txts is None or found.boxes is None:
            return ()
        return tuple(_words(found))

    def _loaded(self) -> Any:
        if self._reader is None:
            self._reader = _reader_class()(
                params={
                    "Global.use_cls": False,
                    "Global.log_level": "error",
                    "Global.return_word_box": True,
                    "Global.return_single_char_box": True,
                    "EngineConfig.onnxruntime.intra_op_num_threads": self._threads,
                }
            )
        return self._reader


def _reader_class() -> Any:
    """RapidOCR that cuts out single letters upright: it turns every box half as high again as wide by a quarter,
    which makes of an arrow a dash. Boxes are turned only where most of the page's print runs down.
    """
    from rapidocr import RapidOCR

    class Upright(RapidOCR):  # type: ignore[misc, unused-ignore]
        """The reader with its cutting replaced."""

        def crop_text_regions(self, img: NDArray[np.uint8], det_boxes: Any) -> list[Any]:
            """The print under each box, level."""
            boxes = [np.asarray(box, np.float32) for box in det_boxes]
            down = _runs_down(boxes)
            crops = [_cut_out(img, box) for box in boxes]
            return [np.rot90(crop) if down and _is_tall(box) else crop for box, crop in zip(boxes, crops, strict=True)]

    return Upright


def _cut_out(picture: NDArray[np.uint8], box: NDArray[np.float32]) -> NDArray[np.uint8]:
    wide, high = (max(1, int(max(a, b))) for a, b in _sides(box))
    target = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    warp = cv2.getPerspectiveTransform(box, target)
    crop: NDArray[np.uint8] = cv2.warpPerspective(
        picture, warp, (wide, high), borderMode=cv2.BORDER_REPLICATE, flags=cv2.INTER_CUBIC
    )
    return crop


def _sides(box: NDArray[Any]) -> tuple[tuple[float, float], tuple[float, float]]:
    """The lengths of the upper and lower, and of the left and right side."""
    n = np.linalg.norm
    across = float(n(box[0] - box[1])), float(n(box[3] - box[2]))
    return across, (float(n(box[0] - box[3])), float(n(box[1] - box[2])))


def _is_tall(box: NDArray[Any]) -> bool:
    wide, high = _sides(box)
    return max(high) >= 1.5 * max(wide)


def _runs_down(boxes: Sequence[NDArray[Any]]) -> bool:
    """Whether the long boxes of a page are mostly tall: print that runs from top to bottom."""
    tall = sum(max(_sides(box)[1]) for box in boxes if max(_sides(box)[1]) >= 2 * max(_sides(box)[0]))
    flat = sum(max(_sides(box)[0]) for box in boxes if max(_sides(box)[0]) >= 2 * max(_sides(box)[1]))
    return tall > 2 * flat


def _words(found: Any) -> Iterator[Word]:
    quads = [np.asarray(quad, dtype=float) for quad in found.boxes]
    down = _runs_down(quads)
    for corners, text, score, letters in zip(quads, found.txts, found.scores, found.word_results, strict=True):
        if down and _is_tall(corners):
            yield _word(str(text), np.roll(corners, -1, axis=0), float(score))
            continue
        yield from _split(corners, str(text), float(score), [(str(c), float(s), np.asarray(b)) for c, s, b in letters])


def _split(
    corners: NDArray[np.float64], text: str, score: float, letters: Sequence[tuple[str, float, NDArray[np.float64]]]
) -> Iterator[Word]:
    """One line of print cut at its wide gaps. The cuts are shares of the line, so that a tilted line stays tilted."""
    origin, along = corners[0], corners[1] - corners[0]
    length = float(np.linalg.norm(along)) or 1.0
    height = float(np.linalg.norm(corners[3] - corners[0])) or 1.0
    ends = [tuple(sorted(((b - origin) @ along / length).tolist())) for _c, _s, b in letters]
    starts = [0]
    for i in range(1, len(ends)):
        if ends[i][0] - ends[i - 1][-1] > _GAP * height:
            starts.append(i)
    if len(starts) == 1 or "".join(c for c, _s, _b in letters).replace(" ", "") != text.replace(" ", ""):
        yield _word(text, corners, score)
        return
    for first, last in zip(starts, [*starts[1:], len(letters)], strict=True):
        part = "".join(c for c, _s, _b in letters[first:last]).strip()
        if part:
            left = 0.0 if first == 0 else ends[first][0] / length
            right = 1.0 if last == len(letters) else ends[last - 1][-1] / length
            sure = sum(s for _c, s, _b in letters[first:last]) / (last - first)
            yield _word(part, _cut(corners, left, right), sure)


def _cut(corners: NDArray[np.float64], left: float, right: float) -> NDArray[np.float64]:
    top, bottom = corners[1] - corners[0], corners[2] - corners[3]
    return np.array(
        [
            corners[0] + left * top,
            corners[0] + right * top,
            corners[3] + right * bottom,
            corners[3] + left * bottom,
        ]
    )


def _word(text: str, corners: NDArray[np.float64], score: float) -> Word:
    low, high = corners.min(axis=0), corners.max(axis=0)
    box = Box(round(low[0]), round(low[1]), max(1, round(high[0] - low[0])), max(1, round(high[1] - low[1])))
    return Word(text, box, min(1.0, max(0.0, score)), tuple((float(x), float(y)) for x, y in corners))
