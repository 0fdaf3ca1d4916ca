"""The Bundle of a transcript: what the contract asks of it, in R4 and R5."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, date, datetime
from typing import Any

import pytest

from fhirbridge.extract import facts, turns
from fhirbridge.fhir import transcript_bundle
from fhirbridge.fhir.record import Record
from fhirbridge.terminology import lexicon

TEXT = (
    "Doctor: any chest pain ? any allergies ? do you smoke ?\n"
    "Patient: no , no chest pain , i'm allergic to penicillin , and i smoke 10 cigarettes a day\n"
    "Doctor: what happens when you take it ?\nPatient: i get a rash\n"
    "Doctor: what medicines do you take ?\n"
    "Patient: i take lisinopril 10 milligrams once a day and i stopped taking metformin\n"
    "Patient: i've had a severe headache for three days and pain in my left knee , my mother had breast cancer\n"
    "Patient: i had a colonoscopy last year\n"
    "Doctor: let me take a look . your blood pressure is one twenty eight over seventy two "
    "and your hemoglobin is 8.20 . your lungs are clear\n"
    "Doctor: i think you have gout . i'm going to start you on colchicine 0.6 milligrams twice a day as needed\n"
    "Doctor: i want to order an mri of your knee and i'll see you back in two weeks\n"
)
CLOCK = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)


def _record(version: str = "R4", transaction: bool = False, visit: date | None = date(2026, 3, 1)) -> Record:
    transcript = turns.read(TEXT, visit_date=visit)
    found, left_out = facts.find(transcript, lexicon.load())
    return transcript_bundle.build(
        transcript, found, left_out, transaction=transaction, fhir_version=version, recorded=CLOCK
    )


def _one(record: Record, kind: str, name: str) -> dict[str, Any]:
    for resource in record.resources(kind):
        concept = resource.get("code") or resource.get("medicationCodeableConcept") or {}
        if name in concept.get("text", "").lower():
            return resource
    raise AssertionError(f"no {kind} {name}")


@pytest.mark.parametrize("version", ["R4", "R5"])
@pytest.mark.parametrize("transaction", [False, True])
@pytest.mark.parametrize("visit", [None, date(2026, 3, 1)])
def test_the_structure_is_fhir(version: str, transaction: bool, visit: date | None) -> None:
    record = _record(version, transaction, visit)
    assert record.bundle.type == ("transaction" if transaction else "collection")


def test_every_clinical_resource_carries_its_words() -> None:
    record = _record()
    document = next(record.resources("DocumentReference"))
    text = base64.b64decode(document["content"][0]["attachment"]["data"]).decode()
    assert text == TEXT
    frame = {"Patient", "Encounter", "DocumentReference", "Provenance"}
    clinical = [r for r in record.resources() if r["resourceType"] not in frame]
    assert len(clinical) > 12
    for resource in clinical:
        assert resource["meta"]["security"][0]["code"] == "AIAST"
        for extension in resource["extension"]:
            part = {e["url"]: e for e in extension["extension"]}
            assert part["reference"]["valueReference"]["reference"] == f"urn:uuid:{document['id']}"
            assert part["path"]["valueString"] == "DocumentReference.content[0].attachment.data"
            start, length = part["offset"]["valueInteger"], part["length"]["valueInteger"]
            assert text[start : start + length].strip()


def test_the_document_is_hashed() -> None:
    attachment = next(_record().resources("DocumentReference"))["content"][0]["attachment"]
    data = base64.b64decode(attachment["data"])
    assert base64.b64decode(attachment["hash"]) == hashlib.sha1(data).digest()
    assert attachment["size"] == len(data)


def test_a_denied_symptom_is_refuted() -> None:
    condition = _one(_record(), "Condition", "chest pain")
    assert condition["verificationStatus"]["coding"][0]["code"] == "refuted"
    assert "clinicalStatus" not in condition
    assert condition["category"][0]["coding"][0]["code"] == "health-concern"


def test_a_complaint_has_onset_and_severity() -> None:
    condition = _one(_record(), "Condition", "headache")
    assert condition["severity"]["coding"][0]["code"] == "24484000"
    assert condition["onsetDateTime"] == "2026-02-26"
    assert condition["clinicalStatus"]["coding"][0]["code"] == "active"
    assert "onsetDateTime" not in _one(_record(visit=None), "Condition", "headache")


def test_a_suspected_disease_is_provisional() -> None:
    condition = _one(_record(), "Condition", "gout")
    assert condition["verificationStatus"]["coding"][0]["code"] == "provisional"
    assert condition["category"][0]["coding"][0]["code"] == "encounter-diagnosis"


def test_blood_pressure_has_components() -> None:
    observation = _one(_record(), "Observation", "blood pressure")
    values = {c["code"]["coding"][0]["code"]: str(c["valueQuantity"]["value"]) for c in observation["component"]}
    assert values == {"8480-6": "128", "8462-4": "72"}
    assert observation["meta"]["profile"] == ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-blood-pressure"]
    assert "profile" not in _one(_record(visit=None), "Observation", "blood pressure")["meta"]


def test_a_number_keeps_its_digits() -> None:
    observation = _one(_record(), "Observation", "hemoglobin")
    assert str(observation["valueQuantity"]["value"]) == "8.20"
    assert observation["code"]["coding"][0]["code"] == "718-7"
    assert '"value":8.20' in _record().to_json()


def test_medicines_taken_stopped_and_prescribed() -> None:
    record = _record()
    taken = _one(record, "MedicationStatement", "lisinopril")
    assert taken["status"] == "active"
    assert taken["dosage"][0]["doseAndRate"][0]["doseQuantity"]["code"] == "mg"
    assert taken["dosage"][0]["timing"]["repeat"]["frequency"] == 1
    assert _one(record, "MedicationStatement", "metformin")["status"] == "stopped"
    planned = _one(record, "MedicationRequest", "colchicine")
    assert planned["dosageInstruction"][0]["asNeededBoolean"] is True


def test_an_allergy_has_its_reaction() -> None:
    allergy = next(_record().resources("AllergyIntolerance"))
    assert "penicillin" in allergy["code"]["text"].lower()
    assert allergy["reaction"][0]["manifestation"][0]["text"] == "rash"


def test_a_relative_s_disease_is_family_history() -> None:
    history = next(_record().resources("FamilyMemberHistory"))
    assert history["relationship"]["coding"][0]["code"] == "MTH"
    assert history["condition"][0]["code"]["text"] == "breast cancer"


def test_done_and_planned() -> None:
    record = _record()
    assert _one(record, "Procedure", "colonoscopy")["status"] == "completed"
    assert _one(record, "ServiceRequest", "mri")["intent"] == "plan"
    assert _one(record, "ServiceRequest", "follow-up")["status"] == "active"


def test_smoking_is_coded_with_what_was_said() -> None:
    value = _one(_record(), "Observation", "smok")["valueCodeableConcept"]
    assert value["coding"][0]["code"] == "77176002"
    assert "10 cigarettes a day" in value["text"]


def test_provenance_names_the_machine_and_the_source() -> None:
    provenance = next(_record().resources("Provenance"))
    assert provenance["recorded"] == "2026-03-02T08:30:00Z"
    assert provenance["agent"][0]["who"]["display"].startswith("fhirbridge ")
    assert provenance["entity"][0]["role"] == "source"


def test_a_transaction_creates_each_once() -> None:
    entries = _record(transaction=True).json["entry"]
    assert all(e["request"]["method"] == "POST" for e in entries)
    patient = next(e for e in entries if e["resource"]["resourceType"] == "Patient")
    assert patient["request"]["ifNoneExist"].startswith("identifier=urn:fhirbridge:transcript:patient|")
    assert len({e["fullUrl"] for e in entries}) == len(entries)


def test_the_same_transcript_gives_the_same_bundle() -> None:
    assert _record().to_json() == _record().to_json()


def test_r5_has_its_own_shapes() -> None:
    record = _record("R5")
    statement = next(record.resources("MedicationStatement"))
    assert statement["status"] == "recorded"
    assert "concept" in statement["medication"]
    assert next(record.resources("Encounter"))["class"][0]["coding"][0]["code"] == "AMB"
    assert all("us/core" not in p for r in record.resources() for p in r.get("meta", {}).get("profile", []))
