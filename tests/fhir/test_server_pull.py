"""Pull: bulk export whole, resumed and hostile; $everything page after page; a directory is a source like a server."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path
from typing import Any

import pytest

import fhirbridge as fb
from fhirbridge.cli import main
from fhirbridge.errors import FinalServerError, TemporaryServerError
from fhirbridge.fhir import lossless
from fhirbridge.fhir.server_transport import Limits
from tests.fhir.raw_server import Answering, Raw, answer, dropped, raw_server
from tests.fhir.servers import sekmet

PATIENT = '{"resourceType": "Patient", "id": "1"}\n'
ACCEPTED = answer(202, "", Content_Location="/fhir/status/1")
DELETED = answer(202)


def _manifest(*items: dict[str, Any], **more: Any) -> bytes:
    return answer(200, json.dumps({"output": items, **more}))


def _file(kind: str = "Patient", **more: Any) -> dict[str, Any]:
    return {"type": kind, "url": f"/fhir/files/{kind}", **more}


def _server(server: Raw, waits: list[float] | None = None) -> fb.FHIRServer:
    client = fb.FHIRServer(server.base, token="hush", limits=Limits(tries=1))
    client.transport.sleep = (waits if waits is not None else []).append
    return client


def _paths(server: Raw) -> list[str]:
    return [b" ".join(r.split(b" ")[:2]).decode() for r in server.requests]


@pytest.mark.server
def test_a_real_export_holds_every_resource_and_is_deleted(tmp_path: Path) -> None:
    entries = [
        {"resource": {"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": f"p{n}"}]}}
        for n in range(7)
    ]
    with sekmet(tmp_path / "data") as base:
        fb.FHIRServer(base).push({"resourceType": "Bundle", "type": "collection", "entry": entries})
        assert main(["pull", "--server", base, "--all", "-o", str(tmp_path / "out")]) == 0
        (patients,) = (tmp_path / "out").glob("*.Patient.ndjson")
        assert not (tmp_path / "out" / "export.json").exists()
    found = [lossless.loads(line) for _, line in lossless.lines(patients)]
    assert sorted(p["identifier"][0]["value"] for p in found) == [f"p{n}" for n in range(7)]


def test_an_export_is_polled_as_the_server_asks_and_deleted(tmp_path: Path) -> None:
    waits: list[float] = []
    busy = answer(202, Retry_After="3"), answer(202, Retry_After="100000"), answer(202)
    with raw_server(ACCEPTED, *busy, _manifest(_file(count=1)), answer(200, PATIENT), DELETED) as server:
        files, left_out = _server(server, waits).export(tmp_path, group="a/b")
    assert (waits, left_out) == ([3, 120, 5], [])
    assert files[0].read_text() == PATIENT
    assert _paths(server)[0] == "GET /fhir/Group/a%2Fb/$export"
    assert _paths(server)[-1] == "DELETE /fhir/status/1"


def test_an_interrupted_export_goes_on_where_it_stopped(tmp_path: Path) -> None:
    manifest = _manifest(_file(), _file("Observation"))
    first: list[bytes | Answering] = [ACCEPTED, manifest, answer(200, PATIENT), dropped]
    rest: list[bytes | Answering] = [manifest, manifest, answer(200, "{}\n"), DELETED]
    with raw_server(*first, *rest) as server:
        with pytest.raises(TemporaryServerError):
            _server(server).export(tmp_path)
        files, _ = _server(server).export(tmp_path)
    assert [f.name for f in files] == ["0001.Patient.ndjson", "0002.Observation.ndjson"]
    assert _paths(server).count("GET /fhir/Patient/$export") == 1
    assert _paths(server).count("GET /fhir/files/Patient") == 1


def test_an_export_the_server_has_forgotten_is_asked_for_anew(tmp_path: Path) -> None:
    (tmp_path / "export.json").write_text(json.dumps({"status": "/fhir/status/0", "done": ["0001.Patient.ndjson"]}))
    (tmp_path / "0001.Patient.ndjson").write_text("old\n")
    with raw_server(answer(404), ACCEPTED, _manifest(_file()), answer(200, PATIENT), DELETED) as server:
        files, _ = _server(server).export(tmp_path)
    assert files[0].read_text() == PATIENT


def test_a_new_export_replaces_the_one_before(tmp_path: Path) -> None:
    for name in ("0001.Patient.ndjson", "0002.Condition.ndjson", "notes.ndjson"):
        (tmp_path / name).write_text("old\n")
    with raw_server(ACCEPTED, _manifest(_file()), answer(200, PATIENT), DELETED) as server:
        files, _ = _server(server).export(tmp_path)
    assert files[0].read_text() == PATIENT
    assert sorted(f.name for f in tmp_path.iterdir()) == ["0001.Patient.ndjson", "notes.ndjson"]


def test_a_file_shorter_than_announced_is_not_kept(tmp_path: Path) -> None:
    with (
        raw_server(ACCEPTED, _manifest(_file(count=2)), answer(200, PATIENT)) as server,
        pytest.raises(TemporaryServerError, match="1 resources came, 2 were announced"),
    ):
        _server(server).export(tmp_path)
    assert list(tmp_path.glob("*.ndjson")) == []


def test_what_the_server_could_not_export_or_delete_is_told(tmp_path: Path) -> None:
    errors = [{"type": "OperationOutcome", "url": "/fhir/files/errors"}]
    with raw_server(ACCEPTED, _manifest(error=errors), answer(503)) as server:
        files, left_out = _server(server).export(tmp_path)
    assert files == []
    assert [item.source for item in left_out] == ["OperationOutcome", "export"]


@pytest.mark.parametrize("place", ["status", "file"])
def test_an_export_that_leads_to_another_origin_is_refused_and_gets_no_token(place: str, tmp_path: Path) -> None:
    with raw_server(answer(200, PATIENT)) as other:
        status = f"{other.base}/status" if place == "status" else "/fhir/status/1"
        item = _file() if place == "status" else {"type": "Patient", "url": f"{other.base}/files"}
        kicked = answer(202, "", Content_Location=status)
        with raw_server(kicked, _manifest(item)) as server, pytest.raises(FinalServerError, match="another origin"):
            _server(server).export(tmp_path)
    assert other.requests == []


def test_a_hostile_type_does_not_leave_the_directory(tmp_path: Path) -> None:
    item = {"type": "../../evil", "url": "/fhir/files/1"}
    with raw_server(ACCEPTED, _manifest(item), answer(200, PATIENT), DELETED) as server:
        files, _ = _server(server).export(tmp_path / "in")
    assert [f.relative_to(tmp_path).as_posix() for f in files] == ["in/0001.Resource.ndjson"]


@pytest.mark.parametrize("body", ["[]", "<html></html>", '"x"'])
def test_an_answer_that_is_no_object_is_a_clear_line(body: str, tmp_path: Path) -> None:
    with raw_server(answer(200, body)) as server, pytest.raises(FinalServerError, match="the server answered"):
        list(_server(server).search("Patient"))


@pytest.mark.parametrize(("piece", "pieces", "tick", "whole"), [(100_000, 6, 0.1, True), (10, 20, 1.0, False)])
def test_a_download_may_take_as_long_as_it_comes_steadily(
    piece: int, pieces: int, tick: float, whole: bool, tmp_path: Path
) -> None:
    def pouring(connection: Any) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        for _ in range(pieces):
            connection.sendall(b" " * piece)
            time.sleep(0.03)

    ticks = itertools.count()
    with raw_server(pouring) as server, (tmp_path / "file").open("wb") as file:
        client = fb.FHIRServer(server.base, limits=Limits(whole=0.5, tries=1))
        client.transport.clock = lambda: next(ticks) * tick
        if whole:
            client.transport.send("GET", "file", sink=file)
        else:
            with pytest.raises(TemporaryServerError, match="took longer"):
                client.transport.send("GET", "file", sink=file)
    assert ((tmp_path / "file").stat().st_size == piece * pieces) is whole


def test_everything_about_a_patient_is_read_page_after_page() -> None:
    def page(number: int, following: str = "") -> bytes:
        resource = {"resourceType": "Observation", "id": str(number)}
        link = [{"relation": "next", "url": following}] if following else []
        return answer(200, json.dumps({"resourceType": "Bundle", "entry": [{"resource": resource}], "link": link}))

    with raw_server(page(1, "/fhir?page=2"), page(2)) as server:
        record = _server(server).patient("a b")
    assert [r["id"] for r in record.resources()] == ["1", "2"]
    assert _paths(server) == ["GET /fhir/Patient/a%20b/$everything", "GET /fhir?page=2"]
    assert b"Bearer hush" in server.requests[1]
