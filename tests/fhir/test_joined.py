"""Several Bundles of one person become one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import fhirbridge as fb


def _bundle(patient: dict[str, Any], *resources: dict[str, Any]) -> dict[str, Any]:
    entries = [{"fullUrl": f"urn:uuid:{r['id']}", "resource": r} for r in (patient, *resources)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _observation(id: str, patient: str, value: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": id,
        "subject": {"reference": patient},
        "valueQuantity": {"value": Decimal(value)},
    }


def test_all_references_lead_to_the_one_patient_and_digits_stay() -> None:
    visit = _bundle({"resourceType": "Patient", "id": "a", "gender": "male"}, _observation("o1", "urn:uuid:a", "12.30"))
    photo = _bundle({"resourceType": "Patient", "id": "b"}, _observation("o2", "Patient/b", "1.0"))
    joined = fb.join([visit, photo], patient_id="p1")
    (patient,) = joined.resources("Patient")
    assert (patient["id"], patient["gender"]) == ("p1", "male")
    url = joined.json["entry"][0]["fullUrl"]
    assert [o["subject"]["reference"] for o in joined.resources("Observation")] == [url, url]
    assert '"value":12.30' in joined.to_json()


def test_a_disagreement_is_told_and_the_first_is_kept() -> None:
    one = _bundle({"resourceType": "Patient", "id": "a", "gender": "male"})
    other = _bundle({"resourceType": "Patient", "id": "b", "gender": "female"})
    joined = fb.join([one, other], patient_id="p")
    assert next(joined.resources("Patient"))["gender"] == "male"
    assert [(item.source, "gender" in item.reason) for item in joined.left_out] == [("Bundle 2", True)]


def test_equal_resources_stand_once_and_the_sources_are_not_changed() -> None:
    source = _bundle({"resourceType": "Patient", "id": "a"}, _observation("o", "Patient/a", "1.5"))
    joined = fb.join([source, source], patient_id="p")
    assert len(list(joined.resources("Observation"))) == 1
    assert source["entry"][1]["resource"]["subject"]["reference"] == "Patient/a"


def test_nothing_to_join_is_an_error() -> None:
    with pytest.raises(fb.EmptyInput, match="no Bundle to join"):
        fb.join([], patient_id="p")
