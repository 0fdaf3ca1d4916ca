"""How a medicine is taken: dose, how often, by which way, and whether it is taken, planned or over."""

from __future__ import annotations

import re
from functools import lru_cache

from fhirbridge import languages
from fhirbridge.extract.mentions import Mention
from fhirbridge.extract.talk import Talk
from fhirbridge.languages import spoken
from fhirbridge.records import Coding, Concept, Dosage, Quantity

_AFTER = 90
_SNOMED = "http://snomed.info/sct"


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
    if dose is None:
        dose = _bare(rules, after)
    timing = rules.timing(after)
    window = talk.text[max(before, mention.start - 25, sentence.start) : end]
    route = next((name for pattern, name in _routes(sentence.language) if pattern.search(window)), None)
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


@lru_cache(maxsize=8)
def _routes(language: str) -> tuple[tuple[re.Pattern[str], Concept], ...]:
    """The ways of taking a medicine: the words and what they mean, from the table `routes`."""
    return tuple(
        (
            re.compile(rf"(?<!\w)(?:{row['pattern']})(?!\w)"),
            Concept(row["name"], (Coding(_SNOMED, row["snomed"], row["name"]),) if row["snomed"] else ()),
        )
        for row in languages.rows(language, "routes")
    )


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


def _bare(rules: spoken.Rules, after: str) -> tuple[Quantity, int, int] | None:
    """A dose that was said without its unit: the number alone, no unit is made up."""
    reader = getattr(rules, "bare_dose", None)
    found = reader(after) if reader is not None else None
    return (Quantity(found[0], ""), found[1], found[2]) if found else None


def _words(after: str, dose: tuple[Quantity, int, int] | None, timing: spoken.Timing | None) -> str:
    ends = [x for x in (dose[2] if dose else 0, timing.end if timing else 0) if x <= len(after)]
    return after[: max(ends, default=0)].strip(" ,.:") or after.strip(" ,.:")[:60]
