"""The words round a table -> what the form says about patient, specimen and times."""

from __future__ import annotations

from collections.abc import Sequence

from fhirbridge.records import LabHeader, Page


def read(pages: Sequence[Page]) -> LabHeader:
    """The header fields as printed; None where the form does not say."""
    return LabHeader()
