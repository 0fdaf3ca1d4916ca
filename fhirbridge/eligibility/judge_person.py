"""Questions about the person: age, sex, pregnancy, childbearing, lactation, smoking, alcohol, health."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

from fhirbridge.eligibility.chart import Chart, months_before
from fhirbridge.eligibility.judgement import Judgement, no, unknown, yes
from fhirbridge.eligibility.questions import Question
from fhirbridge.records import Bound, Item, ItemKind, Truth

__all__ = ["age", "alcohol", "childbearing", "healthy", "lactation", "pregnancy", "sex", "smoking", "unit_of_age"]

_UNITS = {
    "a": "a",
    "year": "a",
    "years": "a",
    "yr": "a",
    "岁": "a",
    "周岁": "a",
    "mo": "mo",
    "month": "mo",
    "months": "mo",
}
_UNITS |= {
    "月": "mo",
    "个月": "mo",
    "wk": "wk",
    "week": "wk",
    "weeks": "wk",
    "周": "wk",
    "d": "d",
    "day": "d",
    "days": "d",
}
_UNITS |= {"天": "d", "日": "d", "h": "h", "hour": "h", "hours": "h", "小时": "h"}
_SHOWN = {"a": "years", "mo": "months", "wk": "weeks", "d": "days", "h": "hours"}


def age(question: Question, chart: Chart) -> Judgement:
    """Age as of the day, in completed years or months; a strict bound counts days."""
    if chart.age_days is None:
        return unknown("birth date", "birth date not recorded")
    results = [_age_bound(bound, chart, low) for bound, low in ((question.low, True), (question.high, False)) if bound]
    if not results:
        return unknown("age limit", "the age asked for was not understood")
    shown = chart.age_in("a") or (Decimal(0), Decimal(0))
    years = shown[0] if shown[0] >= 2 else (chart.age_in("mo") or shown)[0]
    text = ("age {0}" if shown[0] >= 2 else "age {0} months") + "; needs {1}"
    evidence = (f"Patient/{chart.patient.id}",)
    if False in results:
        return no(text, years, _age_needed(question), evidence=evidence)
    if None in results:
        return unknown("exact birth date", "birth date only known roughly; needs {0}", _age_needed(question))
    return yes(text, years, _age_needed(question), evidence=evidence)


def unit_of_age(bound: Bound) -> str:
    """The unit of an age limit: a, mo, wk, d or h; years where none is told."""
    return _UNITS.get((bound.quantity.ucum or bound.quantity.unit or "a").casefold(), "a")


def _age_bound(bound: Bound, chart: Chart, low: bool) -> bool | None:
    unit = unit_of_age(bound)
    value, span = bound.quantity.value, chart.age_in(unit)
    if span is None:
        return None
    answers = {_age_holds(bound, value, unit, age, chart, low) for age in span}
    return answers.pop() if len(answers) == 1 else None


def _age_holds(bound: Bound, value: Decimal, unit: str, age: Decimal, chart: Chart, low: bool) -> bool:
    if low and bound.inclusive:
        return age >= value
    if low:
        if unit in ("a", "mo") and age == value and value == int(value) and chart.birth:
            anniversary = months_before(chart.as_of, int(value) * (12 if unit == "a" else 1))
            return chart.birth.latest < anniversary
        return age > value
    return age <= value if bound.inclusive else age < value


def _age_needed(question: Question) -> str:
    parts = []
    for bound, sign in ((question.low, (">=", ">")), (question.high, ("<=", "<"))):
        if bound:
            unit = unit_of_age(bound)
            parts.append(f"{sign[0] if bound.inclusive else sign[1]} {bound.quantity.value} {_SHOWN[unit]}")
    return " and ".join(parts)


def sex(question: Question, chart: Chart) -> Judgement:
    """Administrative gender against the sexes asked for."""
    wanted = {_sex_word(v) for v in question.values} - {""}
    if not wanted or {"male", "female"} <= wanted:
        return yes("any sex")
    if not chart.patient.sex or chart.patient.sex == "other":
        return unknown("sex", "sex not recorded")
    judge = yes if chart.patient.sex in wanted else no
    return judge("sex {0}; needs {1}", chart.patient.sex, " or ".join(sorted(wanted)), evidence=(_me(chart),))


def _sex_word(value: str) -> str:
    word = value.casefold()
    if word in ("f", "female", "women", "woman", "女", "女性"):
        return "female"
    return "male" if word in ("m", "male", "men", "man", "男", "男性") else ""


def _me(chart: Chart) -> str:
    return f"Patient/{chart.patient.id}"


_NOT_PREGNANT = re.compile(r"not pregnant|non-?pregnant|未孕|未妊娠|未怀孕|negative|absent|阴性", re.IGNORECASE)
_PREGNANT = re.compile(r"\bpregnan|妊娠|怀孕|孕\d", re.IGNORECASE)
_MENOPAUSE = re.compile(r"post-?menopaus|绝经后|已绝经|menopause", re.IGNORECASE)
_PREMENOPAUSE = re.compile(r"pre-?menopaus|peri-?menopaus|未绝经|绝经前|last menses|月经规律", re.IGNORECASE)
_STERILE = re.compile(
    r"hysterectomy|oophorectomy|tubal ligation|salpingectomy|sterili[sz]|bilateral tubal|子宫切除|卵巢切除|输卵管结扎|绝育",  # noqa: E501
    re.IGNORECASE,
)
_OVER = 60  # at this age no woman is taken to be pregnant or nursing


def _cannot_bear(chart: Chart) -> Judgement | None:
    """Why this patient cannot be pregnant, if so."""
    if "cannot bear" not in chart.memory:
        chart.memory["cannot bear"] = _cannot_bear_found(chart)
    return chart.memory["cannot bear"]  # type: ignore[return-value]


def _cannot_bear_found(chart: Chart) -> Judgement | None:
    if chart.patient.sex == "male":
        return no("does not apply: patient is male", evidence=(_me(chart),))
    years = chart.age_in("a")
    if years and (years[0] >= _OVER or years[1] < 10):
        return no("does not apply at age {0}", years[0], evidence=(_me(chart),))
    for item in chart.kind(ItemKind.CONDITION, ItemKind.OBSERVATION, ItemKind.PROCEDURE):
        words = f"{item.concept.name} {item.answer}"
        if item.status in ("absent", "planned", "possible", "pending"):
            continue
        if (_MENOPAUSE.search(words) and not _PREMENOPAUSE.search(words)) or _STERILE.search(words):
            return no("{0} recorded{1}", item.concept.name, _on(item), evidence=(item.reference,))
    return None


def _on(item: Item) -> str:
    return f" {item.start.earliest.isoformat()}" if item.start else ""


def pregnancy(question: Question, chart: Chart) -> Judgement:
    """Recorded pregnancy, its test, or why it cannot be."""
    recorded = [i for i in chart.measured.get("hcg", []) if i.answer]
    for item in [*_about(chart, _PREGNANT), *recorded]:
        words = f"{item.concept.name} {item.answer}"
        if item.status in ("absent",) or _NOT_PREGNANT.search(words):
            return no("not pregnant{0}", _on(item), evidence=(item.reference,))
        if item.status in ("present", "stated") and ("test" not in words.casefold() or "positive" in words.casefold()):
            return yes("pregnancy recorded{0}", _on(item), evidence=(item.reference,))
    return _cannot_bear(chart) or unknown("pregnancy test", "pregnancy status not recorded")


def _about(chart: Chart, pattern: re.Pattern[str]) -> list[Item]:
    key = f"about {pattern.pattern}"
    if key not in chart.memory:
        chart.memory[key] = _about_found(chart, pattern)
    return chart.memory[key]  # type: ignore[return-value]


def _about_found(chart: Chart, pattern: re.Pattern[str]) -> list[Item]:
    found = [
        i
        for i in chart.kind(ItemKind.CONDITION, ItemKind.OBSERVATION)
        if i.status not in ("pending", "planned", "past") and _names(pattern, i.concept.name)
    ]
    return sorted(found, key=lambda i: i.start.latest.toordinal() if i.start else 0, reverse=True)


@lru_cache(maxsize=50_000)
def _names(pattern: re.Pattern[str], name: str) -> bool:
    return bool(pattern.search(name))


_NURSING = re.compile(r"breast-?\s?feeding|lactat|nursing|哺乳", re.IGNORECASE)
_NOT_NURSING = re.compile(r"\bnot\b|^no\b|absent|negative|未|无|否", re.IGNORECASE)


def lactation(question: Question, chart: Chart) -> Judgement:
    """Recorded breastfeeding, or why it cannot be."""
    for item in _about(chart, _NURSING):
        if item.status == "absent" or _NOT_NURSING.search(item.answer):
            return no("not breastfeeding{0}", _on(item), evidence=(item.reference,))
        return yes("breastfeeding recorded{0}", _on(item), evidence=(item.reference,))
    return _cannot_bear(chart) or unknown("breastfeeding", "breastfeeding not recorded")


def childbearing(question: Question, chart: Chart) -> Judgement:
    """Childbearing potential: not in men, after the menopause or sterilised; before it when recorded."""
    barred = _cannot_bear(chart)
    if barred:
        return barred
    for item in chart.kind(ItemKind.CONDITION, ItemKind.OBSERVATION):
        words = f"{item.concept.name} {item.answer}"
        pregnant = _PREGNANT.search(words) and not _NOT_PREGNANT.search(words) and item.status == "present"
        if item.status in ("present", "stated") and (_PREMENOPAUSE.search(words) or pregnant):
            return yes("{0} recorded{1}", item.concept.name, _on(item), evidence=(item.reference,))
    if chart.patient.sex != "female":
        return unknown("sex", "sex not recorded")
    return unknown("menopausal status", "menopausal status not recorded")


_SMOKING = re.compile(r"smok|tobacco|吸烟|烟", re.IGNORECASE)
_NEVER = re.compile(r"never|266919005|从不|不吸烟|无吸烟|non-?smoker|denies", re.IGNORECASE)
_FORMER = re.compile(r"ex-?smoker|former|quit|8517006|已戒|戒烟|past smok", re.IGNORECASE)
_CURRENT = re.compile(
    r"current|449868002|77176002|428041000124106|428071000124103|daily|吸烟中|目前吸烟|smokes", re.IGNORECASE
)


def smoking(question: Question, chart: Chart) -> Judgement:
    """Smoking status against never, former, current; any smoking when the criterion names none; pack-years."""
    if question.measure:
        return _pack_years(question, chart)
    status, item = _smoking_status(chart)
    if not status:
        if (
            chart.policy.silence(question.kind, narrative=chart.patient.narrative, required=question.required)
            is Truth.NOT_MET
        ):
            return Judgement(Truth.NOT_MET, "smoking not mentioned, taken as absent", silent=True)
        return unknown("smoking status", "smoking status not recorded")
    wanted = smoking_asked(question)
    judge = yes if status in wanted else no
    evidence = (item.reference,) if item else ()
    return judge(
        "{0} smoker{1}; asked: {2}", status, _on(item) if item else "", " or ".join(sorted(wanted)), evidence=evidence
    )


def smoking_asked(question: Question) -> frozenset[str]:
    """Which of never, former and current are asked for."""
    wanted = {_smoking_word(v) for v in (*question.values, *question.qualifiers, question.name)} - {""}
    if wanted:
        return frozenset(wanted)
    ever = "history" in question.qualifiers or bool(re.search(r"history|ever|史", question.name, re.IGNORECASE))
    return frozenset({"current", "former"} if ever or question.window else {"current"})


def _pack_years(question: Question, chart: Chart) -> Judgement:
    from fhirbridge.eligibility import judge_measure

    if not chart.measured.get("pack_years"):
        status, item = _smoking_status(chart)
        if status == "never" and item is not None and question.low is not None:
            return no("never smoked{0}", _on(item), evidence=(item.reference,))
    return judge_measure.value(question, chart)


def _smoking_status(chart: Chart) -> tuple[str, Item | None]:
    for item in _about(chart, _SMOKING):
        words = f"{item.answer} {item.concept.name}"
        if item.quantity is not None:
            continue
        if item.status == "absent" or _NEVER.search(words):
            return "never", item
        if _FORMER.search(words):
            return "former", item
        if _CURRENT.search(words) or (item.status == "present" and not item.answer.startswith("former")):
            return "current", item
    return "", None


def _smoking_word(value: str) -> str:
    word = value.casefold()
    if _NEVER.search(word):
        return "never"
    if _FORMER.search(word):
        return "former"
    return "current" if "current" in word or "active" in word else ""


_ALCOHOL = re.compile(r"alcohol|drink|饮酒|酗酒|酒精", re.IGNORECASE)


def alcohol(question: Question, chart: Chart) -> Judgement:
    """Alcohol or drug misuse as recorded."""
    for item in _about(chart, _ALCOHOL):
        if item.status == "absent" or re.search(r"never|none|denies|不饮|无", item.answer, re.IGNORECASE):
            return no("no alcohol use recorded{0}", _on(item), evidence=(item.reference,))
        if item.kind is ItemKind.CONDITION or re.search(
            r"abuse|depend|heavy|misuse|酗酒", item.answer + item.concept.name
        ):
            return yes("{0} recorded{1}", item.concept.name, _on(item), evidence=(item.reference,))
    if (
        chart.policy.silence(
            question.kind, narrative=chart.patient.narrative, required=question.required, known=question.known
        )
        is Truth.NOT_MET
    ):
        return Judgement(Truth.NOT_MET, "alcohol misuse not recorded, taken as absent", silent=True)
    return unknown("alcohol use", "alcohol use not recorded")


def healthy(question: Question, chart: Chart) -> Judgement:
    """Not met with an active disease on the problem list; else only the visit can say."""
    ill = [i for i in chart.kind(ItemKind.CONDITION) if i.status == "present"]
    if ill:
        return no("{0} recorded", ill[0].concept.name, evidence=(ill[0].reference,))
    return unknown("health examination", "no disease recorded; health is settled at screening")
