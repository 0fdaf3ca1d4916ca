"""What every language's `speech` module offers to the reader of conversations, and the tables beside it.

A language is `languages/<lang>/`: the tables `cues`, `replies`, `expressions`, `measures`, `speakers` (a clinician can
review them) and one module `speech.py` with the names of `Rules` below, for what needs code. Offsets are in the text
handed in.
"""

from __future__ import annotations

import importlib
import importlib.util
from decimal import Decimal
from functools import lru_cache
from re import Pattern
from typing import Any, NamedTuple, Protocol, cast


class Reply(NamedTuple):
    """What an answer says: `polarity` yes, no, unsure, or "" when it has none of its own.

    `rest` is what it says of the things asked that it does not name ("just a cough, otherwise no": no); `which` is
    "first", "last", "both" when it points into the list that was asked, "" otherwise.
    """

    polarity: str
    rest: str = ""
    which: str = ""


class Number(NamedTuple):
    """A number as said or written, at text[start:end]."""

    start: int
    end: int
    value: Decimal


class Timing(NamedTuple):
    """How often a medicine is taken: `frequency` times per `period` `unit` (UCUM h, d, wk, mo)."""

    frequency: int | None
    period: Decimal | None
    unit: str
    as_needed: bool
    when: tuple[str, ...]
    start: int
    end: int


class Since(NamedTuple):
    """When something began, or how long it has lasted: `number` `unit` (UCUM h, d, wk, mo, a), and the words."""

    start: int
    end: int
    number: Decimal | None
    unit: str
    kind: str  # ago, for, on, until
    text: str


class Told(NamedTuple):
    """Something told at text[start:end] that needs code to read.

    `value` is as it shall stand ("IV", "60 %"); `codes` are (system, code, display).
    """

    start: int
    end: int
    kind: str  # of fact: observation, laboratory, exam, condition
    name: str
    value: str
    codes: tuple[tuple[str, str, str], ...] = ()
    status: str = "present"


class Rules(Protocol):
    """The part of a language that is code. All text comes in folded to lower case, with fillers taken out."""

    drop: Pattern[str]  # what cleaning takes out: fillers, repeated words, stray spaces
    loose: Pattern[str] | None  # what may stand inside a name: articles, possessives, sides
    sentence_end: Pattern[str]
    word_gap: str  # the character between words: " ", or "" where there is none

    def asks(self, sentence: str, clinician: bool) -> str:
        """ "yes-no" for a question that yes or no answers, "open" for when/how long/what, "tag", or ""."""
        ...

    def reply(self, answer: str, question: str) -> Reply:
        """What a turn says in answer to a question."""
        ...

    def numbers(self, text: str) -> list[Number]:
        """Every number in a text, in words or digits."""
        ...

    def pair(self, between: str) -> bool:
        """Whether the words between two numbers make them a pair, as in 120 over 80."""
        ...

    def dose_unit(self, after: str) -> tuple[str, str, int] | None:
        """The unit that follows a dose: (as said, UCUM, characters taken); None if none does."""
        ...

    def timing(self, text: str) -> Timing | None:
        """How often, as said in the words about a medicine."""
        ...

    def since(self, text: str) -> list[Since]:
        """Onsets and durations in a sentence."""
        ...


@lru_cache(maxsize=8)
def rules(language: str) -> Rules:
    """The rules of a language."""
    return cast(Rules, importlib.import_module(f"fhirbridge.languages.{language}.speech"))


@lru_cache(maxsize=8)
def reader(language: str) -> Any:
    """The language's own `find(turns, lexicon, *, visit_date) -> (facts, left out)`; None if it has none.

    A language whose grammar the shared reader does not fit has a module `reading.py` (Chinese negates and asks inside
    the words, and has no spaces to count a cue's reach in).
    """
    if importlib.util.find_spec(f"fhirbridge.languages.{language}.reading") is None:
        return None
    return importlib.import_module(f"fhirbridge.languages.{language}.reading").find
