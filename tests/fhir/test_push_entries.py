"""What makes a resource the same one when it is pushed again, and another one when it only looks alike."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import fhirbridge as fb
from fhirbridge.fhir import lossless
from fhirbridge.fhir.one_ahead import one_ahead
from fhirbridge.fhir.push_entries import entries, knots, resolved
from tests.fhir.raw_server import Raw, answer, raw_server


def _patient(name: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "1", "identifier": [{"system": "urn:mrn", "value": name}], **more}


def _observation(number: int, **more: Any) -> dict[str, Any]:
    about = {"code": {"text": "Hb"}, "subject": {"reference": "Patient/1"}, "valueInteger": number}
    return {"resourceType": "Observation", "id": f"o{number}", "status": "final", **about, **more}


def _bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]}


def _identities(*resources: dict[str, Any]) -> list[str]:
    return [e.identity for e in entries(_bundle(*resources))[0]]


def test_the_same_bundle_has_the_same_identities() -> None:
    assert _identities(_patient("a"), _observation(1)) == _identities(_patient("a"), _observation(1))


def test_what_is_said_of_another_patient_of_the_same_local_name_is_another_resource() -> None:
    (anna, of_anna), (bo, of_bo) = (_identities(_patient(n), _observation(1)) for n in ("a", "b"))
    assert anna != bo
    assert of_anna != of_bo


def test_a_chain_of_local_names_ends_at_the_patient() -> None:
    def chain(name: str) -> list[str]:
        panel = _observation(2, hasMember=[{"reference": "Observation/o1"}])
        return _identities(panel, _observation(1), _patient(name))

    assert not set(chain("a")) & set(chain("b"))


def test_a_ring_of_references_has_an_identity_too() -> None:
    ring = [_observation(n, derivedFrom=[{"reference": f"Observation/o{3 - n}"}]) for n in (1, 2)]
    assert _identities(*ring, _patient("a")) == _identities(*ring, _patient("a"))
    assert len(set(_identities(*ring, _patient("a")))) == 3


def test_the_servers_own_meta_does_not_make_another_resource() -> None:
    served = _observation(1, meta={"versionId": "7", "lastUpdated": "2024-01-01T00:00:00Z"})
    assert _identities(served, _patient("a")) == _identities(_observation(1), _patient("a"))


def test_what_is_in_a_bundle_twice_is_sent_once_and_said() -> None:
    twice = [{"fullUrl": f"urn:uuid:{n}", "resource": _patient("a")} for n in "xy"]
    about = {"fullUrl": "urn:uuid:z", "resource": _observation(1, subject={"reference": "urn:uuid:y"})}
    made, left_out = entries({"resourceType": "Bundle", "entry": [*twice, about]})
    assert [e.key for e in made] == ["urn:uuid:x", "urn:uuid:z"]
    assert made[1].resource["subject"] == {"reference": "urn:uuid:x"}
    assert "the same as entry[0]" in left_out[0].reason


def test_two_resources_with_one_id_are_both_sent() -> None:
    assert len(entries(_bundle(_observation(1), _observation(1, valueInteger=5)))[0]) == 2


def test_an_entry_without_a_resource_is_left_out_and_said() -> None:
    deletion = {"request": {"method": "DELETE", "url": "Patient/1"}}
    made, left_out = entries({"resourceType": "Bundle", "entry": [deletion, {"resource": {"id": "x"}}]})
    assert made == []
    assert [item.reason for item in left_out] == ["no resource; push writes, it deletes nothing", "no resourceType"]


def test_only_references_are_exchanged_and_digits_stay() -> None:
    told = 'see "reference":"Patient/1" and \\"reference\\":\\"Patient/1\\"'
    resource = _observation(1, note=[{"text": told}], valueDecimal=Decimal("12.30"), other="Patient/1")
    (entry, patient) = entries(_bundle(resource, _patient("a")))[0]
    assert entry.resource["note"] == [{"text": told}]
    assert entry.resource["other"] == "Patient/1"
    assert '"valueDecimal":12.30' in entry.text
    assert entry.resource["subject"]["reference"] == patient.key
    now = lossless.loads(resolved(entry.text, {patient.key: 'Patient/"7'}))
    assert now["subject"]["reference"] == 'Patient/"7'


def test_knots_come_after_what_they_need() -> None:
    needs = {"a": ["b"], "b": ["c"], "c": ["b", "d"], "d": []}
    assert [sorted(k) for k in knots(needs)] == [["d"], ["b", "c"], ["a"]]


def test_one_ahead_keeps_the_order_and_its_errors() -> None:
    def things() -> Any:
        yield from (1, 2)
        raise fb.InputError("x", "bad")

    got = []
    with pytest.raises(fb.InputError):
        for thing in one_ahead(things()):
            got.append(thing)
    assert got == [1, 2]
    assert list(one_ahead(range(7))) == list(range(7))


# ------------------------------------------------------------------------------------------------- journal and batch


def _taken(*places: str) -> bytes:
    made = [{"response": {"status": "201", "location": f"{p}/_history/1"}} for p in places]
    return answer(200, json.dumps({"resourceType": "Bundle", "entry": made}))


def _sent(server: Raw, number: int) -> list[dict[str, Any]]:
    return [e["resource"] for e in json.loads(server.requests[number].partition(b"\r\n\r\n")[2])["entry"]]


def test_one_journal_serves_files_whose_local_names_are_the_same(tmp_path: Path) -> None:
    anna, bo = (_bundle(_patient(n), _observation(1)) for n in ("a", "b"))
    with raw_server(_taken("Patient/7", "Observation/7"), _taken("Patient/8", "Observation/8")) as server:
        client = fb.FHIRServer(server.base)
        summaries = list(client.push_each([anna, bo, anna], journal=tmp_path / "journal"))
    assert [(s.created, s.unchanged) for s in summaries] == [(2, 0), (2, 0), (0, 2)]
    assert [r["identifier"][0]["value"] for n in (0, 1) for r in _sent(server, n)[:1]] == ["a", "b"]


def test_a_journal_of_one_server_says_nothing_about_another(tmp_path: Path) -> None:
    for _ in range(2):
        with raw_server(_taken("Patient/7")) as server:
            assert fb.FHIRServer(server.base).push(_bundle(_patient("a")), journal=tmp_path / "j").created == 1


def test_a_line_broken_by_a_kill_does_not_spoil_the_next(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    journal.write_text('{"entry": "a12')
    with raw_server(_taken("Patient/7")) as server:
        client = fb.FHIRServer(server.base)
        assert client.push(_bundle(_patient("a")), journal=journal).created == 1
        assert client.push(_bundle(_patient("a")), journal=journal).unchanged == 1


def test_in_a_batch_what_refers_is_sent_after_what_it_refers_to() -> None:
    with raw_server(_taken("Patient/7"), _taken("Observation/9")) as server:
        summary = fb.FHIRServer(server.base).push(_bundle(_observation(1), _patient("a")), mode="batch")
    assert (summary.created, summary.failed) == (2, [])
    assert _sent(server, 1)[0]["subject"]["reference"] == "Patient/7"


def test_in_a_batch_what_refers_to_something_refused_is_not_sent() -> None:
    refused = answer(200, json.dumps({"resourceType": "Bundle", "entry": [{"response": {"status": "422"}}]}))
    with raw_server(refused) as server:
        summary = fb.FHIRServer(server.base).push(_bundle(_patient("a"), _observation(1)), mode="batch")
    assert len(server.requests) == 1
    assert [f.source for f in summary.failed] == ["entry[0] Patient/1", "entry[1] Observation/o1"]


def test_an_answer_that_is_no_bundle_is_not_taken_for_success() -> None:
    for body in ('{"resourceType": "Patient"}', "<html>signed in</html>"):
        with raw_server(answer(200, body)) as server:
            summary = fb.FHIRServer(server.base).push(_bundle(_patient("a")))
        assert (summary.created, summary.unchanged) == (0, 0)
        assert "not known what it took" in summary.failed[0].reason
