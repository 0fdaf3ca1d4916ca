"""Photo -> lab report: a picture, its words, the rows of a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhirbridge.records.values import Box, Coding, LeftOut, Quantity

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LabHeader", "LabReport", "LabResult", "Page", "Picture", "Word"]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One photo or one PDF page, upright as viewers show it (EXIF applied): every `Box` counts in its pixels.

    `pixels` is RGB, shape (height, width, 3). A PDF page is rendered; `words` is its text layer, empty for a photo.
    `data` is the whole file as it came, shared by the pages of one file.
    """

    source: str
    page: int
    pixels: NDArray[np.uint8]
    data: bytes
    content_type: str
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of print as the engine found it; `quad` is its four corners, clockwise from top left, when tilted."""

    text: str
    box: Box
    confidence: float  # 0 to 1
    quad: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One picture or PDF page after reading; boxes are in pixels of the original file."""

    number: int
    width: int
    height: int
    words: tuple[Word, ...]
    engine: str


@dataclass(frozen=True, slots=True)
class LabHeader:
    """What the form says about the patient and the specimen, as printed; None where it does not say."""

    patient_name: str | None = None
    patient_id: str | None = None
    sex: str | None = None  # FHIR administrative-gender
    age: str | None = None
    department: str | None = None
    specimen: str | None = None
    collected: str | None = None  # ISO 8601 as far as printed
    received: str | None = None
    reported: str | None = None
    laboratory: str | None = None
    title: str | None = None
    boxes: tuple[tuple[str, Box], ...] = ()  # field name -> where it stands


@dataclass(frozen=True, slots=True)
class LabResult:
    """One row of a report. `value_text` is verbatim; `quantity` only when it is a number; `doubts` empty = final."""

    name: str
    value_text: str
    box: Box
    quantity: Quantity | None = None
    unit: str = ""
    low: Quantity | None = None
    high: Quantity | None = None
    range_text: str = ""
    flag: str = ""  # HL7 v3-ObservationInterpretation as printed: H, L, HH, LL, A, POS, NEG, N or ""
    abbreviation: str = ""
    section: str = ""  # heading the row stands under (panel, specimen)
    method: str = ""
    codings: tuple[Coding, ...] = ()
    doubts: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ()
    confidence: float = 1.0
    name_confidence: float = 1.0  # the least sure part of its name
    value_box: Box | None = None  # where the value alone stands

    @property
    def side(self) -> str:
        """Where the number lies by the printed range: "L", "N" or "H"; "" where value and range do not tell."""
        if self.quantity is None or (self.low is None and self.high is None):
            return ""
        value, sign = self.quantity.value, self.quantity.comparator
        if self.low is not None and value < self.low.value and sign in ("", "<", "<="):
            return "L"
        if self.high is not None and value > self.high.value and sign in ("", ">", ">="):
            return "H"
        if sign:  # "<0.5" lies inside only if the range reaches down to there; else it is not told
            within = self.low is None if sign in ("<", "<=") else self.high is None
            return "N" if within else ""
        return "N"


@dataclass(frozen=True, slots=True)
class LabReport:
    """A report of one or more pages, its rows in reading order."""

    header: LabHeader
    results: tuple[LabResult, ...]
    pages: tuple[Page, ...]
    language: str
    left_out: tuple[LeftOut, ...] = ()
