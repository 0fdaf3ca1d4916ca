"""The review page: who may come in, what is refused, and what is done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from fhirbridge.fhir.record import Record
from fhirbridge.review.page import MOST_BYTES
from fhirbridge.review.session import Document, Session
from tests.review.serving import running

VISIT = "Doctor: Any chest pain?\nPatient: No. <script>alert(1)</script>\nDoctor: Fever?\nPatient: Yes.\n"


class Visitor:
    """A browser that came in with the token."""

    def __init__(self, base: str, token: str | None) -> None:
        self.base = base
        self.session = requests.Session()
        self.first = self.session.get(f"{base}/", params={"token": token})

    def get(self, path: str, **options: object) -> requests.Response:
        return self.session.get(self.base + path, **options)  # type: ignore[arg-type]

    def post(self, path: str, origin: str | None = None, **options: object) -> requests.Response:
        headers = {"Origin": origin or self.base}
        return self.session.post(self.base + path, headers=headers, **options)  # type: ignore[arg-type]


@pytest.fixture
def visitor(tmp_path: Path) -> Iterator[Visitor]:
    with running(tmp_path / "out") as (base, gate, _):
        yield Visitor(base, gate.token)


def _read(visitor: Visitor, name: str = "visit.txt", text: str = VISIT) -> str:
    answer = visitor.post("/read", files={"files": (name, text.encode())})
    assert answer.status_code == 200, answer.text
    return answer.url.removeprefix(visitor.base)


def test_the_link_opens_the_page_once(tmp_path: Path) -> None:
    with running(tmp_path) as (base, gate, _):
        token = gate.token
        assert Visitor(base, token).first.status_code == 200
        assert Visitor(base, token).first.status_code == 401


@pytest.mark.parametrize("token", ["", "wrong"])
def test_a_wrong_or_missing_token_is_refused(tmp_path: Path, token: str) -> None:
    with running(tmp_path) as (base, _, _):
        assert Visitor(base, token).first.status_code == 401
        assert requests.get(f"{base}/").status_code == 401


def test_another_origin_and_another_host_are_refused(visitor: Visitor) -> None:
    assert visitor.post("/read", origin="http://evil.example", data={"text": "x"}).status_code == 403
    assert visitor.session.post(f"{visitor.base}/read", data={"text": "x"}).status_code == 403
    assert visitor.get("/", headers={"Host": "evil.example"}).status_code == 403


def test_every_answer_forbids_other_hosts(visitor: Visitor) -> None:
    answer = visitor.get("/")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "http://" not in answer.text.replace(visitor.base, "") and "https://" not in answer.text


@pytest.mark.parametrize("path", ["/assets/../page.py", "/assets/%2e%2e%2fpage.py", "/documents/../../etc", "/nowhere"])
def test_paths_out_of_the_page_find_nothing(visitor: Visitor, path: str) -> None:
    assert visitor.get(path).status_code in (400, 404)


def test_a_script_in_a_transcript_is_words(visitor: Visitor) -> None:
    text = visitor.get(_read(visitor)).text
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_a_file_name_cannot_lead_elsewhere(visitor: Visitor, tmp_path: Path) -> None:
    place = _read(visitor, name="../../evil.txt")
    visitor.post(f"{place}/save", data={"reviewer": "Dr Li"})
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["evil.reviewed.json"]


def test_an_upload_of_100_mb_is_refused(visitor: Visitor) -> None:
    import socket
    from urllib.parse import urlsplit

    where = urlsplit(visitor.base)
    cookie = "; ".join(f"{c.name}={c.value}" for c in visitor.session.cookies)
    head = (
        f"POST /read HTTP/1.1\r\nHost: {where.netloc}\r\nOrigin: {visitor.base}\r\nCookie: {cookie}\r\n"
        f"Content-Type: text/plain\r\nContent-Length: {100 * 2**20}\r\n\r\n"
    )
    assert MOST_BYTES < 100 * 2**20
    with socket.create_connection((str(where.hostname), int(where.port or 0))) as connection:
        connection.sendall(head.encode())
        assert connection.recv(64).startswith(b"HTTP/1.1 413")


def test_an_upload_without_its_size_is_refused(visitor: Visitor) -> None:
    answer = visitor.post("/read", data=(part for part in [b"x", b"y"]))
    assert answer.status_code == 411


def test_what_cannot_be_read_is_one_clear_line(visitor: Visitor) -> None:
    answer = visitor.post("/read", files={"files": ("broken.png", b"not a picture")})
    assert answer.status_code == 400
    assert "broken.png: " in answer.text
    assert "Traceback" not in answer.text and "/tmp" not in answer.text


def test_accept_reject_and_save(visitor: Visitor, tmp_path: Path) -> None:
    place = _read(visitor)
    bundle = visitor.get(f"{place}/bundle").json()
    ids = {
        e["resource"]["code"]["text"].lower(): e["resource"]["id"]
        for e in bundle["entry"]
        if e["resource"]["resourceType"] == "Condition"
    }
    accept = {"verdict": "accept", "reviewer": "Dr Li"}
    assert visitor.post(f"{place}/facts/{ids['fever']}", json=accept).status_code == 200
    assert visitor.post(f"{place}/facts/{ids['chest pain']}", json={**accept, "verdict": "reject"}).status_code == 200
    assert visitor.post(f"{place}/facts/unknown", json=accept).status_code == 400
    assert visitor.post(f"{place}/facts/{ids['fever']}", json={"verdict": "accept"}).status_code == 400
    visitor.post(f"{place}/save", data={"reviewer": "Dr Li"})
    saved = json.loads((tmp_path / "out" / "visit.reviewed.json").read_text("utf-8"))
    status = {
        e["resource"]["id"]: e["resource"]["verificationStatus"]["coding"][0]["code"]
        for e in saved["entry"]
        if e["resource"]["resourceType"] == "Condition"
    }
    assert (status[ids["fever"]], status[ids["chest pain"]]) == ("confirmed", "entered-in-error")
    reviewers = [
        e["resource"]["agent"][0]["who"].get("display")
        for e in saved["entry"]
        if e["resource"]["resourceType"] == "Provenance"
    ]
    assert "Dr Li" in reviewers


def test_push_is_off_unless_a_server_was_named(visitor: Visitor) -> None:
    answer = visitor.post(f"{_read(visitor)}/push", data={"reviewer": "Dr Li"})
    assert (answer.status_code, answer.text.split(":")[0]) == (400, "push is off")


def test_a_push_of_what_is_not_valid_sends_nothing_and_tells_why(tmp_path: Path) -> None:
    unit = {"value": 12, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mmHg"}
    observation = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "valueQuantity": unit}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": observation}]}
    session = Session(tmp_path, lambda: datetime.now(UTC), server="http://127.0.0.1:9/fhir")
    told = session.push(Document("1", "visit", Record(bundle)), "Dr Li")
    assert "0 created" in told
    assert "Observation.valueQuantity.code: not a UCUM code" in told


def test_the_page_speaks_chinese(visitor: Visitor) -> None:
    assert "审核" in visitor.get("/", headers={"Accept-Language": "zh-CN"}).text
    visitor.post("/language", data={"language": "zh"})
    assert "审核" in visitor.get("/").text


def test_the_page_is_light(visitor: Visitor) -> None:
    place = _read(visitor)
    weight = sum(len(visitor.get(path).content) for path in (place, "/assets/review.css", "/assets/review.js"))
    assert weight <= 300_000
