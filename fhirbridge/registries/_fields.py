"""What registries write in many ways -> the fields of a `Trial`: ages, sex, status, phase, dates, and its checks."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

from fhirbridge import languages
from fhirbridge.records import LeftOut, Quantity, Trial

LARGEST_TEXT = 400_000  # characters of one record's eligibility text
LARGEST_CRITERION = 100_000  # characters without a line break: said, and kept

_AGE = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?)\s*(?P<unit>[A-Za-z]+|周岁|岁|个月|月|周|天|日|小时|年)?")
_UNITS = {
    "year": "a",
    "yr": "a",
    "y": "a",
    "a": "a",
    "month": "mo",
    "mo": "mo",
    "week": "wk",
    "wk": "wk",
    "day": "d",
    "d": "d",
    "hour": "h",
    "hr": "h",
    "minute": "min",
    "周岁": "a",
    "岁": "a",
    "年": "a",
    "个月": "mo",
    "月": "mo",
    "周": "wk",
    "天": "d",
    "日": "d",
    "小时": "h",
}
_IN_DAYS = {
    "a": Decimal("365.25"),
    "mo": Decimal("30.4375"),
    "wk": Decimal(7),
    "d": Decimal(1),
    "h": Decimal(1) / 24,
    "min": Decimal(1) / 1440,
}
_NO_LIMIT = re.compile(r"no\s*(?:limit|maximum|minimum)|n/?a|none|不限|无上限|无下限|无限制|unlimited", re.IGNORECASE)


def age(text: str | None) -> Quantity | None:
    """An age as printed ("18 Years", "6个月"), None where there is no limit or no number."""
    if not text or (_NO_LIMIT.search(text) and not re.search(r"\d", text)):
        return None
    found = _AGE.search(text)
    if not found:
        return None
    printed = found["unit"] or ""
    unit = _UNITS.get(printed.lower().rstrip("s") if printed.isascii() else printed, "" if printed else "a")
    return Quantity(Decimal(found["number"]), printed or "a", unit or None)


def days(quantity: Quantity) -> Decimal | None:
    """An age in days, None when its unit is not one of time."""
    factor = _IN_DAYS.get(quantity.ucum or "")
    return quantity.value * factor if factor else None


def sex(text: str | None) -> str:
    """female, male, or "" for all and unknown."""
    said = (text or "").strip().lower()
    if said in ("female", "f", "女", "女性", "仅女性", "females", "women"):
        return "female"
    if said in ("male", "m", "男", "男性", "仅男性", "males", "men"):
        return "male"
    return ""


_STATUS = (
    ("not yet recruiting|尚未招募|尚未开始|not recruiting yet|pending|预备", "approved"),
    ("temporarily not available|suspended|暂停|中断", "temporarily-closed-to-accrual"),
    ("active[, _]*not[ _]recruiting|招募完成|停止招募|recruitment stopped|no longer recruiting", "closed-to-accrual"),
    ("terminated|主动终止|责令终止|终止", "administratively-completed"),
    ("withdrawn|撤销|撤回|no longer available", "withdrawn"),
    ("completed|已完成|结束|approved for marketing", "completed"),
    ("withheld", "disapproved"),
    ("enrolling[ _]by[ _]invitation|recruiting|招募中|available|进行中|open", "active"),
)


def status(text: str | None) -> str:
    """The FHIR research-study-status of a registry's word, "" when unknown."""
    said = (text or "").lower().replace("_", " ")
    return next((code for pattern, code in _STATUS if said and re.search(pattern, said)), "")


_ROMAN = str.maketrans({"ⅰ": "1", "ⅱ": "2", "ⅲ": "3", "ⅳ": "4"})


def phase(text: str | list[str] | None) -> str:
    """The FHIR research-study-phase of a registry's word or words, "" when there is none."""
    said = "-".join(text) if isinstance(text, list) else (text or "")
    flat = said.lower().translate(_ROMAN)
    flat = re.sub(r"\biv\b|iv期", "4", flat)
    flat = re.sub(r"iii", "3", flat)
    flat = re.sub(r"ii", "2", flat)
    flat = re.sub(r"\bi(?=\b|期|[a-c]?\b)|(?<![a-z])i期|(?<![a-z])i(?=/)", "1", flat)
    numbers = sorted(set(re.findall(r"[0-4]", flat)))
    if "early" in flat and "1" in numbers:
        return "early-phase-1"
    if numbers in (["1", "2"], ["2", "3"]):
        return f"phase-{numbers[0]}-phase-{numbers[1]}"
    if len(numbers) == 1 and numbers[0] != "0":
        return f"phase-{numbers[0]}"
    return "early-phase-1" if numbers == ["0"] else "n-a" if re.search(r"\bna\b|n/a|其他|其它|other", flat) else ""


def joined_text(inclusion: str, exclusion: str, language: str) -> tuple[str, str | None, str | None]:
    """One eligibility text of the two a record keeps apart, under the headings of its language, and the two parts."""
    words = ("入选标准：", "排除标准：") if language == "zh" else ("Inclusion Criteria:", "Exclusion Criteria:")
    sides = zip(words, (inclusion, exclusion), strict=True)
    parts = [f"{title}\n\n{text.strip()}" for title, text in sides if text.strip()]
    return "\n\n".join(parts), inclusion.strip() or None, exclusion.strip() or None


def parted(text: str) -> tuple[str | None, str | None]:
    """The two parts of a text that `joined_text` made; None, None for any other."""
    for first, second in (("入选标准：\n\n", "排除标准：\n\n"), ("Inclusion Criteria:\n\n", "Exclusion Criteria:\n\n")):
        if text.startswith(first) and text.count(f"\n\n{second}") == 1:
            inclusion, exclusion = text[len(first) :].split(f"\n\n{second}")
            return inclusion, exclusion
    return None, None


def checked(trial: Trial, source: str) -> Trial:
    """The trial with what is doubtful about it in `left_out`: no text, lost signs, mark-up, contradictory ages."""
    reasons = list(_doubts(trial))
    found = tuple(LeftOut(source, f"{trial.id}: {reason}") for reason in reasons)
    low, high = (days(q) if q else None for q in (trial.minimum_age, trial.maximum_age))
    if low is not None and high is not None and low > high:
        trial = replace(trial, minimum_age=None, maximum_age=None)
    language = languages.detect(trial.eligibility_text[:4_000]) if trial.eligibility_text else trial.language
    return replace(trial, left_out=(*trial.left_out, *found), language=language)


def _doubts(trial: Trial) -> list[str]:
    text, found = trial.eligibility_text, []
    if not text.strip():
        found.append("no eligibility text; only its structured fields are used")
    if "\ufffd" in text or re.search(r"â‰|â€|Â[±°²³µ]|Ã[©¶¼—]|锟斤拷", text):
        found.append("signs of the eligibility text were decoded wrongly; read as far as they can be told")
    if re.search(r"&(?:[a-z]{2,6}|#\d+);|</?(?:p|br|li|ul|ol|div|b|i)\b[^>]{0,80}>", text, re.IGNORECASE):
        found.append("HTML in the eligibility text; read as its signs and lines")
    if any(len(line) > LARGEST_CRITERION for line in text.split("\n")):
        found.append(f"a line of more than {LARGEST_CRITERION:,} characters; kept whole")
    for name, quantity in (("minimum", trial.minimum_age), ("maximum", trial.maximum_age)):
        if quantity and days(quantity) is None:
            found.append(f"unknown unit of the {name} age: {quantity.unit}")
    low, high = (days(q) if q else None for q in (trial.minimum_age, trial.maximum_age))
    if low is not None and high is not None and low > high:
        found.append("the minimum age is above the maximum age; neither is used")
    return found


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def iso_date(text: str | None) -> str:
    """A registry's date ("March 3, 2019", "2019/3/3", "2019-03") as ISO 8601, "" when it is none."""
    said = (text or "").strip()
    if found := re.fullmatch(r"([12][0-9]{3})[-/.年]([01]?[0-9])(?:[-/.月]([0-3]?[0-9])日?)?月?(?:[ T].*)?", said):
        return _joined_date(found[1], found[2], found[3])
    if found := re.fullmatch(r"([A-Za-z]+)\s+(?:([0-3]?[0-9]),\s*)?([12][0-9]{3})", said):
        month = next((n for n, name in enumerate(_MONTHS, 1) if found[1].lower().startswith(name)), 0)
        return _joined_date(found[3], str(month), found[2]) if month else ""
    return said if re.fullmatch(r"[12][0-9]{3}", said) else ""


def _joined_date(year: str, month: str, day: str | None) -> str:
    parts = [year, f"{int(month):02}", *([f"{int(day):02}"] if day else [])]
    sound = 1 <= int(month) <= 12 and (day is None or 1 <= int(day) <= 31)
    return "-".join(parts) if sound else year
