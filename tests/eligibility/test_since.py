"""A run that goes on from an earlier one makes the same bytes as a run from nothing."""

from __future__ import annotations

import json
import os
import pickle
import random
import subprocess
import sys
import zlib
from dataclasses import replace
from datetime import date
from pathlib import Path

import orjson
import pytest
from golden_cases import bundle, leaf
from test_columns import CASES

import fhirbridge as fb
from fhirbridge.cli import main
from fhirbridge.eligibility import batch, since
from fhirbridge.eligibility.compile import compile
from fhirbridge.eligibility.compiled import CompiledStudies
from fhirbridge.eligibility.joining import joined
from fhirbridge.fhir import patient_bundle
from fhirbridge.records import Criterion, Patient, Span, Trial, Understanding
from fhirbridge.terminology import lexicon

AS_OF = date(2026, 11, 22)
FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"


def _criterion(text: str, exclude: bool) -> Criterion:
    return Criterion(text, Span(0, len(text)), exclude, leaf(text), Understanding.COMPUTABLE)


def _studies(seed: int, titles: dict[int, str]) -> CompiledStudies:
    """Forty studies of a few golden criteria each; those in `titles` have another title and criterion."""
    trials = []
    for number in range(40):
        dice = random.Random(seed * 1000 + number + (7 if number in titles else 0))
        chosen = dice.sample(CASES, 4)
        criteria = tuple(_criterion(c["question"], dice.random() < 0.5) for c in chosen)
        title = titles.get(number, f"Study {number}")
        trials.append(
            (Trial(f"NCT{number:08d}", "", title, "", conditions=(dice.choice(["Asthma", "Lung cancer"]),)), criteria)
        )
    return compile(trials, lexicon.load())


def _people() -> list[Patient]:
    found = []
    for number, facts in enumerate(list(dict.fromkeys(case["facts"] for case in CASES))[::12]):
        (patient,) = patient_bundle.read(("case", "", bundle(facts)), lexicon.load())
        assert isinstance(patient, Patient)
        found.append(replace(patient, id=f"p{number}"))
    return found


@pytest.mark.parametrize("explain", ["all", "top", "none"])
@pytest.mark.parametrize(("top", "reserve"), [(None, 0), (5, 10)])
def test_changed_trials_alone_are_judged_with_the_same_result(explain: str, top: int | None, reserve: int) -> None:
    before = _studies(1, {})
    now = _studies(1, {3: "changed", 11: "changed too", 25: "and this"}).only(
        f"NCT{n:08d}" for n in range(40) if n != 17
    )
    settings = replace(batch.Settings.of(AS_OF, top, explain, None), reserve=reserve)
    changes = since.changes_since(now, since.fingerprints(before))
    assert {s.id[-2:] for s in changes.fresh.studies} == {"03", "11", "25"} and len(changes) == 4
    told = 0
    for patient in _people():
        row = batch.judged(patient, before, settings)
        found = since.updated(patient, row, changes, settings, whole=top is None)
        if found is not None:
            told += 1
            full = batch.judged(patient, now, settings)
            if reserve:  # what is kept in reserve may be shorter, never otherwise
                reserve_now = found.pop("reserve")
                assert full.pop("reserve")[: len(reserve_now)] == reserve_now
            assert orjson.dumps(found) == orjson.dumps(full)
    assert told > 10


def test_some_studies_alone_are_judged_as_among_all() -> None:
    studies, settings = _studies(2, {}), batch.Settings.of(AS_OF, None, "all", None)
    few = studies.only(["NCT00000005", "NCT00000031", "NCT99999999"])
    assert [s.id for s in few.studies] == ["NCT00000005", "NCT00000031"] and len(few.questions) < len(studies.questions)
    for patient in _people():
        ranked = [m for m in batch.judged(patient, studies, settings)["matches"] if m["study"][-2:] in ("05", "31")]
        found = batch.judged(patient, few, settings)["matches"]
        assert [m | {"rank": 0} for m in found] == [m | {"rank": 0} for m in ranked]


def test_records_that_have_not_changed_are_taken_from_what_was_compiled_before(tmp_path: Path) -> None:
    records = json.loads((FIXTURES / "trials" / "registry" / "studies.json").read_text("utf-8"))
    listed = records if isinstance(records, list) else records["studies"]
    file = tmp_path / "studies.json"
    file.write_text(json.dumps(listed[:-1]), "utf-8")
    before = fb.compile_studies(file, save=tmp_path / "before.fbs")
    listed[1]["protocolSection"]["eligibilityModule"]["eligibilityCriteria"] += "\n* HbA1c below 8 %\n* Able to walk"
    file.write_text(json.dumps(listed[1:]), "utf-8")
    full, again = fb.compile_studies(file), fb.compile_studies(file, since=fb.compile_studies(tmp_path / "before.fbs"))
    assert {s.id for s in again.studies} == {s.id for s in full.studies} != {s.id for s in before.studies}
    assert len(again.layers) == len(full.layers) and again.fingerprint == full.fingerprint
    assert set(again.questions) == set(full.questions)
    settings = batch.Settings.of(AS_OF, None, "all", None)
    for patient in _people():
        assert orjson.dumps(batch.judged(patient, again, settings)) == orjson.dumps(
            batch.judged(patient, full, settings)
        )
    with pytest.raises(ValueError, match="in both"):
        joined(full, before)


def test_a_packed_patient_comes_back_as_he_was() -> None:
    for patient in _people():
        assert since.unpack(since.pack(patient)) == patient
    with pytest.raises(pickle.UnpicklingError, match="does not belong"):
        since.unpack(zlib.compress(pickle.dumps(Path("x"))))


def test_the_command_goes_on_from_what_it_wrote(tmp_path: Path) -> None:
    patients, studies = tmp_path / "patients", tmp_path / "studies"
    patients.mkdir()
    for number, facts in enumerate(list(dict.fromkeys(case["facts"] for case in CASES))[:6]):
        (patients / f"p{number}.json").write_bytes(orjson.dumps(bundle(facts)))
    studies.mkdir()
    for number, text in enumerate(("Age 18 or older", "ECOG 0-1", "Hypertension", "HbA1c < 8 %")):
        record = {"id": f"S{number}", "title": f"Study {number}", "inclusion": text, "exclusion": "Pregnancy"}
        rows = ",".join(record), ",".join(record.values())
        (studies / f"s{number}.csv").write_text("\n".join(rows), "utf-8")

    def run(out: str, *more: str) -> bytes:
        args = ["match", "--patients", str(patients), "--studies", str(studies / "*.csv"), "--as-of", "2026-11-22"]
        assert main([*args, "-o", str(tmp_path / out), *more]) in (0, 1)
        return (tmp_path / out).read_bytes()

    first = run("first.ndjson")
    assert run("same.ndjson", "--since", str(tmp_path / "first.ndjson")) == first
    (studies / "s1.csv").write_text("id,title,inclusion,exclusion\nS1,Study 1,ECOG 0-2,Pregnancy", "utf-8")
    (studies / "s3.csv").unlink()
    (patients / "p0.json").unlink()
    full = run("full.ndjson")
    assert full != first
    assert run("since.ndjson", "--since", str(tmp_path / "first.ndjson")) == full
    assert (
        main(["match", "--patients", str(patients), "--studies", str(studies), "--since", str(tmp_path / "none")]) == 2
    )


def test_a_trial_has_the_same_fingerprint_in_every_process() -> None:
    studies = Path(__file__).resolve().parent.parent.parent / "fixtures" / "trials" / "registry" / "studies.json"
    code = "import sys, fhirbridge as fb; print([s.fingerprint for s in fb.compile_studies(sys.argv[1]).studies])"
    command = [sys.executable, "-c", code, str(studies)]
    found = {
        subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout
        for seed in ("1", "2", "3")
    }
    assert len(found) == 1
