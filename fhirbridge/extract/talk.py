"""A stretch of a transcript made ready for reading: cleaned words, sentences, and the way back to the source.

Fillers, stammers and stray spaces are taken out (never replaced by longer text), so that "pain in, um, in my my chest"
reads "pain in my chest"; every position leads back to the offset in the decoded source.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from re import Pattern

from fhirbridge import languages
from fhirbridge.languages import spoken
from fhirbridge.records import Span, Speaker, Turn

_CHINESE = re.compile(r"[㐀-鿿]")
_SAME_LENGTH = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "\t": " ", "\u00a0": " ", "–": "-", "—": "-"})


class Shortened:
    """A text with pieces taken out. `origin(i)` is where character i stood before."""

    __slots__ = ("_before", "_here", "text")

    def __init__(self, text: str, drop: Pattern[str] | None) -> None:
        parts: list[str] = []
        self._here: list[int] = [0]
        self._before: list[int] = [0]
        place = kept = 0
        for match in drop.finditer(text) if drop is not None else ():
            start, end = match.span()
            if start == end or start < place:
                continue
            parts.append(text[place:start])
            kept += start - place
            place = end
            self._here.append(kept)
            self._before.append(end)
        parts.append(text[place:])
        self.text = "".join(parts)

    def origin(self, position: int) -> int:
        """Where the character at `position` stood in the text before."""
        piece = bisect_right(self._here, position) - 1
        return self._before[piece] + position - self._here[piece]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where text[start:end] stood before."""
        return self.origin(start), self.origin(end - 1) + 1


@dataclass(slots=True)
class Sentence:
    """text[start:end] of a talk: one speaker, one sentence or what stands between two full stops."""

    start: int
    end: int
    turn: int
    role: Speaker
    language: str
    asks: str = ""


class Talk:
    """Some turns in a row. `text` is cleaned and folded; `sentences` are in order and cover it."""

    def __init__(self, turns: Sequence[Turn], language: str, mixed: bool) -> None:
        self.turns = turns
        self.sentences: list[Sentence] = []
        self.by_turn: list[range] = []
        self._starts: list[int] = []
        self._cleaned: list[tuple[Shortened, int]] = []
        parts: list[str] = []
        place = 0
        for number, turn in enumerate(turns):
            own = talk_language(turn.text, language) if mixed else language
            rules = spoken.rules(own)
            clean = Shortened(fold(turn.text), rules.drop)
            first = len(self.sentences)
            for start, end in _cut(clean.text, rules.sentence_end, getattr(rules, "clause_start", None)):
                sentence = Sentence(place + start, place + end, number, turn.speaker, own)
                sentence.asks = rules.asks(clean.text[start:end], turn.speaker is Speaker.CLINICIAN)
                self.sentences.append(sentence)
            self._tagged(first)
            self.by_turn.append(range(first, len(self.sentences)))
            self._starts.append(place)
            self._cleaned.append((clean, turn.span.offset))
            parts.append(clean.text)
            place += len(clean.text) + 1
        self.text = "\n".join(parts) + "\n"
        self._sentence_starts = [s.start for s in self.sentences]
        # a recogniser that writes question marks writes them at nearly every question
        self.punctuated = self.text.count("?") > len(turns) / 12
        if not self.punctuated:
            self._unmarked()

    def _tagged(self, first: int) -> None:
        """A sentence that is only "is that right?" asks about the sentence before it."""
        for before, sentence in zip(self.sentences[first:], self.sentences[first + 1 :], strict=False):
            if sentence.asks == "tag" and sentence.end - sentence.start < 25 and not before.asks:
                before.asks = "tag"

    def _unmarked(self) -> None:
        """Open questions of a recogniser that writes no question marks."""
        for sentence in self.sentences:
            pattern = getattr(spoken.rules(sentence.language), "opens", None)
            if sentence.role is Speaker.CLINICIAN and pattern is not None and not sentence.asks:
                sentence.asks = "open" if pattern.match(self.words(sentence)) else ""

    def sentence_at(self, position: int) -> int:
        """The number of the sentence that holds a position."""
        return max(0, bisect_right(self._sentence_starts, position) - 1)

    def words(self, sentence: Sentence) -> str:
        """The words of a sentence."""
        return self.text[sentence.start : sentence.end]

    def source(self, start: int, end: int) -> Span:
        """Where text[start:end] stands in the decoded source."""
        turn = bisect_right(self._starts, start) - 1
        clean, offset = self._cleaned[turn]
        here = self._starts[turn]
        low, high = clean.span(start - here, max(end - here, start - here + 1))
        return Span(offset + low, high - low)


def fold(text: str) -> str:
    """Lower case and plain quotes, every character in its place."""
    low = text.lower()
    if len(low) != len(text):  # a few capitals have a longer small form
        low = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    return low.translate(_SAME_LENGTH)


def talks(turns: Sequence[Turn], language: str, size: int = 200_000) -> Iterator[Talk]:
    """The transcript in stretches of about `size` characters, so that a very long one needs no more memory."""
    mixed = len(languages.names()) > 1
    batch: list[Turn] = []
    held = 0
    for turn in turns:
        batch.append(turn)
        held += len(turn.text)
        if held > size:
            yield Talk(batch, language, mixed)
            batch, held = [], 0
    if batch:
        yield Talk(batch, language, mixed)


def talk_language(text: str, usual: str) -> str:
    """A turn's own language: the transcript's unless the turn is plainly in the other."""
    if text.isascii():
        letters = sum(map(str.isalpha, text[:200]))
        return "en" if letters > 12 or (letters > 4 and " " in text.strip()) else usual
    if usual == "zh" and len(_CHINESE.findall(text)) > 1:
        return "zh"  # Chinese with English names in it
    found = languages.detect(text)
    return found if found == "zh" or len(text) > 12 else usual


_LONG = 70  # characters of a stretch without any stop that may be cut where a clause begins


def _cut(text: str, end: Pattern[str], clause: Pattern[str] | None) -> Iterator[tuple[int, int]]:
    place = 0
    for match in end.finditer(text):
        if match.end() > place:
            yield from _clauses(text, place, match.end(), clause)
            place = match.end()
    if place < len(text):
        yield from _clauses(text, place, len(text), clause)


def _clauses(text: str, start: int, end: int, clause: Pattern[str] | None) -> Iterator[tuple[int, int]]:
    """A long stretch without a comma (nobody wrote stops) is cut where a question or another topic begins."""
    if clause is not None and end - start > _LONG and text.find(",", start, end) < 0:
        for match in clause.finditer(text, start, end):
            if match.start() > start + 8:
                yield start, match.start()
                start = match.start()
    yield start, end
