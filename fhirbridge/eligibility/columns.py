"""All criteria of all trials for one patient, column-wise: touched questions judged, the rest at their silent value.

A question can only differ from what an empty chart answers when the chart holds one of its features (a key, a measured
value, a tested gene, a kind of therapy). Only such questions are judged; numpy joins the nodes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhirbridge.eligibility import cancer_facts
from fhirbridge.eligibility.ages import Ages
from fhirbridge.eligibility.alike import alike
from fhirbridge.eligibility.chart import Chart
from fhirbridge.eligibility.compiled import CompiledStudies
from fhirbridge.eligibility.judge import AskAll, AskAny, AskAtLeast, Asked, AskIf, AskNot, judge
from fhirbridge.eligibility.layers import Trees
from fhirbridge.eligibility.malignancies import Malignancies
from fhirbridge.eligibility.policy import Policy
from fhirbridge.eligibility.questions import Question
from fhirbridge.eligibility.recorded import Recorded
from fhirbridge.eligibility.refutations import measures_for
from fhirbridge.eligibility.results import Results
from fhirbridge.eligibility.therapies import kinds_asked, kinds_of
from fhirbridge.records import ItemKind, LeafKind, Patient, Truth

__all__ = ["Columns", "columns", "features_of", "tree_of", "watched_by"]

Values = NDArray[np.int8]
_VALUE = {Truth.NOT_MET: 0, Truth.UNKNOWN: 1, Truth.MET: 2}
_TUMOUR = frozenset(
    (LeafKind.STAGE, LeafKind.GRADE, LeafKind.HISTOLOGY, LeafKind.METASTASIS, LeafKind.MEASURABLE_DISEASE)
)
_PERSON = frozenset(
    (LeafKind.AGE, LeafKind.SEX, LeafKind.PREGNANCY, LeafKind.LACTATION, LeafKind.CHILDBEARING, LeafKind.HEALTHY)
) | {
    LeafKind.SMOKING,
    LeafKind.ALCOHOL,
    LeafKind.MEASURABLE_DISEASE,
    LeafKind.STAGE,
    LeafKind.GRADE,
    LeafKind.HISTOLOGY,
}
_PERSON |= {LeafKind.METASTASIS, LeafKind.TRIAL_PARTICIPATION, LeafKind.ORGAN_FUNCTION}
_TREATMENT = frozenset((LeafKind.MEDICATION, LeafKind.THERAPY, LeafKind.LINE, LeafKind.PROCEDURE))
_DERIVED = {"crcl": ("creatinine",), "egfr": ("creatinine",), "bmi": ("weight", "height"), "ecog": ("kps",)}
_DERIVED |= {"kps": ("ecog",), "glucose": ("fasting_glucose",), "transaminases": ("alt", "ast")}
_DISEASES = frozenset((LeafKind.DIAGNOSIS, LeafKind.SYMPTOM, LeafKind.INFECTION))
NEVER = frozenset((LeafKind.TEXT, LeafKind.ADMINISTRATIVE))


@dataclass(frozen=True, slots=True)
class Columns:
    """One patient's answers: a value (0 not met, 1 unknown, 2 met) for every node of the trees."""

    chart: Chart
    nodes: Values


def watched_by(question: Question) -> tuple[str, ...]:
    """The features of a chart that can change the answer to a question."""
    kind = question.kind
    if kind in NEVER:
        return ()
    if Ages.takes(question):
        return ()
    if kind in _TUMOUR:
        return ("tumour",)
    if kind in _PERSON:
        return ("person",)
    watched = list(question.keys)
    if kind is LeafKind.ALLERGY:
        return ("allergies",)
    if kind in _TREATMENT:
        watched += [f"therapy:{k}" for k in kinds_asked(" ".join((question.name, *question.values)))]
        watched.append("outside")
        if kind is LeafKind.LINE:
            watched += ["therapy:systemic"]
    if kind is LeafKind.BIOMARKER:
        asked = " ".join((question.name, *question.values))
        genes = [g for g, mark in cancer_facts.GENES.items() if mark.search(asked)]
        watched += [f"gene:{g}" for g in (genes or cancer_facts.GENES)]
        if "HR" in genes:
            watched += ["gene:ER", "gene:PR"]
        if "NTRK" in genes:
            watched += ["gene:NTRK1", "gene:NTRK2", "gene:NTRK3"]
        watched += ["measure:pdl1"] if not question.measure else []
    if question.measure:
        watched += [f"measure:{m}" for m in (question.measure, *_DERIVED.get(question.measure, ()))]
    if question.other or (kind in _DISEASES and cancer_facts.is_cancer_question(question)):
        watched.append("cancer")
    watched += [f"measure:{m}" for m in measures_for(question)] if kind in _DISEASES else []
    if kind is LeafKind.INFECTION or question.measure in ("hcv_rna", "hbv_dna", "hiv_rna"):
        watched.append("infection tests")
    return tuple(dict.fromkeys(watched))


def features_of(chart: Chart) -> set[str]:
    """The features that a chart has."""
    from fhirbridge.eligibility.judge_therapy import outside
    from fhirbridge.eligibility.serology import is_infection_test

    found: set[str] = {"person", *chart.by_key}
    found |= {f"measure:{key}" for key in chart.measured}
    found |= {f"gene:{gene}" for gene in cancer_facts.findings(chart)}
    for item in chart.items:
        if item.kind in (ItemKind.MEDICATION, ItemKind.PROCEDURE, ItemKind.IMMUNIZATION):
            found |= {f"therapy:{kind}" for kind in kinds_of(item)}
        if item.kind is ItemKind.ALLERGY:
            found.add("allergies")
        if is_infection_test(item):
            found.add("infection tests")
    if outside(chart) is not None:
        found.add("outside")
    tumour = cancer_facts.stage(chart)
    if cancer_facts.primaries(chart) or cancer_facts.sites(chart) or tumour != cancer_facts.Stage() or _graded(chart):
        found.add("tumour")
    if cancer_facts.primaries(chart) or any(i.status == "absent" for i in chart.items):
        found.add("cancer")
    return found


def _graded(chart: Chart) -> bool:
    return any(i.kind is ItemKind.OBSERVATION and _TUMOUR_WORDS.search(i.concept.name) for i in chart.items)


_TUMOUR_WORDS = re.compile(r"grade|gleason|分级|measurable|可测量|recist|lesion|病灶", re.IGNORECASE)


class _Index:
    """Which questions watch which feature, and what each answers for an empty chart."""

    def __init__(self, compiled: CompiledStudies) -> None:
        makers = (Ages, Recorded, Results, Malignancies)
        self.at_once = [maker(compiled.questions) for maker in makers]
        watched: dict[str, list[int]] = defaultdict(list)
        for number, question in enumerate(compiled.questions):
            if not any(maker.takes(question) for maker in makers):
                for feature in watched_by(question):
                    watched[feature].append(number)
        self.watched = {feature: np.array(numbers, dtype=np.int32) for feature, numbers in watched.items()}
        self.alike = alike(compiled.questions)
        self.trees = Trees(compiled)
        self.base: dict[tuple[Any, ...], tuple[Values, Values]] = {}

    def silent(self, compiled: CompiledStudies, policy: Policy, narrative: bool) -> tuple[Values, Values]:
        """The answers for an empty chart under a policy, and the values of all nodes."""
        key = (policy, narrative)
        if key not in self.base:
            empty = Chart(Patient("", narrative=narrative), date(2000, 1, 1), policy)
            answers = np.zeros(len(compiled.questions), dtype=np.int8)
            for number in np.unique(self.alike).tolist():
                answers[number] = _VALUE[judge(compiled.questions[number], empty).truth]
            answers = answers[self.alike]
            self.base[key] = answers, self.trees.all_nodes(answers)
        return self.base[key]


def index_of(compiled: CompiledStudies) -> _Index:
    """The index of compiled studies, made once."""
    if "index" not in compiled.cache:
        compiled.cache["index"] = _Index(compiled)
    found: _Index = compiled.cache["index"]
    return found


def columns(compiled: CompiledStudies, chart: Chart) -> Columns:
    """The answers of one chart to every criterion."""
    index = index_of(compiled)
    answers, nodes = index.silent(compiled, chart.policy, chart.patient.narrative)
    values = answers.copy()
    touched = [index.watched[f] for f in features_of(chart) if f in index.watched]
    touched += [some.answer(chart, values) for some in index.at_once]
    numbers = np.concatenate(touched)
    chosen = index.alike[numbers]
    found = np.empty(len(values), dtype=np.int8)
    for number in np.unique(chosen).tolist():
        found[number] = _VALUE[judge(compiled.questions[number], chart).truth]
    values[numbers] = found[chosen]
    return Columns(chart, index.trees.changed_nodes(nodes, values))


def tree_of(compiled: CompiledStudies, node: int) -> Asked:
    """The tree of questions below a node."""
    if "trees" not in compiled.cache:
        compiled.cache["trees"] = _places(compiled)
    return _tree(compiled, node, *compiled.cache["trees"])


def _places(compiled: CompiledStudies) -> tuple[dict[int, int], dict[int, tuple[int, int]]]:
    leaves = {int(n): q for q, n in enumerate(compiled.arrays["question_node"])}
    inner = {int(n): (number, row) for number, layer in enumerate(compiled.layers) for row, n in enumerate(layer.nodes)}
    return leaves, inner


def _tree(compiled: CompiledStudies, node: int, leaves: dict[int, int], inner: dict[int, tuple[int, int]]) -> Asked:
    if node in leaves:
        return compiled.questions[leaves[node]]
    number, row = inner[node]
    layer = compiled.layers[number]
    start = int(layer.starts[row])
    end = int(layer.starts[row + 1]) if row + 1 < len(layer.starts) else len(layer.parts)
    parts = tuple(_tree(compiled, int(p), leaves, inner) for p in layer.parts[start:end])
    count = int(layer.counts[row])
    if layer.op == "not":
        return AskNot(parts[0])
    if layer.op == "if":
        return AskIf(parts[0], parts[1], Truth.MET if count == 2 else Truth.NOT_MET)
    if layer.op == "atleast":
        return AskAtLeast(count, parts)
    return AskAll(parts) if layer.op == "all" else AskAny(parts)


__all__ += ["index_of"]
