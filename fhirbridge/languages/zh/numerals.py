"""Numbers as Chinese speakers say and write them: 一百五 is 150, 一万二 is 12000, 七点八, 百分之七十二, 3千, 半."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "俩": 2, "仨": 3, "幺": 1}
_PLACES = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
_CHINESE = r"[零〇一二两三四五六七八九十百千万亿俩仨]"
_ARABIC = r"\d+(?:,\d{3})*(?:\.\d+)?"

# What a number looks like; used inside the patterns of doses, times and measures.
NUMBER = (
    rf"(?:百分之(?:{_ARABIC}|{_CHINESE}+(?:点[零〇一二三四五六七八九]+)?)"
    rf"|{_ARABIC}\s?[万千百](?:\d(?!\d)|[一二三四五六七八九](?![个点十百千万]))?"
    rf"|{_ARABIC}"
    rf"|{_CHINESE}+点[零〇一二三四五六七八九]+"
    rf"|{_CHINESE}+(?:[来几多](?=[个年天日月周岁小分公斤度块次支根包瓶两]))?"
    rf"|半)"
)
_FIND = re.compile(NUMBER)


class Number(NamedTuple):
    """A number at text[start:end]; `high` where two were said for one ("七八年": 7, 8); `percent` for 百分之."""

    start: int
    end: int
    value: Decimal
    high: Decimal | None = None
    percent: bool = False


def find(text: str) -> Iterator[Number]:
    """Every number in a text, from left to right."""
    for match in _FIND.finditer(text):
        number = read(match[0])
        if number is not None:
            yield Number(match.start(), match.end(), number.value, number.high, number.percent)


def read(text: str) -> Number | None:
    """The number a piece of text says, None when it says none ("百" alone, "几")."""
    piece = text.strip().replace(",", "").replace("，", "")
    percent = piece.startswith("百分之")
    piece = piece.removeprefix("百分之")
    if piece == "半":
        return Number(0, len(text), Decimal("0.5"))
    if piece and piece[-1] in "来几多" and len(piece) > 1:
        piece = piece[:-1]
    mixed = re.fullmatch(rf"({_ARABIC})\s?([万千百])([\d一二三四五六七八九])?", piece)
    if mixed:
        unit = _PLACES[mixed[2]]
        rest = _digit(mixed[3]) * unit // 10 if mixed[3] else 0
        return Number(0, len(text), (Decimal(mixed[1]) * unit + rest).normalize() + 0, None, percent)
    if re.fullmatch(_ARABIC, piece):
        return Number(0, len(text), Decimal(piece), None, percent)
    whole, _, fraction = piece.partition("点")
    if fraction:
        before = _integer(whole)
        if before is None or not all(c in DIGITS for c in fraction):
            return None
        digits = "".join(str(DIGITS[c]) for c in fraction)
        return Number(0, len(text), Decimal(f"{before}.{digits}"), None, percent)
    return _whole(whole, len(text), percent)


def _whole(piece: str, length: int, percent: bool) -> Number | None:
    pair = re.fullmatch(r"(.*?)([一二两三四五六七八九])([二三四五六七八九])([十百千万]?)", piece)
    if pair and DIGITS[pair[3]] == DIGITS[pair[2]] + 1 and not (pair[1] and pair[1][-1] in DIGITS):
        low, high = _integer(pair[1] + pair[2] + pair[4]), _integer(pair[1] + pair[3] + pair[4])
        if low is not None and high is not None:  # 七八, 三四十, 十七八: about
            return Number(0, length, Decimal(low), Decimal(high), percent)
    value = _integer(piece)
    return None if value is None else Number(0, length, Decimal(value), None, percent)


def _digit(char: str) -> int:
    return int(char) if char.isdigit() and char.isascii() else DIGITS[char]


def _integer(piece: str) -> int | None:
    """A whole number in characters; digits without places are read one by one (九七 is 97, 一三〇 is 130)."""
    if not piece or any(c not in DIGITS and c not in _PLACES for c in piece):
        return None
    if all(c in DIGITS for c in piece):
        return int("".join(str(DIGITS[c]) for c in piece))
    if piece[0] in "百千万亿":
        return None
    total = section = digit = last = 0
    zero = False
    for char in piece:
        if char in DIGITS:
            digit, zero = DIGITS[char], zero or char in "零〇"
            continue
        place = _PLACES[char]
        if place >= 10_000:
            total, section = (total + section + digit) * place, 0
        else:
            section += (digit or (1 if place == 10 else 0)) * place
        digit, last, zero = 0, place, False
    if digit and last >= 100 and not zero and piece[-1] in DIGITS:
        digit *= last // 10  # 一百五 is 150, 一万二 12000; 一百零五 is 105
    return total + section + digit
