"""English: since when and for how long, as it is said."""

# ruff: noqa: E501  (patterns read better on one line)
from __future__ import annotations

import re
from decimal import Decimal

from fhirbridge.languages.en.numbers import numbers
from fhirbridge.languages.spoken import Number, Since

UNITS = {
    "hour": "h",
    "day": "d",
    "week": "wk",
    "month": "mo",
    "year": "a",
    "minute": "min",
    "night": "d",
    "morning": "d",
    "evening": "d",
}
_AMOUNT = r"(?P<n>a couple(?: of)?|couple(?: of)?|a few|few|several|a|an|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|\d+(?:\.\d+)?)(?:\s*(?:-|to|or)\s*(?:\w+))?(?: and a half)?"
_PERIOD = r"(?P<unit>minute|hour|day|night|week|month|year)s?"
_AGO = re.compile(rf"\b(?:about |around |maybe |like |since )*{_AMOUNT} {_PERIOD}(?: or so)? (?:ago|back)\b")
_FOR = re.compile(
    rf"\b(?:for|over|in|during|within|past|last|the)\s+(?:about |around |maybe |like |probably |the |past |last |almost |nearly |over )*(?:{_AMOUNT} )?{_PERIOD}(?: or so| or two| now)*\b"
)
_ON = re.compile(
    r"\b(?:since |starting |started )?(?P<day>yesterday|last night|this morning|(?<=since )today|(?<=started )today|(?<=earlier )today|last (?:week|month|year|summer|winter|fall|spring|monday|tuesday|wednesday|thursday|friday|saturday|sunday))\b"
    r"|\bsince (?P<since>(?:19|20)\d\d|january|february|march|april|may|june|july|august|september|october|november|december|monday|tuesday|wednesday|thursday|friday|saturday|sunday|childhood|birth)\b"
)
_DAYS = {
    "yesterday": (1, "d"),
    "last night": (1, "d"),
    "this morning": (0, "d"),
    "today": (0, "d"),
    "last week": (1, "wk"),
    "last month": (1, "mo"),
    "last year": (1, "a"),
}


def since(text: str) -> list[Since]:
    """Onsets ("three days ago", "since yesterday") and durations ("for the past week") in a sentence."""
    found = []
    for match in _AGO.finditer(text):
        found.append(Since(match.start(), match.end(), _amount(match["n"]), UNITS[match["unit"]], "ago", match[0]))
    taken = [(s.start, s.end) for s in found]
    for match in _FOR.finditer(text):
        if match["n"] is None and match["unit"] not in ("week", "month", "year", "day", "hour"):
            continue
        if match["n"] is None and (match[0].startswith("last") or not re.search(r"past|last", match[0])):
            continue
        if any(a < match.end() and match.start() < b for a, b in taken):
            continue
        found.append(
            Since(match.start(), match.end(), _amount(match["n"] or "one"), UNITS[match["unit"]], "for", match[0])
        )
    taken = [(s.start, s.end) for s in found]
    for match in _ON.finditer(text):
        if any(a < match.end() and match.start() < b for a, b in taken):
            continue
        number, unit = _DAYS.get(match["day"] or "", (None, ""))
        found.append(
            Since(
                match.start(),
                match.end(),
                None if number is None else Decimal(number),
                unit,
                "on",
                match["day"] or match[0],
            )
        )
    return sorted(found)


def _amount(words: str) -> Decimal | None:
    if words in ("a", "an"):
        return Decimal(1)
    if "couple" in words:
        return Decimal(2)
    counted: list[Number] = numbers(words)
    return counted[0].value if counted else None
