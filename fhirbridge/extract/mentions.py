"""What is talked about: names found by the lexicon, and everyday sayings found by a language's expression table.

The lexicon is asked twice: over the cleaned words, and over the words without articles, possessives and sides, so that
"blood in your stools" and "pain in my left knee" are found under "blood in stool" and "pain in knee".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import ahocorasick_rs

from fhirbridge import languages
from fhirbridge.errors import ConfigurationError
from fhirbridge.extract.cues import whole
from fhirbridge.extract.talk import Shortened, Talk
from fhirbridge.languages import spoken
from fhirbridge.records import Body, Coding, Concept, Span, Speaker, Status


class Named(Protocol):
    """A lexicon entry."""

    @property
    def key(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def concept(self) -> Concept: ...
    def in_language(self, language: str, /) -> Concept: ...


class Hit(Protocol):
    """A name found in a text."""

    @property
    def span(self) -> Span: ...
    @property
    def entry(self) -> Named: ...


class Vocabulary(Protocol):
    """What is asked of the lexicon."""

    def scan(self, text: str, language: str) -> Iterable[Hit]: ...
    def find(self, name: str, language: str | None = None) -> Named | None: ...


@dataclass(slots=True)
class Mention:
    """A name or saying at text[start:end] of a talk, and what is known of it so far."""

    start: int
    end: int
    kind: str  # of the lexicon entry, or of the expression
    key: str
    concept: Concept
    sentence: int
    status: Status | None = None  # decided already, by the expression itself or by what follows
    dropped: str = ""  # why it is no fact; empty while it may be one
    value: str = ""
    said: bool = False  # found by an expression
    apart: bool = False  # stands beside what it shares words with
    flip: bool = False  # "sleeping well" denies insomnia: the status is turned over at the end
    fixed: bool = False  # an expression that carries its own status
    open: bool = False  # an open question: the answer is its value
    if_denied: bool = False  # a fact only when denied: "any regular medication?" - "no"
    asked: bool = False
    answered: bool = False
    qualified: bool = False  # asked about elsewhere, otherwise, before
    examined: bool = False  # found by the clinician on examination
    history: bool = False  # told as a history of it
    stopped: bool = False
    continued: bool = False  # a medicine that goes on
    told_past: bool = False  # in the past tense of a story
    recounted: bool = False  # the clinician repeats what was told ("you mentioned using a cream")
    late: bool = False  # in the part of the visit where plans are made
    body: Body | None = None
    side: str = ""
    relative: str = ""
    weight: int = 0  # how much its status counts when two disagree
    reactions: list[Concept] = field(default_factory=list)
    more: list[tuple[int, int]] = field(default_factory=list)  # further evidence, such as the answer


@dataclass(frozen=True, slots=True)
class Expression:
    """A row of the expression table: a saying and what it is worth."""

    kind: str
    concept: Concept
    pattern: str
    status: Status | None
    value: str
    who: frozenset[str]
    special: str  # flip, open, if-no or ""

    def finditer(self, text: str, start: int, end: int) -> Iterable[re.Match[str]]:
        """Where it is said; the pattern is compiled when it is first needed."""
        return _compiled(self.pattern).finditer(text, start, end)


_ARTICLE = re.compile(r"\b(?:the|your|my|his|her|an|a|another|some)\b|,")
_SPECIAL = ("flip", "open", "if-no")
SYSTEMS = {
    "sct": "http://snomed.info/sct",
    "icd10cm": "http://hl7.org/fhir/sid/icd-10-cm",
    "icd10": "http://hl7.org/fhir/sid/icd-10",
    "loinc": "http://loinc.org",
    "hpo": "http://human-phenotype-ontology.org",
}


def find(talk: Talk, vocabulary: Vocabulary) -> list[Mention]:
    """Every mention in a talk, in order; where names overlap the longest stays."""
    found: list[Mention] = []
    for language in sorted({s.language for s in talk.sentences}):
        found += _named(talk, vocabulary, language)
        found += _said(talk, vocabulary, language)
        found += _told(talk, vocabulary, language)
    return _longest(found)


def _named(talk: Talk, vocabulary: Vocabulary, language: str) -> list[Mention]:
    ignored = _ignored(language)
    hits = [(h.span.offset, h.span.end, h.entry) for h in vocabulary.scan(talk.text, language)]
    loose = spoken.rules(language).loose
    if loose is not None:
        short = Shortened(talk.text, loose)
        hits += [(*short.span(h.span.offset, h.span.end), h.entry) for h in vocabulary.scan(short.text, language)]
    only_part, parts = getattr(spoken.rules(language), "only_part", None), getattr(spoken.rules(language), "parts", ())
    found = []
    for start, end, entry in hits:
        if only_part is not None and talk.text[start:end].split()[-1:][0] in parts and only_part.match(talk.text, end):
            continue
        if entry.kind == "social" or (entry.kind == "finding" and not _clinical(entry)):
            continue  # habits and circumstances come from the expressions; other findings are rarely what was meant
        number = talk.sentence_at(start)
        sentence = talk.sentences[number]
        if (
            sentence.language == language
            and end <= sentence.end
            and ignored.isdisjoint((talk.text[start:end], f"={entry.key}"))
        ):
            found.append(Mention(start, end, entry.kind, entry.key, entry.in_language(language), number))
    return found


def _said(talk: Talk, vocabulary: Vocabulary, language: str) -> list[Mention]:
    finder, anchored = _expressions(language)
    seen: set[tuple[int, int]] = set()
    found: list[Mention] = []
    for index, start, end in finder.find_matches_as_indexes(talk.text, overlapping=True):
        if not whole(talk.text, start, end):
            continue
        number = talk.sentence_at(start)
        sentence = talk.sentences[number]
        if sentence.language != language:
            continue
        for row, expression in anchored[index]:
            if (row, number) in seen:
                continue
            seen.add((row, number))
            if not expression.who or sentence.role.value in expression.who or sentence.role is Speaker.NOTE:
                found += _matches(talk, number, expression, vocabulary)
    return found


def _told(talk: Talk, vocabulary: Vocabulary, language: str) -> list[Mention]:
    """What a language's own code reads (`told`), such as stages and markers of tumours."""
    reader = getattr(spoken.rules(language), "told", None)
    if reader is None:
        return []
    found = []
    for inside in talk.by_turn:
        if not len(inside) or talk.sentences[inside[0]].language != language:
            continue
        first, last = talk.sentences[inside[0]], talk.sentences[inside[-1]]
        for one in reader(talk.text[first.start : last.end]):
            concept = Concept(one.name, tuple(Coding(*code) for code in one.codes))
            key = one.name
            if one.kind == "condition":
                concept, key = _concept(concept, vocabulary, language)
            number = talk.sentence_at(first.start + one.start)
            mention = Mention(first.start + one.start, first.start + one.end, one.kind, key, concept, number)
            mention.status, mention.fixed, mention.said, mention.value = Status(one.status), True, True, one.value
            mention.apart = one.kind == "social-history"
            found.append(mention)
    return found


def _matches(talk: Talk, number: int, expression: Expression, vocabulary: Vocabulary) -> list[Mention]:
    sentence = talk.sentences[number]
    found = []
    for match in expression.finditer(talk.text, sentence.start, sentence.end):
        value = match.expand(expression.value).strip() if "\\" in expression.value else expression.value
        named = expression.concept
        if "\\" in named.name:
            said = _ARTICLE.sub(" ", match.expand(named.name)).split()
            named = Concept(" ".join(said), named.codings)
        concept, key = _concept(named, vocabulary, sentence.language)
        mention = Mention(match.start(), match.end(), expression.kind, key, concept, number)
        mention.said = True
        mention.status, mention.fixed = expression.status, expression.status is not None
        mention.value, mention.flip = value, expression.special == "flip"
        mention.open, mention.if_denied = expression.special == "open", expression.special == "if-no"
        found.append(mention)
    return found


def _concept(concept: Concept, vocabulary: Vocabulary, language: str) -> tuple[Concept, str]:
    """The expression's concept, with the lexicon's codes and key where the lexicon knows the name."""
    entry = vocabulary.find(concept.name, language)
    if entry is None:
        return concept, concept.name
    known = entry.in_language(language)
    return Concept(known.name, concept.codings or known.codings), entry.key


def _clinical(entry: Named) -> bool:
    """Whether a finding is one that clinicians code, not only a word of a large terminology."""
    if entry.in_language("zh").name != entry.in_language("en").name:
        return True  # one of the concepts of daily practice
    return any("icd-10" in c.system or "human-phenotype" in c.system for c in entry.concept.codings)


@lru_cache(maxsize=8)
def _ignored(language: str) -> frozenset[str]:
    """Words that are names in some terminology and hardly ever mean it when spoken; with = before, whole concepts."""
    return frozenset(row["word"] for row in languages.rows(language, "ignored"))


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)")
    except re.error as error:
        raise ConfigurationError(f"expressions: pattern {pattern[:40]!r}: {error}") from error


@lru_cache(maxsize=8)
def _expressions(language: str) -> tuple[ahocorasick_rs.AhoCorasick, list[list[tuple[int, Expression]]]]:
    anchors: dict[str, list[tuple[int, Expression]]] = {}
    for number, row in enumerate(languages.rows(language, "expressions")):
        expression = _expression(row)
        for anchor in row["anchor"].split("|"):
            anchors.setdefault(anchor, []).append((number, expression))
    finder = ahocorasick_rs.AhoCorasick(list(anchors))
    return finder, list(anchors.values())


def _expression(row: dict[str, str]) -> Expression:
    codings = []
    for code in filter(None, (row.get("codes") or "").split(";")):
        system, _, value = code.strip().partition("|")
        codings.append(Coding(SYSTEMS[system], value, row["name"]))
    said = row.get("status") or ""
    status = Status(said) if said and said not in _SPECIAL else None
    who = frozenset(filter(None, (row.get("who") or "").split("|")))
    concept, value = Concept(row["name"], tuple(codings)), row.get("value") or ""
    return Expression(row["kind"], concept, row["pattern"], status, value, who, said if said in _SPECIAL else "")


def _longest(found: list[Mention]) -> list[Mention]:
    """Without those that lie within a longer one or repeat another."""
    found.sort(key=lambda m: (m.start, -m.end, not m.said, m.kind, m.key))
    kept: list[Mention] = []
    for mention in found:
        last = kept[-1] if kept else None
        if last is not None and mention.start < last.end and not (last.apart or mention.apart):
            if mention.end - mention.start <= last.end - last.start:
                continue
            kept.pop()
        kept.append(mention)
    return kept
