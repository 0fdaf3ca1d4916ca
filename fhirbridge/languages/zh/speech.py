"""Chinese: questions, answers, numbers and times as they are said. See `fhirbridge.languages.spoken.Rules`."""

from __future__ import annotations

import re

from fhirbridge import languages
from fhirbridge.languages.spoken import Number, Reply, Since, Timing

word_gap = ""
drop = re.compile(r"(?:嗯+|呃+|啊+|那个)[，、]")
loose: re.Pattern[str] | None = None
sentence_end = re.compile(r"[。！？!?；;\n]+")


def asks(sentence: str, clinician: bool) -> str:
    """ "yes-no", "open", "tag" for a question, "" for what is none."""
    text = sentence.strip()
    if re.search(r"多久|什么时候|多少|几[天次年月]|怎么|哪", text):
        return "open" if re.search(r"[?？吗呢]$", text) else ""
    return "yes-no" if re.search(r"[?？]$|吗|没有$|有没有|是不是", text) and clinician else ""


def reply(answer: str, question: str) -> Reply:
    """What a turn says in answer to a question."""
    for row in sorted(languages.rows("zh", "replies"), key=lambda r: -len(r["phrase"])):
        if answer.startswith(row["phrase"]):
            return Reply(row["polarity"])
    return Reply("")


def numbers(text: str) -> list[Number]:
    """Every number in a text."""
    return []


def pair(between: str) -> bool:
    """Whether the words between two numbers make them a pair."""
    return between.strip() in ("/", "，低压")


def dose_unit(after: str) -> tuple[str, str, int] | None:
    """The unit right after a dose."""
    return None


def timing(text: str) -> Timing | None:
    """How often a medicine is taken."""
    return None


def since(text: str) -> list[Since]:
    """Onsets and durations in a sentence."""
    return []
