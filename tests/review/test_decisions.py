"""What a reviewer decides is written into the Bundle, with the machine's reading beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from fhirbridge.errors import InputError
from fhirbridge.fhir import lossless
from fhirbridge.review.decisions import Decision, reviewed

AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"


def _bundle() -> dict[str, Any]:
    platelets = {
        "resourceType": "Observation",
        "id": "plt",
        "status": "preliminary",
        "code": {"text": "PCT", "coding": [{"system": "http://loinc.org", "code": "51637-7"}]},
        "valueQuantity": {"value": Decimal("0.271"), "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"},
        "interpretation": [{"text": "H"}],
    }
    denied = {
        "resourceType": "Condition",
        "id": "denied",
        "verificationStatus": {"coding": [{"system": VERIFICATION, "code": "refuted"}]},
        "code": {"text": "chest pain"},
    }
    possible = {
        "resourceType": "Condition",
        "id": "possible",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "verificationStatus": {"coding": [{"system": VERIFICATION, "code": "unconfirmed"}]},
        "code": {"text": "anaemia"},
    }
    entries = [{"fullUrl": f"urn:uuid:{r['id']}", "resource": r} for r in (platelets, denied, possible)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _after(id: str, decision: Decision) -> tuple[dict[str, Any], dict[str, Any]]:
    out = reviewed(_bundle(), {id: decision}, "Dr Li", AT)
    found = {e["resource"]["id"]: e["resource"] for e in out["entry"]}
    provenance = next(r for r in found.values() if r["resourceType"] == "Provenance")
    return found[id], provenance


def test_an_accepted_observation_is_final_and_the_reviewer_is_named() -> None:
    observation, provenance = _after("plt", Decision("accept"))
    assert observation["status"] == "final"
    assert provenance["agent"][0]["who"]["display"] == "Dr Li"
    assert provenance["target"] == [{"reference": "urn:uuid:plt"}]
    assert observation["meta"]["security"][0]["code"] == "CLINAST"


def test_an_accepted_denial_stays_refuted_and_a_possible_one_becomes_confirmed() -> None:
    denied, _ = _after("denied", Decision("accept"))
    possible, _ = _after("possible", Decision("accept"))
    assert denied["verificationStatus"]["coding"][0]["code"] == "refuted"
    assert possible["verificationStatus"]["coding"][0]["code"] == "confirmed"


def test_a_rejected_fact_is_entered_in_error_without_clinical_status() -> None:
    possible, _ = _after("possible", Decision("reject"))
    assert possible["verificationStatus"]["coding"][0]["code"] == "entered-in-error"
    assert "clinicalStatus" not in possible


def test_a_change_keeps_the_printed_digits_and_the_machines_reading() -> None:
    observation, _ = _after("plt", Decision("change", value="0.270", unit="%"))
    assert '"value":0.270' in lossless.dumps(observation)
    assert observation["valueQuantity"]["code"] == "%"
    assert observation["note"][0]["text"] == "Machine reading: PCT, 0.271 %, preliminary"
    assert observation["status"] == "final"
    assert "interpretation" not in observation


def test_a_change_to_words_and_to_a_comparator() -> None:
    words, _ = _after("plt", Decision("change", value="negative"))
    less, _ = _after("plt", Decision("change", value="<0.05"))
    assert words["valueCodeableConcept"] == {"text": "negative"} and "valueQuantity" not in words
    assert (less["valueQuantity"]["comparator"], less["valueQuantity"]["value"]) == ("<", Decimal("0.05"))


def test_a_changed_name_drops_the_codes_that_stood_for_the_other() -> None:
    observation, _ = _after("plt", Decision("change", name="PLT"))
    assert observation["code"] == {"text": "PLT"}


def test_facts_without_a_decision_and_the_source_bundle_are_untouched() -> None:
    source = _bundle()
    out = reviewed(source, {"plt": Decision("accept")}, "Dr Li", AT)
    assert out["entry"][1] == source["entry"][1]
    assert source == _bundle()


@pytest.mark.parametrize(
    ("decision", "reviewer", "reason"),
    [
        (Decision("accept"), " ", "no reviewer named"),
        (Decision("bless"), "Dr Li", "unknown verdict 'bless'"),
        (Decision("change", status="married"), "Dr Li", "cannot be 'married'"),
    ],
)
def test_what_cannot_be_carried_out_is_refused(decision: Decision, reviewer: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        reviewed(_bundle(), {"plt": decision}, reviewer, AT)
