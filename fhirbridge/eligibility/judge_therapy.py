"""Questions about treatment: medicines and classes, kinds of therapy, lines, washout, procedures, other trials."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

from fhirbridge.eligibility.chart import Chart, last_day
from fhirbridge.eligibility.judge_disease import silent
from fhirbridge.eligibility.judgement import Judgement, no, unknown, yes
from fhirbridge.eligibility.questions import Question
from fhirbridge.eligibility.therapies import kinds_asked, kinds_of, of_kind
from fhirbridge.eligibility.windows import in_window, shown
from fhirbridge.records import Item, ItemKind, Truth

__all__ = ["imaging", "is_adjuvant", "line", "medication", "outside", "procedure", "therapy", "trial"]

_GIVEN = ("present", "past")
_ADJUVANT = re.compile(r"adjuvant|peri-?operative|辅助|围手术期|curative|根治", re.IGNORECASE)
_ADVANCED = re.compile(r"advanced|metasta|recurr|palliat|\bline\b|晚期|转移|复发|线", re.IGNORECASE)
_OUTSIDE = re.compile(
    r"outside (?:hospital|records?|facility)|records? (?:not available|unavailable|requested)|details unknown|"
    r"treatment unknown|外院|治疗不详|病历未",
    re.IGNORECASE,
)


def medication(question: Question, chart: Chart) -> Judgement:
    """A medicine or a class of medicines, taken now or within the window."""
    items = chart.with_keys(question.keys, ItemKind.MEDICATION, ItemKind.IMMUNIZATION)
    kinds = kinds_asked(" ".join((question.name, *question.values)))
    if kinds:
        known = {id(i) for i in items}
        more = _of_kinds(chart, kinds, ItemKind.MEDICATION, ItemKind.IMMUNIZATION)
        items += [i for i in more if id(i) not in known]
    return _taken(question, items, chart)


def therapy(question: Question, chart: Chart) -> Judgement:
    """A kind of therapy (chemotherapy, radiotherapy, surgery, systemic ...)."""
    asked = " ".join((question.name, *question.values))
    kinds = kinds_asked(asked)
    items = chart.with_keys(question.keys, ItemKind.MEDICATION, ItemKind.PROCEDURE)
    known = {id(i) for i in items}
    for item in _of_kinds(chart, kinds, ItemKind.MEDICATION, ItemKind.PROCEDURE, ItemKind.IMMUNIZATION):
        if id(item) not in known:
            items.append(item)
    if "systemic" in kinds or "chemotherapy" in kinds:
        items = [i for i in items if i.kind is not ItemKind.MEDICATION or _anticancer(i, chart)]
    return _taken(question, items, chart)


def _anticancer(item: Item, chart: Chart) -> bool:
    """Methotrexate for arthritis is no chemotherapy: a cancer must be on record, or the reason must say so."""
    from fhirbridge.eligibility.cancer_facts import primaries

    return bool(primaries(chart)) or chart.patient.narrative


def _taken(question: Question, items: list[Item], chart: Chart) -> Judgement:
    given = [i for i in items if i.status in _GIVEN]
    if excludes_adjuvant(question):
        given = [i for i in given if not is_adjuvant(i)]
    timed = [(i, _counts(i, question, chart)) for i in given]
    inside = [i for i, held in timed if held]
    if question.count_low is not None or question.count_high is not None:
        return _counted(question, inside, chart)
    if is_washout(question):
        return _washout(question, given, timed, chart)
    if inside:
        return yes("{0} recorded", shown(inside[0]), evidence=tuple(i.reference for i in inside[:3]))
    doubtful = [i for i, held in timed if held is None]
    if doubtful:
        need = f"dates of {question.name}"
        return unknown(need, "{0}: the dates cannot tell", shown(doubtful[0]), evidence=(doubtful[0].reference,))
    if given:
        return no("{0}: outside the time asked for", shown(given[-1]), evidence=(given[-1].reference,))
    denied = [i for i in items if i.status == "absent"]
    if denied:
        return no("{0}: recorded as not given", shown(denied[0]), evidence=(denied[0].reference,))
    return _none(question, chart)


def outside(chart: Chart) -> Item | None:
    """What says that treatment was given elsewhere and is not known."""
    if "outside" not in chart.memory:
        chart.memory["outside"] = next((i for i in chart.items if _is_outside(i)), None)
    return chart.memory["outside"]  # type: ignore[return-value]


def _is_outside(item: Item) -> bool:
    if item.kind is ItemKind.DOCUMENT:
        return False
    unclear = item.kind is ItemKind.MEDICATION and item.status == "possible"
    return unclear or _says(_OUTSIDE, item.text)


@lru_cache(maxsize=50_000)
def _says(pattern: re.Pattern[str], words: str) -> bool:
    return bool(pattern.search(words))


def _none(question: Question, chart: Chart) -> Judgement:
    """Nothing recorded: absent under the policy, but not where treatment elsewhere is said to be unknown."""
    item = outside(chart)
    if item is not None:
        text = "{0}: treatment elsewhere is not known"
        return unknown("outside treatment records", text, shown(item), evidence=(item.reference,))
    if "vaccines" in kinds_asked(" ".join((question.name, *question.values))):
        return unknown("vaccinations", "vaccinations not recorded")
    if _AHEAD & set(question.qualifiers):
        return unknown("planned treatment", "whether {0} is planned is not recorded", question.name)
    return silent(question, chart)


_AHEAD = frozenset({"planned", "scheduled", "preplanned", "future", "anticipated", "requires", "expected"})


def excludes_adjuvant(question: Question) -> bool:
    """Whether only treatment of advanced disease is meant."""
    return not {"advanced", "metastatic"}.isdisjoint(question.qualifiers)


def is_adjuvant(item: Item) -> bool:
    """Whether a treatment was adjuvant as the record tells it."""
    return bool(_ADJUVANT.search(item.text)) and not _ADVANCED.search(item.text)


_CURRENT = frozenset({"current", "concurrent", "ongoing", "active", "concomitant"})


def _counts(item: Item, question: Question, chart: Chart) -> bool | None:
    if question.window is None and is_current(question):
        return item.status == "present"
    return in_window(item, question.window, chart)


def is_current(question: Question) -> bool:
    """Whether treatment going on is asked for."""
    return not _CURRENT.isdisjoint(question.qualifiers)


def is_washout(question: Question) -> bool:
    """Whether so long must have passed since the last dose."""
    window = question.window
    if window is None or window.at_least is None or window.within is not None:
        return False
    return window.direction in ("since", "before")


def _washout(question: Question, given: list[Item], timed: list[tuple[Item, bool | None]], chart: Chart) -> Judgement:
    """At least so long since the last dose: held when nothing was given."""
    if not given:
        nothing = _none(question, chart)
        if nothing.truth is Truth.NOT_MET and question.required:  # an exclusion is not met by what was never given
            return Judgement(Truth.MET, "no {0} recorded", (question.name,), silent=True)
        return nothing
    short = [i for i, held in timed if held is False]
    if short:
        return no("{0}: too recent", shown(short[0]), evidence=(short[0].reference,))
    doubtful = [i for i, held in timed if held is None]
    if doubtful:
        return unknown(
            f"last dose of {question.name}",
            "{0}: last dose not dated",
            shown(doubtful[0]),
            evidence=(doubtful[0].reference,),
        )
    return yes("{0}: long enough ago", shown(given[-1]), evidence=(given[-1].reference,))


def _counted(question: Question, items: list[Item], chart: Chart) -> Judgement:
    count = len(_lines(items)) if any(i.kind is ItemKind.MEDICATION for i in items) else len(items)
    low, high = question.count_low, question.count_high
    held = (low is None or count >= low) and (high is None or count <= high)
    evidence = tuple(i.reference for i in items[:4])
    text = "{0} of {1} recorded; asked {2}"
    judge = yes if held else no
    return judge(text, count, question.name, _range(low, high), evidence=evidence)


def _range(low: int | None, high: int | None) -> str:
    if low is not None and high is not None:
        return f"{low} to {high}"
    return f"at least {low}" if low is not None else f"at most {high}"


# ------------------------------------------------------------------------------------------------------------ lines

_NTH = re.compile(r"\b(first|second|third|fourth|1st|2nd|3rd|4th|[1-9])[- ]?line|([一二三四五])线", re.IGNORECASE)
_NUMBERS = {
    "first": 1,
    "1st": 1,
    "一": 1,
    "second": 2,
    "2nd": 2,
    "二": 2,
    "third": 3,
    "3rd": 3,
    "三": 3,
    "fourth": 4,
    "4th": 4,
}
_NUMBERS |= {"四": 4, "五": 5, **{str(n): n for n in range(1, 10)}}


def _lines(items: list[Item]) -> list[list[Item]]:
    """Medicines grouped into lines: the line the record names, else what starts within 28 days of a line's start."""
    named: dict[int, list[Item]] = {}
    rest: list[Item] = []
    for item in items:
        found = _NTH.search(item.text)
        if found:
            named.setdefault(_NUMBERS.get((found[1] or found[2]).casefold(), 1), []).append(item)
        else:
            rest.append(item)
    lines = [named[n] for n in sorted(named)]
    names = [{i.concept.name.casefold() for i in line} for line in lines]
    for item in sorted(rest, key=_start):
        same = next(
            (n for n, line in enumerate(lines) if _joins(item, line) or item.concept.name.casefold() in names[n]), None
        )
        if same is None:
            lines.append([item])
            names.append({item.concept.name.casefold()})
        else:
            lines[same].append(item)
            names[same].add(item.concept.name.casefold())
    return lines


def _start(item: Item) -> int:
    return item.start.earliest.toordinal() if item.start else 0


def _joins(item: Item, line: list[Item]) -> bool:
    return abs(_start(item) - min(_start(i) for i in line)) <= 28


def _systemic_lines(chart: Chart) -> tuple[list[Item], list[list[Item]]]:
    """The medicines of systemic anticancer therapy, adjuvant ones left out, and the lines they make."""
    if "lines" not in chart.memory:
        items = []
        for item in chart.kind(ItemKind.MEDICATION):
            given = item.status in _GIVEN and of_kind(item, ("systemic",)) and _anticancer(item, chart)
            if given and not is_adjuvant(item):
                items.append(item)
        chart.memory["lines"] = items, _lines(items)
    return chart.memory["lines"]  # type: ignore[return-value]


def line(question: Question, chart: Chart) -> Judgement:
    """Prior lines of systemic anticancer therapy, adjuvant ones not counted."""
    kinds = kinds_asked(" ".join((question.name, *question.values))) or ("systemic",)
    items, all_lines = _systemic_lines(chart)
    lines = [ln for ln in all_lines if any(of_kind(i, kinds) or not i.keys.isdisjoint(question.keys) for i in ln)]
    if question.count_low is None and question.count_high is None:
        return _taken(question, [i for ln in lines for i in ln], chart)
    if not items:
        nothing = _none(question, chart)
        if nothing.truth is Truth.UNKNOWN:
            return nothing
    count = len(lines)
    low, high = question.count_low, question.count_high
    held = (low is None or count >= low) and (high is None or count <= high)
    evidence = tuple(i.reference for ln in lines for i in ln)[:4]
    return Judgement(
        Truth.MET if held else Truth.NOT_MET,
        "{0} prior line(s) of therapy recorded; asked {1}",
        (count, _range(low, high)),
        evidence,
        silent=not items,
    )


# ------------------------------------------------------------------------------------------- procedures, other trials


def procedure(question: Question, chart: Chart) -> Judgement:
    """A procedure done (or, with `planned`, ordered) within the window."""
    items = chart.with_keys(question.keys, ItemKind.PROCEDURE)
    kinds = kinds_asked(" ".join((question.name, *question.values)))
    known = {id(i) for i in items}
    if kinds and is_kind_of_procedure(question):
        items += [i for i in chart.kind(ItemKind.PROCEDURE) if id(i) not in known and of_kind(i, kinds)]
    findings = chart.with_keys(question.keys, ItemKind.CONDITION, ItemKind.OBSERVATION)
    items += [i for i in findings if i.status in ("present", "past", "absent")]
    if not items and _is_test_asked(question):
        return unknown(question.name, "{0} not recorded", question.name)
    planned = [i for i in items if i.status == "planned"]
    if planned and not _PLANNED.isdisjoint(question.qualifiers):
        return yes("{0} planned", shown(planned[0]), evidence=(planned[0].reference,))
    return _taken(question, items, chart)


_WHOLE_KINDS = frozenset({"surgery", "major surgery", "operation", "手术", "大手术", "radiotherapy"})
_PLANNED = frozenset({"planned", "scheduled", "requires"})


def is_kind_of_procedure(question: Question) -> bool:
    """Whether any procedure of a kind is meant (surgery, radiotherapy)."""
    return question.name.casefold() in _WHOLE_KINDS


def waits(question: Question) -> bool:
    """Whether an order counts too, or the want of one leaves it open."""
    return not _PLANNED.isdisjoint(question.qualifiers) or _is_test_asked(question)


def _is_test_asked(question: Question) -> bool:
    return question.required and bool(_TEST.search(question.name))


_TEST = re.compile(
    r"\btest|examination|biops|imaging|\bct\b|\bmri\b|\bpet\b|scan|x-?ray|ultraso|echo|endoscop|scopy|ecg|electrocard|"
    r"assessment|screening|immunohisto|\bihc\b|\bfish\b|\bngs\b|\bpcr\b|assay|sequenc|patholog|histolog|cytolog|genom|"
    r"检查|活检|检测|造影|镜|超声|心电",
    re.IGNORECASE,
)


def imaging(question: Question, chart: Chart) -> Judgement:
    """A finding on imaging, by its keys; unknown when not recorded."""
    from fhirbridge.eligibility.judge_disease import judged

    items = chart.with_keys(question.keys, ItemKind.CONDITION, ItemKind.OBSERVATION, ItemKind.PROCEDURE)
    return judged(question, [i for i in items if i.status != "planned"], chart) or silent(question, chart)


_TRIAL = re.compile(r"clinical trial|investigational|临床试验|研究药物", re.IGNORECASE)


def _trials(chart: Chart) -> list[Item]:
    if "trials" not in chart.memory:
        items = chart.kind(ItemKind.PROCEDURE, ItemKind.MEDICATION, ItemKind.OBSERVATION)
        chart.memory["trials"] = [i for i in items if _says(_TRIAL, i.concept.name) or _says(_TRIAL, i.text)]
    return chart.memory["trials"]  # type: ignore[return-value]


def _by_kind(chart: Chart) -> dict[str, list[Item]]:
    """Medicines, procedures and vaccines by kind of therapy."""
    if "therapy kinds" not in chart.memory:
        found: dict[str, list[Item]] = {}
        for item in chart.kind(ItemKind.MEDICATION, ItemKind.PROCEDURE, ItemKind.IMMUNIZATION):
            for kind in sorted(kinds_of(item)):
                found.setdefault(kind, []).append(item)
        chart.memory["therapy kinds"] = found
    return chart.memory["therapy kinds"]  # type: ignore[return-value]


def _of_kinds(chart: Chart, kinds: tuple[str, ...], *resources: ItemKind) -> list[Item]:
    """Items of any of the kinds, in the order recorded."""
    index = _by_kind(chart)
    found = {id(i): i for kind in kinds for i in index.get(kind, ()) if i.kind in resources}
    if len(kinds) < 2:
        return list(found.values())
    return [i for i in chart.kind(ItemKind.MEDICATION, ItemKind.PROCEDURE, ItemKind.IMMUNIZATION) if id(i) in found]


def trial(question: Question, chart: Chart) -> Judgement:
    """Participation in another study, as recorded."""
    for item in _trials(chart):
        held = in_window(item, question.window, chart)
        if held:
            return yes("{0} recorded", shown(item), evidence=(item.reference,))
    truth = Truth.MET if question.required else Truth.NOT_MET  # no violation either way: settled at the visit
    return Judgement(truth, "participation in another study not recorded", silent=True)


def last_dose(items: list[Item], as_of: date) -> date | None:
    """The latest day on which any of the items was given."""
    found = [day for i in items if (day := last_day(i, as_of)[1])]
    return max(found) if found else None


__all__ += ["kinds_of", "last_dose"]
