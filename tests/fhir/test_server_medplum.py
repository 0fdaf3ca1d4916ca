"""Push to a second server that nobody here wrote: Medplum's router, which validates and refuses large transactions."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fhirbridge as fb
from tests.fhir.servers import free_port, until_it_answers

ROOT = Path(__file__).resolve().parent.parent.parent
FIXTURES = ROOT / "fixtures"
READY = shutil.which("node") and (ROOT / "node_modules" / "@medplum" / "fhir-router").is_dir()
pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(not READY, reason="node or the Medplum packages are not here; make test installs them"),
]


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    port = free_port()
    script = str(Path(__file__).parent / "medplum_server.mjs")
    process = subprocess.Popen(
        ["node", script, str(port)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until_it_answers(f"http://127.0.0.1:{port}/fhir/metadata", process)
        yield f"http://127.0.0.1:{port}/fhir"
    finally:
        process.kill()
        process.wait()


def test_what_we_write_is_taken_by_a_validating_server_and_a_second_push_adds_nothing(base: str) -> None:
    visit = fb.read_transcript(FIXTURES / "transcripts" / "diabetes_zh" / "visit.txt")
    server = fb.FHIRServer(base)
    first, second = server.push(visit), server.push(visit)
    assert first.failed == []
    assert first.created == len(visit.json["entry"])
    assert (second.created, second.unchanged) == (0, len(visit.json["entry"]))


def test_a_bundle_the_server_finds_too_large_is_split_and_said(base: str) -> None:
    patient: dict[str, Any] = {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:example:mrn", "value": "many"}],
    }
    entries = [{"fullUrl": "urn:uuid:many", "resource": patient}]
    for number in range(510):
        observation = {
            "resourceType": "Observation",
            "status": "final",
            "code": {"text": f"test {number}"},
            "subject": {"reference": "urn:uuid:many"},
        }
        entries.append({"fullUrl": f"urn:uuid:many-{number}", "resource": observation})
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    summary = fb.FHIRServer(base).push(bundle, most=10_000)
    assert (summary.created, summary.failed) == (511, [])
    assert summary.split >= 1
    assert "each whole or not at all" in str(summary)
