"""Since when, how long, how badly: what is said of a symptom in its sentence."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal

from fhirbridge.languages.zh import numerals
from fhirbridge.languages.zh.numerals import NUMBER
from fhirbridge.records import Quantity

_UNITS = {
    "年": "a",
    "个月": "mo",
    "月": "mo",
    "周": "wk",
    "礼拜": "wk",
    "星期": "wk",
    "天": "d",
    "日": "d",
    "小时": "h",
    "钟头": "h",
    "分钟": "min",
    "分": "min",
}
DURATION = re.compile(
    rf"(?P<number>{NUMBER}|好?几|数)(?:个)?(?P<half>半)?(?:来|多|几|余)?(?:个)?(?P<unit>年|个月|月(?!\d)|周|礼拜|星期|天|日|小时|钟头|分钟)(?P<more>半)?(?P<tail>多|来|左右)?(?P<ago>前|之前|以前|了)?(?!\s*[一二两三四五六七八九十几\d半]+[次回顿片粒包袋支针])(?<!一天(?=[拉吐咳尿喝吃换抽]))(?<!每天)"
)
_DAYS = {"今天": 0, "今早": 0, "今儿": 0, "昨天": 1, "昨晚": 1, "昨夜": 1, "昨": 1, "前天": 2, "大前天": 3, "前晚": 2}
_DAY = re.compile(
    r"大前天|前天|前晚|昨天|昨晚|昨夜|今天|今早|今儿早?(?:起|上)?|上(?:个)?(?:礼拜|星期|周)|上个?月|去年|前年|这两天|这几天|前两天|前几天|最近|半夜|(?:从)?\d{1,2}月\d{0,2}(?:日|号)?"
)
_SEVERE = re.compile(r"严重|厉害|剧烈|特别|非常|很(?!少|轻)|要命|不行|受不了|剧痛|难忍|十分|极|加重")
_MILD = re.compile(r"轻微|有点|一点|稍微?|轻度|轻|偶尔|不太|不怎么|隐隐")
_DAYS_IN = {"a": Decimal(365), "mo": Decimal(30), "wk": Decimal(7), "d": Decimal(1)}


def lasting(text: str, *, last: bool = False) -> tuple[str, Quantity | None]:
    """The first (or last) duration in a text: its words and its value."""
    found = DURATION.finditer(text)
    for match in reversed(list(found)) if last else found:
        if re.search(r"每|第|孩子|宝宝|宝|小孩|年龄|大约|刚满", text[max(0, match.start() - 3) : match.start()]):
            continue
        number = numerals.read(match["number"])
        if number is None:
            return match[0], None
        value = number.value + (Decimal("0.5") if match["half"] or match["more"] else 0)
        unit = match["unit"]
        return match[0], Quantity(value, unit, _UNITS.get(unit, "d"))
    return "", None


def before(text: str, place: int) -> str:
    """The words before text[place] that can tell its age: its own clause, or a clause that is only a time."""
    clauses = re.split(r"[，,；。]", text[:place])
    if len(clauses) > 1 and not DURATION.search(clauses[-1]) and len(clauses[-2]) <= 10:
        only = re.fullmatch(rf"(?:已经|有|大概|都|得有|大约|快)*{DURATION.pattern}(?:了)?", clauses[-2])
        return clauses[-2] if only else clauses[-1]
    return clauses[-1]


def when(text: str) -> str:
    """The words that say when ("昨天", "上个月"), "" if none."""
    match = _DAY.search(text)
    return match[0] if match else ""


def onset(words: str, duration: Quantity | None, visit: date | None) -> str | None:
    """The date of an onset as far as it is known: a day for days, a month for weeks and months, a year for years."""
    if visit is None:
        return None
    if words in _DAYS:
        return (visit - timedelta(days=_DAYS[words])).isoformat()
    if duration is None or duration.ucum not in _DAYS_IN:
        return None
    day = visit - timedelta(days=int(duration.value * _DAYS_IN[duration.ucum]))
    if duration.ucum == "a":
        return str(day.year)
    return (
        day.isoformat()[:7]
        if duration.ucum == "mo" or (duration.ucum == "wk" and duration.value > 4)
        else day.isoformat()
    )


def severity(text: str, place: int, end: int) -> str:
    """ "severe", "mild" or "" for what stands right beside a symptom at text[place:end]."""
    near = re.split(r"[，。；、]", text[:place])[-1][-6:], re.split(r"[，。；、]", text[end:])[0][:9]
    if _SEVERE.search(near[1]) or _SEVERE.search(near[0]):
        return "severe"
    return "mild" if _MILD.search(near[0]) or _MILD.search(near[1][:4]) else ""
