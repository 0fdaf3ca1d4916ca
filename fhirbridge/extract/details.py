"""Mentions that stand -> facts: which kind, since when, how bad, where, how much of a medicine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from fhirbridge.extract import habits, medicines, times
from fhirbridge.extract.cues import Heard
from fhirbridge.extract.mentions import Mention, Vocabulary
from fhirbridge.extract.merging import Weighed
from fhirbridge.extract.talk import Talk
from fhirbridge.languages import spoken
from fhirbridge.records import Body, Concept, Dosage, Fact, FactKind, Quantity, Speaker, Status

KINDS = {
    "condition": FactKind.CONDITION,
    "symptom": FactKind.SYMPTOM,
    "finding": FactKind.SYMPTOM,
    "medication": FactKind.MEDICATION,
    "medication-class": FactKind.MEDICATION,
    "procedure": FactKind.PROCEDURE,
    "therapy": FactKind.PROCEDURE,
    "social": FactKind.SOCIAL_HISTORY,
    "social-history": FactKind.SOCIAL_HISTORY,
    "allergy": FactKind.ALLERGY,
    "observation": FactKind.OBSERVATION,
    "laboratory": FactKind.LABORATORY,
    "exam": FactKind.EXAM,
    "survey": FactKind.SURVEY,
    "family-history": FactKind.FAMILY_HISTORY,
    "no-history": FactKind.CONDITION,
    "no-medicine": FactKind.MEDICATION,
    "no-allergy": FactKind.ALLERGY,
    "no-family": FactKind.FAMILY_HISTORY,
    "no-surgery": FactKind.PROCEDURE,
}
_ONLY_PLANNED = ("referral", "follow-up")  # names of procedures that are facts only as plans
_OBSERVED = (FactKind.EXAM, FactKind.SOCIAL_HISTORY, FactKind.OBSERVATION, FactKind.LABORATORY)
_PROBLEMS = (FactKind.CONDITION, FactKind.SYMPTOM)


def facts(
    talk: Talk,
    mentions: Sequence[Mention],
    heards: dict[int, list[Heard]],
    visit: date | None,
    lexicon: Vocabulary,
) -> list[Weighed]:
    """The facts of the mentions that were not dropped."""
    found = []
    medicines_at = [m for m in mentions if m.kind in ("medication", "medication-class")]
    _planning(talk, mentions, heards)
    for mention in mentions:
        if mention.dropped or mention.status is None or mention.kind not in KINDS:
            continue
        if mention.key.endswith(_ONLY_PLANNED) and mention.status is not Status.PLANNED:
            continue  # a specialist was only spoken of
        if mention.if_denied and mention.status is not Status.ABSENT:
            continue
        fact = _fact(talk, mention, medicines_at, visit)
        found.append(Weighed(fact, mention.weight, _told_past(talk, mention)))
    return found


def _told_past(talk: Talk, mention: Mention) -> bool:
    """Whether somebody tells of it as of something that was ("my ankles were swelling")."""
    sentence = talk.sentences[mention.sentence]
    pattern = getattr(spoken.rules(sentence.language), "past_tense", None)
    words = talk.text[max(sentence.start, mention.start - 30) : mention.end]
    return pattern is not None and not mention.answered and pattern.search(words) is not None


def _planning(talk: Talk, mentions: Sequence[Mention], heards: dict[int, list[Heard]]) -> None:
    """Plans are made in the second half of a visit, from the first words of a plan on."""
    half = len(talk.text) // 2
    starts = [
        h.start
        for number, inside in heards.items()
        for h in inside
        if h.cue.kind in ("exam-end", "planned") and h.start > half and talk.sentences[number].role is Speaker.CLINICIAN
    ]
    begin = min(starts, default=len(talk.text))
    for mention in mentions:
        mention.late = mention.start >= begin


def _fact(talk: Talk, mention: Mention, medicines_at: list[Mention], visit: date | None) -> Fact:
    sentence = talk.sentences[mention.sentence]
    kind = _kind(talk, mention)
    status = _status(talk, mention, kind, sentence.role)
    onset = times.onset(talk, mention, visit) if status is not Status.ABSENT else times.NOTHING
    evidence = tuple(talk.source(a, b) for a, b in ((mention.start, mention.end), *mention.more))
    fact = Fact(
        kind=kind,
        concept=mention.concept,
        status=status,
        evidence=evidence,
        value=_value(mention.value),
        onset=onset.date,
        onset_text=onset.words,
        duration=onset.duration,
        severity=_severity(talk, mention) if kind in _PROBLEMS and status is not Status.ABSENT else "",
        dosage=_dosage(talk, mention, medicines_at) if kind is FactKind.MEDICATION else None,
        body=_body(mention),
        relative=mention.relative if kind is FactKind.FAMILY_HISTORY else "",
        reaction=tuple(dict.fromkeys(mention.reactions)),
        note="stopped" if kind is FactKind.MEDICATION and mention.stopped else "",
    )
    if kind is FactKind.SOCIAL_HISTORY and not isinstance(fact.value, Quantity):
        return _with_value(fact, mention.value, sentence.language)
    return fact


def _with_value(fact: Fact, words: str, language: str) -> Fact:
    return replace(fact, value=habits.value(fact, words, language))


def _kind(talk: Talk, mention: Mention) -> FactKind:
    kind = KINDS[mention.kind]
    if mention.relative and kind in (*_PROBLEMS, FactKind.PROCEDURE):
        return FactKind.FAMILY_HISTORY
    if mention.kind == "no-family":
        return FactKind.FAMILY_HISTORY
    if mention.examined and kind in _PROBLEMS:
        return FactKind.EXAM
    return kind


def _status(talk: Talk, mention: Mention, kind: FactKind, role: Speaker) -> Status:
    status = mention.status or Status.PRESENT
    if mention.recounted and mention.late and status is Status.PRESENT and kind is FactKind.MEDICATION:
        return status
    if kind is FactKind.PROCEDURE:
        return _procedure_status(talk, mention, status, role)
    if kind is FactKind.MEDICATION:
        return _medicine_status(mention, status, role)
    if kind in _PROBLEMS and status is Status.PLANNED:
        return Status.PRESENT
    if kind in (FactKind.EXAM, FactKind.SOCIAL_HISTORY, FactKind.OBSERVATION, FactKind.LABORATORY) and status in (
        Status.PLANNED,
        Status.POSSIBLE,
    ):
        return Status.PRESENT
    if kind is FactKind.EXAM and mention.examined and status is Status.PAST:
        return Status.PRESENT  # "a murmur, you had that in the past" is heard now
    if kind is FactKind.CONDITION and mention.history and status is Status.PAST and not _passes(talk, mention):
        return Status.PRESENT
    if kind in _PROBLEMS and status is Status.PRESENT and _passes(talk, mention) and _long_ago(talk, mention):
        return Status.PAST
    if kind is FactKind.SYMPTOM and status is Status.POSSIBLE and role is not Speaker.CLINICIAN:
        return Status.PRESENT
    return status


def _procedure_status(talk: Talk, mention: Mention, status: Status, role: Speaker) -> Status:
    """Done, unless a clinician speaks of it while planning and in no words of the past."""
    if status in (Status.PLANNED, Status.PRESENT) and _shown(talk, mention):
        return Status.PAST
    if status not in (Status.PRESENT, Status.POSSIBLE) or mention.fixed:
        return status
    if role is not Speaker.CLINICIAN or mention.answered:
        return Status.PAST
    done = getattr(spoken.rules(talk.sentences[mention.sentence].language), "done", None)
    owned = getattr(spoken.rules(talk.sentences[mention.sentence].language), "owned", None)
    if (
        owned is not None
        and status is Status.PRESENT
        and owned.search(talk.text, max(0, mention.start - 20), mention.start)
    ):
        return Status.PAST
    around = talk.text[max(talk.sentences[mention.sentence].start, mention.start - 60) : mention.end + 45]
    if status is Status.POSSIBLE or (mention.late and not (done and done.search(around))):
        return Status.PLANNED
    return Status.PAST


def _shown(talk: Talk, mention: Mention) -> bool:
    """ "show me the labs", "the results of your x-ray": it was done."""
    shown = getattr(spoken.rules(talk.sentences[mention.sentence].language), "shown", None)
    before = talk.text[max(talk.sentences[mention.sentence].start, mention.start - 32) : mention.start]
    return shown is not None and shown.search(before) is not None


def _medicine_status(mention: Mention, status: Status, role: Speaker) -> Status:
    if role in (Speaker.PATIENT, Speaker.RELATIVE):
        return Status.PRESENT if status in (Status.PLANNED, Status.POSSIBLE) else status
    if status is Status.POSSIBLE:
        return Status.PLANNED
    if status is Status.PRESENT and role is Speaker.CLINICIAN and mention.late:
        return Status.PRESENT if mention.continued or mention.answered else Status.PLANNED
    return status


_AMOUNT = re.compile(r"(\d+(?:\.\d+)?) (%|\{[^{} ]+\})")


def _value(words: str) -> Quantity | str | None:
    amount = _AMOUNT.fullmatch(words)
    return Quantity(Decimal(amount[1]), amount[2].strip("{}"), amount[2]) if amount else words or None


def _body(mention: Mention) -> Body | None:
    if mention.body is not None or not mention.side:
        return mention.body
    return Body(Concept(f"{mention.side} side" if mention.side != "bilateral" else "both sides"), mention.side)


def _passes(talk: Talk, mention: Mention) -> bool:
    """Whether a history of it means that it is over: a chronic disease with a history is still there."""
    pattern = getattr(spoken.rules(talk.sentences[mention.sentence].language), "passing", None)
    return pattern is not None and pattern.search(mention.key) is not None


def _long_ago(talk: Talk, mention: Mention) -> bool:
    """Whether it is told as of another time: by a date after it, or in the answer to a question of what was before."""
    sentence = talk.sentences[mention.sentence]
    rules = spoken.rules(sentence.language)
    after, before = getattr(rules, "long_ago", None), getattr(rules, "asks_before", None)
    if after is None or before is None:
        return False
    asked = mention.answered and before.search(talk.words(sentence)) is not None
    return asked or after.match(talk.text, mention.end, sentence.end) is not None


def _severity(talk: Talk, mention: Mention) -> str:
    sentence = talk.sentences[mention.sentence]
    words = talk.text[max(sentence.start, mention.start - 28) : mention.end]
    for name, pattern in getattr(spoken.rules(sentence.language), "severity", ()):
        if pattern.search(words):
            return str(name)
    return ""


def _dosage(talk: Talk, mention: Mention, medicines_at: list[Mention]) -> Dosage | None:
    following = min((m.start for m in medicines_at if m.start > mention.start), default=len(talk.text))
    before = max((m.end for m in medicines_at if m.end <= mention.start), default=0)
    return medicines.dosage(talk, mention, following, before)
