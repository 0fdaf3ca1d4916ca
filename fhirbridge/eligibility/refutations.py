"""Values that rule a disease out although the problem list is silent: `data/refuted.tsv`."""

from __future__ import annotations

import csv
import operator
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache
from importlib import resources

from fhirbridge.eligibility.chart import Chart
from fhirbridge.eligibility.judgement import Judgement, no
from fhirbridge.eligibility.measures import in_unit, measures
from fhirbridge.eligibility.questions import Question

__all__ = ["holds", "measures_for", "refuted", "rows_for"]

_SIGNS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_BOUND = re.compile(r"^(\w+)(<=|>=|<|>)([\d.]+)$")
Row = tuple[str, tuple[tuple[str, str, Decimal], ...], str]  # degree, bounds, why


@lru_cache(maxsize=1)
def _rows() -> dict[str, list[Row]]:
    file = resources.files("fhirbridge.eligibility") / "data" / "refuted.tsv"
    kept = (line for line in file.read_text("utf-8").splitlines() if not line.startswith("#"))
    found: dict[str, list[Row]] = defaultdict(list)
    for row in csv.DictReader(kept, delimiter="\t", quoting=csv.QUOTE_NONE):
        bounds = tuple((m[1], m[2], Decimal(m[3])) for b in row["bounds"].split(";") if (m := _BOUND.match(b)))
        found[row["key"]].append((row["degree"], bounds, row["why"]))
    return dict(found)


def measures_for(question: Question) -> tuple[str, ...]:
    """The measures that can rule out what a question asks for."""
    rows = [row for key in question.keys for row in _rows().get(key, ())]
    return tuple(dict.fromkeys(measure for _, bounds, _ in rows for measure, _, _ in bounds))


def rows_for(question: Question) -> Iterator[tuple[str, int]]:
    """The rows of the table that can rule out what a question asks for, each by its key and place."""
    for key in question.keys:
        for place, (degree, _, _) in enumerate(_rows().get(key, ())):
            if not degree or degree in question.qualifiers:
                yield key, place


def holds(row: tuple[str, int], chart: Chart) -> bool:
    """Whether the latest values rule out what a row names."""
    return _held(_rows()[row[0]][row[1]][1], chart) is not None


def refuted(question: Question, chart: Chart) -> Judgement | None:
    """Not met, where the latest values rule the disease (or its degree) out."""
    for key, place in rows_for(question):
        _, bounds, why = _rows()[key][place]
        evidence = _held(bounds, chart)
        if evidence is not None:
            return no("{0}: {1}", question.name, why, evidence=evidence)
    return None


def _held(bounds: tuple[tuple[str, str, Decimal], ...], chart: Chart) -> tuple[str, ...] | None:
    evidence = []
    for key, sign, limit in bounds:
        items = chart.measured.get(key, [])
        value = in_unit(measures()[key], items[0].quantity) if items and items[0].quantity else None
        if value is None or not _SIGNS[sign](value, limit):
            return None
        evidence.append(items[0].reference)
    return tuple(evidence)
