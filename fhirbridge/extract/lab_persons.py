"""Reference ranges that depend on sex: told from plain ones, and the one for the patient chosen where the form says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from fhirbridge import languages
from fhirbridge.extract import lab_print
from fhirbridge.records import LabResult, Quantity


def for_somebody(text: str) -> bool:
    """Whether a range begins with whom it is for: `Male: 13.0 - 17.0`."""
    found = _pattern().match(lab_print.plain(text).strip())
    return found is not None and lab_print.limits(lab_print.plain(text).strip()[found.end() :]) is not None


def chosen(rows: Sequence[LabResult], sex: str | None) -> tuple[LabResult, ...]:
    """The rows; where a range is given by sex, with the limits of this patient if the form says the sex."""
    return tuple(_chosen(row, sex) if sex and row.low is None and row.high is None else row for row in rows)


def _chosen(row: LabResult, sex: str | None) -> LabResult:
    text = lab_print.plain(row.range_text)
    marks = [(found.start(), found.end(), _sexes()[found[1].casefold()]) for found in _pattern().finditer(text)]
    ends = [mark[0] for mark in marks[1:]] + [len(text)] if marks else []
    for (_start, begin, whose), end in zip(marks, ends, strict=True):
        limits = lab_print.limits(text[begin:end].strip(" ;,"))
        if whose == sex and limits is not None:
            return replace(row, low=_measured(limits.low, row.unit), high=_measured(limits.high, row.unit))
    return row


def _measured(limit: Quantity | None, unit: str) -> Quantity | None:
    return None if limit is None else replace(limit, unit=unit)


@lru_cache(maxsize=1)
def _sexes() -> dict[str, str]:
    return {
        row["word"].casefold(): row["kind"]
        for language in languages.names()
        for row in languages.rows(language, "lab_words")
        if row["kind"] in ("male", "female")
    }


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    words = "|".join(sorted(map(re.escape, _sexes()), key=len, reverse=True))
    return re.compile(rf"(?<![A-Za-z])({words})s?\s*[:(]?\s*(?=[<>≤≥\d])", re.IGNORECASE)
