"""Numbers that head criteria inside running text, told from numbers that belong to the words.

Chinese registries print `3ECOG评分为0或14预期生存期≥12周`: criteria 3 and 4. The numbers of a list rise by one; of all
rising sequences the one whose numbers stand best is taken (dynamic programming over the places where each could stand).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

LONGEST = 99  # numbers of one list
_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv", "xv")
_CJK = re.compile(r"[㐀-鿿]")
# After a bare number these make it a quantity ("3个月"), unless the longer words make it the start of a criterion.
_UNIT = re.compile(
    r"(?:周(?!围|期性)|个|月(?!经)|年(?!龄|纪)|岁|天(?!门|冬|然)|日(?!常|间|本)|小时|分(?!娩|泌|期|级|化|子)|次(?!要)|级|型|期|倍"
    r"|种(?!植)|项|例(?!如)|支(?!气|架)|杯|线(?!粒)|代(?!谢)|度|名|片|粒|条|处(?!方|于)|位|或\d|至\d|[～~\-–—]\s?\d|/|×|[%％℃°]"
    r"|(?:mg|ml|mL|kg|g|ng|pg|ug|μg|µg|cm|mm|mmol|umol|μmol|nmol|pmol|IU|U|L|dl|dL|h|ms|mmHg|ULN|bpm|Gy|x|X|\*)(?![A-Za-z])"
    r"|版|联|点|排|导联|-?导联|秒|元|号(?!称)|届|批|轮|组(?!织)|侧|叶|节|段|株|价|肾上腺|倍|个|羟|酰|α|β|γ)"
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A number that heads a piece: where it stands, where the words after it begin, its value and style."""

    start: int
    content: int
    number: int
    style: str


def marks(text: str, first: int = 1, *, running: bool) -> list[Mark]:
    """The best rising sequence of head numbers from `first` on, or none.

    `running`: also bare numbers without full stop or bracket, as Chinese registries print them.
    """
    best: tuple[bool, float, list[Mark]] = (False, 0.0, [])
    for style in _styles(text, running):
        score, found = _best(style, _candidates(text, style), first)
        if len(found) < 2:
            continue
        outer = running and not text[: found[0].start].strip() and score >= 2 * len(found)
        if (outer, score) > best[:2]:
            best = (outer, score, found)  # a list that begins with the text holds the lists inside it
    return best[2]


_MAY_HEAD = re.compile(r"\d|[a-ei][)）.、]")


def _styles(text: str, running: bool) -> Iterator[str]:
    if "①" in text or "②" in text:
        yield "circled"
    if not _MAY_HEAD.search(text):
        return
    if running and re.search(r"\d", text):
        yield "number"
    if re.search(r"[(（]\s?\d{1,2}\s?[)）]", text):
        yield "bracketed"
    if re.search(r"\d\s?[)）]", text):
        yield "bracket"
    if not running and re.search(r"\d ?\.", text):
        yield "point"
    if re.search(r"[a-e][)）.、]", text):
        yield "letter"
    if re.search(r"\bi{1,3}[)）.、]", text):
        yield "roman"


def _best(style: str, places: dict[int, list[tuple[float, Mark]]], first: int) -> tuple[float, list[Mark]]:
    """The sequence first, first+1 ... with the highest sum of scores, every place after the one before."""
    chains: list[tuple[float, list[tuple[float, Mark, int]]]] = []
    before: list[tuple[float, Mark, int]] = []
    top = (0.0, -1, -1)
    for number in range(first, LONGEST + 1):
        here: list[tuple[float, Mark, int]] = []
        reach, best, at = 0, float("-inf"), -1
        for score, mark in places.get(number, ()):
            if number == first:
                here.append((score, mark, -1))
                continue
            while reach < len(before) and before[reach][1].content < mark.start:
                if before[reach][0] > best:
                    best, at = before[reach][0], reach
                reach += 1
            if at >= 0:
                here.append((best + score, mark, at))
        if not here:
            break
        chains.append((number, here))
        for i, (score, _, _) in enumerate(here):
            if score > top[0]:
                top = (score, len(chains) - 1, i)
        before = here
    found: list[Mark] = []
    row, i = top[1], top[2]
    while row >= 0 and i >= 0:
        _, mark, i = chains[row][1][i]
        found.append(mark)
        row -= 1
    return top[0], found[::-1]


def _candidates(text: str, style: str) -> dict[int, list[tuple[float, Mark]]]:
    places: dict[int, list[tuple[float, Mark]]] = {}
    for score, mark in _SEARCH[style](text):
        if score > -2.5:
            places.setdefault(mark.number, []).append((score + 1.5, mark))
    for found in places.values():
        found.sort(key=lambda pair: pair[1].start)
    return places


def _circled(text: str) -> Iterator[tuple[float, Mark]]:
    for m in re.finditer(f"[{_CIRCLED}]\\s*[.、．]?\\s*", text):
        yield 2.0, Mark(m.start(), m.end(), _CIRCLED.index(m[0][0]) + 1, "circled")


def _bracketed(text: str) -> Iterator[tuple[float, Mark]]:
    for m in re.finditer(r"[(（]\s?(\d{1,2})\s?[)）][、.．]?\s*", text):
        before = text[: m.start()].rstrip()
        yield 1.0 + _ends(before), Mark(m.start(), m.end(), int(m[1]), "bracketed")


def _bracket(text: str) -> Iterator[tuple[float, Mark]]:
    for m in re.finditer(r"(?<![\d.(（A-Za-z~～\-–/≥≤<>])(\d{1,2})\s?[)）][、.．]?\s*(?=\S)", text):
        if text.rfind("(", max(0, m.start() - 40), m.start()) > text.rfind(")", max(0, m.start() - 40), m.start()):
            continue
        if text.rfind("（", max(0, m.start() - 40), m.start()) > text.rfind("）", max(0, m.start() - 40), m.start()):
            continue
        yield 0.5 + _ends(text[: m.start()].rstrip()), Mark(m.start(), m.end(), int(m[1]), "bracket")


def _point(text: str) -> Iterator[tuple[float, Mark]]:
    for m in re.finditer(r"(?:(?<=\s)|(?<=[;:.(])|^)#?(\d{1,2})(?: (?=\.\s))?[.)](?:\s+|(?=[A-Z]))(?=\S)", text):
        before = text[: m.start()].rstrip()
        strength = 1.5 if not before or before[-1] in ".;:)" else -0.5
        if before and re.search(
            r"(?:[<>=≥≤]|\b(?:than|least|of|to|or|and|is|grade|class|stage|version|v|day|days|weeks?))$", before, re.I
        ):
            strength = -3
        if not text[m.end()].isupper() and text[m.end()].isascii():
            strength -= 0.5
        yield strength, Mark(m.start(), m.end(), int(m[1]), "point")


def _letter(text: str) -> Iterator[tuple[float, Mark]]:
    for m in re.finditer(r"(?<![A-Za-z\d])[(（]?([a-z])(?:[)）][.、]?|[.、](?![a-z]\.))\s*(?=\S)", text):
        bonus = 0.5 if m[0][0] in "(（" else 0.0
        yield bonus + _ends(text[: m.start()].rstrip()), Mark(m.start(), m.end(), ord(m[1]) - 96, "letter")


def _roman(text: str) -> Iterator[tuple[float, Mark]]:
    for m in re.finditer(r"(?<![A-Za-z\d])[(（]?([ivx]{1,5})(?:[)）][.、]?|[.、])\s*(?=\S)", text):
        if m[1] in _ROMAN:
            yield _ends(text[: m.start()].rstrip()), Mark(m.start(), m.end(), _ROMAN.index(m[1]) + 1, "roman")


def _number(text: str) -> Iterator[tuple[float, Mark]]:
    """Bare numbers, and numbers before a full stop or 、, in running Chinese text."""
    for i, sign in enumerate(text):
        if not ("1" <= sign <= "9"):
            continue
        for length in (1, 2):
            digits = text[i : i + length]
            if len(digits) < length or not digits.isdecimal() or not digits.isascii():
                break
            score, content = _stands(text, i, i + length)
            if score > -2.5:
                yield score, Mark(i, content, int(digits), "number")


def _stands(text: str, start: int, end: int) -> tuple[float, int]:
    """How well a number stands at the head of a criterion, and where the words after it begin."""
    after = re.compile(r"[.、．)）]?\s*").match(text, end)
    content = after.end() if after else end
    score = _before(text, start)
    follow = text[end : end + 12]
    if not follow:
        return -9.0, end
    if follow[0] == "、" or (follow[0] in ".．" and not follow[1:2].isdigit()):
        return score + 2.0, content
    if follow[0] in ".．":  # "1.18岁" may be criterion 1; "22.0" hardly
        return score - 1.0, content
    if follow[0] in ")）":
        return score - 1.5, content
    if follow[0].isdigit():
        run = re.match(r"\d+(?:\.\d+)?", follow)
        rest = follow[run.end() :] if run else ""
        return score - (0.8 if _UNIT.match(rest) else 2.0), end
    if _UNIT.match(follow):
        return score - 4.0, end
    if follow[0] in "，,；;。:：=＝≥≤<>＜＞+＋\n":
        return score - 3.0, end
    return score + (1.0 if _CJK.match(follow[0]) else 0.3), content


def _before(text: str, start: int) -> float:
    if start == 0:
        return 3.0
    sign = text[start - 1]
    if sign in "；;。\n":
        return 3.0
    if sign in " ":
        return _ends(text[:start].rstrip()) or 0.5
    if sign in '）)】]”"':
        return 1.0
    if sign == ".":
        return -4.0 if text[start - 2 : start - 1].isdigit() else 2.0
    if sign in "≥≤<>＜＞=＝~～-–—±×*:：/（([、,，^+＋":
        return -4.0
    if sign.isdigit():
        return -1.2
    if sign.isascii() and sign.isalpha():
        return -1.2
    if sign in "第为约于是或至达过超近每共满前后有小大了在间续低高内的需":  # a number is expected after these
        return -1.5
    return 0.0


@lru_cache(maxsize=4096)
def _ends_with(sign: str) -> float:
    return 1.5 if sign in "；;。:：.!?！？" else 0.5 if sign in "，,）)" else 0.0


def _ends(before: str) -> float:
    return _ends_with(before[-1]) if before else 2.0


_SEARCH = {
    "circled": _circled,
    "bracketed": _bracketed,
    "bracket": _bracket,
    "point": _point,
    "letter": _letter,
    "roman": _roman,
    "number": _number,
}
