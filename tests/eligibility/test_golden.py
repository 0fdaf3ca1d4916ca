"""Every golden case: a Bundle fragment, a question, the result a clinician expects."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest
from golden_cases import bundle, leaf

from fhirbridge.eligibility import policy
from fhirbridge.eligibility.chart import Chart
from fhirbridge.eligibility.columns import features_of, watched_by
from fhirbridge.eligibility.judge import judge_tree
from fhirbridge.eligibility.questions import Question
from fhirbridge.eligibility.questions_of import Subject, asked
from fhirbridge.fhir import patient_bundle
from fhirbridge.records import Criterion, Patient, Span, Understanding
from fhirbridge.terminology import lexicon

AS_OF = date(2026, 11, 22)
LINES = [x for x in (Path(__file__).parent / "golden.tsv").read_text("utf-8").splitlines() if not x.startswith("#")]
CASES = list(csv.DictReader(LINES, delimiter="\t", quoting=csv.QUOTE_NONE))


def _chart(facts: str) -> Chart:
    (patient,) = patient_bundle.read(("case", "", bundle(facts)), lexicon.load())
    assert isinstance(patient, Patient)
    return Chart(patient, AS_OF, policy.load())


def test_there_are_two_hundred_cases() -> None:
    assert len(CASES) >= 200


@pytest.mark.parametrize("case", CASES, ids=[f"{c['why']}: {c['question']}"[:90] for c in CASES])
def test_case(case: dict[str, str]) -> None:
    chart = _chart(case["facts"])
    text = case["question"]
    criterion = Criterion(text, Span(0, len(text)), case["side"] == "ex", leaf(text), Understanding.COMPUTABLE)
    tree = asked(criterion, Subject(frozenset(), frozenset()), lexicon.load())
    found = judge_tree(tree, chart)
    assert found.truth == case["result"], f"{found.reason}; expected because: {case['why']}"
    assert found.reason
    empty = Chart(Patient(""), AS_OF, policy.load())
    if isinstance(tree, Question) and tree.kind != "age" and judge_tree(tree, empty).truth != found.truth:
        assert set(watched_by(tree)) & features_of(chart), "the column engine would not have looked at this question"
