"""Questions that no chart can answer differently, so that one of them is judged for all.

A key holds all that the judge of its kind reads for the answer; what only its sentence needs is left out.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fhirbridge.eligibility import cancer_facts, judge_disease, judge_measure, judge_person, serology
from fhirbridge.eligibility.questions import Question
from fhirbridge.eligibility.therapies import kinds_asked
from fhirbridge.records import LeafKind

__all__ = ["alike", "key_of"]

_PERSON = frozenset((LeafKind.PREGNANCY, LeafKind.LACTATION, LeafKind.CHILDBEARING, LeafKind.HEALTHY))
_DISEASES = frozenset((LeafKind.DIAGNOSIS, LeafKind.SYMPTOM, LeafKind.INFECTION, LeafKind.IMAGING))
_VALUES = frozenset((LeafKind.LABORATORY, LeafKind.VITAL_SIGN, LeafKind.SCORE, LeafKind.BODY_MEASURE))


def alike(questions: Sequence[Question]) -> NDArray[np.int32]:
    """For every question the number of the first one that has the same key."""
    first: dict[Hashable, int] = {}
    return np.array([first.setdefault(key_of(q), n) for n, q in enumerate(questions)], dtype=np.int32)


def key_of(question: Question) -> Hashable:
    """What decides the answer to a question."""
    kind = question.kind
    silence = kind, question.required, question.index, question.known
    if question.other:
        return question
    if kind in _PERSON:
        return kind
    if kind is LeafKind.TRIAL_PARTICIPATION:
        return silence, question.window
    if kind is LeafKind.ALCOHOL:
        return silence
    if kind is LeafKind.SMOKING and not question.measure:
        return silence, judge_person.smoking_asked(question)
    if kind is LeafKind.ORGAN_FUNCTION:
        return kind, judge_measure.organs_asked(question)
    if kind is LeafKind.STAGE:
        return silence, question.values or tuple(question.name.split())
    if kind is LeafKind.METASTASIS:
        sites = cancer_facts.site_of(" ".join((question.name, *question.values)))
        return silence, frozenset(sites), frozenset(question.qualifiers)
    if kind in _DISEASES:
        return silence, judge_disease.read_of(question), serology.agent_of(question)
    if kind in _VALUES:
        return replace(question, name="", words="", keys=() if question.measure else question.keys)
    if kind is LeafKind.LINE:
        kinds = kinds_asked(" ".join((question.name, *question.values)))
        return replace(question, name="", values=kinds, words="")
    return question
