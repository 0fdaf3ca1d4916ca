"""Patients from a server: an export becomes one Bundle a patient, and the last one does when the server is down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import fhirbridge as fb
from fhirbridge.errors import FhirbridgeError
from fhirbridge.fhir import export_by_patient, lossless
from fhirbridge.notify import run
from tests.fhir.servers import free_port, sekmet

ROOT = Path(__file__).resolve().parent.parent.parent
BUNDLE = ROOT / "fixtures" / "patients" / "bundle_en" / "bundle.json"
STUDIES = ROOT / "fixtures" / "trials" / "registry" / "studies.json"
CONFIGURATION = """
[patients]
{patients}
[trials]
paths = ["{trials}"]
[tell]
[[tell.recipients]]
name = "Ward"
channel = "folder"
everyone = true
[channels.folder]
path = "digests"
[output]
directory = "out"
[run]
as_of = 2026-11-22
workers = 1
"""


def _resource(kind: str, id: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": id, **more}


def _written(path: Path, *resources: dict[str, Any] | str) -> Path:
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in resources))
    return path


def test_files_of_types_become_bundles_of_patients(tmp_path: Path) -> None:
    of = {"subject": {"reference": "Patient/b"}}
    files = [
        _written(tmp_path / "1.ndjson", _resource("Patient", "b"), _resource("Patient", "a")),
        _written(
            tmp_path / "2.ndjson",
            _resource("MedicationRequest", "m", medicationReference={"reference": "Medication/x"}, **of),
            _resource("Condition", "c", subject={"reference": "http://server/fhir/Patient/a"}),
            "{broken",
            _resource("Condition", "nobody", subject={"reference": "Patient/zz"}),
        ),
        _written(tmp_path / "3.ndjson", _resource("Medication", "x"), _resource("Medication", "y")),
    ]
    left_out = export_by_patient.by_patient(files, tmp_path / "patients.ndjson")
    bundles = [lossless.loads(line) for _, line in lossless.lines(tmp_path / "patients.ndjson")]
    ids = [[e["resource"]["id"] for e in b["entry"]] for b in bundles]
    assert ids == [["a", "c"], ["b", "m", "x"]]
    assert {(f.source, f.reason) for f in left_out} == {
        ("2.ndjson line 3", "not a resource as JSON"),
        ("Condition", "1 name no patient of the export"),
    }
    assert sorted(p.name for p in tmp_path.iterdir()) == ["1.ndjson", "2.ndjson", "3.ndjson", "patients.ndjson"]


@pytest.mark.server
@pytest.mark.slow
def test_a_night_on_an_export_judges_what_the_bundle_says_and_does_without_the_server(tmp_path: Path) -> None:
    home = {name: tmp_path / name for name in ("file", "server")}
    for folder in home.values():
        folder.mkdir()
    told = CONFIGURATION.format(patients=f'paths = ["{BUNDLE}"]', trials=STUDIES)
    (home["file"] / "night.toml").write_text(told)
    assert run.night(home["file"] / "night.toml") == 0
    toml = home["server"] / "night.toml"
    with sekmet(tmp_path / "data") as base:
        fb.FHIRServer(base).push(json.loads(BUNDLE.read_text("utf-8")), mode="update")
        toml.write_text(CONFIGURATION.format(patients=f'server = "{base}"', trials=STUDIES))
        assert run.night(toml) == 0
    expected, found = (json.loads((h / "out" / "matches.ndjson").read_text("utf-8")) for h in home.values())
    standing = [[(m["study"], m["status"], m["score"]) for m in row["matches"]] for row in (expected, found)]
    assert standing[0] == standing[1]
    toml.write_text(CONFIGURATION.format(patients=f'server = "http://127.0.0.1:{free_port()}/fhir"', trials=STUDIES))
    assert run.night(toml) == 1
    assert "the last export is used" in (home["server"] / "out" / "index.html").read_text("utf-8")
    assert json.loads((home["server"] / "out" / "matches.ndjson").read_text("utf-8")) == found


def test_without_the_server_and_without_an_export_the_other_patients_are_done(tmp_path: Path) -> None:
    server = f'server = "http://127.0.0.1:{free_port()}/fhir"'
    toml = tmp_path / "night.toml"
    toml.write_text(CONFIGURATION.format(patients=f'paths = ["{BUNDLE}"]\n{server}', trials=STUDIES))
    assert run.night(toml) == 1
    assert "there is no earlier export" in (tmp_path / "out" / "index.html").read_text("utf-8")
    assert len((tmp_path / "out" / "matches.ndjson").read_text("utf-8").splitlines()) == 1
    toml.write_text(CONFIGURATION.format(patients=server, trials=STUDIES))
    with pytest.raises(FhirbridgeError):
        run.night(toml)
