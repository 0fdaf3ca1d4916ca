"""Since when: "three days ago", "for the past week", "since yesterday", against the date of the visit."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from fhirbridge.extract.mentions import Mention
from fhirbridge.extract.talk import Talk
from fhirbridge.languages import spoken
from fhirbridge.languages.spoken import Since
from fhirbridge.records import Quantity

_NEAR = 80
_DAYS = {"d": 1, "wk": 7}


class Onset(NamedTuple):
    """When something began: an ISO date as exact as was said (if the visit's date is known), the words, how long."""

    date: str | None
    words: str
    duration: Quantity | None


NOTHING = Onset(None, "", None)


def onset(talk: Talk, mention: Mention, visit: date | None) -> Onset:
    """The onset said nearest to a mention in its sentence."""
    sentence = talk.sentences[mention.sentence]
    start = max(sentence.start, mention.start - 3 * _NEAR)
    said = spoken.rules(sentence.language).since(talk.text[start : min(sentence.end, mention.end + 3 * _NEAR)])
    near = [s for s in said if _distance(s, mention, start) < _NEAR and s.kind != "until"]
    if not near:
        return NOTHING
    best = min(near, key=lambda s: (_distance(s, mention, start), s.start))
    duration = None
    if best.kind == "for" and best.number is not None:
        duration = Quantity(best.number, best.unit, best.unit)
    return Onset(_date(best, visit), best.text.strip(), duration)


def _distance(since: Since, mention: Mention, start: int) -> int:
    return max(since.start + start - mention.end, mention.start - since.end - start, 0)


def _date(since: Since, visit: date | None) -> str | None:
    """As exact as the words: days give a day, weeks a day, months a month, years a year."""
    if visit is None or since.number is None or since.unit not in ("h", "d", "wk", "mo", "a", "min"):
        return None
    number = int(since.number)
    if since.unit in ("h", "min"):
        return visit.isoformat() if since.unit == "min" or number < 12 else None
    if since.unit in _DAYS:
        return (visit - timedelta(days=_DAYS[since.unit] * number)).isoformat()
    if since.unit == "mo":
        months = visit.year * 12 + visit.month - 1 - number
        return f"{months // 12:04d}-{months % 12 + 1:02d}"
    return f"{visit.year - number:04d}"
