"""The value of one printed or written number, English or Chinese."""

from __future__ import annotations

import re
from decimal import Decimal

from fhirbridge.languages.en.numbers import WRITTEN
from fhirbridge.languages.zh.numerals import DIGITS

__all__ = ["number"]


def number(text: str) -> Decimal | None:
    """The value of a printed or written number, else None: "1,500", "ten", "十二", "0,5"."""
    text = text.strip()
    if text in WRITTEN:
        return WRITTEN[text]
    if text and text[0] in "零一二三四五六七八九十百两半〇":
        whole, degree, tenth = text.partition("度")
        value = _chinese(whole)
        if not degree or value is None:
            return value
        return value + (Decimal("0.5") if tenth == "半" else Decimal(DIGITS[tenth]) / 10)
    plain = text.replace(" ", "").replace("·", ".")
    if re.fullmatch(r"\d+,\d{1,2}", plain):
        plain = plain.replace(",", ".")
    plain = plain.replace(",", "")
    return Decimal(plain) if re.fullmatch(r"\d*\.?\d+", plain) else None


def _chinese(text: str) -> Decimal | None:
    if text == "半":
        return Decimal("0.5")
    total, digit = 0, 0
    for c in text:
        if c == "十":
            total, digit = total + (digit or 1) * 10, 0
        elif c == "百":
            total, digit = total + (digit or 1) * 100, 0
        elif c in DIGITS:
            digit = digit * 10 + DIGITS[c]
        else:
            return None
    return Decimal(total + digit)
