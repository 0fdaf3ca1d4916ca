"""The time windows of a criterion: "within 28 days before the first dose", "≥ 4 weeks since", "近3个月内"."""

# ruff: noqa: E501 - word lists and patterns are easier to review unbroken
from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from fhirbridge import languages
from fhirbridge.extract.criterion_numbers import number
from fhirbridge.records import Quantity, Window

__all__ = ["Timed", "find"]


@dataclass(frozen=True, slots=True)
class Timed:
    """A window and where its words stand."""

    start: int
    end: int
    window: Window


_NUM = r"(?:\d+(?:\.\d+)?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fourteen|a|an|half a|twenty-four|24)"
_UNITS = {
    "half-life": "half-life", "half-lives": "half-life", "half lives": "half-life", "half life": "half-life",
    "day": "d", "days": "d", "week": "wk", "weeks": "wk", "wk": "wk", "wks": "wk", "month": "mo", "months": "mo",
    "mo": "mo", "mos": "mo", "year": "a", "years": "a", "yr": "a", "yrs": "a", "y": "a", "hour": "h", "hours": "h", "hrs": "h",
    "h": "h", "minutes": "min", "calendar days": "d",
}  # fmt: skip
_UNIT = r"(?:calendar )?(?:half[- ]li(?:fe|ves)|days?|weeks?|wks?|months?|mos?|years?|yrs?|hours?|hrs|h|minutes)\b"
_PAREN = r"(?:\s?\(\s?\d+\s?\w{0,8}\s?\))?"
_SPAN = rf"(?P<n>{_NUM})\s?{_PAREN}\s?(?:-|–)?\s?(?P<u>{_UNIT})(?!\s(?:of age|old|of gestation|gestation))"
_ALSO = (
    rf"(?:\s?\(?(?:,?\s?(?:or|and|and/or)\s|/|,)\s?(?:at least |within |less than |for |< ?)?(?:\w+\s)?\d*\.?\d*\s?(?:times\s)?(?:the\s)?"
    rf"(?:{_NUM}\s)?(?:drug |elimination |plasma |drug's |terminal |its |known |the )*half[- ]li(?:fe|ves)\b(?: of (?:the |that |each |this |any )?(?:[a-z-]+ ?){{1,4}}?)?\)?)?"
    r"(?:,?\s?\(?(?:whichever|which ever|whatever) (?:is|was|comes|of the two is)? ?(?:the )?(?:longer|longest|shorter|greater|later|earlier|first|occurs first|occurs later|period is longer)\)?)?"
)
_BEFORE = r"(?:before|prior to|preceding|previous to|prior|earlier than|in advance of|prior the|before to|leading up to|ahead of)"
_AFTER = r"(?:after|following|post|from|of|since)"
_PAST = r"(?:last|past|previous|preceding|prior|recent|latest|immediately preceding|immediate past)"
_LESS = r"(?:<|≤|<=|less than|fewer than|no more than|not more than|within|up to|under|in|during|at most|for less than|less than or equal to)"
_LEAST = r"(?:≥|>=|>|at least|more than|greater than|no less than|not less than|minimum of|a minimum of|longer than|over|a minimum|for at least|for more than|for a minimum of|exceeding|≥ ?|beyond)"
_FREE = r"disease[- ]free(?:\s(?:survival|interval|period))?(?:\stime)?"
_LAST = r"(?:last|past)"


@lru_cache(maxsize=1)
def _english() -> tuple[tuple[re.Pattern[str], str], ...]:
    words = "|".join(sorted((re.escape(w) for w in _anchor_words("en")), key=len, reverse=True))
    anchor = rf"(?P<anchor>(?:(?:the|a|an|their|this|of|to|in|on|and|or|any|/|\(|\)|'s)?\s?\b(?:{words})\b[ /-]{{0,2}}\)?){{1,9}})"
    treated = {"chemotherapy", "radiation", "radiotherapy", "surgery", "therapy", "treatment", "treatments", "therapies", "vaccination",
               "vaccine", "immunization", "transplant", "transplantation", "procedure", "operation", "ablation", "injection",
               "infusion", "diagnosis", "onset", "symptom onset", "index", "event", "investigational", "agent", "medication",
               "product", "drug", "study drug", "trial", "study", "implantation", "delivery", "1"}  # fmt: skip
    own = "|".join(sorted((re.escape(w) for w in _anchor_words("en") if w not in treated), key=len, reverse=True))
    ends = rf"(?P<anchor>(?:(?:the|a|an|their|of|to)?\s?\b(?:{own})\b\s?){{0,6}})"
    before = rf"\s?{_ALSO}\s?(?:immediately |directly |just )?{_BEFORE}\s(?:to )?(?:the )?{anchor}?"
    given = r"(?:study|trial|protocol|investigational)[ -](?:drug|treatment|medication|therapy|product|agent|intervention|vaccine)s?\b"
    named = (
        rf"(?P<anchor>(?:(?:(?:the|a|an|their|of|to)?\s?\b(?:{own})\b\s?){{1,6}}(?:(?:of |the )*{given})?"
        rf"|{given.replace('|investigational', '')}))"
    )
    after = rf"\s?{_ALSO}\s?(?:{_AFTER}\s(?:the )?{named}|(?:after|following|post|since)\b)"
    lead = rf"(?:(?:for|in|during|over)?\s?(?:the )?(?:{_LESS})\s?(?:a period of |approximately |about )?(?:the )?(?:{_PAST} )?|(?:in|during|for|over|throughout|within)\s(?:the )?(?:{_PAST} )?|the (?:{_PAST} )|)"
    return tuple(
        (re.compile(rf"(?<![a-z0-9](?=[a-z0-9]))(?:{pattern})"), kind)
        for pattern, kind in (
            (
                rf"(?:for )?(?:a )?{_LEAST}\s?(?:an interval of |the |a period of )?{_SPAN}{_ALSO}(?:\s?(?:interval|period|washout|wash-out|washout period))?\s?(?:must have (?:elapsed|passed) )?(?:have (?:elapsed|passed) )?(?:since|from|after|following|post|between|out from|beyond)\s(?:the )?{ends}",
                "least",
            ),
            (rf"(?:for )?(?:a )?{_LEAST}\s?(?:the |a period of )?{_SPAN}{before}", "least before"),
            (rf"(?:for )?(?:a )?{_LEAST}\s?{_SPAN}\s(?:ago|earlier|previously)", "least"),
            (rf"{_LESS}\s?{_SPAN}\s(?:ago|earlier|previously)", "within"),
            (
                rf"(?:<|≤|<=|less than|fewer than)\s?{_SPAN}\s?(?:have (?:elapsed|passed) )?(?:since|from|after)\s(?:the )?{ends}",
                "within since",
            ),
            (rf"(?:<|≤|less than|fewer than)\s?{_SPAN}\s?(?:of )?{_FREE}", "within"),
            (
                rf"(?:chemotherapy|treatment|therapy|platinum)[ -]free[ -]interval\s(?:of |is |was )?(?:{_LEAST})\s?{_SPAN}",
                "least",
            ),
            (rf"{lead}{_SPAN}{before}", "within"),
            (
                rf"(?:in|during|within|over|for|throughout|into)?\s?(?:the |their |these |his )?{_PAST}\s{_SPAN}{_ALSO}(?:\s?(?:before|prior to|preceding|of)\s(?:the )?{anchor})?",
                "within",
            ),
            (rf"(?:within|less than|<|≤|<=|up to)\s?(?:the )?(?:{_PAST} )?{_SPAN}{after}", "of"),
            (rf"within\s(?:a |the )?(?:{_PAST} )?(?:period of )?{_SPAN}{_ALSO}(?:\speriod)?", "within"),
            (rf"(?:in|during|within|over)?\s?the\s{_PAST}\s(?P<u>day|week|month|year)\b", "within one"),
            (
                rf"(?:within|in|during)\s(?:a|one|1)\s(?P<u>day|week|month|year)\b(?:\s(?:before|prior to|of)\s(?:the )?{anchor})?",
                "within one",
            ),
            (rf"{_SPAN}\s(?:ago|earlier)", "within"),
            (
                rf"(?:for|of|lasting|duration|persisting)\s(?:a |the )?(?:period of |duration of |minimum of |past |last |previous |total of )?(?:{_LEAST})\s?(?:the )?(?:{_PAST} )?{_SPAN}(?:\s(?:duration|or more|or longer))?",
                "lasting",
            ),
            (
                rf"{_LEAST}\s?{_SPAN}(?:'s?)?\s(?:in duration|duration|history|of (?:treatment|therapy|follow|duration|history|illness|disease))",
                "lasting",
            ),
            (
                rf"(?:duration|history|persist\w*|symptoms|onset|lasting)\s?(?:of |for |is |time |≥ )?(?:{_LEAST})\s?{_SPAN}",
                "lasting",
            ),
            (rf"(?:duration|onset|history)\s?(?:of |for |is |time )?(?:<|≤|less than|within|up to)\s?{_SPAN}", "short"),
            (rf"for\s{_SPAN}(?:\sor (?:more|longer))", "lasting"),
            (rf"(?:{_LEAST}\s?)?{_SPAN}\s(?:or (?:more|longer)\s)?(?:disease[- ]free|history of)", "lasting"),
        )
    )


_ZH_NUM = r"(?:\d+(?:\.\d+)?|[一二三四五六七八九十两半]+)"
_ZH_UNIT = r"(?:个月|月|個月|周岁|周|週|个星期|星期|天|日|年|个小时|小时|h|分钟|个半衰期|半衰期|个疗程|d\b|w\b)"
_ZH_UNITS = {
    "个月": "mo", "月": "mo", "個月": "mo", "周": "wk", "週": "wk", "个星期": "wk", "星期": "wk", "天": "d", "日": "d", "年": "a",
    "个小时": "h", "小时": "h", "h": "h", "分钟": "min", "个半衰期": "half-life", "半衰期": "half-life", "d": "d", "w": "wk",
}  # fmt: skip


@lru_cache(maxsize=1)
def _chinese() -> tuple[tuple[re.Pattern[str], str], ...]:
    words = "|".join(sorted((re.escape(w) for w in _anchor_words("zh")), key=len, reverse=True))
    anchor = rf"(?P<anchor>(?:(?:{words})(?:或|及|和|、|/|的)?){{1,6}})"
    half = rf"(?:\s?[或/,（(]?\s?(?:者)?(?:药物的?|研究药物的?|该药物的?|已知|末次)*\s?{_ZH_NUM}\s?个?(?:药物)?(?:的)?(?:消除)?半衰期(?:内|以内)?[)）]?)?(?:\s?[,，(（;；]?\s?(?:以|取)?(?:时间)?(?:较?长|较?短|最长|更长)(?:的|者)?(?:时间)?(?:为准|为限|者)?[)）]?)?"
    span = rf"(?P<n>{_ZH_NUM})\s?(?:\([^)]{{1,6}}\)|（[^）]{{1,6}}）)?\s?(?P<u>{_ZH_UNIT})"
    less = r"(?:<|≤|<=|小于|少于|不足|不到|不超过|未满|小于等于|未超过|低于)"
    least = r"(?:≥|>=|>|至少|大于|超过|大于等于|不少于|满|多于|不低于|长达|达到|不短于|≧|＞)"
    return tuple(
        (re.compile(pattern), kind)
        for pattern, kind in (
            (rf"(?:在|于|距|距离)?{anchor}(?:之)?(?:前|之前|以前)的?{least}\s?{span}", "least before"),
            (
                rf"(?:在|于)?(?:过去|既往|近|最近|此前|前)?(?:的)?{anchor}(?:之)?(?:前|之前|以前)(?:的)?(?:最近|至少|近|过去|连续)?\s?(?:{less})?\s?{span}(?:{half})?(?:之内|以内|内|期间|间|时间内)?",
                "within",
            ),
            (rf"(?:距离?|间隔|间隔时间)(?:(?:{words})(?:的)?){{0,6}}(?:时间|已)?{least}\s?{span}(?:以上)?", "least"),
            (rf"(?:距离?|间隔|间隔时间)(?:(?:{words})(?:的)?){{0,6}}(?:时间|已)?{span}以上", "least"),
            (rf"(?:距离?|间隔|间隔时间)(?:(?:{words})(?:的)?){{0,6}}(?:时间|已)?{less}\s?{span}", "within since"),
            (
                rf"(?:在)?(?:过去|既往|最近|近期|近|此前|前|之前|以往|先前|曾在)(?:的)?(?:至少|连续)?\s?{span}(?:{half})?(?:之内|以内|内|来|以来|中|期间|之中|间)?",
                "within",
            ),
            (rf"(?:<|≤|小于|少于|不足|不到|不超过)\s?{span}(?:{half})?(?:之内|以内|内|者)?", "within"),
            (rf"{span}(?:{half})?(?:之内|以内|内|前内)", "within"),
            (
                rf"(?:持续|病程|病史|维持|稳定|治疗|服用|使用|应用|时间|超过|至少|满|长于|大于|间隔|缓解|停药|戒烟|为期|已)(?:时间|期)?(?:了|为|在)?{least}?\s?{span}(?:以上|及以上|或以上)?(?:的)?",
                "lasting",
            ),
            (rf"{least}\s?{span}(?:及?以上)?", "lasting"),
            (rf"{span}(?:及|或)?以上", "lasting"),
            (rf"{span}(?:之)?前", "within"),
        )
    )


@lru_cache(maxsize=4)
def _anchor_words(language: str) -> tuple[str, ...]:
    rows = languages.rows(language, "criterion_anchors")
    return tuple(word.strip() for row in rows for word in row["phrases"].split("|"))


def find(folded: str, language: str) -> list[Timed]:
    """Every window of the folded text, the earlier pattern winning where two overlap, in order."""
    if not _may_hold(folded, language):
        return []
    found: list[Timed] = []
    patterns = _chinese() if language == "zh" else _english()
    for pattern, kind in patterns:
        for m in pattern.finditer(folded):
            if any(t.start < m.end() and m.start() < t.end for t in found):
                continue
            window = _window(m, kind, language)
            if window is not None:
                start, end = m.start(), m.end()
                while end > start and folded[end - 1] in " ,(":
                    end -= 1
                found.append(Timed(start + len(m[0]) - len(m[0].lstrip()), end, window))
    return sorted(found, key=lambda t: t.start)


_EN_HINT = re.compile(r"\b(?:days?|weeks?|wks?|months?|mos?|years?|yrs?|hours?|hrs|half[- ]li)|\dh\b|\d h\b")
_ZH_HINT = re.compile(r"[月周週天日年时期]|\dd|\dh|\dw")


def _may_hold(folded: str, language: str) -> bool:
    return bool((_ZH_HINT if language == "zh" else _EN_HINT).search(folded))


def _window(m: re.Match[str], kind: str, language: str) -> Window | None:
    groups = m.groupdict()
    unit = _ZH_UNITS.get(groups["u"]) if language == "zh" else _UNITS.get(groups["u"].replace("calendar ", ""))
    if unit is None:
        return None
    text = groups.get("n") or "1"
    value = Decimal(1) if text in ("a", "an") else Decimal("0.5") if text == "half a" else number(text)
    if value is None:
        return None
    time = Quantity(value, groups["u"], unit)
    anchor = (groups.get("anchor") or "").strip(" ,()")
    if kind in ("within", "within one"):
        return Window(within=time, direction="before", anchor=anchor)
    if kind == "within since":
        return Window(within=time, direction="before", anchor=anchor)
    if kind == "of":
        ends = "after" in m[0] or "following" in m[0] or "post" in m[0]
        return Window(within=time, direction="after" if ends else "before", anchor=anchor)
    if kind in ("least", "least before"):
        return Window(at_least=time, direction="since", anchor=anchor)
    if kind == "lasting":
        return Window(at_least=time, direction="lasting")
    return Window(within=time, direction="lasting")
