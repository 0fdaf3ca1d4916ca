"""Push and pull against a real server on loopback: nothing lost, nothing doubled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fhirbridge as fb
from fhirbridge.cli import main
from fhirbridge.errors import FinalServerError, TemporaryServerError
from fhirbridge.fhir.server_transport import Limits
from tests.fhir.raw_server import answer, raw_server
from tests.fhir.servers import free_port, sekmet

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with sekmet(tmp_path_factory.mktemp("sekmet")) as url:
        yield url


def _bundle(name: str) -> dict[str, Any]:
    patient = {
        "resourceType": "Patient",
        "id": f"{name}-p",
        "identifier": [{"system": "urn:example:mrn", "value": name}],
        "gender": "female",
    }
    observation = {
        "resourceType": "Observation",
        "id": f"{name}-o",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]},
        "subject": {"reference": f"urn:uuid:{name}-p"},
        "valueQuantity": {"value": 12.5, "unit": "g/dL"},
    }
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": f"urn:uuid:{r['id']}", "resource": r} for r in (patient, observation)],
    }


def test_a_push_twice_leaves_no_duplicate_and_the_reference_resolves(base: str) -> None:
    server = fb.FHIRServer(base)
    first, second = server.push(_bundle("twice")), server.push(_bundle("twice"))
    assert (first.created, first.unchanged, first.failed) == (2, 0, [])
    assert (second.created, second.unchanged, second.failed) == (0, 2, [])
    (patient,) = server.search("Patient", identifier="urn:example:mrn|twice")
    (observation,) = server.search("Observation", patient=patient["id"])
    assert observation["subject"]["reference"] == f"Patient/{patient['id']}"


def test_a_large_bundle_is_split_after_what_it_refers_to(base: str) -> None:
    bundle = _bundle("large")
    template = json.dumps(bundle["entry"][1])
    for number in range(9):
        copy = json.loads(template)
        copy["fullUrl"] = f"urn:uuid:large-{number}"
        copy["resource"]["id"] = f"large-{number}"
        copy["resource"]["valueQuantity"]["value"] = 10 + number
        bundle["entry"].insert(0, copy)
    summary = fb.FHIRServer(base).push(bundle, most=4)
    assert (summary.created, summary.split) == (11, 2)
    assert "split into 2 more transactions" in str(summary)


def test_a_journal_remembers_what_was_taken(base: str, tmp_path: Path) -> None:
    journal = tmp_path / "push.jsonl"
    fb.FHIRServer(base).push(_bundle("journal"), journal=journal)
    journal.write_text(journal.read_text() + '{"entry": "urn:uu')  # killed in the middle of a line
    again = fb.FHIRServer(base).push(_bundle("journal"), journal=journal)
    assert (again.created, again.unchanged) == (0, 2)


def test_the_commands_push_and_pull(base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bundle.json"
    file.write_text(json.dumps(_bundle("command")))
    assert main(["push", str(file), str(tmp_path / "missing.json"), "--server", base]) == 1
    out = capsys.readouterr()
    assert out.out.startswith("2 created, 0 updated, 0 unchanged, 0 failed")
    assert "missing.json: no such file" in out.err
    (patient,) = fb.FHIRServer(base).search("Patient", identifier="urn:example:mrn|command")
    assert main(["pull", "--server", base, "--patient", patient["id"], "-o", str(tmp_path / "out")]) == 0
    pulled = json.loads((tmp_path / "out" / f"{patient['id']}.json").read_text())
    assert {e["resource"]["resourceType"] for e in pulled["entry"]} >= {"Patient", "Observation"}


def test_a_server_that_is_not_there_is_a_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    limits = Limits(connect=1, tries=2, budget=2)
    with pytest.raises(TemporaryServerError, match="no connection"):
        list(fb.FHIRServer(f"http://127.0.0.1:{free_port()}/fhir", limits=limits).search("Patient"))


def test_not_a_url_is_a_clear_line() -> None:
    with pytest.raises(FinalServerError, match="write https://host/path"):
        fb.FHIRServer("somewhere")


def test_an_update_changes_what_differs_and_leaves_what_is_equal(base: str) -> None:
    server, bundle = fb.FHIRServer(base), _bundle("update")
    first, same = server.push(bundle, mode="update"), server.push(bundle, mode="update")
    assert (first.created, first.updated, same.created, same.updated, same.unchanged) == (2, 0, 0, 0, 2)
    bundle["entry"][0]["resource"]["gender"] = "male"
    changed = server.push(bundle, mode="update")
    assert (changed.created, changed.updated, changed.unchanged, changed.failed) == (0, 1, 1, [])
    (patient,) = server.search("Patient", identifier="urn:example:mrn|update")
    assert (patient["gender"], patient["meta"]["versionId"]) == ("male", "2")


def test_somebody_elses_change_is_shown_and_not_overwritten(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from fhirbridge.fhir import server_update

    server, bundle = fb.FHIRServer(base), _bundle("conflict")
    server.push(bundle, mode="update")
    found = server_update._found

    def meanwhile(transport: Any, kind: str, condition: str) -> Any:
        resource = found(transport, kind, condition)
        if resource and kind == "Patient":
            other = {**resource, "birthDate": "1970-01-01"}
            transport.send("PUT", f"Patient/{resource['id']}", json.dumps(other).encode())
        return resource

    monkeypatch.setattr(server_update, "_found", meanwhile)
    bundle["entry"][0]["resource"]["gender"] = "male"
    summary = server.push(bundle, mode="update")
    assert summary.updated == 0
    assert "changed on the server meanwhile, not overwritten" in summary.failed[0].reason
    (patient,) = server.search("Patient", identifier="urn:example:mrn|conflict")
    assert (patient["gender"], patient["birthDate"]) == ("female", "1970-01-01")


def test_the_servers_own_validation_is_asked_when_one_wants_it(base: str) -> None:
    server, bundle = fb.FHIRServer(base), _bundle("asked")
    assert server.push(bundle, ask=True).created == 2
    wrong = _bundle("asked-wrong")
    wrong["entry"][1]["resource"]["colour"] = "red"
    summary = server.push(wrong, ask=True, insist=True)
    assert summary.created == 0
    assert [f.source for f in summary.failed] == [
        "entry[1] Observation/asked-wrong-o",
        "entry[0] Patient/asked-wrong-p",
    ]
    assert "the server's $validate" in summary.failed[0].reason
    assert list(server.search("Patient", identifier="urn:example:mrn|asked-wrong")) == []


def test_a_server_without_validate_is_a_clear_line() -> None:
    with raw_server(answer(404)) as other, pytest.raises(FinalServerError, match=r"no Patient/\$validate"):
        fb.FHIRServer(other.base).push(_bundle("nowhere"), ask=True)
