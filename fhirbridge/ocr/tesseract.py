"""Tesseract through pytesseract, prepared: paper evened, each stretch of print cut out, levelled and set on a line.

Tesseract's own page layout mixes the columns of a table and splits Chinese decimals; a sheet on which every cell is
one line of like height leaves it nothing to mix. Numbers are read a second time with the English model alone.
"""

from __future__ import annotations

import importlib.util
import io
import os
import re
import shutil
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fhirbridge.errors import EngineError, MissingDependency
from fhirbridge.ocr import _cells
from fhirbridge.records import Box, Word

INSTALL = "apt-get install tesseract-ocr tesseract-ocr-eng tesseract-ocr-chi-sim (macOS: brew install tesseract-lang)"
_LINE = 44  # pixels a cell is high on the sheet, margins not counted: about what Tesseract was trained on
_GAP = 18
_UNIT = re.compile(r"[x×*]?10[\^*°~%]?\d{1,2}/?[A-Za-z]*|[A-Za-zµμ]{1,5}/[A-Za-z0-9.]{1,8}|%|f[lL]|pg|/[A-Za-z]{2,3}")
_CLEAR = 22  # pixels of a character's height from which print is found and read well
_LARGE = 2400  # pixels of the longer side of a picture
_COPIES = 3
_DIGITS = "0123456789.<>+-"
_BOTH = 0.97  # what two models that agree on a number are trusted at most
_MOST = 350  # cells on one sheet: Tesseract takes no picture higher than 32767 pixels
_CHINESE = re.compile(r"[㐀-䶿丁-鿿]")  # all but the one that is also a dash
_NUMBER = re.compile(r"[<>≤≥=]{0,2}\d+(\.\d+)?([-~]{1,2}\d+(\.\d+)?)?")


def available() -> str | None:
    """None when the engine can run, else what is missing and how to install it."""
    if importlib.util.find_spec("pytesseract") is None:
        return "the package pytesseract is not installed: pip install pytesseract"
    import pytesseract

    if shutil.which(pytesseract.pytesseract.tesseract_cmd) is None:
        return f"the program tesseract is not installed: {INSTALL}"
    return None


def create() -> Tesseract:
    """The engine; MissingDependency says how to install it."""
    lack = available()
    if lack:
        raise MissingDependency(lack)
    return Tesseract()


@dataclass(frozen=True, slots=True)
class _Read:
    text: str
    sure: float


class Tesseract:
    """Tesseract 4 or 5 with the models eng and chi_sim. `seconds` is how long one page may take."""

    name = "tesseract"

    def __init__(self, seconds: float = 150.0) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()

    def read(self, picture: NDArray[np.uint8]) -> tuple[Word, ...]:
        """The words on an RGB picture: one for each stretch of print without a wide gap."""
        with self._lock, _one_thread():
            even, scale = _scaled(_cells.evened(picture))
            size = _cells.text_height(even)
            if size == 0:
                return ()
            cells = sorted(_cells.find(even, size), key=lambda c: (float(c.quad[0][1]), float(c.quad[0][0])))
            crops = [_crop(even, cell, size) for cell in cells]
            reads = self._texts(crops)
            return tuple(_word(cell, read, scale) for cell, read in zip(cells, reads, strict=True) if read.text)

    def read_cells(self, cells: Sequence[NDArray[np.uint8]]) -> list[str]:
        """What number stands on each RGB cut-out: the English model alone, digits and signs only, paper as it is."""
        with self._lock, _one_thread():
            return [read.text for read in self._sheet([_stretched(cell) for cell in cells], "eng", _DIGITS)]

    def _texts(self, crops: Sequence[NDArray[np.uint8]]) -> list[_Read]:
        """What stands on each crop: a sample tells the language, then all are read, and numbers once more."""
        if not crops:
            return []
        if not (self._has("chi_sim") and self._is_chinese(crops)):
            return self._sheet(crops, "eng")
        reads = self._sheet(crops, "chi_sim")
        latin = [i for i, read in enumerate(reads) if _may_be_latin(read.text, crops[i].shape[1])]
        for i, again in zip(latin, self._sheet([crops[i] for i in latin], "eng"), strict=True):
            reads[i] = _agreed(reads[i], again)
        return reads

    def _is_chinese(self, crops: Sequence[NDArray[np.uint8]]) -> bool:
        """Whether the widest stretches hold Chinese characters."""
        widest = sorted(crops, key=lambda crop: -crop.shape[1])[4:40:3] or list(crops[:12])
        text = "".join(read.text for read in self._sheet(widest, "chi_sim"))
        return len(_CHINESE.findall(text)) > 0.15 * len(text)

    def _has(self, language: str) -> bool:
        import pytesseract

        try:
            return language in pytesseract.get_languages(config="")
        except (pytesseract.TesseractError, OSError) as exc:
            raise EngineError(f"tesseract does not start ({type(exc).__name__}); install it anew: {INSTALL}") from exc

    def _sheet(self, crops: Sequence[NDArray[np.uint8]], languages: str, only: str = "") -> list[_Read]:
        """The crops set one below the other and read as one column of lines."""
        if len(crops) > _MOST:
            return [*self._sheet(crops[:_MOST], languages, only), *self._sheet(crops[_MOST:], languages, only)]
        if not crops:
            return []
        wide = max(_COPIES * 2 * _LINE, *(crop.shape[1] for crop in crops)) + 2 * _GAP
        high = _LINE + 2 * _GAP
        sheet = np.full((high * len(crops), wide), 255, np.uint8)
        for row, crop in enumerate(map(_repeated, crops)):
            top = row * high + _GAP
            sheet[top : top + crop.shape[0], _GAP : _GAP + crop.shape[1]] = crop
        found: list[list[tuple[str, float]]] = [[] for _ in crops]
        for word in self._run(sheet, languages, only):
            row = min(len(crops) - 1, int((word["top"] + word["height"] / 2) // high))
            found[row].append((word["text"], word["sure"]))
        return [_once(words) if _is_short(crop) else _joined(words) for crop, words in zip(crops, found, strict=True)]

    def _run(self, sheet: NDArray[np.uint8], languages: str, only: str) -> Iterator[dict[str, Any]]:
        import pytesseract

        store = io.BytesIO()
        Image.fromarray(sheet).save(store, "PNG", compress_level=1)
        try:
            table = pytesseract.image_to_data(
                Image.open(store),
                lang=languages,
                config="--psm 6 --dpi 300" + (f" -c tessedit_char_whitelist={only}" if only else ""),
                timeout=self._seconds,
                output_type=pytesseract.Output.DICT,
            )
        except pytesseract.TesseractError as exc:
            lack = "Failed loading language" in str(exc)
            cure = f"install its models: {INSTALL}" if lack else f"try --ocr rapidocr, or install it anew: {INSTALL}"
            raise EngineError(f"tesseract failed on this picture (status {exc.status}); {cure}") from exc
        except RuntimeError as exc:
            raise EngineError(f"tesseract took more than {self._seconds:g} s; send a smaller picture") from exc
        except (OSError, ValueError, KeyError) as exc:
            raise EngineError(f"tesseract gave nothing usable ({type(exc).__name__}); install it: {INSTALL}") from exc
        for text, sure, top, height in zip(*(table[k] for k in ("text", "conf", "top", "height")), strict=True):
            if str(text).strip():
                yield {"text": str(text).strip(), "sure": float(sure) / 100, "top": int(top), "height": int(height)}


@contextmanager
def _one_thread() -> Iterator[None]:
    """Tesseract on one thread: its OpenMP threads wait for one another, up to ten times longer."""
    before = os.environ.get("OMP_THREAD_LIMIT")
    os.environ["OMP_THREAD_LIMIT"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_THREAD_LIMIT"]
        else:
            os.environ["OMP_THREAD_LIMIT"] = before


def _scaled(even: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """The picture at a scale at which its print is neither too small to be found nor lost among specks."""
    scale = min(1.0, _LARGE / max(even.shape))
    if scale == 1.0:
        size = _cells.text_height(even)
        scale = min(3.0, _CLEAR / size) if 0 < size < _CLEAR / 1.1 else 1.0
    if scale == 1.0:
        return even, scale
    how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    return np.asarray(cv2.resize(even, None, fx=scale, fy=scale, interpolation=how), np.uint8), scale


def _crop(even: NDArray[np.uint8], cell: _cells.Cell, size: float) -> NDArray[np.uint8]:
    """A cell cut out, level, scaled so that its characters are as high as a line of the sheet."""
    scale = min(4.0, _LINE / max(cell.height, 1.05 * size))
    wide, high = max(4, round(cell.width * scale)), min(_LINE, max(8, round(cell.height * scale)))
    target = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    warp = cv2.getPerspectiveTransform(cell.quad, target)
    how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    crop: NDArray[np.uint8] = cv2.warpPerspective(even, warp, (wide, high), flags=how, borderValue=255)
    return crop


def _stretched(cell: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A cut-out as high as a line of the sheet, its paper white and its ink black."""
    grey = cv2.cvtColor(cell, cv2.COLOR_RGB2GRAY).astype(np.float64)
    ink, paper = float(np.quantile(grey, 0.02)), float(np.quantile(grey, 0.7))
    clear = np.clip((grey - ink) / max(paper - ink, 1.0) * 255, 0, 255).astype(np.uint8)
    size = (max(4, round(cell.shape[1] * _LINE / cell.shape[0])), _LINE)
    return np.asarray(cv2.resize(clear, size, interpolation=cv2.INTER_AREA), np.uint8)


def _is_short(crop: NDArray[np.uint8]) -> bool:
    return crop.shape[1] < 1.1 * _LINE


def _repeated(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A single sign or two set side by side three times: Tesseract takes a lone % or H for dirt."""
    if not _is_short(crop):
        return crop
    white = np.full((crop.shape[0], _LINE // 2), 255, np.uint8)
    return np.hstack([part for _ in range(_COPIES) for part in (crop, white)][:-1])


def _once(words: Sequence[tuple[str, float]]) -> _Read:
    """What most of the copies of a sign were read as."""
    if not words:
        return _Read("", 0.0)
    counts = Counter(text for text, _sure in words)
    text, count = max(counts.items(), key=lambda item: (item[1], -len(item[0])))
    if len(words) == 1 and len(text) % _COPIES == 0 and text == text[: len(text) // _COPIES] * _COPIES:
        text, count = text[: len(text) // _COPIES], _COPIES
    sure = max(sure for word, sure in words if word == text or len(words) == 1)
    return _Read(text, max(0.0, min(1.0, sure)) * min(1.0, (count + 1) / _COPIES))


def _joined(words: Sequence[tuple[str, float]]) -> _Read:
    """The words of one cell as one text: no spaces between Chinese characters nor inside a number."""
    text = " ".join(word for word, _sure in words)
    text = re.sub(r"(?<=[㐀-鿿（(])\s+|\s+(?=[㐀-鿿）)])", "", text)
    text = re.sub(r"(?<=[\w/])\s*儿\s?L?$", lambda _found: "L" if "/" in text else "/L", text)
    text = re.sub(r"(?<=\d)\s*[一—–]\s*(?=\d)", "-", text)
    text = re.sub(r"(?<=[\d.])\s*[OoQ](?=$|[\s\d~.-])", "0", text)
    text = re.sub(r"^([x×*]?\s?)10\s+(?=(?:9|12|3|6)(?:\s*/|$))", r"\g<1>10^", text)
    text = re.sub(r"(?<=\d)\s*([.,])\s+(?=\d)|(?<=\d)\s+([.,])\s*(?=\d)", r"\1\2", text)
    sure = sum(sure * len(word) for word, sure in words) / max(1, sum(len(word) for word, _sure in words))
    return _Read(text, max(0.0, min(1.0, sure)))


def _may_be_latin(text: str, wide: int) -> bool:
    """Whether a cell is worth a look with the English model: no Chinese, or so little that it may be a misread sign."""
    return len(_CHINESE.findall(text)) <= (2 if wide < 5 * _LINE else 0)


def _agreed(one: _Read, other: _Read) -> _Read:
    """The better of two models' readings; a number that both read alike is surer than either says."""
    if one.text == other.text and _NUMBER.fullmatch(one.text):
        return _Read(one.text, max(one.sure, other.sure, min(_BOTH, 1 - (1 - one.sure) * (1 - other.sure))))
    return max(one, other, key=_worth)


def _worth(read: _Read) -> float:
    """How far a reading is to be believed: a well-formed number or range more than what is none."""
    formed = 0.3 if _NUMBER.fullmatch(read.text) or _UNIT.fullmatch(read.text) else 0.0
    return read.sure + formed - (1.0 if not read.text else 0.0)


def _word(cell: _cells.Cell, read: _Read, scale: float) -> Word:
    quad = cell.quad / scale
    low, high = quad.min(axis=0), quad.max(axis=0)
    box = Box(
        round(float(low[0])), round(float(low[1])), round(float(high[0] - low[0])), round(float(high[1] - low[1]))
    )
    return Word(read.text, box, read.sure, tuple((float(x), float(y)) for x, y in quad))
