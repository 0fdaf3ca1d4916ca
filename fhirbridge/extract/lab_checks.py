"""A coded report -> the same report, every row that may be misread marked with the reason.

A row without doubts becomes `final`, so what looks right but is not must be caught here: confidence alone does not do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from fhirbridge.records import LabReport, LabResult, Picture

if TYPE_CHECKING:
    from fhirbridge.ocr import OcrEngine

SURE = 0.85  # below this an engine is often wrong: measured in benchmarks/lab_ocr_errors.py


def check(report: LabReport, pictures: Sequence[Picture], engine: OcrEngine) -> LabReport:
    """The report with `doubts` on the rows that failed a check; nothing is corrected in silence."""
    return replace(report, results=tuple(_row(row) for row in report.results))


def _row(row: LabResult) -> LabResult:
    doubts = list(row.doubts)
    if row.confidence < SURE:
        doubts.append("the print was hard to read")
    if row.flag in {"H", "HH", "L", "LL"} and row.side and row.side != row.flag[0]:
        doubts.append("the printed flag and the reference range disagree")
    return replace(row, doubts=tuple(doubts))
