"""Whole runs: statuses, bad input, the same bytes in any order and with any number of processes, save and load."""

from __future__ import annotations

import json
import zipfile
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from golden_cases import bundle, leaf

from fhirbridge.eligibility import batch, compiled
from fhirbridge.eligibility.compile import compile as compile_pairs
from fhirbridge.eligibility.compile import load
from fhirbridge.eligibility.matches import Matches, funnel
from fhirbridge.errors import UnreadableInput
from fhirbridge.fhir import match_bundle, patient_bundle
from fhirbridge.records import Criterion, LeftOut, Span, Trial, Understanding
from fhirbridge.terminology import lexicon

AS_OF = date(2026, 11, 22)


def _criterion(question: str, exclude: bool = False) -> Criterion:
    text = "not understood" if question.startswith("text") else question
    return Criterion(text, Span(0, len(text)), exclude, leaf(question), Understanding.COMPUTABLE)


def _studies() -> compiled.CompiledStudies:
    lung = Trial("NCT00000001", "clinicaltrials_gov", "Lung cancer study", "", conditions=("Lung Cancer",))
    heart = Trial("NCT00000002", "clinicaltrials_gov", "Heart failure study", "", conditions=("Heart Failure",))
    bare = Trial("NCT00000003", "clinicaltrials_gov", "Study without criteria", "")
    first = (
        _criterion("age >= 18 a"),
        _criterion("diagnosis lung cancer"),
        _criterion("laboratory hemoglobin >= 9 g/dL"),
        _criterion("biomarker EGFR is mutation", exclude=True),
        _criterion("diagnosis asthma", exclude=True),
    )
    second = (_criterion("age >= 18 a"), _criterion("diagnosis heart failure"))
    return compile_pairs([(lung, first), (heart, second), (bare, ())], lexicon.load())


PEOPLE = {
    "fit": "born 1960-01-01 ; cond lung cancer ; lab Hemoglobin = 12 g/dL @2026-11-20 ; says EGFR mutation = Absent",
    "untested": "born 1960-01-01 ; cond lung cancer ; lab Hemoglobin = 12 g/dL @2026-11-20",
    "anaemic": "born 1960-01-01 ; cond lung cancer ; lab Hemoglobin = 8 g/dL @2026-11-20",
    "bare": "",
}


def _bundle(name: str) -> dict[str, Any]:
    made = json.loads(json.dumps(bundle(PEOPLE[name]), default=str).replace("Patient/p", f"Patient/{name}"))
    made["entry"][0]["resource"]["id"] = name
    return made  # type: ignore[no-any-return]


def _run(names: list[str], workers: int = 1, **options: Any) -> Matches:
    settings = batch.Settings.of(AS_OF, options.get("top"), options.get("explain", "all"), None)
    read = partial(patient_bundle.read, lexicon=lexicon.load())
    people = patient_bundle.sources([_bundle(n) for n in names])
    return batch.match(people, _studies(), settings, read=read, workers=workers, fhir=match_bundle)


def _status(name: str, study: str = "ResearchStudy/NCT00000001") -> str:
    return next(m.status for m in _run([name]) if m.study == study)


@pytest.mark.parametrize(
    ("name", "status"),
    [("fit", "eligible"), ("untested", "undetermined"), ("anaemic", "excluded"), ("bare", "excluded")],
)
def test_a_pair_has_the_status_its_facts_decide(name: str, status: str) -> None:
    assert _status(name) == status


def test_a_study_without_criteria_is_never_a_yes() -> None:
    assert _status("fit", "ResearchStudy/NCT00000003") == "undetermined"
    assert any("no eligibility criteria" in gap.reason for gap in _run(["fit"]).left_out)


def test_what_is_missing_says_what_would_settle() -> None:
    row = _run(["untested"]).rows()[0]
    match = next(m for m in row["matches"] if m["study"].endswith("1"))
    assert match["missing"][0]["need"].startswith("EGFR")
    assert match["missing"][0]["would_settle"] is True
    assert row["missing"][0]["would_settle"] == 1


def test_ranks_go_by_status_then_score_and_every_reason_is_a_sentence() -> None:
    row = _run(["fit"]).rows()[0]
    assert [m["rank"] for m in row["matches"]] == [1, 2, 3]
    assert [m["status"] for m in row["matches"]] == ["eligible", "undetermined", "excluded"]
    assert all(c["reason"] for m in row["matches"] for c in m["criteria"])
    assert all(0 <= m["score"] <= 1 for m in row["matches"])


def test_the_same_bytes_in_any_order_and_with_any_number_of_processes() -> None:
    names = list(PEOPLE)
    once = sorted(_run(names).to_lines())
    assert once == sorted(_run(list(reversed(names))).to_lines())
    assert list(_run(names).to_lines()) == list(_run(names, workers=2).to_lines())


def test_columns_and_trees_agree() -> None:
    for row in _run(list(PEOPLE)).rows():
        for match in row["matches"]:
            wrong = [c for c in match["criteria"] if c["result"] == ("met" if c["kind"] == "exclusion" else "not_met")]
            assert bool(wrong) == (match["status"] == "excluded")


def test_compiled_studies_come_back_from_a_file(tmp_path: Path) -> None:
    studies = _studies()
    path = studies.save(tmp_path / "studies.fbs")
    again = load(path)
    assert again is not None and len(again) == 3 and load(tmp_path) is None
    settings = batch.Settings.of(AS_OF, None, "all", None)
    (person,) = patient_bundle.read(("x", "", _bundle("fit")), lexicon.load())
    assert batch.judged(person, again, settings) == batch.judged(person, studies, settings)  # type: ignore[arg-type]


def test_compiled_studies_of_another_version_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "old.fbs"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("format", "fhirbridge compiled studies 1")
    with pytest.raises(UnreadableInput, match="compile the studies again"):
        load(path)


def test_two_patients_in_one_bundle_are_told_apart() -> None:
    both = {"resourceType": "Bundle", "type": "collection", "entry": []}
    both["entry"] = [*_bundle("fit")["entry"], *_bundle("anaemic")["entry"]]
    for number, entry in enumerate(both["entry"]):  # type: ignore[arg-type]
        if entry["resource"]["resourceType"] != "Patient":
            entry["resource"]["id"] = f"r{number}"
    people = list(patient_bundle.read(("both", "", both), lexicon.load()))
    assert [p.id for p in people if not isinstance(p, LeftOut)] == ["fit", "anaemic"]
    assert [len(p.items) for p in people if not isinstance(p, LeftOut)] == [3, 2]


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"resourceType": "Bundle"}', '{"resourceType": "Bundle", "entry": [null, {"resource": 3}]}', "7"],
)
def test_broken_input_is_named_and_nothing_falls_over(content: str) -> None:
    (found,) = patient_bundle.read(("broken.json", "broken", content), lexicon.load())
    assert isinstance(found, LeftOut) and found.source == "broken.json"


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Condition"},
        {"resourceType": "Observation", "code": {"coding": [{"system": "urn:unknown", "code": "x"}]}},
        {"resourceType": "Observation", "code": {"text": "Hemoglobin"}, "valueQuantity": {"value": "much"}},
        {"resourceType": "Observation", "effectiveDateTime": "2026-99-99", "valueInteger": 3},
        {"resourceType": "MedicationStatement", "status": "unknown"},
        {"resourceType": "Procedure", "performedPeriod": {"start": 5}},
        {
            "resourceType": "DocumentReference",
            "content": [{"attachment": {"contentType": "text/plain", "data": "%%%"}}],
        },
    ],
)
def test_odd_resources_are_judged_as_far_as_possible(resource: dict[str, Any]) -> None:
    made = {
        "resourceType": "Bundle",
        "entry": [{"resource": {"resourceType": "Patient", "id": "p"}}, {"resource": resource}],
    }
    (person,) = patient_bundle.read(("x", "", made), lexicon.load())
    row = batch.judged(person, _studies(), batch.Settings.of(AS_OF, None, "all", None))  # type: ignore[arg-type]
    assert all(m["status"] != "eligible" for m in row["matches"])
    assert any("birth date" in gap for gap in row["gaps"])


def test_searchset_and_candidates_are_fhir() -> None:
    from fhir.resources.R4B.bundle import Bundle
    from fhir.resources.R4B.researchsubject import ResearchSubject

    found = _run(["fit"])
    made = Bundle.model_validate(json.loads(next(found.to_lines("fhir"))))
    assert made.type == "searchset" and [e.search.mode for e in made.entry] == ["match"] * 3
    for candidate in found.candidates():
        assert ResearchSubject.model_validate(candidate).status == "candidate"


def test_a_frame_and_a_funnel() -> None:
    pytest.importorskip("pandas")
    found = _run(list(PEOPLE))
    assert len(found.to_frame()) == len(found) == 12
    lung = funnel(Matches(lambda: iter([_only(r) for r in found.rows()]), (), AS_OF))
    assert [s["remaining"] for s in lung.steps] == [4, 3, 2, 2, 2]
    assert lung.ranked[0].patient == "Patient/fit" and len(lung.to_frame()) == 5


def _only(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"matches": [m for m in row["matches"] if m["study"].endswith("1")]}
