"""What somebody is allergic to, and what happens then.

A medicine, food or other allergen named after "allergic to", or in the answer to a question about allergies, is an
allergy; a symptom in the answer to "what happens when you take it?" is its reaction.
"""

# ruff: noqa: E501  (patterns read better on one line)
from __future__ import annotations

import re
from collections.abc import Sequence

from fhirbridge.extract.mentions import Mention, Vocabulary
from fhirbridge.extract.talk import Talk
from fhirbridge.records import Speaker, Status

_TO = re.compile(
    r"allerg(?:ic|y|ies) (?:reaction )?(?:to|against)|(?:bad |allergic )?reactions? to|reacts? (?:badly )?to"
)
_HAPPENS = re.compile(r"what (?:happens|happened|kind of reaction|sort of reaction|reaction|was the reaction)")
_SUBSTANCES = frozenset({"medication", "medication-class", "allergen", "organism"})
_NAMED = re.compile(r"^(?:allergy to|allergic to) |^(?!seasonal|food|drug|skin|nasal).* allergy$")
_REACH = 40


def find(talk: Talk, mentions: Sequence[Mention], vocabulary: Vocabulary) -> None:
    """Turn the mentions that are allergens into allergies, and symptoms that are their reactions into those."""
    by_turn: dict[int, list[Mention]] = {}
    for mention in mentions:
        by_turn.setdefault(talk.sentences[mention.sentence].turn, []).append(mention)
    for turn, inside in by_turn.items():
        questions = [m for m in inside if m.kind == "no-allergy"]
        for mention in inside:
            if (mention.kind in _SUBSTANCES and _follows(talk, mention)) or _NAMED.search(mention.key):
                _make(mention)
        if questions and talk.turns[turn].speaker is Speaker.CLINICIAN:
            _answers(talk, turn, by_turn, questions)
    _reactions(talk, by_turn)


_BROUGHT_OUT = re.compile(
    r"[^.?!]{0,12}?\b(?:brought|brings?|broke|breaks?|came|comes?) (?:(?:me|him|her) )?(?:up|out) in (?:a |an )?(?:\w+ )?(?:rash|hives|spots|blotches|welts)"
    r"|,? (?:(?:it|he|she|they|i|and) )*(?:comes?|came|breaks?|broke) (?:up|out) in (?:a |an )?(?:\w+ )?(?:rash|hives|spots|blotches|welts)"
    r"|[^.?!]{0,8}?\b(?:gave|gives|give) me (?:a |an )?(?:\w+ )?(?:rash|hives)\b"
)
_OTHERS = re.compile(
    r" (?:gave|gives|made) (?:my|his|her|their) (?:sister|brother|mum|mom|dad|mother|father|son|daughter)"
)
_HEADING = re.compile(r"\s*(?:drug |medication )?allerg(?:y|ies)\s*:")


def _follows(talk: Talk, mention: Mention) -> bool:
    sentence = talk.sentences[mention.sentence]
    if sentence.role is Speaker.NOTE and _HEADING.match(talk.text, _line(talk, mention.start)):
        return mention.status is not Status.ABSENT
    if _BROUGHT_OUT.match(talk.text, mention.end, talk.sentences[mention.sentence].end):
        mention.status = Status.PRESENT
        return True
    start = max(talk.sentences[mention.sentence].start, mention.start - _REACH)
    return _TO.search(talk.text[start : mention.start]) is not None or talk.text.startswith(" allergy", mention.end)


def _line(talk: Talk, place: int) -> int:
    return talk.text.rfind("\n", 0, place) + 1


def _make(mention: Mention) -> None:
    if mention.dropped in ("the answer does not tell", "asked and not answered"):
        return
    mention.kind = "allergy"
    mention.dropped = ""
    if mention.status not in (Status.ABSENT, Status.PAST):
        mention.status = Status.PRESENT


def _answers(talk: Talk, turn: int, by_turn: dict[int, list[Mention]], questions: list[Mention]) -> None:
    """ "any allergies?" - "just penicillin"."""
    for place in range(turn + 1, min(turn + 4, len(talk.turns))):
        if talk.turns[place].speaker not in (Speaker.PATIENT, Speaker.RELATIVE):
            continue
        named = [m for m in by_turn.get(place, []) if m.kind in (*_SUBSTANCES, "allergy") and not m.asked]
        named = [m for m in named if not _OTHERS.match(talk.text, m.end)]
        named = [m for m in named if m.status is not Status.ABSENT or m.kind == "allergy"]
        for mention in named:
            _make(mention)
        if any(m.status is not Status.ABSENT for m in named):
            for question in questions:
                question.dropped = "answered with an allergy"
        return


def _reactions(talk: Talk, by_turn: dict[int, list[Mention]]) -> None:
    allergy: Mention | None = None
    for turn in range(len(talk.turns)):
        inside = by_turn.get(turn, [])
        if not len(talk.by_turn[turn]):
            continue
        words = talk.text[talk.sentences[talk.by_turn[turn][0]].start : talk.sentences[talk.by_turn[turn][-1]].end]
        allergy = next((m for m in inside if m.kind == "allergy" and not m.dropped), allergy)
        if allergy is not None and allergy in inside:
            _told_reactions(talk, allergy, inside)
        asks = talk.turns[turn].speaker is Speaker.CLINICIAN and _HAPPENS.search(words) is not None
        if asks and allergy is not None:
            for place in range(turn + 1, min(turn + 3, len(talk.turns))):
                if talk.turns[place].speaker is Speaker.CLINICIAN:
                    continue
                for mention in by_turn.get(place, []):
                    if mention.kind in ("symptom", "condition", "finding") and not mention.dropped:
                        allergy.reactions.append(mention.concept)
                        mention.dropped = "the reaction to an allergen"
                break


_GAVE = re.compile(
    r"\b(?:brought (?:me|him|her) out in|comes? (?:up|out) in|came up in|breaks? out|(?:makes?|made) (?:my|his|her)|gives? (?:him|her)|gave (?:him|her)|gave me|gives me|i (?:get|got|had|have|break out|broke out|came out)|makes me|made me|caused?|with)\b"
)


def _told_reactions(talk: Talk, allergy: Mention, inside: list[Mention]) -> None:
    """ "penicillin. it gave me a rash": the symptom told right after is the reaction."""
    for mention in inside:
        between = talk.text[allergy.end : mention.start] if mention.start >= allergy.end else ""
        if mention.dropped or mention.kind not in ("symptom", "condition"):
            continue
        listed = talk.sentences[mention.sentence].role is Speaker.NOTE and between in (", ", " (", ": ", " - ")
        if len(between) < 40 and (listed or _GAVE.search(between)):
            allergy.reactions.append(mention.concept)
            mention.dropped = "the reaction to an allergen"
