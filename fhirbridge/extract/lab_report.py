"""Pages of words -> the report: its header and its rows, each with verbatim name, value, unit, range and flag.

Reads what is printed and corrects nothing but unmistakable letters of units; what cannot be read is `left_out`.
"""

from __future__ import annotations

from collections.abc import Sequence

from fhirbridge import languages
from fhirbridge.errors import EmptyInput
from fhirbridge.extract import lab_flatten, lab_header, lab_persons, lab_results, lab_tables
from fhirbridge.records import LabReport, LabResult, LeftOut, Page


def read(pages: Sequence[Page], *, language: str = "auto", source: str = "lab report") -> LabReport:
    """The report on some pages in reading order; a row repeated on an overlapping photo is kept once.

    Raises EmptyInput, which names the `source`, when no page holds a table of results.
    """
    if language == "auto":
        language = languages.detect(" ".join(word.text for page in pages for word in page.words))
    results: list[LabResult] = []
    left_out: list[LeftOut] = []
    for page in pages:
        levels = lab_flatten.level(page.words)
        for table in lab_tables.find(levels, page.words):
            rows, missing = lab_results.of_table(table, page)
            results += _new(rows, results)
            left_out += missing
    if not results:
        cure = "give the whole report, upright and sharp" + (
            "" if any(p.words for p in pages) else "; no print was found"
        )
        raise EmptyInput(source, "no table of results on the picture", cure)
    header = lab_header.read(pages)
    kept = lab_persons.chosen(results, header.sex)
    return LabReport(header, kept, tuple(pages), language, tuple(left_out))


def _new(rows: Sequence[LabResult], known: Sequence[LabResult]) -> list[LabResult]:
    """The rows that an earlier page does not already hold with the same name, value, unit and range."""
    seen = {_key(result) for result in known}
    return [row for row in rows if _key(row) not in seen]


def _key(row: LabResult) -> tuple[str, ...]:
    return row.name, row.abbreviation, row.value_text, row.unit, row.range_text
