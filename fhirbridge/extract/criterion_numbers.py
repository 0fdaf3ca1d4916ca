"""The numbers of a criterion: comparator, value, unit, multiple of a limit, as exact bounds where they stand.

Reads English and Chinese at once: a protocol mixes them. Every number is a Decimal of the printed digits.
"""

# ruff: noqa: E501 - word lists and patterns are easier to review unbroken
from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from fhirbridge.extract.criterion_digits import number
from fhirbridge.extract.criterion_units import units
from fhirbridge.languages.en.numbers import WRITTEN
from fhirbridge.records import Bound, Quantity

__all__ = ["Amount", "find", "number"]


@dataclass(frozen=True, slots=True)
class Amount:
    """A stated number or range. `bare` numbers have no comparator and no range; `numbers` are all of a listing.

    `after` is True when the comparator follows ("18 years <= age"), so that the measure is to the right.
    """

    start: int
    end: int
    low: Bound | None
    high: Bound | None
    unit: str = ""
    numbers: tuple[Decimal, ...] = ()
    bare: bool = False
    after: bool = False
    equal: bool = False  # written with a bare "="


_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?: \d{3})+(?![\d.])|\d+,\d{1,2}(?!\d)|\d+\.\d+|\d+(?:·\d+)?|\.\d+"


_WORD_NUMBERS = "|".join(sorted(WRITTEN, key=len, reverse=True))


_CHINESE_NUMBER = r"[零一二三四五六七八九十百两半〇]+"


_DEGREES = r"[三四]十[一二三四五六七八九]?度[一二三四五六七八九半]"  # 38.5 °C as it is spoken


_NUMBER = rf"(?:{_DEGREES}|{_DIGITS}|\b(?:{_WORD_NUMBERS})\b|{_CHINESE_NUMBER})"


_AT_LEAST = (
    r"≥|>\s?=|=\s?>|>=|greater than or equal to|greater than or equal|equal to or greater than|equal or greater than|"
    r"more than or equal to|equal to or more than|higher than or equal to|equal or higher than|above or equal to|"
    r"equal to or above|greater or equal to|greater than/equal to|greater or equal than|equal or more than|"
    r"greater or equal|at least|≥ or equal to|minimum of|a minimum of|minimum|no less than|not less than|not lower than|"
    r"no fewer than|not below|no lower than|no younger than|superior or equal to|upper or equal to|"
    r"must be at least|or more than|>/=|> or =|> or equal to|≥ or =|starting at|"
    r"大于或者等于|大于或等于|大于等于|高于或等于|不小于|不低于|不少于|至少|最少|不短于|≮|满|超过或等于|等于或大于|多于或等于|高于等于"
)


_AT_MOST = (
    r"≤|<\s?=|=\s?<|<=|less than or equal to|less than or equal|lower than or equal to|equal to or less than|"
    r"equal or less than|less than/equal to|below or equal to|equal to or lower than|equal to or below|less or equal to|"
    r"inferior or equal to|smaller than or equal to|no greater than|not greater than|no more than|not more than|"
    r"not exceeding|not exceed|does not exceed|up to|maximum of|maximum|a maximum of|at most|no higher than|"
    r"not higher than|not above|no older than|not over|must not exceed|may be up to|</=|< or =|< or equal to|"
    r"小于或者等于|小于或等于|小于等于|低于或等于|不大于|不高于|不超过|不多于|至多|最多|≯|未超过|不长于|等于或小于|低于等于|少于或等于"
)


_MORE = (
    r">|greater than|more than|higher than|above|exceeding|exceeds|exceed|over|in excess of|older than|larger than|"
    r"better than|longer than|superior to|upper than|elevated above|increased above|beyond|bigger than|"
    r"大于|高于|超过|多于|长于|大於|超出|＞"
)


_FEWER = (
    r"<|less than|lower than|below|under|fewer than|younger than|smaller than|inferior to|shorter than|worse than|"
    r"小于|低于|少于|不足|未满|短于|不到|小於|未达到|＜"
)


_EQUAL = r"=|equal to|equals|of exactly|等于|为|是"


_ABOUT = r"\s*(?:(?:a|an|the|or|be|is|of|about|approximately|approx\.?|age|ages)\s*:?\s+){0,3}(?:age: ?|或|x ?)?\s*"


@lru_cache(maxsize=1)
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    spelled = sorted((re.escape(u).replace(r"\ ", r"\s?") for u in units()), key=len, reverse=True)
    power = r"(?:[x*·]|\s)\s?10\s?(?:\^|\*{1,2}|e|\(|~|\+)?\s?(?P<power>\d{1,2}|[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2})\)?\s?(?=/|per|个|\s?[a-z]{1,5}/|l\b|ml\b|$|[,;:.)，；。）])"
    limit = (
        r"(?:\s?[x*·]?[\s-]?(?:times?|fold|倍|multiples of)?\s?(?:of )?(?:the |its |于|的)?(?:age-adjusted |age adjusted |local |"
        r"respective |local laboratory |laboratory's |lab's |laboratory )?(?:institutional |institution's |institution |"
        r"site |参考|实验室|机构|各中心|研究中心|本中心|化验|检验)*"
        r"(?P<limit>(?:iuln|i\.?uln|ulnr|unl|uln|lln|llnr)(?![a-z])|upper limits? of (?:the )?(?:institutional )?(?:normal|reference)(?: range| limits?)?(?:\s?\((?:iuln|uln|unl)\))?|"
        r"upper (?:normal )?(?:limits?|range)(?: of normal| normal| value)?(?:\s?\((?:iuln|uln|unl)\))?|upper (?:reference|normal) (?:limit|range|value)|normal upper limits?|normal limit|"
        r"lower limits? of (?:the )?normal(?: range)?(?:\s?\(lln\))?|lower normal limit|limit of normal|upper norm|(?:institutional )?normal(?: values?)?|"
        r"正常(?:值|参考值|参考|范围|参考范围|值范围)?的?(?:上限|高限|最高值|高值)(?:值)?(?:\s?[\(（](?:uln|unl)[\)）])?|参考(?:值|范围)?上限|上限值?|正常(?:值|参考值|范围)?的?(?:下限|低限)(?:值)?(?:\s?[\(（]lln[\)）])?|正常值|baseline|基线值?))"
    )
    unit = rf"(?P<unit>(?:{'|'.join(spelled)})(?![a-z0-9]))"
    again = r"(?:\s?\((?:>/=|</=|>\s?=|<\s?=|=\s?>|=\s?<|≥|≤|>|<)\))?"  # "greater than or equal to (>/=) 50 %"
    cmp = rf"(?P<cmp>{_AT_LEAST}|{_AT_MOST}|{_MORE}|{_FEWER}|{_EQUAL}){again}"
    one = re.compile(rf"(?:{cmp}{_ABOUT})?(?P<number>{_NUMBER})(?:\s?{power}\s?)?(?:{limit}|\s?{unit})?")
    bare_limit = re.compile(
        rf"(?P<cmp>{_AT_LEAST}|{_AT_MOST}|{_MORE}|{_FEWER})\s?(?:the |or equal to )?(?:institutional |laboratory |local )*{limit}"
    )
    return one, bare_limit


_RANGE = re.compile(r"\s?(?:-|~|to|through|until|至|到|－|—|–|\band\b|和|与|→|-->|_)+\s?$")


_RANGE_AND = re.compile(r"\b(?:between|from|range of|ranging|within|介于|在|从)\W*$|[介在从]于?$")


_JOIN = re.compile(r"\s?(?:,|，|;)?\s?(?:and|but|to|且|并且|和|&|but also|-|~|至|，|or)?\s?$")


_OR_MORE = re.compile(
    r"\s?(?:\(?(?:or|and|/)\s?(?:more|greater|older|above|over|higher|better|longer|up|upwards|later|beyond)\b\)?|and over|\+(?![\w])|years and older|及其?以上|或以上|以上|及以后|及更高|或更高|或更多|以及以上|or ≥|分以上|或者以上)"
)


_OR_LESS = re.compile(
    r"\s?(?:\(?(?:or|and|/)\s?(?:less|younger|below|under|lower|fewer|smaller|worse)\b\)?|及其?以下|或以下|以下|及更低|或更低|以内|之内|或更少)"
)


_LIST = re.compile(r"\s?(?:,|，|、|/|或|or|and|,\s?or|,\s?and|和|-)\s?(?:者)?\s?$")


_AFTER = re.compile(r"\s?(≥|≤|<\s?=|>\s?=|=\s?<|<|>)\s?(?=[^\d\s.=])")


_AGED = re.compile(r"\b(?:older|younger|age|ages)\b")  # the words that make a number an age


_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


@dataclass(slots=True)
class _One:
    start: int
    end: int
    value: Decimal
    cmp: str
    unit: str
    times_of: str
    ucum: str | None
    after: bool = False


def find(folded: str) -> list[Amount]:
    """Every number of the folded text with what it says, ranges and listings joined, in order."""
    if not _may_hold(folded):
        return []
    ones = _ones(folded)
    amounts: list[Amount] = []
    i = 0
    while i < len(ones):
        amount, used = _joined(folded, ones, i)
        amounts.append(amount)
        i += used
    return amounts


@lru_cache(maxsize=1)
def _hint() -> re.Pattern[str]:
    return re.compile(rf"\d|ln|limit|norm|range|value|正常|限|基线|baseline|{_CHINESE_NUMBER}|\b(?:{_WORD_NUMBERS})\b")


def _may_hold(folded: str) -> bool:
    """Whether there is a digit, a number word or a limit at all: most criteria have none."""
    return _hint().search(folded) is not None


def _ones(folded: str) -> list[_One]:
    one, bare_limit = _patterns()
    found = [single for m in one.finditer(folded) if (single := _read(folded, m)) is not None]
    taken = [(o.start, o.end) for o in found]
    for m in bare_limit.finditer(folded):
        if not any(a < m.end() and m.start() < b for a, b in taken):
            found.append(_One(m.start(), m.end(), Decimal(1), _sign(m["cmp"]), "", _limit(m["limit"]), None))
    return sorted(found, key=lambda o: o.start)


def _read(folded: str, m: re.Match[str]) -> _One | None:
    start, end = m.start("number"), m.end()
    times = bool(m["cmp"]) and folded[start - 1 : start] == "x"
    if not times and _inside_word(folded, start, m.end("number"), m["unit"] or m["power"] or m["limit"]):
        return None
    value = number(m["number"])
    if value is None:
        return None
    cmp = _sign(m["cmp"]) if m["cmp"] else ""
    unit = folded[m.start("unit") : m.end("unit")] if m["unit"] else ""
    ucum = units().get(re.sub(r"\s+", "", unit)) or units().get(unit) if unit else None
    if "度" in m["number"]:
        ucum = "Cel"
    if m["power"]:
        value, unit, ucum = _powered(value, int(m["power"].translate(_SUPERSCRIPT)), unit)
    limit = m["limit"]
    times_of = _limit(limit) if limit else ""
    if (
        limit in ("normal", "正常值", "normal values", "normal value")
        and "倍" not in m[0]
        and "time" not in m[0]
        and "x" not in m[0]
    ):
        return None
    first = m.start() if cmp else start
    if not cmp and not unit and not times_of and not m["power"] and m["number"] in WRITTEN:
        return None
    if not (cmp or unit or times_of or ucum) and re.match(_CHINESE_NUMBER, m["number"]):
        return None
    after = ""
    if not cmp:
        ahead = _AFTER.match(folded, end)
        if ahead:
            after = _mirrored(_sign(ahead[1]))
            end = ahead.end()
    return _One(first, end, value, after or cmp, unit, times_of, ucum, bool(after))


def _powered(value: Decimal, power: int, unit: str) -> tuple[Decimal, str, str | None]:
    """1.5 x 10^9/L keeps its 1.5 in units of 10*9/L; 1 x 10^3 IU/mL is 1000 IU/mL."""
    ucum = units().get(re.sub(r"\s+", "", unit)) if unit else None
    if not unit or ucum in ("/L", "/mL", "/uL", "/mm3", "/dL"):
        base = (ucum or "/L") if unit else "/L"
        return value, f"10^{power}{unit or '/l'}", f"10*{power}{base}"
    return value * (Decimal(10) ** power), unit, ucum


def _inside_word(folded: str, start: int, end: int, unit: str | None) -> bool:
    before = folded[start - 1] if start else " "
    after = folded[end] if end < len(folded) else " "
    if folded[start] in "零一二三四五六七八九十百两半〇":
        return False
    if before.isascii() and (before.isalpha() or before in "_.^"):
        return True
    if before == "-" and start > 1 and folded[start - 2].isascii() and folded[start - 2].isalpha() and unit is None:
        return True
    return unit is None and after.isascii() and (after.isalpha() or after == "_")


@lru_cache(maxsize=4)
def _sign_patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    pairs = ((_AT_LEAST, ">="), (_AT_MOST, "<="), (_MORE, ">"), (_FEWER, "<"), (_EQUAL, "="))
    return tuple((re.compile(p), s) for p, s in pairs)


@lru_cache(maxsize=512)
def _sign(text: str) -> str:
    for pattern, sign in _sign_patterns():
        if pattern.fullmatch(text.strip()):
            return sign
    return "="


def _mirrored(sign: str) -> str:
    return {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(sign, sign)


def _limit(text: str) -> str:
    if "baseline" in text or "基线" in text:
        return "baseline"
    return "LLN" if "lower" in text or "lln" in text or "下限" in text or "低限" in text else "ULN"


def _joined(folded: str, ones: list[_One], i: int) -> tuple[Amount, int]:
    one = ones[i]
    following = ones[i + 1] if i + 1 < len(ones) else None
    if following is not None:
        between = folded[one.end : following.start]
        times = {one.ucum, following.ucum} <= {"a", "mo", "wk", "d", "h"} and one.ucum != following.ucum
        if times and not one.cmp and not following.cmp and _is_range(folded, one, between):
            low, high = (_bound(o.value, o.unit, o.ucum, "", True) for o in (one, following))
            return Amount(one.start, following.end, low, high, following.unit, (one.value, following.value)), 2
        if len(between) <= 8 and not one.after and _same_kind(one, following):
            if one.cmp in ("", "=") and not following.cmp and _is_range(folded, one, between):
                return _range(folded, one, following), 2
            if between.strip() == "/" and one.cmp and not following.cmp and following.unit and not one.unit:
                following.cmp, following.start = one.cmp, following.start  # "≤ 140/90 mmHg": one sign for two pressures
                one.unit, one.ucum = following.unit, following.ucum
                return _single(folded, one), 1
            if (
                _opposite(one.cmp, following.cmp)
                and _JOIN.fullmatch(between)
                and not _excludes(one, following, between)
            ):
                return _range(folded, one, following), 2
            if (
                one.cmp == "="
                and (following.cmp == "=" or following.cmp.startswith("<"))
                and one.value < following.value
                and _JOIN.fullmatch(between)
            ):
                return _range(folded, one, following), 2  # "=18 and =80": the signs ≥ and ≤ were lost
            if not one.cmp and following.cmp in ("<", "<=") and re.fullmatch(r"\s?(?:-|~|to|至)\s?", between):
                return _range(folded, one, following), 2  # "6 to < 10 years"
            if one.cmp in (">", ">=") and not following.cmp and re.fullmatch(r"\s?(?:-|~|to|至|and)\s?", between):
                return _range(folded, one, following), 2
    worded = one.cmp == "=" and not folded[one.start : one.end].startswith("=")
    if (not one.cmp or worded) and not one.times_of:
        listed = _listing(folded, ones, i)
        if listed > 1:
            group = ones[i : i + listed]
            values = tuple(o.value for o in group)
            unit = next((o.unit for o in reversed(group) if o.unit), "")
            ucum = next((o.ucum for o in reversed(group) if o.ucum), None)
            low, high = _bound(min(values), unit, ucum, "", True), _bound(max(values), unit, ucum, "", True)
            return Amount(group[0].start, group[-1].end, low, high, unit, values, bare=True), listed
    return _single(folded, one), 1


def _same_kind(a: _One, b: _One) -> bool:
    return (not a.unit or not b.unit or a.unit == b.unit or a.ucum == b.ucum) and (
        a.times_of == b.times_of or not a.times_of
    )


def _is_range(folded: str, one: _One, between: str) -> bool:
    text = between.strip()
    if text in ("and", "和", "与"):
        return bool(_RANGE_AND.search(folded[max(0, one.start - 12) : one.start]))
    return bool(text) and bool(_RANGE.fullmatch(between))


def _opposite(a: str, b: str) -> bool:
    return (a in (">", ">=") and b in ("<", "<=")) or (a in ("<", "<=") and b in (">", ">="))


def _excludes(a: _One, b: _One, between: str) -> bool:
    """ "< 18 or > 75" are two ranges, not one."""
    return (a.cmp.startswith("<") and a.value <= b.value) or ("or" in between and a.cmp.startswith("<"))


def _bound(value: Decimal, unit: str, ucum: str | None, times_of: str, inclusive: bool) -> Bound:
    return Bound(Quantity(value, unit, ucum), inclusive, times_of)


def _range(folded: str, a: _One, b: _One) -> Amount:
    unit, ucum = b.unit or a.unit, b.ucum or a.ucum
    times_of = b.times_of or a.times_of
    first = _bound(a.value, unit, ucum, times_of if a.times_of or not a.unit else "", a.cmp not in (">", "<"))
    second = _bound(b.value, unit, ucum, times_of, b.cmp not in (">", "<"))
    low, high = (second, first) if a.cmp in ("<", "<=") or (not a.cmp and a.value > b.value) else (first, second)
    spelled = f"{unit} old" if _AGED.search(folded, a.start, b.end) else unit
    return Amount(a.start, b.end, low, high, spelled, (a.value, b.value), after=a.after)


def _listing(folded: str, ones: list[_One], i: int) -> int:
    count = 1
    while i + count < len(ones) and count < 8:
        a, b = ones[i + count - 1], ones[i + count]
        between = folded[a.end : b.start]
        if b.cmp or b.times_of or len(between) > 6 or not _LIST.fullmatch(between) or a.value >= 100:
            break
        if a.unit and b.unit and a.unit != b.unit:
            break
        count += 1
    return count


def _single(folded: str, one: _One) -> Amount:
    end, cmp = one.end, one.cmp
    if cmp in ("", "="):
        more, less = _OR_MORE.match(folded, end), _OR_LESS.match(folded, end)
        if more:
            cmp, end = ">=", more.end()
        elif less:
            cmp, end = "<=", less.end()
    make = _bound(one.value, one.unit, one.ucum, one.times_of, cmp not in (">", "<"))
    low = make if cmp in (">", ">=", "=", "") else None
    high = make if cmp in ("<", "<=", "=", "") else None
    return Amount(
        one.start,
        end,
        low,
        high,
        f"{one.unit} old" if _AGED.search(folded, one.start, end) else one.unit,
        (one.value,),
        bare=cmp == "",
        after=one.after,
        equal=cmp == "=" and "=" in folded[one.start : one.end],
    )
