"""The whole job on made-up patients: two visits, two lab photos and a folder of trials -> `demo-output/`."""

from __future__ import annotations

import json
import time
from datetime import date
from pathlib import Path

import fhirbridge as fb
from fhirbridge.errors import MissingInput
from fhirbridge.fhir import lossless
from fhirbridge.notify.morning_page import PatientPage, render

AS_OF = date(2026, 11, 22)
PATIENTS = {  # id: language, visit, photo
    "walker": ("en", "lung_cancer_en", "chemistry_en"),
    "zhou": ("zh", "diabetes_zh", "chemistry_zh"),
}
TRIALS = ("registry/studies.json", "hospital_list_zh/studies.csv")


def run(out: Path) -> int:
    """Write Bundles, ranked lists and `index.html` below `out`, print a short table; the exit code."""
    started = time.monotonic()
    home = fixtures()
    records = {}
    for patient, (_, visit, photo) in PATIENTS.items():
        said = fb.read_transcript(home / "transcripts" / visit / "visit.txt", visit_date=AS_OF)
        printed = fb.read_lab_report(home / "lab_reports" / photo / "photo.jpg")
        records[patient] = fb.join([said, printed], patient_id=patient)
        records[patient].save(out / "patients" / f"{patient}.json")
    studies = fb.compile_studies([home / "trials" / name for name in TRIALS])
    matches = fb.match(list(records.values()), studies, as_of=AS_OF)
    lines = list(matches.to_lines())
    lossless.write_text(out / "matches.ndjson", "".join(line + "\n" for line in lines))
    judged = {json.loads(line)["patient"].rsplit("/", 1)[-1]: json.loads(line) for line in lines}
    pages = [PatientPage(records[p].json, judged[p], language) for p, (language, *_) in PATIENTS.items()]
    lossless.write_text(out / "index.html", render(pages, AS_OF.isoformat()))
    for patient, record in records.items():
        print(f"\n{patient}: {record}")
        for match in judged[patient]["matches"][:4]:
            print(f"  {match['rank']:>2}  {match['status']:<12}  {match['score']:.2f}  {match['title']}")
    print(f"\n{time.monotonic() - started:.1f} s. Open {out / 'index.html'}")
    return 0


def fixtures() -> Path:
    """Where the made-up patients lie: in the installed package, or in the repository beside it."""
    for place in (Path(__file__).parent / "demo_data", Path(__file__).parent.parent / "fixtures"):
        if (place / "transcripts").is_dir():
            return place
    raise MissingInput("demo", "the made-up patients are not installed", "run it from the repository")
