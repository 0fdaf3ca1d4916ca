"""Synthea's patients pushed to a real server and read back: none lost, none doubled, none changed, faults or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import fhirbridge as fb
from benchmarks.push_synthea import moments, through_faults
from fhirbridge.fhir.server_transport import Limits
from tests.fhir.fault_proxy import FAULTS, fault_proxy
from tests.fhir.raw_server import answer, raw_server
from tests.fhir.read_back import SYNTHEA, compare, synthea
from tests.fhir.servers import sekmet

pytestmark = pytest.mark.server
needs_patients = pytest.mark.skipif(not SYNTHEA.exists(), reason="the Synthea Bundles of ../shared are not here")


@needs_patients
def test_bundles_pushed_twice_are_all_there_once_and_unchanged(tmp_path: Path) -> None:
    bundles = [bundle for _, bundle in synthea(3)]
    with sekmet(tmp_path) as base:
        client = fb.FHIRServer(base)
        for expected in (True, False):
            summaries = list(client.push_each(bundles))
            assert [s.failed for s in summaries] == [[], [], []]
            assert all((s.created > 0) is expected for s in summaries)
        difference = compare(bundles, base)
    assert difference.resources > 200
    assert difference.wrong == []


@needs_patients
@pytest.mark.slow
def test_faults_and_kills_lose_and_double_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert through_faults(list(synthea(5)), tmp_path, rate=0.3, kills=3, seed=4) == 0
    assert "killed 3 times" in capsys.readouterr().out


def _patients(number: int) -> dict[str, Any]:
    entries = [
        {"resource": {"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": f"p{n}"}]}}
        for n in range(number)
    ]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def test_every_kind_of_fault_is_survived(tmp_path: Path) -> None:
    bundle = _patients(60)
    with sekmet(tmp_path) as base, fault_proxy(base, rate=0.5, seed=1) as proxy:
        client = fb.FHIRServer(proxy.base, limits=Limits(tries=12))
        client.transport.sleep = lambda _: None
        assert client.push(bundle, most=3).failed == []
        difference = compare([bundle], base)
    assert set(proxy.injected) == set(FAULTS)
    assert (difference.resources, difference.wrong) == (60, [])


def test_the_comparison_sees_what_is_lost_doubled_and_changed() -> None:
    def held(value: str, **more: Any) -> dict[str, Any]:
        identifier = [{"system": "urn:mrn", "value": value}]
        return {"resource": {"resourceType": "Patient", "id": value, "identifier": identifier, **more}}

    page = {"resourceType": "Bundle", "entry": [held("p0"), held("p0"), held("p1", gender="male"), held("other")]}
    with raw_server(answer(200, fb.Record(page).to_json())) as server:
        difference = compare([_patients(3)], server.base)
    assert difference.doubled == ["Patient?identifier=urn%3Amrn%7Cp0"]
    assert difference.lost == ["Patient?identifier=urn%3Amrn%7Cp2"]
    assert difference.changed == ["Patient.gender: new"]
    assert difference.unknown == ["Patient/other"]


def test_the_moments_of_the_kills_are_random_and_repeatable() -> None:
    assert moments(200, 10, 1) == moments(200, 10, 1) != moments(200, 10, 2)
    assert len({after for after, _ in moments(200, 10, 1)}) == 10


@needs_patients
def test_a_typed_view_changes_no_value() -> None:
    from benchmarks.round_trip import changed, texts

    for _, text in texts(2, SYNTHEA):
        values, differ = changed(text)
        assert values > 1000
        assert differ == []


def test_a_changed_digit_would_be_seen() -> None:
    from benchmarks.round_trip import _primitives, _printed

    assert list(_primitives(_printed('{"a": 12.30}'))) != list(_primitives(_printed('{"a": 12.3}')))
