"""Dates and times as reports print them -> ISO 8601, as far as they are printed and can be told."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fhirbridge.extract import lab_print

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TIME = r"(?:\s*T?\s*(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([AaPp][Mm])?)?"
_YEAR_FIRST = re.compile(r"((?:19|20)\d{2})\s*[-./年]\s*(\d{1,2})\s*[-./月]\s*(\d{2}|\d)日?" + _TIME)
_YEAR_LAST = re.compile(r"(?<!\d)(\d{1,2})[-./](\d{1,2})[-./]((?:19|20)\d{2})" + _TIME)
_NAMED = re.compile(r"(?<!\d)(\d{1,2})[-\s/]*([A-Za-z]{3})[A-Za-z]*[-\s/,]*((?:19|20)\d{2})" + _TIME)
_NAMED_FIRST = re.compile(r"([A-Za-z]{3})[A-Za-z]*\.?\s*(\d{1,2}),?\s*((?:19|20)\d{2})" + _TIME)


def day_first(texts: Iterable[str]) -> bool | None:
    """Whether this form prints 14/5/2023 (True) or 5/14/2023 (False); None when none of its dates tells."""
    for text in texts:
        for found in _YEAR_LAST.finditer(lab_print.plain(text)):
            if int(found[1]) > 12 >= int(found[2]):
                return True
            if int(found[2]) > 12 >= int(found[1]):
                return False
    return None


def read(text: str, days_first: bool | None) -> str | None:
    """The date, and time if printed, in ISO 8601; only the year where day and month cannot be told apart."""
    plain = lab_print.plain(text)
    if found := _YEAR_FIRST.search(plain):
        return _iso(found[1], found[2], found[3], found.groups()[3:])
    if found := _NAMED.search(plain):
        return _iso(found[3], _month(found[2]), found[1], found.groups()[3:])
    if found := _NAMED_FIRST.search(plain):
        return _iso(found[3], _month(found[1]), found[2], found.groups()[3:])
    if found := _YEAR_LAST.search(plain):
        first, second = int(found[1]), int(found[2])
        order = days_first if days_first is not None else True if first > 12 else False if second > 12 else None
        if order is None and first != second:
            return found[3]
        day, month = (first, second) if order else (second, first)
        return _iso(found[3], str(month), str(day), found.groups()[3:])
    return None


def _month(name: str) -> str:
    return str(_MONTHS.index(name.casefold()) + 1) if name.casefold() in _MONTHS else "0"


def _iso(year: str, month: str, day: str, time: tuple[str | None, ...]) -> str | None:
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return None
    date = f"{year}-{int(month):02d}-{int(day):02d}"
    hour, minute, second, half = time
    if hour is None or int(hour) > 23 or int(minute or 0) > 59:
        return date
    at = int(hour) % 12 + 12 * (half.casefold() == "pm") if half else int(hour)
    return f"{date}T{at:02d}:{minute}" + (f":{second}" if second else "")
