"""What is answered for all questions at once is what each question is answered by itself."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from golden_cases import bundle, leaf

import fhirbridge as fb
from fhirbridge.eligibility import policy
from fhirbridge.eligibility.chart import Chart
from fhirbridge.eligibility.columns import columns
from fhirbridge.eligibility.compile import compile
from fhirbridge.eligibility.compiled import CompiledStudies
from fhirbridge.eligibility.judge import judge
from fhirbridge.fhir import patient_bundle
from fhirbridge.records import Criterion, Patient, Span, Trial, Truth, Understanding
from fhirbridge.terminology import lexicon

AS_OF = date(2026, 11, 22)
VALUE = {Truth.NOT_MET: 0, Truth.UNKNOWN: 1, Truth.MET: 2}
MATCHING = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "matching" / "dev"
LINES = [x for x in (Path(__file__).parent / "golden.tsv").read_text("utf-8").splitlines() if not x.startswith("#")]
CASES = list(csv.DictReader(LINES, delimiter="\t", quoting=csv.QUOTE_NONE))


def _criteria() -> Iterator[Criterion]:
    for case in CASES:
        text = case["question"]
        for exclude in (False, True):
            yield Criterion(text, Span(0, len(text)), exclude, leaf(text), Understanding.COMPUTABLE)


def _differences(studies: CompiledStudies, chart: Chart) -> list[str]:
    found = columns(studies, chart).nodes[studies.arrays["question_node"]]
    each = [judge(q, chart) for q in studies.questions]
    wrong = np.flatnonzero(found != np.array([VALUE[j.truth] for j in each]))
    return [f"{int(found[n])} for {each[n].reason}: {studies.questions[n]}" for n in wrong[:5]]


@pytest.mark.parametrize("narrative", [False, True])
def test_every_golden_question_for_every_golden_chart(narrative: bool) -> None:
    trials = [(Trial(name, "", name, "", conditions=(name,)), tuple(_criteria())) for name in ("Lung cancer", "Asthma")]
    studies = compile(trials, lexicon.load())
    assert len(studies.questions) > 200
    for facts in dict.fromkeys(case["facts"] for case in CASES):
        (patient,) = patient_bundle.read(("case", "", bundle(facts)), lexicon.load())
        assert isinstance(patient, Patient)
        if narrative:
            patient = replace(patient, narrative=True)
        assert _differences(studies, Chart(patient, AS_OF, policy.load())) == [], facts


@pytest.mark.skipif(not MATCHING.exists(), reason="needs ../shared/data/matching")
def test_real_trials_for_real_patients() -> None:
    studies = fb.compile_studies(sorted((MATCHING / "trials").iterdir()))
    people = list(patient_bundle.read_all(str(MATCHING / "patients"), lexicon.load()))
    assert len(people) == 10
    for patient in people:
        assert isinstance(patient, Patient)
        assert _differences(studies, Chart(patient, AS_OF, policy.load())) == [], patient.id
