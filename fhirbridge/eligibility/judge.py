"""One question, or a criterion's tree of questions, judged for one chart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fhirbridge.eligibility import judge_cancer, judge_disease, judge_measure, judge_person, judge_therapy
from fhirbridge.eligibility.chart import Chart
from fhirbridge.eligibility.judgement import Judgement, all_of, any_of, at_least, negated, unknown
from fhirbridge.eligibility.questions import Question
from fhirbridge.records import LeafKind, Truth

__all__ = ["AskAll", "AskAny", "AskAtLeast", "AskIf", "AskNot", "Asked", "judge", "judge_tree"]


@dataclass(frozen=True, slots=True)
class AskAll:
    """Every part holds."""

    parts: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class AskAny:
    """At least one part holds."""

    parts: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class AskNot:
    """The part does not hold."""

    part: Asked


@dataclass(frozen=True, slots=True)
class AskAtLeast:
    """At least `count` parts hold."""

    count: int
    parts: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class AskIf:
    """`then` is asked only when `condition` holds; else the criterion counts as `otherwise`."""

    condition: Asked
    then: Asked
    otherwise: Truth


Asked = Question | AskAll | AskAny | AskNot | AskAtLeast | AskIf


def _organ_function(question: Question, chart: Chart) -> Judgement:
    return judge_measure.organ_function(question, chart)


def _administrative(question: Question, chart: Chart) -> Judgement:
    if chart.policy.assumes(question.kind):
        truth = Truth.MET if question.required else Truth.NOT_MET  # no violation either way
        return Judgement(truth, "administrative: settled with the patient at the visit, does not decide", silent=True)
    return unknown("the visit", "administrative: settled with the patient at the visit")


def _text(question: Question, chart: Chart) -> Judgement:
    return unknown("", "not understood; to be read by a person")  # the policy for text is applied where words are shown


_JUDGES: dict[LeafKind, Callable[[Question, Chart], Judgement]] = {
    LeafKind.AGE: judge_person.age,
    LeafKind.SEX: judge_person.sex,
    LeafKind.HEALTHY: judge_person.healthy,
    LeafKind.DIAGNOSIS: judge_disease.disease,
    LeafKind.SYMPTOM: judge_disease.disease,
    LeafKind.INFECTION: judge_disease.infection,
    LeafKind.ALLERGY: judge_disease.allergy,
    LeafKind.STAGE: judge_cancer.stage_asked,
    LeafKind.HISTOLOGY: judge_cancer.histology,
    LeafKind.GRADE: judge_cancer.grade,
    LeafKind.BIOMARKER: judge_cancer.biomarker,
    LeafKind.METASTASIS: judge_cancer.metastasis,
    LeafKind.MEASURABLE_DISEASE: judge_cancer.measurable,
    LeafKind.MEDICATION: judge_therapy.medication,
    LeafKind.THERAPY: judge_therapy.therapy,
    LeafKind.LINE: judge_therapy.line,
    LeafKind.PROCEDURE: judge_therapy.procedure,
    LeafKind.IMAGING: judge_therapy.imaging,
    LeafKind.TRIAL_PARTICIPATION: judge_therapy.trial,
    LeafKind.LABORATORY: judge_measure.value,
    LeafKind.VITAL_SIGN: judge_measure.value,
    LeafKind.SCORE: judge_measure.value,
    LeafKind.BODY_MEASURE: judge_measure.value,
    LeafKind.ORGAN_FUNCTION: _organ_function,
    LeafKind.PREGNANCY: judge_person.pregnancy,
    LeafKind.LACTATION: judge_person.lactation,
    LeafKind.CHILDBEARING: judge_person.childbearing,
    LeafKind.SMOKING: judge_person.smoking,
    LeafKind.ALCOHOL: judge_person.alcohol,
    LeafKind.ADMINISTRATIVE: _administrative,
    LeafKind.TEXT: _text,
}


def judge(question: Question, chart: Chart) -> Judgement:
    """The judgement of one question."""
    return _JUDGES[question.kind](question, chart)


def judge_tree(asked: Asked, chart: Chart) -> Judgement:
    """The judgement of a tree."""
    match asked:
        case Question():
            return judge(asked, chart)
        case AskNot(part):
            return negated(judge_tree(part, chart))
        case AskAll(parts):
            return all_of(_each(parts, chart))
        case AskAny(parts):
            return any_of(_each(parts, chart))
        case AskAtLeast(count, parts):
            return at_least(count, _each(parts, chart))
        case AskIf(condition, then, otherwise):
            return _conditional(judge_tree(condition, chart), then, otherwise, chart)


def _each(parts: Sequence[Asked], chart: Chart) -> list[Judgement]:
    return [judge_tree(part, chart) for part in parts]


def _conditional(condition: Judgement, then: Asked, otherwise: Truth, chart: Chart) -> Judgement:
    if condition.truth is Truth.NOT_MET:
        reason = condition.reason
        text = "{0}" if reason.startswith("does not apply") else "does not apply: {0}"
        return Judgement(otherwise, text, (reason,), condition.evidence, silent=condition.silent)
    answer = judge_tree(then, chart)
    if condition.truth is Truth.MET or answer.truth is otherwise:
        return answer
    return unknown(condition.need or answer.need, "{0}; {1}", condition.reason, answer.reason)
