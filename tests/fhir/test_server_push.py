"""A batch sends only what failed for now again; a push killed at any moment and run again leaves no duplicate."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import fhirbridge as fb
from fhirbridge.fhir.server_transport import Limits
from tests.fhir.raw_server import answer, raw_server
from tests.fhir.servers import sekmet


def _patient(name: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": name}]}


def _results(*statuses: str) -> bytes:
    made = [{"response": {"status": s, "location": f"Patient/{n}/_history/1"}} for n, s in enumerate(statuses)]
    return answer(200, json.dumps({"resourceType": "Bundle", "type": "batch-response", "entry": made}))


def _values(request: bytes) -> list[str]:
    sent = json.loads(request.partition(b"\r\n\r\n")[2])
    return [e["resource"]["identifier"][0]["value"] for e in sent["entry"]]


def test_of_a_batch_only_what_failed_for_now_is_sent_again() -> None:
    entries = [{"fullUrl": f"urn:uuid:{n}", "resource": _patient(n)} for n in "abcd"]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    with raw_server(_results("201", "429", "422", "503"), _results("409", "200"), _results("201")) as server:
        client = fb.FHIRServer(server.base)
        client.transport.sleep = lambda _: None
        summary = client.push(bundle, mode="batch")
    assert [_values(r) for r in server.requests] == [["a", "b", "c", "d"], ["b", "d"], ["b"]]
    assert (summary.created, summary.unchanged, len(summary.failed)) == (2, 1, 1)
    assert "422" in summary.failed[0].reason


def test_a_batch_that_fails_for_ever_says_so() -> None:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": _patient("a")}]}
    with raw_server(_results("503")) as server:
        client = fb.FHIRServer(server.base, limits=Limits(tries=3))
        client.transport.sleep = lambda _: None
        summary = client.push(bundle, mode="batch")
    assert (len(server.requests), summary.created, len(summary.failed)) == (3, 0, 1)


def _story(name: str) -> dict[str, Any]:
    observation = {"resourceType": "Observation", "status": "final", "code": {"text": "Hb"}}
    found = [{**observation, "subject": {"reference": f"urn:uuid:{name}"}, "valueInteger": n} for n in range(20)]
    resources = [_patient(name), *found]
    entries = [
        {"fullUrl": f"urn:uuid:{name}" if not n else f"urn:uuid:{name}-{n}", "resource": r}
        for n, r in enumerate(resources)
    ]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


@pytest.mark.server
def test_a_push_killed_at_any_moment_and_run_again_leaves_no_duplicate(tmp_path: Path) -> None:
    names = [f"killed-{n}" for n in range(8)]
    files = [tmp_path / f"{name}.json" for name in names]
    for name, file in zip(names, files, strict=True):
        file.write_text(json.dumps(_story(name)))
    with sekmet(tmp_path / "data") as base:
        command = [sys.executable, "-m", "fhirbridge.cli", "push", *map(str, files), "--server", base, "--most", "5"]
        command += ["--journal", str(tmp_path / "journal.jsonl")]
        for seconds in (0.45, 0.6, 0.75, 0.95):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(seconds)
            process.kill()
            process.wait()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        server = fb.FHIRServer(base)
        for name in names:
            (patient,) = server.search("Patient", identifier=f"urn:mrn|{name}")
            found = list(server.search("Observation", patient=patient["id"]))
            assert sorted(o["valueInteger"] for o in found) == list(range(20))
