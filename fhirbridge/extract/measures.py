"""Vital signs, laboratory values, scores and body measures said aloud, with LOINC and UCUM.

A language's table `measures` names them (`said`, the alternatives apart by |) with the range in which a number can be
one; several rows may share a name, then the unit that was said decides, else the range (38.5 is Celsius, 101.4 is not).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

import ahocorasick_rs

from fhirbridge import languages
from fhirbridge.extract.cues import Heard, whole
from fhirbridge.extract.mentions import Mention
from fhirbridge.extract.talk import Sentence, Talk
from fhirbridge.languages import spoken
from fhirbridge.languages.spoken import Number, Rules
from fhirbridge.records import Coding, Concept, Fact, FactKind, Quantity, Speaker, Status

LOINC = "http://loinc.org"
_PARTS = (("Systolic blood pressure", "8480-6"), ("Diastolic blood pressure", "8462-4"))
_PRESSURE = "85354-9"
_TEMPERATURE = "8310-5"
_SHORT_ANSWER = 60  # characters; a score is the answer only where it says little else
_NEAR = 70  # characters between a name and its number


@dataclass(frozen=True, slots=True)
class Measure:
    """A row of the table."""

    concept: Concept
    kind: FactKind
    unit: str
    ucum: str
    low: Decimal
    high: Decimal
    scale: Decimal | None

    @property
    def pressure(self) -> bool:
        """Whether its value is a pair, systolic over diastolic."""
        return any(c.code == _PRESSURE for c in self.concept.codings)


@dataclass(frozen=True, slots=True)
class _Name:
    start: int
    end: int
    measures: tuple[Measure, ...]


def find(talk: Talk, mentions: list[Mention], heards: dict[int, list[Heard]]) -> list[Fact]:
    """The measured facts of a talk; mentions that were only the name of a measure are marked as dropped."""
    facts: list[Fact] = []
    for language in sorted({s.language for s in talk.sentences}):
        told = {
            i for m in mentions if m.said and m.kind in ("laboratory", "observation") for i in range(m.start, m.end)
        }
        names = _names(talk, language, told)
        taken = {(n.start, n.end) for group in names.values() for n in group}
        for mention in mentions:
            if any(start <= mention.start and mention.end <= end for start, end in taken):
                mention.dropped = "the name of a measure"
        reader = _Reader(talk, language, mentions, heards)
        numbered = set(names) | _with_pairs(talk, language)
        for number in sorted(numbered):
            facts += reader.sentence(number, names.get(number, []))
    return _once(facts)


def _once(facts: list[Fact]) -> list[Fact]:
    """Without a reading that was found twice in the same words, as an answer and by itself."""
    kept: list[Fact] = []
    for fact in facts:
        same = (
            f for f in kept if f.concept == fact.concept and f.value == fact.value and f.components == fact.components
        )
        if not any(f.evidence[0] == fact.evidence[0] for f in same):
            kept.append(fact)
    return kept


def _names(talk: Talk, language: str, told: set[int]) -> dict[int, list[_Name]]:
    finder, rows = _table(language)
    hits = [h for h in finder.find_matches_as_indexes(talk.text, overlapping=True) if whole(talk.text, h[1], h[2])]
    hits.sort(key=lambda h: (h[1], -h[2]))
    found: dict[int, list[_Name]] = {}
    place = 0
    for index, start, end in hits:
        number = talk.sentence_at(start)
        if start >= place and start not in told and talk.sentences[number].language == language:
            found.setdefault(number, []).append(_Name(start, end, rows[index]))
            place = end
    return found


def _with_pairs(talk: Talk, language: str) -> set[int]:
    """Sentences in which two numbers may stand as a pair without a name."""
    words = getattr(spoken.rules(language), "pair_word", None)
    if words is None:
        return set()
    found, place = set(), talk.text.find(words)
    while place >= 0:
        found.add(talk.sentence_at(place))
        place = talk.text.find(words, place + 1)
    return found


@lru_cache(maxsize=8)
def _table(language: str) -> tuple[ahocorasick_rs.AhoCorasick, list[tuple[Measure, ...]]]:
    said: dict[str, list[Measure]] = {}
    for row in languages.rows(language, "measures"):
        scale = Decimal(row["scale"]) if row.get("scale") else None
        codings = (Coding(LOINC, row["loinc"], row.get("display") or ""),) if row["loinc"] else ()
        measure = Measure(
            Concept(row["name"], codings),
            FactKind(row["kind"]),
            row["unit"],
            row["ucum"],
            Decimal(row["low"]),
            Decimal(row["high"]),
            scale,
        )
        for phrase in row["said"].split("|"):
            said.setdefault(phrase, []).append(measure)
    finder = ahocorasick_rs.AhoCorasick(list(said))
    return finder, [tuple(m) for m in said.values()]


class _Reader:
    """Reads the numbers of a sentence for the measures that it names."""

    def __init__(self, talk: Talk, language: str, mentions: Sequence[Mention], heards: dict[int, list[Heard]]) -> None:
        self.talk = talk
        self.language = language
        self.rules: Rules = spoken.rules(language)
        self.heards = heards

    def sentence(self, number: int, names: list[_Name]) -> list[Fact]:
        """The measured facts of one sentence."""
        sentence = self.talk.sentences[number]
        words = self.talk.words(sentence)
        numbers = [
            n._replace(start=n.start + sentence.start, end=n.end + sentence.start) for n in self.rules.numbers(words)
        ]
        facts: list[Fact] = []
        used: set[int] = set()
        for place, name in enumerate(names):
            if self.talk.text[max(0, name.start - 4) : name.start] in ("non-", " non"):
                continue
            limit = names[place + 1].start if place + 1 < len(names) else sentence.end
            before = names[place - 1].end if place else sentence.start
            facts += self._value(name, numbers, used, (before, min(limit, name.end + _NEAR)), sentence)
        facts += self._nameless(numbers, used, sentence)
        return facts

    def _value(
        self, name: _Name, numbers: list[Number], used: set[int], reach: tuple[int, int], sentence: Sentence
    ) -> list[Fact]:
        if self._ordered(name, sentence):
            return []
        if self._asked(name, sentence):
            told = self._answered(name, sentence)
            if told or not self._confirmed(sentence):
                return told
        after = [n for n in numbers if n.start >= name.end and n.start < reach[1] and n.start not in used]
        near = [n for n in numbers if n.end <= name.start and n.start >= reach[0] and name.start - n.end < 12]
        for number in (*after, *reversed([n for n in near if n.start not in used])):
            if self._elsewhere(name, number):
                continue
            number = self._with_tenths(name, number, numbers)
            if name.measures[0].pressure:
                fact = self._pressure(name.measures[0], number, numbers, used, name.start)
            else:
                fact = self._plain(name, number)
            if fact is not None:
                used.add(number.start)
                return [fact]
        return self._worded(name, reach, sentence)

    def _asked(self, name: _Name, sentence: Sentence) -> bool:
        """Whether a clinician only asks for the value ("was your sugar above two hundred?")."""
        if sentence.role is not Speaker.CLINICIAN or sentence.asks == "tag":
            return False
        if self.talk.punctuated:
            return sentence.asks == "yes-no"
        asked = [h for h in self.heards.get(self.talk.sentence_at(name.start), ()) if h.cue.kind == "asks"]
        return any(h.start - sentence.start < 25 for h in asked)

    def _confirmed(self, sentence: Sentence) -> bool:
        """Whether the next words of the other say yes to the value in the question."""
        loose = getattr(self.rules, "loosely", None)
        if loose is not None and loose.search(self.talk.words(sentence)):
            return False
        for inside in self.talk.by_turn[sentence.turn + 1 : sentence.turn + 2]:
            if len(inside):
                return self.rules.reply(self.talk.words(self.talk.sentences[inside[0]]), "").polarity == "yes"
        return False

    def _ordered(self, name: _Name, sentence: Sentence) -> bool:
        pattern = getattr(self.rules, "ordered", None)
        before = self.talk.text[max(sentence.start, name.start - 60) : name.start]
        return pattern is not None and pattern.search(before) is not None

    def _plain(self, name: _Name, number: Number) -> Fact | None:
        said = self._unit(number)
        for measure in name.measures:
            if said is not None and measure.ucum and said[1] != measure.ucum and not (measure.scale and said[1] == "1"):
                continue
            value = number.value
            if measure.scale is not None and value > measure.high:
                value = value / measure.scale
            if not measure.low <= value <= measure.high:
                continue
            amount = Quantity(value, said[0] if said else measure.unit, measure.ucum or None)
            return self._fact(measure, amount, (min(name.start, number.start), max(name.end, number.end)))
        return None

    def _unit(self, number: Number) -> tuple[str, str] | None:
        """The unit said after a number, as far as it can tell two measures of one name apart."""
        reader = getattr(self.rules, "measure_unit", None)
        found: tuple[str, str] | None = reader(self.talk.text[number.end : number.end + 40]) if reader else None
        return found

    def _pressure(
        self, measure: Measure, high: Number, numbers: list[Number], used: set[int], start: int
    ) -> Fact | None:
        low = next((n for n in numbers if n.start >= high.end), None)
        if low is None or not self.rules.pair(self.talk.text[high.end : low.start]):
            return None
        if not (60 <= high.value <= 300 and 20 <= low.value <= 200 and low.value < high.value):
            return None
        used.add(low.start)
        parts = tuple(
            (Concept(name, (Coding(LOINC, code, name),)), Quantity(n.value, "mmHg", "mm[Hg]"))
            for (name, code), n in zip(_PARTS, (high, low), strict=True)
        )
        fact = self._fact(measure, None, (min(start, high.start), low.end))
        return replace(fact, components=parts)

    def _nameless(self, numbers: list[Number], used: set[int], sentence: Sentence) -> list[Fact]:
        """ "one fifty over ninety" is a blood pressure even where nobody says so."""
        row = next((m for group in _table(self.language)[1] for m in group if m.pressure), None)
        facts = []
        for number in numbers if row is not None else ():
            if number.start in used:
                continue
            fact = self._pressure(row, number, numbers, used, number.start) if row is not None else None
            if fact is not None:
                used.add(number.start)
                facts.append(fact)
        return facts

    def _worded(self, name: _Name, reach: tuple[int, int], sentence: Sentence) -> list[Fact]:
        """ "my blood pressure has been really good": a value in words; of a question the value is in the answer."""
        if sentence.asks:
            return self._answered(name, sentence) if sentence.role is Speaker.CLINICIAN else []
        supposed = getattr(self.rules, "if_before", None)
        if supposed is not None and supposed.search(self.talk.text[max(sentence.start, name.start - 16) : name.start]):
            return []
        reader = getattr(self.rules, "worded_value", None)
        found = reader(self.talk.text[name.end : reach[1]]) if reader is not None else None
        if not found:
            return []
        words, length = found
        return [replace(self._fact(name.measures[0], None, (name.start, name.end + length)), value=words)]

    def _answered(self, name: _Name, sentence: Sentence) -> list[Fact]:
        """ "Do you know your weight?" - "about eighty kilos"."""
        for place in range(sentence.turn + 1, min(sentence.turn + 5, len(self.talk.turns))):
            inside = self.talk.by_turn[place]
            if not len(inside):
                continue
            if self.talk.turns[place].speaker is Speaker.CLINICIAN:
                if self._asks_of_another(inside):
                    return []
                continue
            start = self.talk.sentences[inside[0]].start
            text = self.talk.text[start : min(self.talk.sentences[inside[-1]].end, start + 160)]
            fact = self._in_answer(name, start, text)
            if fact is not None:
                evidence = (*fact.evidence, self.talk.source(name.start, name.end))
                return [replace(fact, evidence=evidence)]
        return []

    def _elsewhere(self, name: _Name, number: Number) -> bool:
        """Whether the words around say that the number is not the measure's, or no exact one."""
        loose = getattr(self.rules, "not_exact", None)
        if loose is not None and loose.match(self.talk.text, number.end):
            return True
        pattern = getattr(self.rules, "not_measured", None)
        between = self.talk.text[name.end : number.start] if number.start >= name.end else ""
        return pattern is not None and pattern.search(between) is not None

    def _asks_of_another(self, inside: range) -> bool:
        """Whether the clinician asks of something new; "and what was it?" still asks of the measure."""
        asking = [self.talk.words(self.talk.sentences[s]) for s in inside if self.talk.sentences[s].asks]
        pattern = getattr(self.rules, "of_the_same", None)
        return any(pattern is None or not pattern.search(words) for words in asking)

    def _in_answer(self, name: _Name, start: int, text: str) -> Fact | None:
        numbers = [n._replace(start=n.start + start, end=n.end + start) for n in self.rules.numbers(text)]
        measure = name.measures[0]
        for number in numbers:
            if measure.pressure:
                fact = self._pressure(measure, number, numbers, set(), number.start)
            elif (
                self._is_time(number)
                or (measure.kind is FactKind.SURVEY and len(text) > _SHORT_ANSWER)
                or self._bounds(start, number)
            ):
                continue
            else:
                whole_number = self._with_tenths(name, number, numbers)
                fact = self._plain(_Name(number.start, number.end, name.measures), whole_number)
            if fact is not None:
                return fact
        reader = getattr(self.rules, "answered_value", None)
        found = reader(text) if reader is not None else None
        if not found:
            return None
        return replace(self._fact(measure, None, (start + found[1], start + found[2])), value=found[0])

    def _with_tenths(self, name: _Name, number: Number, numbers: list[Number]) -> Number:
        """ "ninety-eight six" of a temperature is 98.6."""
        if name.measures[0].concept.codings[:1] != (Coding(LOINC, _TEMPERATURE, ""),):
            return number
        after = next((n for n in numbers if n.start == number.end + 1), None)
        plain = number.value == int(number.value) and not any(
            c.isdigit() for c in self.talk.text[number.start : number.end]
        )
        if after is None or not plain or after.value >= 10 or after.value != int(after.value):
            return number
        return number._replace(end=after.end, value=number.value + after.value / 10)

    def _bounds(self, start: int, number: Number) -> bool:
        """Whether a number only bounds the value ("higher than nine")."""
        pattern = getattr(self.rules, "bounds", None)
        return pattern is not None and pattern.search(self.talk.text[start : number.start]) is not None

    def _is_time(self, number: Number) -> bool:
        """Whether a number counts days or the like, not the measure."""
        pattern = getattr(self.rules, "time_unit", None)
        return pattern is not None and pattern.match(self.talk.text, number.end) is not None

    def _fact(self, measure: Measure, amount: Quantity | None, place: tuple[int, int]) -> Fact:
        return Fact(measure.kind, measure.concept, Status.PRESENT, (self.talk.source(*place),), amount)
