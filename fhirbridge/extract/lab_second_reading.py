"""Doubtful cells -> what the engine reads when it sees each alone, larger, on one sheet made of the cut-out cells.

One call of the engine for all of them, so that a second look costs a fraction of the first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import cv2
import numpy as np
from numpy.typing import NDArray

from fhirbridge.errors import EngineError
from fhirbridge.extract import lab_signs
from fhirbridge.records import Box, LabResult, Page, Picture, Word

if TYPE_CHECKING:
    from fhirbridge.ocr import OcrEngine

FEWER_DIGITS = "fewer digits after the point than its range has"
LIFTED = frozenset({"the print was hard to read", "much of this page could not be read", FEWER_DIGITS})
_NUMBER = re.compile(r"[<>≤≥]?=?\d+(?:\.\d+)?")
_HEIGHT = 48  # pixels of a cell on the sheet: what recognisers are trained on
_GAP = 36
_WIDE = 420  # of a column on the sheet
_COLUMNS = 3
_BESIDE = 1.4  # of a cell's height: as far as no other word stands, since a lost ".4" may stand there
_ABOVE = 0.15


@runtime_checkable
class ReadsCells(Protocol):
    """An engine with a way of its own to read numbers that are cut out already."""

    def read_cells(self, cells: Sequence[NDArray[np.uint8]]) -> list[str]:
        """What stands on each RGB cut-out; "" where nothing was read."""
        ...


def folded(text: str) -> str:
    """A value as compared between readings: width, spaces and marks behind it do not count."""
    text = unicodedata.normalize("NFKC", text).replace("µ", "u").casefold()
    return re.sub(r"[\s↑↓*]+|[hl]$", "", text)


def agrees(value: str, second: str | None) -> bool:
    """Whether a second reading is the same value: letters of a neighbouring cell that was cut into do not count."""
    if second is None:
        return False
    value, numbers = folded(value), _NUMBER.findall(second)
    return second == value or numbers == [value]


def read(
    rows: Sequence[LabResult], pages: Sequence[Page], pictures: Sequence[Picture], engine: OcrEngine | None
) -> list[str | None]:
    """For each row what its value's cell reads when seen again, folded; None where it could not be seen."""
    if engine is None or not pictures:
        return [None] * len(rows)
    by_page = {picture.page: picture for picture in pictures}
    words = {page.number: page.words for page in pages}
    cells = [_cell(row, words.get(row.box.page, ()), by_page.get(row.box.page)) for row in rows]
    sheet, places = _sheet(cells)
    if sheet is None:
        return [None] * len(rows)
    try:
        if isinstance(engine, ReadsCells):
            texts = iter(engine.read_cells([cell for cell in cells if cell is not None]))
            again = [folded(next(texts)) or None if cell is not None else None for cell in cells]
            return [text if _as_its_range(row) else None for row, text in zip(rows, again, strict=True)]
        seen = engine.read(sheet)
    except EngineError:  # the page itself was read: the doubts simply stay
        return [None] * len(rows)
    found: list[str | None] = []
    for place in places:
        inside = [w for w in seen if place is not None and _within(w.box, place)]
        inside.sort(key=lambda w: w.box.x)
        found.append(folded("".join(w.text for w in inside)) if inside else None)
    return found


def _as_its_range(row: LabResult) -> bool:
    """Whether a number has as many digits after the point as its limits: a cell that was cut short has fewer."""
    return lab_signs.value_digits(row) in lab_signs.range_digits(row)


def _cell(row: LabResult, words: Sequence[Word], picture: Picture | None) -> NDArray[np.uint8] | None:
    box = row.value_box
    if picture is None or box is None or picture.words or not re.search(r"\d", row.value_text):
        return None
    above = int(box.height * _ABOVE)
    height, width = picture.pixels.shape[:2]
    left, right = _free(box, words)
    cut = picture.pixels[
        max(0, box.y - above) : min(height, box.y + box.height + above), max(0, left) : min(width, right)
    ]
    if min(cut.shape[:2]) < 4:
        return None
    scale = _HEIGHT / cut.shape[0]
    size = (min(_WIDE - 8, max(8, round(cut.shape[1] * scale))), _HEIGHT)
    return np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def _free(box: Box, words: Sequence[Word]) -> tuple[int, int]:
    """From where to where a cell may be cut: its own width and the free paper on both sides of it."""
    left, right = box.x - int(box.height * _BESIDE), box.x + box.width + int(box.height * _BESIDE)
    middle = box.y + box.height / 2
    for word in words:
        if not word.box.y <= middle <= word.box.y + word.box.height:
            continue
        end = word.box.x + word.box.width
        if end <= box.x + 2:
            left = max(left, end)
        elif word.box.x >= box.x + box.width - 2:
            right = min(right, word.box.x)
    near = int(box.height * 0.3)
    return min(left, box.x - near), max(right, box.x + box.width + near)


def _sheet(cells: Sequence[NDArray[np.uint8] | None]) -> tuple[NDArray[np.uint8] | None, list[Box | None]]:
    """The cells laid out in columns on paper of their own brightness, and where each stands."""
    here = [cell for cell in cells if cell is not None]
    if not here:
        return None, []
    paper = np.median(np.concatenate([cell.reshape(-1, 3) for cell in here]), axis=0).astype(np.uint8)
    lines = -(-len(here) // _COLUMNS)
    pitch = _HEIGHT + _GAP
    sheet = np.empty((max(lines * pitch + _GAP, 160), _COLUMNS * (_WIDE + _GAP) + _GAP, 3), np.uint8)
    sheet[:] = paper
    places: list[Box | None] = []
    number = 0
    for cell in cells:
        if cell is None:
            places.append(None)
            continue
        x = _GAP + (number % _COLUMNS) * (_WIDE + _GAP)
        y = _GAP + (number // _COLUMNS) * pitch
        sheet[y : y + _HEIGHT, x : x + cell.shape[1]] = cell
        places.append(Box(x, y, cell.shape[1], _HEIGHT))
        number += 1
    return sheet, places


def _within(box: Box, place: Box) -> bool:
    x, y = box.x + box.width / 2, box.y + box.height / 2
    return place.x - _GAP / 2 <= x <= place.x + _WIDE and place.y - _GAP / 2 <= y <= place.y + _HEIGHT + _GAP / 2
