"""What a bad network or a hostile server does is survived, refused or bounded."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

import fhirbridge as fb
from fhirbridge.errors import FinalServerError, TemporaryServerError
from fhirbridge.fhir.server_transport import Limits, Transport
from tests.fhir.raw_server import answer, dripping, dropped, raw_server

GOOD = answer(200, '{"resourceType": "Patient", "id": "1"}')
HALF = b'HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: 500\r\n\r\n{"resourceType": "Pat'
HALF_CHUNKED = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"resourceType": '
HUGE = b"HTTP/1.1 200 OK\r\nContent-Length: 2147483648\r\n\r\n{"


def _transport(base: str, waits: list[float], **limits: float) -> Transport:
    return Transport(base, limits=Limits(tries=3, **limits), sleep=waits.append)  # type: ignore[arg-type]


@pytest.mark.parametrize("fault", [answer(503), answer(429), answer(504), dropped, HALF, HALF_CHUNKED])
def test_a_fault_that_passes_is_tried_again(fault: bytes) -> None:
    waits: list[float] = []
    with raw_server(fault, fault, GOOD) as server:
        assert _transport(server.base, waits).send("GET", "Patient/1").json()["id"] == "1"
    assert len(server.requests) == 3
    assert 0 < waits[0] <= 0.5 < waits[1] * 2 <= 2


def test_retry_after_is_honoured_and_bounded() -> None:
    waits: list[float] = []
    with raw_server(answer(429, Retry_After="7"), answer(503, Retry_After="100000"), GOOD) as server:
        _transport(server.base, waits, longest_wait=60, budget=100).send("GET", "Patient/1")
    assert waits == [7, 60]


def test_the_budget_ends_the_tries() -> None:
    waits: list[float] = []
    with raw_server(answer(429, Retry_After="50")) as server, pytest.raises(TemporaryServerError, match="429"):
        _transport(server.base, waits, budget=10).send("GET", "Patient/1")
    assert (waits, len(server.requests)) == ([], 1)


@pytest.mark.parametrize("status", [400, 403, 404, 410, 422, 500])
def test_a_final_answer_is_not_asked_for_again(status: int) -> None:
    body = '{"resourceType": "OperationOutcome", "issue": [{"code": "invalid", "diagnostics": "no such thing"}]}'
    with raw_server(answer(status, body)) as server, pytest.raises(FinalServerError, match=f"{status}, no such thing"):
        _transport(server.base, []).send("GET", "Patient/1")
    assert len(server.requests) == 1


def test_an_answer_announced_as_two_gigabytes_is_refused_unread() -> None:
    with raw_server(HUGE) as server, pytest.raises(FinalServerError, match="2,147,483,648 bytes"):
        _transport(server.base, []).send("GET", "Patient/1")


def test_an_answer_that_grows_without_announcement_is_cut() -> None:
    body = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b" " * 200_000
    with raw_server(body) as server, pytest.raises(FinalServerError, match="larger than 100,000"):
        _transport(server.base, [], answer_bytes=100_000).send("GET", "Patient/1")


def test_a_slow_drip_is_bounded_as_a_whole() -> None:
    started = time.monotonic()
    with raw_server(dripping) as server:
        limits = Limits(tries=1, read=5, whole=0.5)
        with pytest.raises(TemporaryServerError, match="took longer than"):
            Transport(server.base, limits=limits).send("GET", "Patient/1")
        assert time.monotonic() - started < 3


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_to_another_host_is_refused_and_gets_no_token(status: int) -> None:
    with (
        raw_server(GOOD) as other,
        raw_server(answer(status, Location=other.base)) as server,
        pytest.raises(FinalServerError, match="redirected"),
    ):
        list(fb.FHIRServer(server.base, token="hush").search("Patient"))
    assert other.requests == []


def _page(url: str) -> bytes:
    return answer(200, json.dumps({"resourceType": "Bundle", "link": [{"relation": "next", "url": url}]}))


@pytest.mark.parametrize("path", ["/fhir?page=2", "@127.0.0.1/fhir", "//x/../fhir"])
def test_a_next_link_to_another_origin_is_refused_and_gets_no_token(path: str) -> None:
    with (
        raw_server(GOOD) as other,
        raw_server(_page(other.base + path)) as server,
        pytest.raises(FinalServerError, match="another origin"),
    ):
        list(fb.FHIRServer(server.base, token="hush").search("Patient"))
    assert other.requests == []


def test_a_next_link_that_only_begins_like_the_server_is_refused() -> None:
    with raw_server(GOOD) as server:
        transport = Transport(server.base)
        host = server.base.removeprefix("http://").removesuffix("/fhir")
        for link in (f"http://{host}@evil.example/", f"https://{host}/fhir", "//evil/"):
            with pytest.raises(FinalServerError, match="another origin"):
                transport.resolve(link)
        for link in (f"http://{host}.evil.example/", f"http://{host}\\@evil.example/", "http://[", "a\r\nb"):
            with pytest.raises(FinalServerError, match="not a URL"):
                transport.resolve(link)


def test_paging_in_circles_ends() -> None:
    with raw_server(_page("Patient?page=2")) as server, pytest.raises(FinalServerError, match="circles"):
        list(fb.FHIRServer(server.base).search("Patient"))
    assert len(server.requests) == 2


@pytest.mark.parametrize("fault", [answer(401), answer(403, "hush-hush"), HALF, dropped])
def test_no_secret_is_in_a_message_a_repr_or_a_journal(fault: bytes, tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    patient = {"resourceType": "Patient", "id": "1", "identifier": [{"system": "urn:s", "value": "MRN-4711"}]}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient}]}
    with raw_server(fault) as server:
        client = fb.FHIRServer(server.base, token="hush", limits=Limits(tries=1))
        summary = client.push(bundle, journal=journal)
        assert b"Authorization: Bearer hush" in server.requests[0]
    shown = f"{summary!r}{summary}{client!r}{vars(client)!r}"
    shown += journal.read_text() if journal.exists() else ""
    assert summary.failed
    assert "hush" not in shown
    assert "MRN-4711" not in shown
