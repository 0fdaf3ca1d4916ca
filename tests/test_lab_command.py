"""`fhirbridge lab` with several photos: one report each, or all of one."""

from __future__ import annotations

import json
from pathlib import Path

from fhirbridge import cli

REPORTS = Path(__file__).resolve().parent.parent / "fixtures" / "lab_reports"


def test_two_photos_of_one_report_are_one_bundle(tmp_path: Path) -> None:
    photos = [str(REPORTS / name / "photo.jpg") for name in ("chemistry_en", "chemistry_zh")]
    assert cli.main(["lab", "--one-report", *photos, "-o", f"{tmp_path}/"]) == 0
    assert [p.name for p in tmp_path.iterdir()] == ["photo.json"]
    entries = json.loads((tmp_path / "photo.json").read_text("utf-8"))["entry"]
    reports = [e["resource"] for e in entries if e["resource"]["resourceType"] == "DiagnosticReport"]
    names = [e["resource"]["code"]["text"] for e in entries if e["resource"]["resourceType"] == "Observation"]
    assert len(reports) == 1
    assert "Creatinine" in names and "肌酐" in " ".join(names)


def test_one_missing_photo_of_a_report_writes_nothing(tmp_path: Path) -> None:
    photo = str(REPORTS / "chemistry_en" / "photo.jpg")
    assert cli.main(["lab", "--one-report", photo, f"{tmp_path}/none.jpg", "-o", f"{tmp_path}/"]) == 2
    assert not list(tmp_path.iterdir())
