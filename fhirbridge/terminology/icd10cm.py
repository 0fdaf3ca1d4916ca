"""ICD-10-CM, the April 2026 edition that ships (CDC/NCHS, public domain)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fhirbridge.errors import ConfigurationError
from fhirbridge.terminology import Record, _codes, _tables


def create(path: Path | None = None) -> _codes.Codes:
    """Every code of the shipped edition; another edition is a `table` with system icd10cm."""
    if path is not None:
        raise ConfigurationError("icd10cm ships with fhirbridge and takes no file: use table=PATH for another edition")
    return _codes.Codes("icd10cm", _tables.SYSTEMS["icd10cm"], _records())


def _records() -> Iterator[Record]:
    for code, name in _tables.codes("icd10cm").items():
        yield Record(code, name, (), "symptom" if code.startswith("R") else "condition")
