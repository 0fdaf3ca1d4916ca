"""A model that lies adds nothing: every kind of lie through a real endpoint on loopback, the Bundle stays as it was.

The figure of docs/quality.md is made here: the LIES one by one about a talk, then all about two visits.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

import fhirbridge as fb
from fhirbridge import cli
from fhirbridge.fhir import plain_facts
from fhirbridge.fhir.server_transport import Limits
from fhirbridge.language_model import ChatEndpoint

VISITS = Path(__file__).resolve().parent.parent / "fixtures" / "transcripts"
TALK = """Doctor: any chest pain?
Patient: no chest pain, and no asthma. My mother has diabetes.
Doctor: call me if you get a fever. Do you take penicillin?
Patient: penicillin gave me a rash when I was a child. I have knee pain.
Doctor: this can cause dizziness. It is cold outside.
Patient: I have pain at night.
"""


def _fact(quote: str, name: str, kind: str = "condition", status: str = "present", **more: Any) -> dict[str, Any]:
    return {"quote": quote, "name": name, "kind": kind, "status": status, **more}


LIES = {
    "an invented quote": _fact("I have lung cancer", "lung cancer"),
    "a real quote that says something else": _fact("My mother has diabetes", "lung cancer"),
    "a relative's disease": _fact("My mother has diabetes", "diabetes mellitus"),
    "a denial turned round": _fact("chest pain", "chest pain", "symptom"),
    "a denied disease": _fact("asthma", "asthma"),
    "advice taken for a fact": _fact("you get a fever", "fever", "symptom"),
    "a question taken for a fact": _fact("Do you take penicillin?", "penicillin", "medication"),
    "an explanation taken for a fact": _fact("this can cause dizziness", "dizziness", "symptom"),
    "the weather": _fact("It is cold outside", "common cold"),
    "quote in another case": _fact("CHEST PAIN", "chest pain", "symptom"),
    "quote with a word left out": _fact("knee at night", "knee pain", "symptom"),
    "quote over two turns": _fact("I have knee pain.\nDoctor: this can", "pain", "symptom"),
    "half a word": _fact("ever", "fever", "symptom"),
    "told already": _fact("knee pain", "knee pain", "symptom"),
    "told already with another status": _fact("knee pain", "knee pain", "symptom", "past"),
    "a code for a name": _fact("knee pain", "C34.90"),
    "a code beside it": _fact("I have knee pain", "malignant neoplasm of lung", code="C34.90", system="icd10"),
    "a kind that is not asked for": _fact("knee pain", "knee pain", "vital-signs"),
    "a kind nobody knows": _fact("knee pain", "knee pain", "horoscope"),
    "a status nobody knows": _fact("knee pain", "knee pain", "symptom", "certain"),
    "a sure denial": _fact("knee pain", "knee pain", "symptom", "absent"),
    "an empty quote": _fact("", "asthma"),
    "the whole talk as a quote": _fact(TALK, "asthma"),
    "numbers for words": {"quote": 1, "name": 2, "kind": 3, "status": 4},
    "a list": ["asthma"],
    "nothing": None,
    "a medicine nobody takes": _fact("penicillin", "warfarin", "medication"),
    "a procedure nobody did": _fact("It is cold outside", "appendectomy", "procedure", "past"),
    "an allergy to what was not said": _fact("penicillin gave me a rash", "peanut allergy", "allergy"),
}
ZH_TALK = """医生：哪儿不舒服？
患者：头疼，没有发烧。我妈有糖尿病。
医生：如果胸痛就马上来医院。吃青霉素吗？
患者：不吃。邻居得了肺癌。
医生：这个药可能会引起头晕。考虑高血压。
"""
ZH_LIES = {
    "an invented quote": _fact("我有肺癌", "肺癌"),
    "a relative's disease": _fact("我妈有糖尿病", "糖尿病"),
    "a neighbour's disease": _fact("肺癌", "肺癌"),
    "a denial turned round": _fact("发烧", "发热", "symptom"),
    "advice taken for a fact": _fact("胸痛", "胸痛", "symptom"),
    "a question taken for a fact": _fact("吃青霉素", "青霉素", "medication"),
    "a side effect taken for a fact": _fact("会引起头晕", "头晕", "symptom"),
    "a suspicion made sure": _fact("高血压", "高血压"),
    "a real quote that says something else": _fact("头疼", "脑出血"),
    "told already with another status": _fact("头疼", "头痛", "symptom", "past"),
}
BROKEN = {
    "no JSON": "I am a language model and the patient has lung cancer.",
    "half of a JSON": '{"facts": [{"quote": "no chest pain", "name": "lung cancer"',
    "another shape": '{"diagnoses": ["lung cancer"]}',
    "facts that are no list": '{"facts": {"quote": "no chest pain"}}',
    "a deep nest": '{"facts": ' + "[" * 50_000 + "]" * 50_000 + "}",
    "a number without end": '{"facts": ' + "9" * 9_000 + "}",
}


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1") as made:
        yield made


def _ask(server: HTTPServer, **more: Any) -> ChatEndpoint:
    quick = Limits(connect=2, read=1, whole=3, answer_bytes=1024 * 1024, tries=1, budget=3)
    return ChatEndpoint(server.url_for("/v1"), limits=quick, **more)


def _says(server: HTTPServer, content: Any) -> None:
    text = content if isinstance(content, str) else json.dumps({"facts": content})
    server.expect_request("/v1/chat/completions").respond_with_json({"choices": [{"message": {"content": text}}]})


def _clinical(record: fb.Record) -> list[str]:
    return [json.dumps(r, default=str) for r in record.resources() if r["resourceType"] in plain_facts.CLINICAL]


@pytest.fixture(scope="module")
def plain() -> fb.Record:
    return fb.read_transcript(TALK, language="en")


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_a_lie_is_dropped_and_counted(lie: Any, server: HTTPServer, plain: fb.Record) -> None:
    _says(server, [lie])
    record = fb.read_transcript(TALK, language="en", llm=_ask(server))
    assert _clinical(record) == _clinical(plain)
    (told,) = [left for left in record.left_out if left.source == "language model"]
    assert told.reason.startswith("dropped 1: ")


@pytest.mark.parametrize("lie", ZH_LIES.values(), ids=ZH_LIES.keys())
def test_a_lie_in_chinese_is_dropped_and_counted(lie: Any, server: HTTPServer) -> None:
    _says(server, [lie])
    record = fb.read_transcript(ZH_TALK, llm=_ask(server))
    assert _clinical(record) == _clinical(fb.read_transcript(ZH_TALK))
    assert any(left.reason.startswith("dropped 1: ") for left in record.left_out)


@pytest.mark.parametrize("visit", ["lung_cancer_en", "diabetes_zh"])
def test_all_lies_at_once_about_another_visit_reach_no_bundle(visit: str, server: HTTPServer) -> None:
    path = VISITS / visit / "visit.txt"
    _says(server, list(LIES.values()))
    record = fb.read_transcript(path, llm=_ask(server))
    assert _clinical(record) == _clinical(fb.read_transcript(path))
    dropped = [left.reason for left in record.left_out if left.reason.startswith("dropped")]
    assert sum(int(reason.split()[1].rstrip(":")) for reason in dropped) == len(LIES)


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_answer_adds_nothing(answer: str, server: HTTPServer, plain: fb.Record) -> None:
    _says(server, answer)
    record = fb.read_transcript(TALK, language="en", llm=_ask(server))
    assert _clinical(record) == _clinical(plain)
    assert any("not the JSON that was asked for" in left.reason for left in record.left_out)


def _slow(_: Request) -> Response:
    threading.Event().wait(1.5)
    return Response("{}")


BAD_SERVERS = {
    "500": lambda _: Response(f"I was told: {TALK}", status=500),
    "404": lambda _: Response("no such model", status=404),
    "slow": _slow,
    "huge": lambda _: Response("x" * 2_000_000),
    "no JSON": lambda _: Response("<html>"),
    "no completion": lambda _: Response('{"choices": []}'),
    "a list": lambda _: Response("[1]"),
    "no text": lambda _: Response('{"choices": [{"message": {"content": null}}]}'),
    "elsewhere": lambda _: Response(status=307, headers={"Location": "https://models.example/v1"}),
}


@pytest.mark.parametrize("handler", BAD_SERVERS.values(), ids=BAD_SERVERS.keys())
def test_a_bad_endpoint_costs_nothing_but_a_note(handler: Any, server: HTTPServer, plain: fb.Record) -> None:
    server.expect_request("/v1/chat/completions").respond_with_handler(handler)
    record = fb.read_transcript(TALK, language="en", llm=_ask(server))
    assert _clinical(record) == _clinical(plain)
    (told,) = [left for left in record.left_out if left.source == "language model"]
    assert told.reason.startswith("gave")
    assert "chest" not in told.reason and "knee" not in told.reason


def test_no_endpoint_at_all_is_a_note(plain: fb.Record) -> None:
    record = fb.read_transcript(TALK, language="en", llm=ChatEndpoint("http://127.0.0.1:9", limits=Limits(tries=1)))
    assert _clinical(record) == _clinical(plain)
    assert any("no connection" in left.reason for left in record.left_out)


def test_what_the_words_bear_out_is_taken_as_unconfirmed_with_the_lexicons_codes(
    server: HTTPServer, plain: fb.Record
) -> None:
    _says(server, [_fact("pain at night", "pain", "symptom", code="C34.90")])
    record = fb.read_transcript(TALK, language="en", llm=_ask(server))
    before = {row["name"] for row in plain_facts.facts(plain)}
    (new,) = [row for row in plain_facts.facts(record) if row["name"] not in before]
    assert new["name"] == "pain" and new["status"] == "unconfirmed" and not new["certain"]
    assert new["evidence"] == ["pain"]
    assert not any("C34" in code for code in new["codes"])
    assert new["notes"] == ["proposed by a language model; to be confirmed"]


def test_the_question_holds_the_words_and_the_key_and_nothing_else_goes_out(server: HTTPServer) -> None:
    _says(server, [])
    fb.read_transcript(TALK, language="en", llm=_ask(server, model="small", key="k"))
    (request, _), *others = server.log
    assert not others and request.headers["Authorization"] == "Bearer k"
    asked = json.loads(request.data)
    assert asked["model"] == "small" and "knee pain" in asked["messages"][1]["content"]


@pytest.mark.parametrize(
    "url",
    ["https://models.example/v1", "http://192.168.1.7/v1", "http://localhost.evil.example/v1", "http://0.0.0.0:1/v1"],
)
def test_an_address_elsewhere_is_refused_and_says_why(url: str) -> None:
    with pytest.raises(fb.ConfigurationError, match=r"patients' words would leave it\. Nothing was sent"):
        fb.read_transcript(TALK, llm=url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1@evil.example/", "http://evil.example\\@127.0.0.1/", "ftp://127.0.0.1/", "127.0.0.1", ""]
)
def test_an_odd_address_is_refused(url: str) -> None:
    with pytest.raises(fb.ConfigurationError, match="not an address"):
        ChatEndpoint(url, allow_remote=True)


def test_elsewhere_if_allowed_needs_tls() -> None:
    assert ChatEndpoint("https://models.example/v1", allow_remote=True).url
    with pytest.raises(fb.ConfigurationError, match="need https"):
        ChatEndpoint("http://models.example/v1", allow_remote=True)


@pytest.mark.parametrize("url", ["http://localhost:1/v1", "http://[::1]:1/v1", "http://127.0.0.2/v1/chat/completions"])
def test_this_machine_is_not_elsewhere(url: str) -> None:
    assert ChatEndpoint(url).url == url


def test_the_key_is_in_no_text_of_the_endpoint() -> None:
    assert "secret" not in repr(ChatEndpoint("http://127.0.0.1", key="secret"))


def test_the_command_line_refuses_and_asks(
    server: HTTPServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    visit = tmp_path / "visit.txt"
    visit.write_text(TALK, "utf-8")
    assert cli.main(["transcript", str(visit), "--llm", "https://models.example/v1", "-o", f"{tmp_path}/out/"]) == 2
    assert "patients' words would leave" in capsys.readouterr().err
    assert not (tmp_path / "out" / "visit.json").exists()
    _says(server, [LIES["an invented quote"]])
    assert cli.main(["transcript", str(visit), "--llm", server.url_for("/v1"), "-o", f"{tmp_path}/out/"]) == 0
    assert "dropped 1: the quote is not in the source" in capsys.readouterr().err
    assert (tmp_path / "out" / "visit.json").exists()
