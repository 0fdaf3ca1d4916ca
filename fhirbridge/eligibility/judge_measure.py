"""Questions about values: laboratory, vital signs, scores, body measures; with computed clearance, eGFR and BMI."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal

from fhirbridge.eligibility import formulas
from fhirbridge.eligibility.chart import Chart, months_before
from fhirbridge.eligibility.judgement import Judgement, all_of, no, unknown, yes
from fhirbridge.eligibility.measures import Measure, in_unit, measures
from fhirbridge.eligibility.quantities import days
from fhirbridge.eligibility.questions import Question
from fhirbridge.eligibility.serology import SIGNS, VIRUSES, no_virus
from fhirbridge.records import Bound, Item, Quantity, Window

__all__ = ["by_words", "organ_function", "organs_asked", "value"]


def value(question: Question, chart: Chart) -> Judgement:
    """The latest valid value against the bounds, or a coded answer against the values asked for."""
    if question.measure == "transaminases":
        from dataclasses import replace

        return all_of(value(replace(question, measure=k, name=k.upper()), chart) for k in ("alt", "ast"))
    measure = measures().get(question.measure)
    if measure is None:
        return _worded(question, chart)
    results = _recent(question, chart.measured.get(measure.key, []), chart)
    if not results:
        return _computed(question, measure, chart)
    newest = results[0].start
    same_day = [i for i in results if i.start == newest] if newest else results[:1]
    found = [_one(question, measure, item) for item in same_day]
    decided = {f.truth for f in found}
    if len(decided) > 1:
        day = newest.latest.isoformat() if newest else "no date"
        evidence = tuple(i.reference for i in same_day)
        return unknown(measure.label, "conflicting {0} values on {1}", measure.label, day, evidence=evidence)
    return found[0]


def is_special(measure: str) -> bool:
    """Whether more than the number of its results answers for a measure: several at once, words, serology."""
    return measure in ("transaminases", "urine_protein") or measure in VIRUSES


def is_recent_asked(question: Question) -> bool:
    """Whether only results of a time before the day of judgement count."""
    window = question.window
    return window is not None and window.within is not None and window.direction in ("before", "since", "during")


def recent_since(window: Window, as_of: date) -> date:
    """The first day of such a time."""
    assert window.within is not None
    day_part, month_part = days(window.within.value, window.within.ucum or window.within.unit or "d")
    return months_before(as_of, month_part) - timedelta(days=int(day_part))


def _recent(question: Question, results: list[Item], chart: Chart) -> list[Item]:
    if question.window is None or not is_recent_asked(question):
        return results
    start = recent_since(question.window, chart.as_of)
    return [i for i in results if i.start is None or i.start.latest >= start]


def _one(question: Question, measure: Measure, item: Item) -> Judgement:
    day = item.start.latest.isoformat() if item.start else "undated"
    if item.quantity is None or measure.key == "urine_protein":
        return _answered(question, measure, item, day)
    if not question.low and not question.high:
        return _answered(question, measure, item, day)
    parts = []
    for bound, low in ((question.low, True), (question.high, False)):
        if bound is not None:
            parts.append(_bound(bound, low, measure, item))
    label, shown = measure.label, f"{item.quantity.comparator}{plain(item.quantity)}"
    needed = " and ".join(n for _, n in parts)
    evidence = (item.reference,)
    if any(p is False for p, _ in parts):
        return no("{0} {1} on {2}; asked {3}", label, shown, day, needed, evidence=evidence)
    if any(p is None for p, _ in parts):
        missing = "unit" if not item.quantity.unit and not item.quantity.ucum else "comparable value"
        return unknown(
            label, "{0} {1} on {2} has no {3}; asked {4}", label, shown, day, missing, needed, evidence=evidence
        )
    return yes("{0} {1} on {2}; asked {3}", label, shown, day, needed, evidence=evidence)


def _bound(bound: Bound, low: bool, measure: Measure, item: Item) -> tuple[bool | None, str]:
    """Whether the value lies on the right side, and the bound in words."""
    assert item.quantity is not None
    sign = (">=" if bound.inclusive else ">") if low else ("<=" if bound.inclusive else "<")
    if bound.times_of in ("ULN", "LLN"):
        limit = item.high if bound.times_of == "ULN" else item.low
        needed = f"{sign} {bound.quantity.value} x {bound.times_of}"
        if limit is None:
            return None, needed
        here, there = in_unit(measure, item.quantity), in_unit(measure, limit)
        if here is None or there is None:
            same = (limit.ucum or limit.unit or item.quantity.unit) == (item.quantity.ucum or item.quantity.unit)
            here, there = (item.quantity.value, limit.value) if same else (None, None)
        if here is None or there is None:
            return None, needed
        needed += f" ({bound.times_of} {limit.value} {limit.unit})".replace(" )", ")")
        return _compare(here, item.quantity.comparator, there * bound.quantity.value, bound.inclusive, low), needed
    if bound.times_of:
        return None, f"{sign} {bound.quantity.value} x {bound.times_of}"
    needed = f"{sign} {bound.quantity.value} {bound.quantity.unit}".strip()
    here, there = in_unit(measure, item.quantity), in_unit(measure, bound.quantity, asked=True)
    if here is None or there is None:
        return None, needed
    return _compare(here, item.quantity.comparator, there, bound.inclusive, low), needed


def _compare(here: Decimal, comparator: str, limit: Decimal, inclusive: bool, low: bool) -> bool | None:
    """Three-valued comparison: a result printed "<0.5" is only known to lie below it."""
    holds = (here >= limit if inclusive else here > limit) if low else (here <= limit if inclusive else here < limit)
    if comparator in ("<", "<="):
        below = here <= limit if not low else here < limit or here == limit
        return (True if below else None) if not low else (False if below else None)
    if comparator in (">", ">="):
        above = here >= limit
        return (True if above else None) if low else (False if above else None)
    return holds


# ------------------------------------------------------------------------------------------------- coded answers

_ORDER = {
    "negative": Decimal(0),
    "absent": Decimal(0),
    "阴性": Decimal(0),
    "trace": Decimal("0.5"),
    "±": Decimal("0.5"),
    "微量": Decimal("0.5"),
}
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "a": 5, "b": 7, "c": 10}
_PLUS = re.compile(r"(\d)\s*\+|\+\s*(\d)|(\+{1,4})")


def _graded(measure: Measure, item: Item) -> Decimal | None:
    """A number for an ordered answer: NYHA III, Child-Pugh B, protein 2+, ECOG 1."""
    if item.quantity is not None:
        return item.quantity.value
    words = item.answer.casefold()
    if measure.key == "urine_protein":
        for name, grade in _ORDER.items():
            if name in words:
                return grade
        plus = _PLUS.search(words)
        return Decimal(plus[1] or plus[2] or len(plus[3])) if plus else None
    answers = {"la9622-7": 0, "la9623-5": 1, "la9624-3": 2, "la9625-0": 3, "la9626-8": 4, "la9627-6": 5}
    for code, rank in answers.items():
        if code in words:
            return Decimal(rank)
    found = re.search(
        r"(?:class|grade|ecog|score|级|分|ps|nyha|stage)?\s*\b(\d{1,3}(?:\.\d+)?|iv|i{1,3}|[abc])\b", words
    )
    if not found:
        found = re.search(r"(\d{1,3})\s*(?:级|分)", words)
    if not found:
        return None
    return Decimal(_ROMAN[found[1]]) if found[1] in _ROMAN else Decimal(found[1])


def _answered(question: Question, measure: Measure, item: Item, day: str) -> Judgement:
    evidence = (item.reference,)
    grade = _graded(measure, item)
    if (question.low or question.high) and grade is not None:
        held = True
        for bound, low in ((question.low, True), (question.high, False)):
            if bound is not None:
                held = held and bool(_compare(grade, "", bound.quantity.value, bound.inclusive, low))
        judge = yes if held else no
        return judge(
            "{0} {1} on {2}", measure.label, item.answer.split(";")[-1].strip() or grade, day, evidence=evidence
        )
    return by_words(question, item, measure.label, day)


def by_words(question: Question, item: Item, label: str, day: str) -> Judgement:
    """A coded answer or flagged value against "positive", "negative", "normal", "abnormal", "high", "low"."""
    evidence = (item.reference,)
    wanted = " ".join((*question.values, *question.qualifiers)).casefold()
    shown = item.answer.split(";")[0].strip() or (str(item.quantity.value) if item.quantity else "")
    state = "negative" if item.status == "absent" or SIGNS["negative"].search(item.answer) else ""
    state = state or ("positive" if SIGNS["positive"].search(item.answer) else _flag(item))
    opposite = {"positive": "negative", "negative": "positive", "normal": "abnormal"}
    asked = next(
        (w for w in ("negative", "positive", "normal", "abnormal", "high", "low", "elevated") if w in wanted), ""
    )
    asked = {"elevated": "high"}.get(asked, asked) or "positive"
    if asked == "abnormal" and state in ("high", "low", "positive"):
        state = "abnormal"
    if asked == "normal" and state == "negative":
        state = "normal"
    if state == asked:
        return yes("{0} {1} on {2}", label, shown, day, evidence=evidence)
    if state and (opposite.get(asked) == state or {asked, state} <= {"high", "low", "normal", "abnormal", "negative"}):
        return no("{0} {1} on {2}; asked {3}", label, shown, day, asked, evidence=evidence)
    return unknown(label, "{0} {1} on {2} does not answer the question", label, shown, day, evidence=evidence)


def _flag(item: Item) -> str:
    if item.quantity is None:
        return ""
    if item.high is not None and item.quantity.value > item.high.value:
        return "high"
    if item.low is not None and item.quantity.value < item.low.value:
        return "low"
    return "normal" if item.high is not None or item.low is not None else ""


def _worded(question: Question, chart: Chart) -> Judgement:
    """A test that is no measure of the table: by its keys and the words of its answer."""
    for item in reversed(chart.with_keys(question.keys)):
        if item.status == "pending":
            return unknown(question.name, "{0}: result pending", question.name, evidence=(item.reference,))
        day = item.start.latest.isoformat() if item.start else "undated"
        if item.quantity is not None and (question.low or question.high):
            generic = Measure("", question.name, "", item.quantity.unit, None, 1, Decimal(0), Decimal(0), ())
            return _one(question, generic, item)
        return by_words(question, item, question.name, day)
    return unknown(question.name or "test result", "{0} not recorded", question.name or "the value asked for")


# ------------------------------------------------------------------------------------------------------ computed


def _computed(question: Question, measure: Measure, chart: Chart) -> Judgement:
    """A value worked out from others (clearance, eGFR, BMI, ECOG from Karnofsky), or unknown."""
    made = formulas.computed(measure.key, chart)
    if made is None:
        cleared = no_virus(question, measure.key, chart)
        if cleared is not None:
            return cleared
        if question.known:
            from fhirbridge.eligibility.judge_disease import silent

            return silent(question, chart, measure.label)
        stale = chart.measured.get(measure.key)
        if stale:
            return unknown(measure.label, "last {0} is older than the window asked for", measure.label)
        return unknown(measure.label, "{0} not recorded", measure.label)
    low, high, how, evidence = made
    parts: list[bool | None] = []
    needed: list[str] = []
    for bound, is_low in ((question.low, True), (question.high, False)):
        if bound is None:
            continue
        sign = (">=" if bound.inclusive else ">") if is_low else ("<=" if bound.inclusive else "<")
        needed.append(f"{sign} {bound.quantity.value} {bound.quantity.unit}".strip())
        limit = None if bound.times_of else in_unit(measure, bound.quantity, asked=True)
        if limit is None:
            parts.append(None)
            continue
        both = {_compare(v, "", limit, bound.inclusive, is_low) for v in (low, high)}
        parts.append(both.pop() if len(both) == 1 else None)
    if not parts or (None in parts and False not in parts):
        return unknown(measure.label, "{0}; cannot be compared with {1}", how, " and ".join(needed), evidence=evidence)
    judge = no if False in parts else yes
    return judge("{0}; asked {1}", how, " and ".join(needed), evidence=evidence)


# -------------------------------------------------------------------------------------------------- organ function

_ORGANS = (
    (re.compile(r"marrow|h(?:a)?ematolog|骨髓|血液", re.IGNORECASE), ("hemoglobin", "anc", "platelets")),
    (re.compile(r"renal|kidney|肾", re.IGNORECASE), ("creatinine",)),
    (re.compile(r"hepatic|liver|肝", re.IGNORECASE), ("alt", "ast", "bilirubin")),
    (re.compile(r"coagul|凝血", re.IGNORECASE), ("inr", "aptt")),
    (re.compile(r"cardiac|heart|心脏|心功能", re.IGNORECASE), ("lvef",)),
    (re.compile(r"pulmon|lung|肺", re.IGNORECASE), ("spo2", "fev1")),
)
_LOWEST = {"hemoglobin": Decimal("9"), "anc": Decimal("1.5"), "platelets": Decimal("100"), "lvef": Decimal("50")}
_HIGHEST = {"creatinine": Decimal("1.5"), "alt": Decimal("2.5"), "ast": Decimal("2.5"), "bilirubin": Decimal("1.5")}
_HIGHEST |= {"inr": Decimal("1.5"), "aptt": Decimal("1.5")}


def organs_asked(question: Question) -> tuple[tuple[str, ...], ...]:
    """The measures of each organ that a question names."""
    asked = " ".join((question.name, *question.values))
    named = tuple(keys for mark, keys in _ORGANS if mark.search(asked))
    return named or tuple(keys for _, keys in _ORGANS[:3])


def organ_function(question: Question, chart: Chart) -> Judgement:
    """Adequate function of the organs named (marrow, liver and kidney when none is): by the usual limits of trials."""
    parts = []
    for keys in organs_asked(question):
        found = [_unremarkable(key, chart) for key in keys if chart.measured.get(key)]
        label = measures()[keys[0]].label
        parts.append(all_of(found) if found else unknown(f"{label} and related values", "{0} not recorded", label))
    return all_of(parts)


def _unremarkable(key: str, chart: Chart) -> Judgement:
    measure, item = measures()[key], chart.measured[key][0]
    here = in_unit(measure, item.quantity) if item.quantity else None
    day = item.start.latest.isoformat() if item.start else "undated"
    if here is None or item.quantity is None:
        return unknown(
            measure.label, "{0} on {1} has no comparable value", measure.label, day, evidence=(item.reference,)
        )
    shown = plain(item.quantity)
    if key in _LOWEST:
        held = here >= _LOWEST[key]
    else:
        high = in_unit(measure, item.high) if item.high else None
        if high is None:
            return unknown(
                measure.label, "{0} {1} without reference range", measure.label, shown, evidence=(item.reference,)
            )
        held = here <= high * _HIGHEST.get(key, Decimal("1.5"))
    text = "{0} {1} on {2} within the usual limits" if held else "{0} {1} on {2} beyond the usual limits"
    return (yes if held else no)(text, measure.label, shown, day, evidence=(item.reference,))


def plain(quantity: Quantity) -> str:
    """A quantity as it is shown."""
    unit = "" if quantity.unit.startswith("{") else quantity.unit  # UCUM annotations such as {score} are no words
    return f"{quantity.value} {unit}".strip()
