"""What a single row says against itself: each sign is a reason a clinician can read.

Hard signs stand whatever else agrees; soft ones fall when a panel's relations or a second reading confirm the value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from fhirbridge.records import LabResult

SURE = 0.95  # RapidOCR gives 0.99 to nearly all it reads right, Tesseract at most 0.96
_GRADED = re.compile(  # 2+, (1+), 1:80, 0-1, 2级, G1, Ⅱ度
    r"[(（]?[±+-]?\d?\s*\+{1,4}[)）]?|[<>≤≥]?\s*1\s*[:：]\s*\d+|\d+\s*[-~～]\s*\d+(?:\s*/\s*[A-Za-z]+)?"
    r"|\d\s*[级度型]|[A-Za-z]{1,3}\d[a-z]?|.*[㐀-鿿A-Za-z]{2}.*"
)
_LEGIBLE_NAME = 0.8
UNKNOWN_UNIT = "the unit could not be understood"
HARD_PRINT = "the print was hard to read"
NO_UNIT = "no unit was read"
NO_NUMBER = "the value is not a number, its range is"


class Knowledge(Protocol):
    """What the terminology knows of analytes; the module `terminology.loinc` is one."""

    def limits(self, loinc: str, unit: str | None) -> tuple[Decimal, Decimal] | None:
        """The lowest and highest value a living patient has shown, in a UCUM unit."""
        ...

    def fits(self, loinc_or_name: str, unit: str | None, abbreviation: str = "") -> bool:
        """Whether a unit is one the named analyte is reported in."""
        ...

    def convert(self, value: Decimal, source: str, target: str, analyte_or_loinc: str) -> Decimal | None:
        """A value of one analyte in another UCUM unit."""
        ...

    def knows(self, name: str) -> bool:
        """Whether a name is that of a known analyte."""
        ...

    def contradict(self, name: str, abbreviation: str) -> bool:
        """Whether a name and an abbreviation are known to be of different analytes."""
        ...

    def term(self, loinc: str) -> str:
        """ "analyte kind" of a code; "" if it is not known."""
        ...


@dataclass(frozen=True, slots=True)
class Signs:
    """What speaks against a row: `hard` reasons, and `soft` ones that a confirmation outweighs."""

    hard: tuple[str, ...] = ()
    soft: tuple[str, ...] = ()
    arrow: str = ""  # the reason why the last digit may be an arrow: the same engine reads it so again


@dataclass(frozen=True, slots=True)
class Habit:
    """What the other rows of a sheet do: how many digits they print beyond their ranges', whether they flag."""

    units: bool  # nearly all numbers carry a unit here
    flags: bool  # rows out of range carry a flag here
    pointless: float  # share of the rows with points in their ranges that have none in their values
    extra_digits: tuple[int, ...]  # for each row: digits after the point, less the range's most

    @classmethod
    def of(cls, rows: Sequence[LabResult]) -> Habit:
        """The habit of a sheet."""
        outside = [row for row in rows if row.side in {"H", "L"}]
        flagged = sum(row.flag[:1] == row.side for row in outside)
        extra = tuple(value_digits(row) - max(range_digits(row)) for row in rows if range_digits(row) and row.quantity)
        pointed = [row for row in rows if row.quantity is not None and min(range_digits(row), default=0) > 0]
        pointless = sum(value_digits(row) == 0 for row in pointed) / max(1, len(pointed))
        numbers = [row for row in rows if row.quantity is not None]
        units = sum(bool(row.unit.strip()) for row in numbers) >= 0.7 * len(numbers)
        return cls(units, flagged >= 2 and flagged >= 0.7 * len(outside), pointless, extra)


def value_digits(row: LabResult) -> int:
    """How many digits the value prints after its point."""
    return 0 if row.quantity is None else decimals(row.quantity.value)


def range_digits(row: LabResult) -> tuple[int, ...]:
    """How many digits each limit of the range prints after its point."""
    return tuple(decimals(limit.value) for limit in (row.low, row.high) if limit is not None)


def decimals(value: Decimal) -> int:
    """How many digits a printed number has after its point."""
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def find(row: LabResult, habit: Habit, known: Knowledge) -> Signs:
    """What speaks against a row."""
    hard = [*_disagreement(row), *_mixed(row, known), *_name(row, known), *_form(row), *_possible(row, known)]
    hard += _unit(row, habit, known)
    soft = [*_confidence(row), *_digits(row, habit), *_unflagged(row, habit), *_far(row, known)]
    return Signs(tuple(hard), tuple(soft), _arrow(row, habit))


def _disagreement(row: LabResult) -> list[str]:
    if row.flag in {"H", "HH", "L", "LL"} and row.side and row.side != row.flag[0]:
        return ["the printed flag and the reference range disagree"]
    return []


def _mixed(row: LabResult, known: Knowledge) -> list[str]:
    """The name of one analyte beside the abbreviation of another: two rows were read as one."""
    return ["its name and abbreviation differ"] if known.contradict(row.name, row.abbreviation) else []


def _name(row: LabResult, known: Knowledge) -> list[str]:
    """A name that no table knows and that was hard to read is probably another one's, misread."""
    doubtful = row.name_confidence < _LEGIBLE_NAME and not known.knows(row.name)
    return ["its name was hard to read"] if doubtful else []


def _form(row: LabResult) -> list[str]:
    """Numeric analytes have numbers; a word that is the range's own may be the range, read as the value."""
    if not row.value_text.strip():
        return ["no value was read"]
    limited = row.low is not None or row.high is not None
    if row.quantity is None and limited and re.search(r"[\d.]", row.value_text):
        return [NO_NUMBER]
    if row.quantity is None and limited and not re.search(r"[A-Za-z㐀-鿿+±-]", row.value_text):
        return [NO_NUMBER]
    if row.quantity is None and re.search(r"\d", row.value_text) and not _GRADED.fullmatch(row.value_text.strip()):
        return ["the value could not be understood"]
    if row.low is not None and row.high is not None and row.low.value > row.high.value:
        return ["the reference range runs backwards"]
    if row.quantity is None and not row.range_text and re.fullmatch(r".+\([-+±]\)", row.value_text.strip()):
        return ["the value looks like a reference"]
    return []


def _possible(row: LabResult, known: Knowledge) -> list[str]:
    if row.quantity is None or not row.codings:
        return []
    ends = known.limits(row.codings[0].code, row.quantity.ucum)
    if ends is not None and not ends[0] <= row.quantity.value <= ends[1]:
        return ["no patient has such a value"]
    return []


def _unit(row: LabResult, habit: Habit, known: Knowledge) -> list[str]:
    if row.quantity is None:
        return []
    if row.unit.strip() and not row.quantity.ucum:
        return [UNKNOWN_UNIT]
    if not row.unit.strip() and habit.units and not known.fits(row.name, None, row.abbreviation):
        return [NO_UNIT]
    if row.quantity.ucum and not known.fits(row.name, row.quantity.ucum, row.abbreviation):
        return ["the analyte is not reported in this unit"]
    return []


def _confidence(row: LabResult) -> list[str]:
    return [HARD_PRINT] if row.confidence < SURE else []


def _digits(row: LabResult, habit: Habit) -> list[str]:
    """More digits after the point than the range and than this sheet prints; or none, and far off for want of them."""
    limits = range_digits(row)
    if row.quantity is None or not limits:
        return []
    extra = decimals(row.quantity.value.normalize()) - max(limits)  # closing zeros are no misreading
    alike = sum(other >= extra for other in habit.extra_digits)
    if extra >= 2 and alike - 1 < 0.15 * len(habit.extra_digits):
        return ["more digits after the point than its range has"]
    if value_digits(row) == 0 == min(limits) < max(limits) and row.quantity.value and row.flag[:1] != row.side:
        return ["its range has a point that the value has not"]
    if value_digits(row) == 0 < min(limits) and row.quantity.value:
        alone = habit.pointless <= 0.15
        if not alone and (row.side not in {"H", "L"} or row.flag[:1] == row.side):
            return []
        return ["fewer digits after the point than its range has"]
    return []


def _unflagged(row: LabResult, habit: Habit) -> list[str]:
    if habit.flags and row.side in {"H", "L"} and not row.flag:
        return ["out of range, but not flagged as the others are"]
    return []


def _far(row: LabResult, known: Knowledge) -> list[str]:
    """Ten times beyond the range, where it is not known how far the analyte can go: a point may be lost."""
    if row.quantity is None or row.flag in {"HH", "LL"} or not row.side.strip("N"):
        return []
    if row.codings and known.limits(row.codings[0].code, row.quantity.ucum) is not None:
        return []
    value, limit = row.quantity.value, row.high if row.side == "H" else row.low
    if limit is None or not limit.value or not value:
        return []
    ratio = value / limit.value if row.side == "H" else limit.value / value
    return ["ten times beyond its range"] if ratio >= 8 and row.flag[:1] != row.side else []


def _arrow(row: LabResult, habit: Habit) -> str:
    """A last digit that may be an arrow: without it the value lies out of range, and it has a digit more than usual."""
    text = row.value_text.strip()
    if row.quantity is None or row.flag or not re.fullmatch(r"\d+\.\d+[14]", text):
        return ""
    without = Decimal(text[:-1])
    outside = (row.high is not None and without > row.high.value) or (row.low is not None and without < row.low.value)
    extra = value_digits(row) - max(range_digits(row), default=0)
    alike = sum(other >= extra for other in habit.extra_digits) - 1
    unusual = extra > 0 and (alike < 0.15 * len(habit.extra_digits) or extra > 1)
    return "its last digit may be an arrow" if outside and unusual else ""
