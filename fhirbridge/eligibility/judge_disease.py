"""Questions about diseases, symptoms, infections and allergies: present, past, refuted or not recorded."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from functools import lru_cache

from fhirbridge.eligibility import cancer_facts, refutations
from fhirbridge.eligibility.chart import Chart
from fhirbridge.eligibility.judgement import Judgement, no, unknown, yes
from fhirbridge.eligibility.questions import Question
from fhirbridge.eligibility.serology import agent_of, serology
from fhirbridge.eligibility.windows import in_window, shown
from fhirbridge.records import Item, ItemKind, Truth

__all__ = ["TYPES", "allergy", "asks_degree", "disease", "infection", "no_allergy", "silent"]

_NOW = frozenset({"active", "current", "ongoing", "concurrent", "present", "concomitant"})
_GRADED = frozenset(
    {
        "uncontrolled",
        "severe",
        "symptomatic",
        "untreated",
        "unstable",
        "significant",
        "clinically significant",
        "serious",
    }
) | {"moderate", "mild", "acute", "chronic", "decompensated", "progressive", "refractory", "relapsed", "recurrent"}
_OPPOSITE = {
    "uncontrolled": r"(?<!un)controlled|stable|well[- ]control|控制良好|稳定",
    "unstable": r"(?<!un)stable|稳定",
    "symptomatic": r"asymptomatic|no symptoms|无症状",
    "untreated": r"(?<!un)(?<!not )treated|经治|已治",
    "severe": r"\bmild\b|\bmoderate\b|轻度|中度",
    "serious": r"\bmild\b|轻度",
    "acute": r"chronic|慢性",
    "decompensated": r"(?<!de)compensated|(?<!失)代偿",
}
_SAME = {
    "uncontrolled": r"uncontrolled|poorly controlled|not controlled|未控制|控制不佳",
    "unstable": r"unstable|不稳定",
    "symptomatic": r"(?<!a)symptomatic|有症状",
    "untreated": r"untreated|not treated|未治|未经治疗",
    "severe": r"severe|重度|严重",
    "serious": r"severe|serious|重度|严重",
    "moderate": r"moderate|中度",
    "mild": r"mild|轻度",
    "acute": r"acute|急性",
    "chronic": r"chronic|慢性",
    "decompensated": r"decompensated|失代偿",
    "refractory": r"refractory|难治",
    "recurrent": r"recurren|relaps|复发",
    "relapsed": r"recurren|relaps|复发",
}


def silent(question: Question, chart: Chart, what: str = "") -> Judgement:
    """What the record's silence means under the policy, said in so many words."""
    name = what or question.name or question.kind.value
    meaning = chart.policy.silence(
        question.kind,
        narrative=chart.patient.narrative,
        required=question.required,
        index=question.index,
        known=question.known,
    )
    if meaning is Truth.NOT_MET:
        text = "{0} not recorded, taken as absent ({1})"
        return Judgement(Truth.NOT_MET, text, (name, chart.policy.name), silent=True)
    return unknown(name, "{0} not recorded", name)


def read_of(question: Question) -> tuple[Hashable, ...]:
    """All of a question that decides its answer, where it does not ask for another malignancy."""
    cancer = cancer_facts.is_cancer_question(question), _types_in(question.name)
    ever = "history" in question.qualifiers or "prior" in question.qualifiers
    degrees = tuple(q for q in question.qualifiers if q in _GRADED)
    return question.keys, question.anchors, question.window, ever, degrees, cancer


@lru_cache(maxsize=100_000)
def _types_in(name: str) -> frozenset[str]:
    return frozenset(kind for kind, mark in TYPES.items() if mark.search(name))


def disease(question: Question, chart: Chart) -> Judgement:
    """A disease or symptom by its keys; with `other`, any malignancy but the trial's own."""
    if question.other:
        return _other_malignancy(question, chart)
    items = chart.with_keys(question.keys, ItemKind.CONDITION, ItemKind.OBSERVATION, ItemKind.PROCEDURE)
    own = set(question.anchors)
    items = [i for i in items if i.status not in ("planned", "stated") and not own & i.keys]
    found = judged(question, items, chart)
    if found is not None and not (found.truth is Truth.UNKNOWN and (ruled := refutations.refuted(question, chart))):
        return found
    ruled = refutations.refuted(question, chart) or _other_type(question, chart)
    if ruled is not None:
        return ruled
    if question.index:
        rival = _rival(question, chart)
        if rival is not None:
            return rival
    return silent(question, chart)


def infection(question: Question, chart: Chart) -> Judgement:
    """An infection from the problem list, else from its serology or viral load."""
    listed = disease(question, chart)
    agent = agent_of(question)
    if not agent or (not listed.silent and listed.evidence):
        return listed
    return serology(agent, chart) or listed


def judged(question: Question, items: Sequence[Item], chart: Chart) -> Judgement | None:
    """The judgement of the items that are meant; None when there is none."""
    held = [i for i in items if i.status in ("present", "past")]
    timed = [(i, in_window(i, question.window, chart)) for i in held]
    wanted = set(question.qualifiers)
    past_counts = "history" in wanted or "prior" in wanted or (question.window is not None and question.window.within)
    inside = [i for i, inside in timed if inside and (i.status == "present" or past_counts)]
    if inside:
        return _graded(question, inside)
    doubtful = [i for i, known in timed if known is None and (i.status == "present" or past_counts)]
    if doubtful:
        return unknown(
            f"date of {question.name}", "{0}: the date cannot tell", shown(doubtful[0]), evidence=_refs(doubtful)
        )
    refuted = [i for i in items if i.status == "absent" and set(question.keys) & i.own]  # no HIV is not no infection
    if refuted and not held:
        return no("{0}: recorded as absent", shown(refuted[-1]), evidence=_refs(refuted[-1:]))
    possible = [i for i in items if i.status in ("possible", "pending")]
    if possible and not held:
        word = "result pending" if possible[0].status == "pending" else "only suspected"
        return unknown(question.name, "{0}: {1}", shown(possible[0]), word, evidence=_refs(possible[:1]))
    if held:
        text = "{0}: outside the time asked for" if held[0].status == "present" or past_counts else "{0}: over"
        return no(text, shown(held[0]), evidence=_refs(held[:1]))
    return None


def asks_degree(question: Question) -> bool:
    """Whether a criterion asks how bad it is, so that the words of the record matter."""
    return not _GRADED.isdisjoint(question.qualifiers)


def _graded(question: Question, items: Sequence[Item]) -> Judgement:
    """Met, unless the criterion asks for a degree ("severe", "uncontrolled") that the record does not tell."""
    degrees = [q for q in question.qualifiers if q in _GRADED]
    for degree in degrees:
        for item in items:
            told = _degree_told(degree, f"{item.concept.name} {item.text} {item.answer}")
            if told is True:
                return yes("{0}: {1}", shown(item), degree, evidence=(item.reference,))
            if told is False:
                return no("{0}: not {1}", shown(item), degree, evidence=(item.reference,))
    strict = [d for d in degrees if d not in ("chronic", "acute", "progressive")]
    if strict:
        need = f"whether {question.name} is {strict[0]}"
        return unknown(
            need, "{0} recorded; whether it is {1} is not", shown(items[0]), strict[0], evidence=_refs(items[:1])
        )
    return yes("{0} recorded", shown(items[0]), evidence=_refs(items[:1]))


@lru_cache(maxsize=50_000)
def _degree_told(degree: str, words: str) -> bool | None:
    """Whether a record's words tell that degree (True) or its opposite (False)."""
    if degree in _SAME and re.search(_SAME[degree], words, re.IGNORECASE):
        return True
    return False if degree in _OPPOSITE and re.search(_OPPOSITE[degree], words, re.IGNORECASE) else None


def _refs(items: Sequence[Item]) -> tuple[str, ...]:
    return tuple(i.reference for i in items)


# --------------------------------------------------------------------------------------- the trial's disease and others


TYPES = {
    "small cell": re.compile(r"(?<!non[- ])(?<!non)small[- ]cell|(?<!非)小细胞", re.IGNORECASE),
    "neuroendocrine": re.compile(r"neuroendocrine|carcinoid|神经内分泌|类癌", re.IGNORECASE),
    "squamous": re.compile(r"(?<!non[- ])(?<!non)squamous|鳞", re.IGNORECASE),
    "adenocarcinoma": re.compile(r"adenocarcinoma|腺癌", re.IGNORECASE),
    "large cell": re.compile(r"large[- ]cell(?! lymph)|大细胞", re.IGNORECASE),
    "sarcomatoid": re.compile(r"sarcomatoid|肉瘤样", re.IGNORECASE),
}


def _other_type(question: Question, chart: Chart) -> Judgement | None:
    """Not met when another type of the same tumour is recorded (small cell asked, adenocarcinoma recorded)."""
    asked = _types_in(question.name)
    own = [i for i in cancer_facts.primaries(chart) if i.status == "present"][:1] if asked else []
    for item in own:
        recorded = _types_in(item.concept.name)
        if recorded and not recorded & asked:
            return no("recorded tumour is {0}", shown(item), evidence=(item.reference,))
    return None


def _rival(question: Question, chart: Chart) -> Judgement | None:
    """Not met when the trial asks for one cancer and the patient's recorded cancer is another."""
    if not cancer_facts.is_cancer_question(question):
        return None
    for item in cancer_facts.primaries(chart):
        if item.status == "present":
            return no("recorded cancer is {0}; asked {1}", shown(item), question.name, evidence=(item.reference,))
    return None


_UNDER_TREATMENT = re.compile(r"progressing or|requires? (?:active )?treatment|需要积极治疗|进展或需要", re.IGNORECASE)
_EXEMPT = re.compile(r"basal|skin|in situ|non-?melanoma|cervi|原位|基底细胞|皮肤", re.IGNORECASE)
_MINOR = re.compile(r"basal cell|squamous cell carcinoma of (?:the )?skin|in situ|基底细胞|原位癌", re.IGNORECASE)
_OTHER = re.compile(
    r"other malig|history of malig|other cancer|second primary|其他恶性肿瘤|恶性肿瘤史|其他肿瘤", re.IGNORECASE
)


def _other_malignancy(question: Question, chart: Chart) -> Judgement:
    """Another malignancy than the trial's: exempted ones pass; a recorded "no other malignancy" settles it."""
    others = []
    for item in cancer_facts.primaries(chart):
        if set(question.anchors) & item.keys or _is_own(item, question, chart):
            continue
        if is_minor(item) and exempts_minor(question):
            continue
        if in_window(item, question.window, chart) is not False:
            others.append(item)
    now = means_now(question)
    for item in others:
        if item.status == "present" or not now or question.window is not None:
            return yes("other malignancy: {0}", shown(item), evidence=(item.reference,))
    denied = denied_malignancies(chart)
    if denied:
        return no("{0}: recorded as absent", shown(denied[-1]), evidence=(denied[-1].reference,))
    past = [i for i in cancer_facts.primaries(chart) if i.status == "past"]
    if past and not others:
        return no("{0} does not count", shown(past[0]), evidence=(past[0].reference,))
    return silent(question, chart, "another malignancy")


def means_now(question: Question) -> bool:
    """Whether only a malignancy that is there now is meant."""
    qualifiers = set(question.qualifiers)
    now = bool(_NOW & qualifiers) and not {"history", "prior"} & qualifiers
    return now or bool(_UNDER_TREATMENT.search(question.words))


def is_minor(item: Item) -> bool:
    """Whether a tumour is of the kind that criteria commonly exempt."""
    return bool(_MINOR.search(item.concept.name))


def exempts_minor(question: Question) -> bool:
    """Whether a criterion exempts such tumours."""
    return bool(_EXEMPT.search(question.words))


def denied_malignancies(chart: Chart) -> list[Item]:
    """What says that there is no other malignancy."""
    if "denied malignancies" not in chart.memory:
        chart.memory["denied malignancies"] = [
            i for i in chart.kind(ItemKind.CONDITION, ItemKind.OBSERVATION) if _denied(i)
        ]
    return chart.memory["denied malignancies"]  # type: ignore[return-value]


def _denied(item: Item) -> bool:
    return item.status == "absent" and bool(_OTHER.search(item.concept.name) or "sct|266987004" in item.keys)


def _is_own(item: Item, question: Question, chart: Chart) -> bool:
    """The patient's first active cancer is the trial's own when the trial's disease is a cancer it falls under."""
    own = [i for i in cancer_facts.primaries(chart) if i.status == "present"]
    return bool(own) and own[0] is item and "cancer" in question.anchors


# ------------------------------------------------------------------------------------------------------- allergies

_NONE_KNOWN = frozenset({"sct|716186003", "sct|409137002", "sct|428607008", "sct|716184000"})
_NONE_WORDS = re.compile(r"no known (?:drug )?allerg|nkd?a\b|无已知|无药物过敏|无过敏", re.IGNORECASE)


def allergy(question: Question, chart: Chart) -> Judgement:
    """An allergy to what is asked; a recorded "no known allergies" settles it."""
    recorded = chart.kind(ItemKind.ALLERGY)
    for item in recorded:
        if item.status == "present" and set(question.keys) & item.keys:
            return yes("allergy to {0} recorded", item.concept.name, evidence=(item.reference,))
    for item in recorded:
        if no_allergy(item):
            return no("{0} recorded", item.concept.name, evidence=(item.reference,))
    if recorded and not question.keys:
        return yes("allergy to {0} recorded", recorded[0].concept.name, evidence=(recorded[0].reference,))
    return silent(question, chart, f"allergy to {question.name}" if question.name else "allergies")


def no_allergy(item: Item) -> bool:
    """Whether it records that no allergies are known."""
    return bool(_NONE_KNOWN & item.keys or _NONE_WORDS.search(item.concept.name))
