"""Mentions that stand -> facts: which kind, since when, how bad, where, how much of a medicine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from fhirbridge.extract.cues import Heard
from fhirbridge.extract.mentions import Mention, Vocabulary
from fhirbridge.extract.talk import Talk
from fhirbridge.records import Fact, FactKind, Speaker, Status

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
    "exam": FactKind.EXAM,
    "survey": FactKind.SURVEY,
    "family-history": FactKind.FAMILY_HISTORY,
    "no-history": FactKind.CONDITION,
    "no-medicine": FactKind.MEDICATION,
    "no-allergy": FactKind.ALLERGY,
    "no-family": FactKind.FAMILY_HISTORY,
    "no-surgery": FactKind.PROCEDURE,
}


def facts(
    talk: Talk,
    mentions: Sequence[Mention],
    heards: dict[int, list[Heard]],
    visit: date | None,
    lexicon: Vocabulary,
) -> list[Fact]:
    """The facts of the mentions that were not dropped."""
    found = []
    for mention in mentions:
        if mention.dropped or mention.status is None or mention.kind not in KINDS:
            continue
        if mention.if_denied and mention.status is not Status.ABSENT:
            continue
        found.append(_fact(talk, mention))
    return found


def _fact(talk: Talk, mention: Mention) -> Fact:
    kind = KINDS[mention.kind]
    status = mention.status or Status.PRESENT
    if mention.relative and kind in (FactKind.CONDITION, FactKind.SYMPTOM):
        kind = FactKind.FAMILY_HISTORY
    if kind is FactKind.PROCEDURE and status is Status.PRESENT:
        status = Status.PAST
    sentence = talk.sentences[mention.sentence]
    if kind is FactKind.MEDICATION and status is Status.PLANNED and sentence.role is not Speaker.CLINICIAN:
        status = Status.PRESENT
    if kind in (FactKind.CONDITION, FactKind.SYMPTOM) and status is Status.PLANNED:
        status = Status.PRESENT
    evidence = tuple(talk.source(a, b) for a, b in ((mention.start, mention.end), *mention.more))
    return Fact(
        kind=kind,
        concept=mention.concept,
        status=status,
        evidence=evidence,
        value=mention.value or None,
        relative=mention.relative,
        reaction=tuple(dict.fromkeys(mention.reactions)),
    )
