"""Smoking, drinking and the like: what was said of them as the answers that FHIR has codes for."""

from __future__ import annotations

from fhirbridge.languages import spoken
from fhirbridge.records import Coding, Concept, Fact, Status

_SMOKING = "72166-2"
_SNOMED = "http://snomed.info/sct"
_STATUS = {
    Status.ABSENT: ("266919005", "Never smoker"),
    Status.PAST: ("8517006", "Former smoker"),
    Status.PRESENT: ("77176002", "Smoker"),
}


def value(fact: Fact, words: str, language: str) -> Concept | str | None:
    """The value of a social fact: the coded smoking status, or the words with their numbers in digits."""
    if any(c.code == _SMOKING for c in fact.concept.codings):
        code, display = _STATUS.get(fact.status, _STATUS[Status.PRESENT])
        amount = _digits(words, language) if fact.status is not Status.ABSENT else ""
        text = amount or display.lower()
        return Concept(text, (Coding(_SNOMED, code, display),))
    if fact.status is Status.ABSENT or not words:
        return None
    return _digits(words, language)


def _digits(words: str, language: str) -> str:
    """ "two glasses a week" as "2 glasses a week"."""
    out, place = [], 0
    for number in spoken.rules(language).numbers(words):
        out.append(words[place : number.start])
        out.append(f"{number.value.normalize():f}")
        place = number.end
    return "".join([*out, words[place:]])
