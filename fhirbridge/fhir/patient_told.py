"""Age and sex as a note tells them ("a 58-year-old woman", "患者女性，58岁"), where no Patient element does."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from fhirbridge.records import Item, ItemKind, Quantity, When

__all__ = ["Told", "person"]

Told = tuple[str, Quantity | None, When | None]  # sex, age, the day it was told

_AGE = re.compile(
    r"(?<![\d.])(\d{1,3}(?:\.\d+)?)[\s-]*(?:(years?|yrs?|yo|y/o|y\.o\.|y)|(months?|mos?|m/o)|(weeks?|wks?)|(days?))"
    r"(?:[\s-]*(?:old|of age)|(?=[\s,]+(?:\w+[\s-]+){0,3}?(?:man|woman|male|female|boy|girl|gentleman|lady|[mf]\b))|(?<=yo)|(?<=y/o)|(?<=y\.o\.))",  # noqa: E501
    re.IGNORECASE,
)
_AGED = re.compile(r"\b(?:age[d:]?|aged)\s*(?:is|of|:)?\s*(\d{1,3})\b", re.IGNORECASE)
_AGE_ZH = re.compile(r"(\d{1,3})\s*(?:(周?岁)|(个月)|(天)(?:龄|大))")
_FEMALE = re.compile(r"\b(?:woman|female|girl|lady|mother|she|her|f)\b|女", re.IGNORECASE)
_MALE = re.compile(r"\b(?:man|male|boy|gentleman|father|he|his|him)\b|\d\s*m\b|男", re.IGNORECASE)
_SHORT = re.compile(r"(?<![\d/.])(\d{1,3})\s*-?\s*(?:yo|y/o|y\.o\.|y)?\s*/?\s*([MF])\b")
_WORDS = {"newborn": Decimal(0), "neonate": Decimal(3), "新生儿": Decimal(3)}


def person(items: Iterable[Item]) -> Told:
    """Sex ("" unknown), age and the day it was told, from the first document that tells them."""
    for item in items:
        if item.kind is ItemKind.DOCUMENT:
            return _sex(item.text), _age(item.text), item.start
    return "", None, None


def _age(text: str) -> Quantity | None:
    head = text[:3000]
    found = _AGE.search(head)
    if found:
        unit = next(u for u, group in zip(("a", "mo", "wk", "d"), found.groups()[1:], strict=True) if group)
        return Quantity(Decimal(found[1]), unit, unit)
    chinese = _AGE_ZH.search(head)
    if chinese:
        unit = "a" if chinese[2] else "mo" if chinese[3] else "d"
        return Quantity(Decimal(chinese[1]), unit, unit)
    aged = _SHORT.search(head) or _AGED.search(head)
    if aged:
        return Quantity(Decimal(aged[1]), "a", "a")
    return next((Quantity(days, "d", "d") for word, days in _WORDS.items() if word in head.casefold()), None)


def _sex(text: str) -> str:
    """By the first sentences' nouns, else by most pronouns."""
    head = text[:300]
    short = _SHORT.search(head)
    if short:
        return "male" if short[2] == "M" else "female"
    first = min(
        ((m.start(), sex) for sex, mark in (("female", _FEMALE), ("male", _MALE)) if (m := mark.search(head))),
        default=None,
    )
    if first is not None:
        return first[1]
    women, men = len(_FEMALE.findall(text)), len(_MALE.findall(text))
    return "" if women == men else "female" if women > men else "male"
