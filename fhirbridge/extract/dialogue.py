"""A question and its answer are one fact.

What a clinician asks becomes a fact only by what comes back: yes or no, an answer that names some of what was asked
(the rest is denied by omission), an echo, or nothing (then there is no fact).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from fhirbridge.extract.mentions import Mention
from fhirbridge.extract.talk import Talk
from fhirbridge.languages import spoken
from fhirbridge.languages.spoken import Reply
from fhirbridge.records import Speaker, Status

_ANSWERERS = (Speaker.PATIENT, Speaker.RELATIVE, Speaker.UNKNOWN)
_SURE = 3
_TAKEN = ("medication", "medication-class")
_NO = re.compile(r"[ ,.?]*(?:at all|or anything(?: like that)?)?[ ,.?]*no\b(?! (?:more|longer|other))")
_WORD = re.compile(r"[a-z]{4,}")
_SHORT = 25  # characters: "OK." and "Right, OK." do not end an answer


def answer(talk: Talk, mentions: Sequence[Mention], negated: set[int]) -> None:
    """Settle every asked mention by its answer; `negated` holds the ids of those that the question itself denies."""
    by_turn: dict[int, list[Mention]] = {}
    for mention in mentions:
        by_turn.setdefault(talk.sentences[mention.sentence].turn, []).append(mention)
    for turn, inside in by_turn.items():
        asked = [m for m in inside if m.asked and not m.dropped]
        _still_taken(talk, turn, inside)
        if asked:
            _settle(talk, turn, asked, by_turn, negated)


def _still_taken(talk: Talk, turn: int, inside: list[Mention]) -> None:
    """ "We have you on prozac. Are you taking that?" - "I weaned myself off": the medicine named last is over."""
    sentences = talk.by_turn[turn]
    pattern = (
        getattr(spoken.rules(talk.sentences[sentences[0]].language), "taking_it", None) if len(sentences) else None
    )
    if pattern is None or talk.turns[turn].speaker is not Speaker.CLINICIAN:
        return
    asked = pattern.search(talk.text, talk.sentences[sentences[0]].start, talk.sentences[sentences[-1]].end)
    named = [m for m in inside if asked is not None and m.kind in _TAKEN and m.end <= asked.start() and not m.dropped]
    places = _answer_turns(talk, turn)
    if named and places and not named[-1].asked and _left_off(talk, named[-1], places[0]):
        named[-1].status, named[-1].stopped, named[-1].weight = Status.PAST, True, _SURE


def _settle(talk: Talk, turn: int, asked: list[Mention], by_turn: dict[int, list[Mention]], negated: set[int]) -> None:
    asked = _self_answered(talk, asked, negated)
    places = _answer_turns(talk, turn)
    if not asked or not places:
        said = _echoed_alone(talk, turn)
        for mention in asked:
            if said is not None and not mention.open:
                _write(mention, "no", said, negated)
            elif id(mention) in negated and not talk.sentences[mention.sentence].asks:
                mention.status, mention.weight = Status.ABSENT, 1  # "you don't have any fever" was a statement
            else:
                mention.dropped = mention.dropped or "asked and not answered"
        return
    question = talk.words(talk.sentences[asked[-1].sentence])
    keys = {m.key for m in asked}
    best: tuple[int, Reply] | None = None
    for place in places:
        inside = talk.by_turn[place]
        words = talk.text[talk.sentences[inside[0]].start : talk.sentences[inside[-1]].end]
        reply = spoken.rules(talk.sentences[inside[0]].language).reply(words, question)
        named = keys & {m.key for m in by_turn.get(place, []) if not m.dropped and not m.asked}
        if best is None or (not best[1].polarity and (reply.polarity or named)):
            best = (place, reply)
        if reply.polarity in ("yes", "no") or named:
            break
    if best is None:
        return
    place, reply = best
    if not reply.polarity:
        reply = _echo(talk, place, reply)
    named_there = [m for p in places for m in by_turn.get(p, []) if not m.dropped and not m.asked]
    _apply(talk, asked, named_there, reply, place, negated)


def _echoed_alone(talk: Talk, turn: int) -> tuple[int, int] | None:
    """Where the asker's next turn repeats a "no" that was not recorded."""
    for place in range(turn + 1, min(turn + 3, len(talk.turns))):
        inside = talk.by_turn[place]
        if not len(inside):
            continue
        first = talk.sentences[inside[0]]
        words = talk.words(first).strip()
        same = talk.turns[place].speaker is talk.turns[turn].speaker
        if same and not first.asks and spoken.rules(first.language).reply(words, "").polarity == "no":
            return first.start, first.start + len(words)
        return None
    return None


def _self_answered(talk: Talk, asked: list[Mention], negated: set[int]) -> list[Mention]:
    """ "Any discharge? No, okay. Any fever?": the clinician repeats an answer that was not recorded."""
    left = []
    for mention in asked:
        if _NO.match(talk.text, mention.end) and not mention.open:
            _write(mention, "no", (mention.start, mention.end), negated)
            continue
        following = mention.sentence + 1
        turn = talk.sentences[mention.sentence].turn
        sentence = talk.sentences[following] if following in talk.by_turn[turn] else None
        if sentence is None or sentence.asks or mention.open:
            left.append(mention)
            continue
        words = talk.words(sentence).strip()
        reply = spoken.rules(sentence.language).reply(words, "")
        if reply.polarity == "no" and len(words) < 30 and following != talk.by_turn[turn][-1]:
            _write(mention, "no", (sentence.start, sentence.start + len(words)), negated)
        else:
            left.append(mention)
    return left


def _answer_turns(talk: Talk, turn: int) -> list[int]:
    """The turns that answer a turn's last question: the other speaker's, until the asker asks again."""
    asker = talk.turns[turn].speaker
    places: list[int] = []
    if asker is Speaker.NOTE:
        return places
    for place in range(turn + 1, min(turn + 6, len(talk.turns))):
        speaker = talk.turns[place].speaker
        if speaker is not asker and (speaker in _ANSWERERS or asker is Speaker.UNKNOWN):
            if len(talk.by_turn[place]):
                places.append(place)
        elif any(talk.sentences[s].asks for s in talk.by_turn[place]) or (
            places and len(talk.turns[place].text) > _SHORT
        ):
            break
    return places[:3]


def _echo(talk: Talk, place: int, reply: Reply) -> Reply:
    """The clinician's "no? okay" after an answer that could not be read."""
    if place + 1 >= len(talk.turns) or talk.turns[place + 1].speaker is not Speaker.CLINICIAN:
        return reply
    inside = talk.by_turn[place + 1]
    if not len(inside):
        return reply
    first = talk.sentences[inside[0]]
    said = spoken.rules(first.language).reply(talk.words(first), "")
    return reply._replace(polarity="no") if said.polarity == "no" else reply


def _apply(talk: Talk, asked: list[Mention], named: list[Mention], reply: Reply, place: int, negated: set[int]) -> None:
    keys = {m.key for m in named}
    evidence = _evidence(talk, place)
    for mention in [m for m in asked if m.open]:
        if mention.key in keys:
            mention.dropped = "told in the answer"
            _credit(mention, named)
        else:
            _open(talk, mention, place, reply, evidence)
    asked = [m for m in asked if not m.open]
    about = [m for m in asked if m.key not in keys]
    for mention in asked:
        if mention.key in keys:
            mention.dropped = "said again in the answer"
            _credit(mention, named)
    polarity = reply.polarity
    if named and keys & {m.key for m in asked}:
        # some of what was asked is named: what is not named is denied by omission, unless both are affirmed
        affirmed = any(m.status in (Status.PRESENT, Status.PAST) for m in named if m.key in {a.key for a in asked})
        polarity = "no" if affirmed or polarity != "yes" else polarity
    if reply.rest == "no" and polarity == "yes" and len({m.key for m in about}) > 1:
        # "there was a little blood, but besides that, no": what shares a word with the answer is what was there
        said = set(_WORD.findall(talk.text[evidence[0] : evidence[1]]))
        shared = [m for m in about if said & set(_WORD.findall(talk.text[m.start : m.end]))]
        for mention in about if shared else ():
            _write(mention, "yes" if mention in shared else "no", evidence, negated)
        if shared:
            return
    if reply.which in ("first", "last") and len(about) > 1:
        chosen = about[0] if reply.which == "first" else about[-1]
        for mention in about:
            _write(mention, "yes" if mention is chosen else "no", evidence, negated)
        return
    last = max((m.sentence for m in about if not m.flip), default=-1)
    for mention in about:
        if mention.flip and mention.sentence < last and polarity == "no" and not named:
            mention.dropped = "the answer is to what was asked after it"  # "eating okay? any nausea?" - "none of that"
            continue
        qualified = getattr(spoken.rules(talk.sentences[mention.sentence].language), "qualified", None)
        mention.qualified = qualified is not None and qualified.search(_around(talk, mention)) is not None
        if not polarity and mention.kind == "social-history" and evidence[1] - evidence[0] > 12:
            _told(talk, mention, evidence)
        elif mention.kind == "social-history" and polarity == "no" and _given_up(talk, evidence):
            mention.status, mention.value, mention.answered, mention.weight = Status.PAST, "", True, _SURE
            mention.more.append(evidence)
        elif mention.kind in _TAKEN and _left_off(talk, mention, place):
            mention.status, mention.stopped, mention.answered, mention.weight = Status.PAST, True, True, _SURE
            mention.more.append(evidence)
        elif not polarity and id(mention) in negated and talk.sentences[mention.sentence].asks in ("", "tag"):
            mention.status, mention.weight = (
                Status.ABSENT,
                1,
            )  # "you've not had any fever": stated, and not contradicted
        else:
            _write(mention, polarity, evidence, negated)


def _left_off(talk: Talk, mention: Mention, place: int) -> bool:
    """ "Are you still taking it?" - "I've weaned myself off"."""
    pattern = getattr(spoken.rules(talk.sentences[mention.sentence].language), "left_off", None)
    inside = talk.by_turn[place]
    words = talk.text[talk.sentences[inside[0]].start : talk.sentences[inside[-1]].end][:160]
    return pattern is not None and pattern.search(words) is not None


def _given_up(talk: Talk, evidence: tuple[int, int]) -> bool:
    """ "Do you smoke?" - "not for six years"."""
    language = talk.sentences[talk.sentence_at(evidence[0])].language
    pattern = getattr(spoken.rules(language), "given_up", None)
    return pattern is not None and pattern.match(talk.text, *evidence) is not None


def _credit(asked: Mention, named: list[Mention]) -> None:
    """The question is evidence too of what its answer names."""
    for mention in named:
        if mention.key == asked.key:
            mention.more.append((asked.start, asked.end))
            mention.weight = _SURE


def _open(talk: Talk, mention: Mention, place: int, reply: Reply, evidence: tuple[int, int]) -> None:
    """The answer to an open question is its value."""
    value = talk.text[evidence[0] : evidence[1]].strip(" .,;")
    if reply.polarity in ("unsure", "no") or not value or len(value) > 120:
        mention.dropped = "the answer does not tell"
        return
    mention.status, mention.value, mention.fixed = Status.PRESENT, value, True
    mention.answered, mention.weight = True, _SURE
    mention.more.append(evidence)


def _told(talk: Talk, mention: Mention, evidence: tuple[int, int]) -> None:
    """ "Do you drink?" - "a few at the weekend": the words of the answer are the value."""
    mention.status, mention.value = Status.PRESENT, talk.text[evidence[0] : evidence[1]].strip(" .,;")[:80]
    mention.answered, mention.weight = True, _SURE
    mention.more.append(evidence)


def _write(mention: Mention, polarity: str, evidence: tuple[int, int], negated: set[int]) -> None:
    if polarity == "maybe" and id(mention) not in negated and not mention.flip and not mention.fixed:
        mention.status, mention.answered, mention.weight = Status.POSSIBLE, True, 1
        mention.more.append(evidence)
        return
    if polarity not in ("yes", "no"):
        mention.dropped = "the answer does not tell"
        return
    denied = id(mention) in negated
    present = polarity == "yes" and not denied
    if mention.flip:
        present = not present
    if not mention.fixed or not present:
        mention.status = Status.PRESENT if present else Status.ABSENT
    # "dry skin anywhere else?" - "no" says little of the dry skin that was shown
    mention.answered, mention.weight = True, 1 if mention.qualified and not present else _SURE
    mention.more.append(evidence)


def _around(talk: Talk, mention: Mention) -> str:
    sentence = talk.sentences[mention.sentence]
    return talk.text[max(sentence.start, mention.start - 30) : min(sentence.end, mention.end + 40)]


def _evidence(talk: Talk, place: int) -> tuple[int, int]:
    inside = talk.by_turn[place]
    first = talk.sentences[inside[0]]
    return first.start, first.start + len(talk.text[first.start : first.end].rstrip())
