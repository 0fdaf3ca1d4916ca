"""A coded report -> the same report, every row that may be misread marked with the reason.

A row without doubts becomes `final`, so what looks right but is not must be caught here: confidence alone does not do
(`0.27↑` is read as `0.271` at 0.989). Four kinds of evidence: the row against itself (`lab_signs`), the panel's
arithmetic (`lab_relations`), a second reading of the doubtful cells from another crop (`lab_second_reading`), and the
other rows of the sheet. Nothing is corrected unless every one of them says the same, and then it says so.
Measured: docs/quality.md, benchmarks/lab_checks.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from fhirbridge.extract import lab_relations, lab_second_reading, lab_signs
from fhirbridge.extract.lab_relations import Interval, Tested
from fhirbridge.extract.lab_signs import Knowledge, Signs
from fhirbridge.records import LabReport, LabResult, Picture, Quantity

if TYPE_CHECKING:
    from fhirbridge.ocr import OcrEngine

_POOR = "much of this page could not be read"
_FAINT = 0.3  # share of rows whose print may be hard to read before the page counts as such
_LEGIBLE = 0.85  # share of rows of a page that must have been read without gaps
_TRUSTED = 0.6  # share of relations that must hold before one that does not is held against a row


def check(report: LabReport, pictures: Sequence[Picture], engine: OcrEngine | None, *, known: Knowledge) -> LabReport:
    """The report with `doubts` on the rows that failed a check; nothing is corrected in silence."""
    rows = report.results
    habit = lab_signs.Habit.of(rows)
    signs = [_pointless(lab_signs.find(row, habit, known), row) for row in rows]
    if _illegible(signs):
        signs = [_stricter(sign, row) for sign, row in zip(signs, rows, strict=True)]
    confirmed, against = _panels(rows, known)
    # a relation holds for 5 as well as for 5.3: it cannot tell that a digit after the point is missing
    confirmed -= {at for at, sign in enumerate(signs) if lab_second_reading.FEWER_DIGITS in sign.soft}
    doubtful = [at for at, sign in enumerate(signs) if at not in confirmed | against.keys() and _can_be_lifted(sign)]
    again = lab_second_reading.read([rows[at] for at in doubtful], report.pages, pictures, engine) if doubtful else []
    second = dict(zip(doubtful, again, strict=False))
    results = [
        _judged(row, signs[at], at in confirmed, against.get(at, ""), second.get(at)) for at, row in enumerate(rows)
    ]
    return replace(report, results=tuple(_without_twins(results)))


def _can_be_lifted(signs: Signs) -> bool:
    """Whether a second reading that agrees would make the row final: nothing but its print speaks against it."""
    return not signs.hard and not signs.arrow and bool(signs.soft) and set(signs.soft) <= lab_second_reading.LIFTED


def _illegible(signs: Sequence[Signs]) -> bool:
    """Whether so much of the sheet is unreadable that what looks right needs a confirmation too."""
    gaps = {lab_signs.UNKNOWN_UNIT, lab_signs.NO_NUMBER, lab_signs.NO_UNIT}
    broken = sum(bool(gaps & set(sign.hard)) for sign in signs)
    faint = sum(lab_signs.HARD_PRINT in sign.soft for sign in signs)
    return len(signs) >= 4 and (broken > (1 - _LEGIBLE) * len(signs) or faint > _FAINT * len(signs))


def _pointless(signs: Signs, row: LabResult) -> Signs:
    """A whole number beside limits that have a point may have lost its own ("5" for "5.3"): it is read again."""
    lost = lab_signs.value_digits(row) == 0 < min(lab_signs.range_digits(row), default=0)
    return replace(signs, soft=(*signs.soft, lab_second_reading.FEWER_DIGITS)) if lost else signs


def _stricter(signs: Signs, row: LabResult) -> Signs:
    """On such a page every row needs a confirmation; one not recognised, or without its point, stays in doubt."""
    soft = [*signs.soft, _POOR]
    if not row.codings:
        soft.append("its name is not recognised on a page that is hard to read")
    if lab_signs.value_digits(row) < min(lab_signs.range_digits(row), default=0):
        soft.append(lab_second_reading.FEWER_DIGITS)
    return replace(signs, soft=tuple(dict.fromkeys(soft)))


def _judged(row: LabResult, signs: Signs, confirmed: bool, against: str, second: str | None) -> LabResult:
    """The row with its doubts: a confirmed value keeps only hard ones, a second reading that agrees lifts some."""
    doubts = [*row.doubts, *signs.hard]
    if signs.arrow:  # 0.27 and 0.271 agree with the same panel, and the engine reads an arrow as 1 again
        doubts.append(signs.arrow)
    if not confirmed:
        agrees = lab_second_reading.agrees(row.value_text, second)
        if second is not None and not agrees:
            doubts.append("a second reading differs")
        if not agrees:
            doubts += signs.soft
        else:
            doubts += [reason for reason in signs.soft if reason not in lab_second_reading.LIFTED]
        if against:
            doubts.append(against)
    return replace(row, doubts=tuple(dict.fromkeys(doubts)))


# ------------------------------------------------------------------------------------------------------------- panels


def _panels(rows: Sequence[LabResult], known: Knowledge) -> tuple[set[int], dict[int, str]]:
    """The rows whose value a relation confirms, and those that one speaks against, with the reason."""
    where: dict[str, int] = {}
    values: dict[str, Interval] = {}
    for at, row in enumerate(rows):
        name, interval = _term(row, known)
        if interval is not None and name not in values:
            where[name], values[name] = at, interval
    tests = lab_relations.tested(values)
    good = {name for test in tests if test.holds for name in test.members}
    confirmed = {where[name] for name in good}
    against: dict[int, str] = {}
    for test, name in _suspicions(tests, good):
        others = [rows[where[n]].abbreviation or rows[where[n]].name for n in test.members if n != name]
        against[where[name]] = f"does not agree with {', '.join(others)}"
    return confirmed, against


def _suspicions(tests: Sequence[Tested], good: set[str]) -> Iterator[tuple[Tested, str]]:
    """The relations that fail, each with the members that no other confirms: the one in most failures if there is one.

    Where most relations fail although that one is set aside, the sheet was made up or mixes two samples: none counts.
    """
    failed = [test for test in tests if not test.holds]
    blame = Counter(name for test in failed for name in test.members if name not in good)
    if not failed:
        return
    worst = {name for name, count in blame.items() if count == max(blame.values())}
    rest = [test for test in tests if not (len(worst) == 1 and worst & set(test.members))]
    if not rest or sum(test.holds for test in rest) < _TRUSTED * len(rest):
        return
    for test in failed:
        names = [name for name in test.members if name in blame] or [test.members[0]]
        most = max(blame[name] for name in names)
        yield from ((test, name) for name in names if blame[name] == most)


def _term(row: LabResult, known: Knowledge) -> tuple[str, Interval | None]:
    """A row's name in the relations and its value in their unit: from half a last digit below to half one above."""
    if row.quantity is None or not row.codings or row.quantity.comparator:
        return "", None
    loinc = row.codings[-1].code
    full = known.term(loinc)
    name = full if full in lab_relations.UNITS else full.split(" ")[0]
    unit = lab_relations.UNITS.get(name)
    if unit is None:
        return "", None
    ends = [_in_unit(end, row.quantity, unit, loinc, known) for end in _ends(row.quantity.value)]
    return name, None if ends[0] is None or ends[1] is None else (ends[0], ends[1])


def _ends(value: Decimal) -> Interval:
    half = Decimal(5).scaleb(-lab_signs.decimals(value) - 1)
    return max(Decimal(0), value - half), value + half


def _in_unit(end: Decimal, printed: Quantity, unit: str, loinc: str, known: Knowledge) -> Decimal | None:
    if not unit:
        return end
    if printed.ucum is None:  # a share of PSA printed without %: 0.21 is 21 %
        return end * 100 if known.term(loinc).startswith("psa-ratio") and printed.value <= 1 else None
    return known.convert(end, printed.ucum, unit, loinc)


# -------------------------------------------------------------------------------------------------------------- twins


def _without_twins(rows: Sequence[LabResult]) -> list[LabResult]:
    """The same code twice with different values: one of the two names was misread."""
    values: Mapping[tuple[str, str], set[str]] = _by_code(rows)
    out = []
    for row in rows:
        code = row.codings[0].code if row.codings else ""
        twin = code and len(values[code, row.unit]) > 1
        out.append(replace(row, doubts=(*row.doubts, "the same analyte stands twice")) if twin else row)
    return out


def _by_code(rows: Sequence[LabResult]) -> dict[tuple[str, str], set[str]]:
    values: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        if row.codings:
            values.setdefault((row.codings[0].code, row.unit), set()).add(row.value_text)
    return values
