"""How a medicine is taken: dose, how often, by which way, and whether it is taken, planned or over."""

from __future__ import annotations

import re

from fhirbridge.extract.mentions import Mention
from fhirbridge.extract.talk import Talk
from fhirbridge.languages import spoken
from fhirbridge.records import Coding, Concept, Dosage, Quantity

_AFTER = 90
_ROUTES = (
    (re.compile(r"\b(?:orally|by mouth|po)\b|口服"), "26643006", "Oral route"),
    (re.compile(r"\b(?:iv|intravenous(?:ly)?|drip)\b|静脉|静滴|输液|打点滴|吊瓶"), "47625008", "Intravenous route"),
    (re.compile(r"\b(?:subcutaneous(?:ly)?|under the skin)\b|皮下"), "34206005", "Subcutaneous route"),
    (re.compile(r"\b(?:intramuscular(?:ly)?|im)\b|肌注|肌肉注射"), "78421000", "Intramuscular route"),
    (re.compile(r"\b(?:topical(?:ly)?|on the skin|cream|ointment)\b|外用|外敷"), "6064005", "Topical route"),
    (re.compile(r"\b(?:inhaled?|inhaler|puffs?|nebuli[sz]er)\b|吸入|雾化"), "447694001", "Respiratory tract route"),
    (re.compile(r"\b(?:nasal(?:ly)?|nose spray|nasal spray)\b|喷鼻"), "46713006", "Nasal route"),
    (re.compile(r"\b(?:eye drops?)\b|滴眼"), "54485002", "Ophthalmic route"),
    (re.compile(r"\b(?:sublingual(?:ly)?|under the tongue)\b|舌下"), "37839007", "Sublingual route"),
    (re.compile(r"\b(?:suppository|rectal(?:ly)?)\b|塞肛"), "37161004", "Rectal route"),
)


def dosage(talk: Talk, mention: Mention, limit: int, before: int) -> Dosage | None:
    """What is said of a dose between a medicine's name and the next one (`limit`), or right before it (`before`)."""
    sentence = talk.sentences[mention.sentence]
    rules = spoken.rules(sentence.language)
    end = min(limit, mention.end + _AFTER, _turn_end(talk, mention))
    after = talk.text[mention.end : end]
    dose = _dose(rules, after)
    if dose is None:
        start = max(before, mention.start - 30, sentence.start)
        dose = _dose(rules, talk.text[start : mention.start], last=True)
    timing = rules.timing(after)
    window = talk.text[max(before, mention.start - 25, sentence.start) : end]
    route = next((_route(code, name) for pattern, code, name in _ROUTES if pattern.search(window)), None)
    if dose is None and timing is None and route is None:
        return None
    said = talk.text[mention.start : end].strip() if dose is None and timing is None else _words(after, dose, timing)
    return Dosage(
        text=said,
        dose=dose[0] if dose else None,
        frequency=timing.frequency if timing else None,
        period=timing.period if timing else None,
        period_unit=timing.unit if timing else "",
        route=route,
        as_needed=timing.as_needed if timing else False,
        when=timing.when if timing else (),
    )


def _route(code: str, name: str) -> Concept:
    return Concept(name, (Coding("http://snomed.info/sct", code, name),))


def _turn_end(talk: Talk, mention: Mention) -> int:
    """A dose may follow in the next sentence of the same turn ("metoprolol. 25 milligrams twice a day")."""
    sentence = talk.sentences[mention.sentence]
    number = mention.sentence
    last = talk.by_turn[sentence.turn][-1]
    short = sentence.end - mention.end < 12
    return talk.sentences[number + 1].end if short and number < last else sentence.end


def _dose(rules: spoken.Rules, text: str, last: bool = False) -> tuple[Quantity, int, int] | None:
    found = []
    for number in rules.numbers(text):
        unit = rules.dose_unit(text[number.end : number.end + 30])
        if unit is not None:
            found.append((Quantity(number.value, unit[0], unit[1]), number.start, number.end + unit[2]))
    if not found:
        return None
    return found[-1] if last else found[0]


def _words(after: str, dose: tuple[Quantity, int, int] | None, timing: spoken.Timing | None) -> str:
    ends = [x for x in (dose[2] if dose else 0, timing.end if timing else 0) if x <= len(after)]
    return after[: max(ends, default=0)].strip(" ,.:") or after.strip(" ,.:")[:60]
