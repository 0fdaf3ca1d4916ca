"""Turns -> the facts a clinician would record, each with the words it rests on.

A talk is cleaned and cut into sentences (`talk`), names and sayings are found (`mentions`), each is weighed by the cues
of its sentence (`cues`, `assertion`), questions are settled by their answers (`dialogue`), numbers are read
(`measures`), doses and times are added (`details`), and what was said twice becomes one fact (`merging`).
"""

from __future__ import annotations

from collections.abc import Iterable

from fhirbridge.extract import (
    allergies,
    assertion,
    cues,
    details,
    dialogue,
    examination,
    measures,
    mentions,
    merging,
    sites,
    supposed,
)
from fhirbridge.extract.mentions import Mention, Vocabulary
from fhirbridge.extract.talk import Talk, talk_language, talks
from fhirbridge.languages import spoken
from fhirbridge.records import Fact, LeftOut, Speaker, Status, Transcript, Turn


def find(transcript: Transcript, lexicon: Vocabulary) -> tuple[tuple[Fact, ...], tuple[LeftOut, ...]]:
    """The facts of a transcript in the order of their evidence, and what could not be read."""
    heard: list[merging.Weighed] = []
    read: list[Fact] = []
    left_out = transcript.left_out
    for language, turns in _by_reader(transcript):
        reader = spoken.reader(language)
        if reader is not None:
            facts, more = reader(turns, lexicon, visit_date=transcript.visit_date)
            read, left_out = [*read, *facts], (*left_out, *more)
            continue
        for talk in talks(turns, language):
            heard += _facts(talk, lexicon, transcript)
    together = [*merging.merge(heard), *read]
    if read and heard:
        together.sort(key=lambda f: min(s.offset for s in f.evidence))
    return tuple(together), left_out


def _by_reader(transcript: Transcript) -> list[tuple[str, list[Turn]]]:
    """The turns of each language that has a reader of its own, and the others together."""
    own: dict[str, list[Turn]] = {}
    rest: list[Turn] = []
    for turn in transcript.turns:
        language = talk_language(turn.text, transcript.language)
        if spoken.reader(language) is not None:
            own.setdefault(language, []).append(turn)
        else:
            rest.append(turn)
    usual = transcript.language if spoken.reader(transcript.language) is None else "en"
    return [*sorted(own.items()), *([(usual, rest)] if rest else [])]


def _facts(talk: Talk, lexicon: Vocabulary, transcript: Transcript) -> Iterable[merging.Weighed]:
    found = mentions.find(talk, lexicon)
    heards = cues.find(talk)
    found = sites.place(talk, found, lexicon)
    for language in sorted({s.language for s in talk.sentences}):
        refine = getattr(spoken.rules(language), "refine", None)
        if refine is not None:
            found = refine(talk, found, lexicon)
    measured = measures.find(talk, found, heards)
    found = [m for m in found if not m.dropped]
    negated: set[int] = set()
    for mention in found:
        weigh(talk, mention, heards.get(mention.sentence, []), negated)
    supposed.drop(talk, found, heards)
    dialogue.answer(talk, found, negated)
    examination.mark(talk, found, heards)
    allergies.find(talk, found, lexicon)
    weighed = [merging.Weighed(fact, 1) for fact in measured]
    return [*weighed, *details.facts(talk, found, heards, transcript.visit_date, lexicon)]


def weigh(talk: Talk, mention: Mention, heards: list[cues.Heard], negated: set[int]) -> None:
    """Give a mention the status of its own sentence, or mark it as asked."""
    sentence = talk.sentences[mention.sentence]
    if mention.kind in ("condition", "symptom") and _names_other(talk, mention, sentence.language):
        mention.dropped = "the name of something else"
        return
    if _measured(talk, mention, sentence.language):
        mention.dropped = "measured, not taken"
        return
    if mention.kind in ("medication", "allergen") and _likened(talk, mention):
        mention.dropped = "only likened"
        return
    stand = assertion.standing(mention, heards, talk.text, sentence.language)
    asks = sentence.asks if sentence.asks != "open" or mention.open else ""
    if not asks and "asks" in stand and sentence.role is not Speaker.NOTE and sentence.asks != "open":
        asks = "yes-no" if stand.kinds.get("hypothetical") != "strong" and _asks_unmarked(talk, mention, heards) else ""
    if asks and sentence.role in (Speaker.PATIENT, Speaker.RELATIVE):
        mention.dropped = "the patient asks"
        return
    if mention.fixed and mention.status is Status.PLANNED:
        asks = ""
        pattern = getattr(spoken.rules(sentence.language), "asked_of", None)
        before = talk.text[max(sentence.start, mention.start - 24) : mention.start]
        if sentence.asks in ("yes-no", "open") or (pattern is not None and pattern.search(before)):
            mention.dropped = "asked about a plan"
            return
    if asks and _taken_for_granted(talk, mention, sentence.language):
        asks = ""
    elif asks and sentence.role is not Speaker.NOTE:
        mention.asked = True
        if "negated" in stand or stand.kinds.get("asks") == "negated":
            negated.add(id(mention))
        if "family" in stand:
            mention.relative = stand.kinds["family"]
        return
    if sentence.asks == "open" and sentence.role in (Speaker.PATIENT, Speaker.RELATIVE):
        mention.dropped = "the patient asks"
        return
    if "hypothetical" in stand and mention.kind in ("medication", "medication-class") and _advised(talk, mention):
        stand = assertion.Standing({"planned": ""})
    if sentence.role in (Speaker.PATIENT, Speaker.RELATIVE) and not mention.flip and _denied_after(talk, mention):
        stand.kinds["negated"] = ""
    assertion.settle(mention, stand)
    mention.weight = 2 if sentence.role in (Speaker.PATIENT, Speaker.RELATIVE) else 1


def _likened(talk: Talk, mention: Mention) -> bool:
    """ "swollen like a grapefruit"."""
    sentence = talk.sentences[mention.sentence]
    pattern = getattr(spoken.rules(sentence.language), "likened", None)
    start = max(sentence.start, mention.start - 24)
    return pattern is not None and pattern.search(talk.text, start, mention.start) is not None


def _denied_after(talk: Talk, mention: Mention) -> bool:
    """ "a cough, no"."""
    sentence = talk.sentences[mention.sentence]
    pattern = getattr(spoken.rules(sentence.language), "denied_after", None)
    return pattern is not None and pattern.match(talk.text, mention.end, sentence.end) is not None


def _asks_unmarked(talk: Talk, mention: Mention, heards: list[cues.Heard]) -> bool:
    """Whether words without a question mark ask: always where there are no marks, else only at the very beginning."""
    if not talk.punctuated:
        before = [
            h.cue.kind for h in heards if h.start < mention.start and h.cue.kind in ("asks", "negated", "planned")
        ]
        return not before or (before[-1] != "planned" and next(k for k in before if k != "planned") == "asks")
    start = talk.sentences[mention.sentence].start
    return any(h.cue.kind == "asks" and h.start - start < 12 and h.start < mention.start for h in heards)


def _advised(talk: Talk, mention: Mention) -> bool:
    """ "if it hurts, take some paracetamol": the medicine is advised, only the need for it is supposed."""
    sentence = talk.sentences[mention.sentence]
    rules = spoken.rules(sentence.language)
    advised, not_advised = getattr(rules, "advised", None), getattr(rules, "not_advised", None)
    if advised is None or not_advised is None or sentence.role is not Speaker.CLINICIAN:
        return False
    before = talk.text[max(sentence.start, mention.start - 60) : mention.start]
    return advised.search(before) is not None and not_advised.search(before) is None


def _taken_for_granted(talk: Talk, mention: Mention, language: str) -> bool:
    """ "is this headache getting worse?" asks about a headache that is there."""
    pattern = getattr(spoken.rules(language), "definite", None)
    sentence = talk.sentences[mention.sentence]
    if pattern is None or (mention.said and mention.kind not in ("symptom", "exam")):
        return False
    before = talk.text[max(sentence.start, mention.start - 24) : mention.start]
    taken = getattr(spoken.rules(language), "whether_taken", None)
    if mention.kind in ("medication", "medication-class") and taken is not None and taken.search(before):
        return False  # "are you still taking the lisinopril?" asks
    return pattern.search(before) is not None and not mention.open and not mention.flip


def _measured(talk: Talk, mention: Mention, language: str) -> bool:
    """ "a high testosterone", "your growth hormone was fine": a value, not a medicine."""
    rules = spoken.rules(language)
    if mention.kind != "medication" or mention.key not in getattr(rules, "measured_too", ()):
        return False
    before = talk.text[max(talk.sentences[mention.sentence].start, mention.start - 24) : mention.start]
    words = (getattr(rules, "measured_before", None), getattr(rules, "measured_after", None))
    if words[0] is None or words[1] is None:
        return False
    return words[0].search(before) is not None or words[1].match(talk.text, mention.end) is not None


def _names_other(talk: Talk, mention: Mention, language: str) -> bool:
    """ "a tia clinic", "the flu shot": nobody is said to have it."""
    pattern = getattr(spoken.rules(language), "names_other", None)
    return pattern is not None and pattern.match(talk.text, mention.end) is not None
