"""Stages, classes, grades, letters and counts of a criterion: "stage IIIB-IV", "NYHA III/IV", "grade ≥ 2", "two prior"."""

# ruff: noqa: E501 - word lists and patterns are easier to review unbroken
from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from fhirbridge.extract.criterion_numbers import number

__all__ = ["Variant", "find"]


@dataclass(frozen=True, slots=True)
class Variant:
    """A special notation: kind "stage" (names), "class" (low, high), "letters" (names) or "count" (low, high)."""

    start: int
    end: int
    kind: str
    value: Any


STAGES = (
    "0", "I", "IA", "IA1", "IA2", "IA3", "IB", "IB1", "IB2", "IB3", "IC", "II", "IIA", "IIA1", "IIA2", "IIB", "IIC", "III",
    "IIIA", "IIIA1", "IIIA2", "IIIB", "IIIC", "IIIC1", "IIIC2", "IIID", "IV", "IVA", "IVB", "IVC",
)  # fmt: skip
_ROMANS = {
    "Ⅰ": "I",
    "Ⅱ": "II",
    "Ⅲ": "III",
    "Ⅳ": "IV",
    "Ⅴ": "V",
    "Ⅵ": "VI",
    "ⅰ": "I",
    "ⅱ": "II",
    "ⅲ": "III",
    "ⅳ": "IV",
    "ⅴ": "V",
    "ⅵ": "VI",
}
_VALUE = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6}
_CHINESE = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5}

_ROMAN = r"(?:[ⅰⅱⅲⅳⅴⅵ]+|iv|i{1,3}|vi?)"
_STAGE = rf"(?:{_ROMAN}\s?(?:[a-d](?![a-z])[1-3]?)?(?![a-z])|[0-5][a-d]?(?![\d.%a-z]))"
_SEPARATOR = r"\s?(?:-|~|to|through|or|and|and/or|,|/|至|到|或|和|及|、|&|，|--)+\s?(?:or |and )?(?:stages? )?"
_STAGE_EN = re.compile(
    rf"\b(?:stages?|clinical stage|pathologic(?:al)? stage|figo stage)\s?(?:of\s)?(?P<cmp>≥|>=|≤|<=|>|<)?\s?(?P<list>{_STAGE}(?:{_SEPARATOR}(?:{_STAGE}|[a-d](?![a-z])))*)(?P<more>\s(?:or|and) (?:higher|greater|above|more advanced|beyond))?"
)
_STAGE_BARE = re.compile(rf"(?P<list>(?:{_ROMAN})\s?[a-c][12]?(?:{_SEPARATOR}(?:{_STAGE}))+)(?![a-z])")
_STAGE_ZH = re.compile(
    rf"(?P<cmp>≥|>|≤|<)?\s?(?:临床|病理)?(?:分期)?(?:为|是|：|:)?(?P<list>(?:{_STAGE}|[一二三四])\s?(?:期)?(?:{_SEPARATOR}(?:{_STAGE}|[一二三四]|[a-d](?![a-z])))*)\s?期(?!临床|试验|研究|药物|，?临床|的?临床)(?P<more>及?以上|或以上)?"
)
_TNM = re.compile(
    r"(?<![a-z0-9])(?:c|p|yp|any )?(?P<letter>[tnm])(?:stage )?(?P<list>(?:[0-4]|is|x)[a-d]?(?:\s?(?:-|~|/|or|to|,)\s?(?:(?:c|p)?(?P=letter))?[0-4][a-d]?)*)(?![a-z0-9]{2}|\d|\.)"
)
_CLASS_WORD = (
    r"(?:functional class(?:ification)?|class(?:es|ification)?|grades?|type|level|degree|nyha|asa|killip|ccs|who|stages?|"
    r"心功能分级|心功能|分级|纽约心脏病?协会|级别)"
)
_CLASS = re.compile(
    rf"(?:(?P<word>{_CLASS_WORD})\s?(?:\(\w+\)\s?)?(?:of\s|is\s|为|：|:|评分|分级)?\s?)?(?P<cmp>≥|>\s?=|>|≤|<\s?=|<|greater than or equal to|greater than|at least|less than|大于|超过|小于|大于等于)?\s?"
    rf"(?:grades?\s?|class\s?)?(?P<list>(?:{_ROMAN}|[0-6])(?:\s?级)?(?:(?:\s?(?:-|~|to|or|and|and/or|,|/|&|至|到|或|和|及|、|--|—)+\s?(?:or |and )?(?:class |grades? )?)(?:{_ROMAN}|[0-6])(?![a-z0-9.%]))*)(?![a-z0-9%]|\.\d)(?P<ji>\s?(?:级|度))?"
    r"(?P<more>\s?(?:(?:or|and|/) ?(?:greater|higher|above|more|worse|over)|及?以上|或以上|及其以上|or ≥))?(?P<fewer>\s?(?:(?:or|and) (?:less|lower|below)|及?以下|或以下))?"
)
_GRADE_AFTER = re.compile(
    r"(?P<cmp>≥|>=|>|≤|<=|<)\s?(?:ctcae |nci[- ]ctcae |ctc )?(?:grade|g)\s?(?P<list>[1-5]|i{1,3}|iv)(?![a-z0-9])"
)
_CHILD = re.compile(
    r"(?:child|cpt?|ctp)[-' a-z]{0,22}?(?:肝功能)?(?:分级|评分|分期|等级)?(?:\(\w+\))?(?:class|score|grade|stage|为|：|:|级|≤|<|≥|>| |of|status)*\s?(?P<list>[abc](?![a-z])(?:\s?(?:,|or|and|/|-|~|to|或|和|及|、|至)+\s?(?:class |grade )?[abc](?![a-z]))*)\s?(?:级)?"
)
_PRESSURE = re.compile(
    r"(?P<cmp>≥|>\s?=|=\s?>|>|≤|<\s?=|<|=|greater than or equal to|less than or equal to|greater than|less than|more than|lower than|higher than|above|below|over|under|exceeding|at least|大于等于|小于等于|大于|高于|超过|小于|低于|不低于)?\s?(?:or equal to |or = |/=)?"
    r"(?<![\d.])(?P<first>\d{2,3})\s?(?:mm\s?hg\s?)?/\s?(?P<second>\d{2,3})(?![\d.]|/)(?P<unit>\s?mm\s?/?hg)?"
)
_COUNT = re.compile(
    r"(?P<cmp>at least|≥|>=|more than|>|no more than|not more than|up to|maximum of|a maximum of|≤|<=|fewer than|less than|<|at most|exactly|only|failed|minimum of|greater than)?\s?"
    r"\b(?P<n>one|two|three|four|five|six|[1-9])\b(?:\s?(?:\(\d\)))?(?:\s?(?P<join>-|to|or|and|–)\s?(?P<m>two|three|four|five|[2-9])\b)?(?P<more>\s(?:or more|or greater)|\+)?(?P<fewer>\s(?:or fewer|or less))?"
    r"(?=\s(?:(?:different|additional|separate|systemic|cytotoxic|chemotherapy|platinum\w*|full|complete|other)[\s-])*(?:prior|previous|lines?\b|regimens?\b|cycles?\b|courses?\b|systemic|chemotherap|therap|treatments?\b|episodes?\b|relapses?\b|exacerbations?\b|attacks?\b))"
)
_COUNT_ZH = re.compile(
    r"(?P<cmp>至少|≥|>|超过|不超过|最多|≤|<|大于|大于等于|少于|仅|既往)?\s?(?:既往)?(?:接受过?|经过?|失败)?\s?(?P<n>[一二两三四五六1-9])(?:\s?(?P<join>-|~|至|或|到)\s?(?P<m>[二三四五六2-9]))?\s?(?:个|种)?(?P<unit>线|次|种|个)(?P<more>及?以上|或以上)?(?P<fewer>及?以下|或以下)?(?=的?(?:系统|全身|化疗|治疗|方案|含铂|抗肿瘤|既往|靶向|免疫|内分泌|复发|发作|急性加重))"
)


_CYCLES = re.compile(r"\s(?:(?:prior|previous|full|complete|different)\s)?(?:cycles?|courses?|doses?)\b")


def find(text: str, folded: str) -> list[Variant]:
    """The special notations of the text; `text` tells capitals from small letters, both have the same length."""
    found: list[Variant] = []
    if "stage" in folded or "期" in folded or _may_be_stage(folded):
        found += _stages(text, folded)
    if "child" in folded or "pugh" in folded or "ctp" in folded:
        found += [Variant(m.start("list"), m.end(), "letters", _letters(m["list"])) for m in _CHILD.finditer(folded)]
    if "/" in folded:
        found += [v for m in _PRESSURE.finditer(folded) if (v := _pressure(m, folded)) is not None]
    found += _classes(text, folded)
    found += [v for m in _COUNT.finditer(folded) if (v := _count(m)) is not None]
    if "线" in folded or "次" in folded or "种" in folded:
        found += [v for m in _COUNT_ZH.finditer(folded) if (v := _count(m)) is not None]
    return found


def _pressure(m: re.Match[str], folded: str) -> Variant | None:
    """A pair of blood pressures ("> 160/100 mmHg"): sign, systolic, diastolic; None for dates and acuities."""
    first, second = int(m["first"]), int(m["second"])
    near = m["unit"] or re.search(r"blood pressure|\bbp\b|hypertens|hypotens|血压", folded)
    if not near or not (60 <= first <= 260 and 30 <= second <= 160 and second < first):
        return None
    return Variant(m.start(), m.end(), "pressure", (m["cmp"] or "", first, second))


@lru_cache(maxsize=1)
def _stage_hint() -> re.Pattern[str]:
    return re.compile(r"(?<![a-z])(?:[ivⅰⅱⅲⅳ]+\s?[abc]|[tnm][0-4])")


def _may_be_stage(folded: str) -> bool:
    return bool(_stage_hint().search(folded))


def _stages(text: str, folded: str) -> list[Variant]:
    found = []
    for pattern in (_STAGE_EN, _STAGE_ZH, _STAGE_BARE):
        for m in pattern.finditer(folded):
            if pattern is _STAGE_BARE and not text[m.start("list")].isupper() and text[m.start("list")] not in "ⅠⅡⅢⅣ":
                continue
            groups = m.groupdict()
            values = stage_values(m["list"], groups.get("cmp") or "", bool(groups.get("more")))
            if values:
                found.append(Variant(m.start(), m.end(), "stage", values))
    for m in _TNM.finditer(folded):
        letter = text[m.start("letter")]
        if letter.isupper():
            numbers = re.findall(r"(?:[0-4]|is|x)[a-d]?", re.sub(r"[tnm]", "", m["list"]))
            if "-" in m["list"] and len(numbers) == 2 and numbers[0][0].isdigit() and numbers[1][0].isdigit():
                numbers = [str(i) for i in range(int(numbers[0][0]), int(numbers[1][0]) + 1)]
            found.append(Variant(m.start(), m.end(), "stage", tuple(letter.upper() + n for n in numbers)))
    return found


def stage_values(listing: str, cmp: str, more: bool) -> tuple[str, ...]:
    """The stage names of "IIIB-IV", "III or IV", "IIIB/C", in the order of STAGES; digits stay digits."""
    names: list[str] = []
    parts = re.split(r"(-|~|to\b|through|至|到)|(?:,|/|\bor\b|\band\b|或|和|及|、|&|，)", listing)
    pending = False
    for part in parts:
        if part in ("-", "~", "to", "through", "至", "到"):
            pending = True
            continue
        name = _stage_name(part or "", names[-1] if names else "")
        if not name:
            continue
        names += _between(names[-1], name) if pending and names else [name]
        pending = False
    if names and (cmp in ("≥", ">=", ">") or more):
        names = [n for n in _from(names[0]) if cmp != ">" or n != names[0]]
    elif names and cmp in ("≤", "<=", "<"):
        names = [n for n in _until(names[0]) if cmp != "<" or n != names[0]]
    return tuple(dict.fromkeys(names))


def _stage_name(part: str, before: str) -> str:
    plain = re.sub(r"stages?|期|\s", "", part)
    plain = "".join(_ROMANS.get(c, c) for c in plain).upper()
    plain = re.sub(r"^II$|^I{4}$", lambda m: m[0], plain)
    if plain in _CHINESE_UPPER:
        return _CHINESE_UPPER[plain]
    if re.fullmatch(r"[A-D]", plain) and before:
        return re.sub(r"[A-D]\d?$", "", before) + plain
    return plain if plain in STAGES or re.fullmatch(r"[0-5][A-D]?", plain) else ""


_CHINESE_UPPER = {"一": "I", "二": "II", "三": "III", "四": "IV"}


def _between(first: str, last: str) -> list[str]:
    if first in STAGES and last in STAGES and STAGES.index(first) < STAGES.index(last):
        chosen = STAGES[STAGES.index(first) + 1 : STAGES.index(last) + 1]
        return [n for n in chosen if not re.search(r"\d$", n)]
    if first[:1].isdigit() and last[:1].isdigit():
        return [str(i) for i in range(int(first[0]) + 1, int(last[0]))] + [last]
    return [last]


def _from(first: str) -> list[str]:
    if first in STAGES:
        return [first, *[n for n in STAGES[STAGES.index(first) + 1 :] if not re.search(r"\d$", n)]]
    return [first, *[str(i) for i in range(int(first[0]) + 1, 6)]]


def _until(last: str) -> list[str]:
    if last in STAGES:
        return [n for n in STAGES[: STAGES.index(last) + 1] if not re.search(r"\d$", n)]
    return [str(i) for i in range(1, int(last[0]) + 1)]


def _classes(text: str, folded: str) -> list[Variant]:
    found = []
    for m in _GRADE_AFTER.finditer(folded):
        low, high = _class_bounds([_class_value(m["list"])], m["cmp"].replace(" ", ""), False, False)
        found.append(Variant(m.start(), m.end(), "class", ("grade", low, high)))
    for m in _CLASS.finditer(folded):
        word, listing = m["word"] or "", m["list"]
        roman = re.search(r"[iv]", listing)
        if folded[max(0, m.start() - 7) : m.start("list")].rstrip().endswith("phase"):
            continue
        if roman and not _are_capitals(text, m.start("list"), listing) and not word:
            continue
        several = len(re.findall(rf"{_ROMAN}", listing)) > 1 if roman else False
        if not word and not m["ji"] and "级" not in listing and not several:
            continue
        if not word and m["ji"] and m["ji"].strip() == "度" and "高血压" not in folded and "ii" not in listing:
            continue
        if word in ("type", "who", "level", "stage", "stages") and word != "type":
            continue
        values = [v for part in re.findall(rf"{_ROMAN}|[0-6]", listing) if (v := _class_value(part)) is not None]
        if not values:
            continue
        low, high = _class_bounds(values, (m["cmp"] or "").replace(" ", ""), bool(m["more"]), bool(m["fewer"]))
        kind = "type" if word == "type" else "grade" if word.startswith("grade") or (m["ji"] and not word) else "class"
        at = (
            m.start()
            if word not in ("nyha", "asa", "killip", "ccs", "who")
            else m.start("cmp")
            if m["cmp"]
            else m.start("list")
        )
        if kind != "type":
            found.append(Variant(at, m.end(), "class", (kind, low, high)))
    return found


def _are_capitals(text: str, start: int, listing: str) -> bool:
    return all(text[start + i].isupper() or text[start + i] in "ⅠⅡⅢⅣⅤⅥ" for i, c in enumerate(listing) if c in "iv")


def _class_value(part: str) -> int | None:
    plain = "".join(_ROMANS.get(c, c) for c in part).upper()
    return int(plain) if plain.isdigit() else _VALUE.get(plain)


def _class_bounds(values: Sequence[int | None], cmp: str, more: bool, fewer: bool) -> tuple[int | None, int | None]:
    known = [v for v in values if v is not None]
    low, high = min(known), max(known)
    if more or cmp in ("≥", ">=", "atleast", "greaterthanorequalto", "大于等于"):
        return low, None
    if cmp in (">", "greaterthan", "大于", "超过"):
        return low + 1, None
    if fewer or cmp in ("≤", "<="):
        return None, high
    if cmp in ("<", "lessthan", "小于"):
        return None, high - 1
    return low, high


def _letters(listing: str) -> tuple[str, ...]:
    letters = re.findall(r"[abc]", listing)
    if "-" in listing or "~" in listing or "至" in listing or "to" in listing:
        letters = list("abc"["abc".index(letters[0]) : "abc".index(letters[-1]) + 1])
    return tuple(c.upper() for c in dict.fromkeys(letters))


def _count(m: re.Match[str]) -> Variant | None:
    first = _count_value(m["n"])
    if first is None:
        return None
    second = _count_value(m["m"]) if m["m"] else None
    low: int | None = first
    high: int | None = second if second is not None else first
    cmp = (m["cmp"] or "").strip()
    if cmp in ("at least", "≥", ">=", "minimum of", "failed", "至少", "大于等于") or m["more"]:
        high = None
    elif cmp in ("more than", ">", "超过", "大于", "greater than"):
        low, high = first + 1, None
    elif (
        cmp
        in (
            "no more than",
            "not more than",
            "up to",
            "maximum of",
            "a maximum of",
            "≤",
            "<=",
            "at most",
            "不超过",
            "最多",
        )
        or m["fewer"]
    ):
        low, high = None, high
    elif cmp in ("fewer than", "less than", "<", "少于"):
        low, high = None, first - 1
    if _CYCLES.match(m.string, m.end()):
        return Variant(m.start(), m.end(), "ignored", "")  # cycles of one regimen are not lines of therapy
    return Variant(m.start(), m.end(), "count", (low, high))


def _count_value(word: str) -> int | None:
    value = number(word) if word not in _CHINESE else None
    return int(value) if value is not None else _CHINESE.get(word, 2 if word == "两" else None)
