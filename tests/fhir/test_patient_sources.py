"""What patients may come as: the files of a bulk export among them."""

from __future__ import annotations

import json
from pathlib import Path

from fhirbridge.cli import main
from fhirbridge.fhir import patient_bundle
from fhirbridge.records import LeftOut, Patient
from fhirbridge.terminology import lexicon


def _export(folder: Path) -> None:
    """Two patients and their diseases as a server exports them, a file a type; one disease is of nobody."""
    folder.mkdir()
    people = [{"resourceType": "Patient", "id": id, "birthDate": "1960-05-01"} for id in ("b", "a")]
    diseases = [
        {
            "resourceType": "Condition",
            "id": f"c{number}",
            "subject": {"reference": f"Patient/{owner}"},
            "code": {"text": name},
            "verificationStatus": {"coding": [{"code": "confirmed"}]},
        }
        for number, (owner, name) in enumerate((("a", "Asthma"), ("b", "Hypertension"), ("x", "Gout")))
    ]
    (folder / "0001.Patient.ndjson").write_text("".join(json.dumps(p) + "\n" for p in people), "utf-8")
    (folder / "0002.Condition.ndjson").write_text("".join(json.dumps(c) + "\n" for c in diseases), "utf-8")


def test_the_files_of_a_bulk_export_are_joined_by_patient(tmp_path: Path) -> None:
    _export(tmp_path / "export")
    for patients in (tmp_path / "export", sorted((tmp_path / "export").iterdir())):
        found = list(patient_bundle.read_all(patients, lexicon.load()))
        people = {p.id: [i.concept.name for i in p.items] for p in found if isinstance(p, Patient)}
        assert people == {"a": ["Asthma"], "b": ["Hypertension"]}
        (gap,) = [f for f in found if isinstance(f, LeftOut)]
        assert "Condition" in f"{gap.source} {gap.reason}"


def test_one_file_of_an_export_is_read_as_a_file(tmp_path: Path) -> None:
    _export(tmp_path / "export")
    found = patient_bundle.read_all([tmp_path / "export" / "0001.Patient.ndjson"], lexicon.load())
    assert [p.id for p in found if isinstance(p, Patient)] == ["b", "a"]


def test_match_takes_a_pulled_folder(tmp_path: Path) -> None:
    _export(tmp_path / "export")
    study = tmp_path / "study.csv"
    study.write_text("id,title,inclusion,exclusion\nS1,Asthma trial,Asthma,Pregnancy", "utf-8")
    out = tmp_path / "m.ndjson"
    args = ["--patients", str(tmp_path / "export"), "--studies", str(study), "--as-of", "2026-11-22", "-o", str(out)]
    assert main(["match", *args]) == 1  # the disease of nobody is named
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [row["patient"] for row in rows] == ["Patient/a", "Patient/b"]
    assert [row["matches"][0]["status"] for row in rows] == ["eligible", "excluded"]
