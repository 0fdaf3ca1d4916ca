"""A laboratory report's Bundle says what the contract says, and nothing of the header when that is not wanted."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fhirbridge.fhir import lab_bundle
from fhirbridge.fhir.record import Record
from fhirbridge.records import Box, Coding, LabHeader, LabReport, LabResult, Page, Picture, Quantity, Word

LOINC = "http://loinc.org"
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def mg(value: str) -> Quantity:
    return Quantity(Decimal(value), "mg/L", "mg/L")


ROWS = (
    LabResult(
        "C反应蛋白",
        "12.30",
        Box(10, 60, 180, 12),
        mg("12.30"),
        "mg/L",
        mg("0"),
        mg("10.0"),
        "0-10.0",
        codings=(Coding(LOINC, "1988-5"),),
    ),
    LabResult("肌钙蛋白", "<0.01", Box(10, 80, 180, 12), Quantity(Decimal("0.01"), "ng/mL", "ng/mL", "<"), "ng/mL"),
    LabResult("乙肝表面抗原", "阴性", Box(10, 100, 180, 12), range_text="阴性"),
    LabResult("白细胞", "", Box(10, 120, 180, 12), doubts=("the value could not be read",)),
    LabResult("血糖", "7.1", Box(10, 140, 180, 12), Quantity(Decimal("7.1")), flag="L", high=mg("6.1"), doubts=("x",)),
)
HEADER = LabHeader(
    patient_name="张三",
    patient_id="12345",
    sex="female",
    age="33岁",
    specimen="血清",
    collected="2024-05-01 08:10",
    reported="2024-05-01 09:30",
    laboratory="某医院检验科",
    boxes=(("patient_name", Box(10, 10, 60, 12)),),
)


def picture() -> Picture:
    pixels = np.zeros((200, 200, 3), np.uint8)
    store = io.BytesIO()
    Image.fromarray(pixels).save(store, "PNG")
    return Picture("a.png", 1, pixels, store.getvalue(), "image/png")


def built(*, photo: Picture | None = None, **options: Any) -> Record:
    words = (Word("张三", Box(10, 10, 60, 12), 1.0),)
    report = LabReport(HEADER, ROWS, (Page(1, 200, 200, words, "fake"),), "zh")
    return lab_bundle.build(report, [photo or picture()], recorded=NOON, **options)


def observations(record: Record) -> list[dict[str, Any]]:
    return list(record.resources("Observation"))


def test_a_value_keeps_its_printed_digits() -> None:
    assert '"value":12.30' in built().to_json()


def test_a_number_has_unit_ucum_code_range_and_interpretation() -> None:
    crp = observations(built())[0]
    assert crp["code"] == {"coding": [{"system": LOINC, "code": "1988-5"}], "text": "C反应蛋白"}
    assert crp["valueQuantity"]["code"] == "mg/L" and crp["valueQuantity"]["unit"] == "mg/L"
    assert crp["referenceRange"][0]["high"]["value"] == Decimal("10.0")
    assert crp["referenceRange"][0]["text"] == "0-10.0"
    assert crp["interpretation"][0]["coding"][0]["code"] == "H"
    assert crp["status"] == "final"


def test_the_printed_flag_wins_over_the_range() -> None:
    assert observations(built())[4]["interpretation"][0]["coding"][0]["code"] == "L"


def test_a_comparator_and_a_word_are_kept_as_printed() -> None:
    _, troponin, hbsag, *_ = observations(built())
    assert troponin["valueQuantity"]["comparator"] == "<"
    assert hbsag["valueCodeableConcept"]["text"] == "阴性"
    assert hbsag["valueCodeableConcept"]["coding"][0]["code"] == "260385009"


def test_doubt_is_preliminary_with_its_reason_and_no_value_says_so() -> None:
    empty = observations(built())[3]
    assert empty["status"] == "preliminary"
    assert empty["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert empty["note"] == [{"text": "to check: the value could not be read"}]
    assert next(built().resources("DiagnosticReport"))["status"] == "preliminary"


def test_every_observation_points_at_its_place_on_the_picture() -> None:
    record = built()
    document = f"urn:uuid:{next(record.resources('DocumentReference'))['id']}"
    for one in observations(record):
        parts = {p["url"]: p for p in one["extension"][0]["extension"]}
        assert parts["reference"]["valueReference"]["reference"] == document
        assert "#xywh=pixel:10," in parts["path"]["valueString"]
        assert one["meta"]["security"][0]["code"] == "AIAST"


def test_the_header_goes_into_patient_specimen_and_report() -> None:
    record = built()
    patient = next(record.resources("Patient"))
    assert patient["name"] == [{"text": "张三"}] and patient["gender"] == "female"
    assert patient["extension"][0]["valueQuantity"]["value"] == Decimal(33)
    report = next(record.resources("DiagnosticReport"))
    assert report["issued"] == "2024-05-01T09:30:00+08:00"
    assert report["effectiveDateTime"] == "2024-05-01T08:10:00+08:00"
    assert len(report["result"]) == len(ROWS)
    assert next(record.resources("Specimen"))["type"] == {"text": "血清"}


def test_without_header_nothing_of_it_is_told_and_the_picture_is_blanked() -> None:
    record = built(header=False)
    text = record.to_json()
    for secret in ("张三", "12345", "female", "33", "2024-05-01T08", "某医院"):
        assert secret not in json.dumps(
            [r for r in record.resources() if r["resourceType"] != "DocumentReference"], ensure_ascii=False, default=str
        ), secret
    assert "张三" not in text
    data = next(record.resources("DocumentReference"))["content"][0]["attachment"]["data"]
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    assert (pixels[10:22, 10:70] == 255).all(), "the name is still there"
    assert (pixels[62:70, 12:180] == 0).all(), "a row was blanked"


def test_with_several_photos_a_box_names_its_file_and_page() -> None:
    first, second = picture(), picture()
    second = Picture("b.png", 2, second.pixels, second.data + b" ", "image/png")
    row = LabResult("钾", "4.1", Box(10, 60, 180, 12, page=2), Quantity(Decimal("4.1"), "mmol/L"), "mmol/L")
    record = lab_bundle.build(LabReport(HEADER, (row,), (), "zh"), [first, second], recorded=NOON)
    path = observations(record)[0]["extension"][0]["extension"][1]["valueString"]
    assert path == "DocumentReference.content[1].attachment.data#page=2&xywh=pixel:10,60,180,12"
    assert len(next(record.resources("DocumentReference"))["content"]) == 2


def test_a_time_without_zone_is_a_date_with_its_printed_text() -> None:
    header = LabHeader(collected="2023-05-14T11:03:00")
    record = lab_bundle.build(LabReport(header, ROWS[:1], (), "en"), [picture()], recorded=NOON)
    one = observations(record)[0]
    assert one["effectiveDateTime"] == "2023-05-14"
    assert one["_effectiveDateTime"]["extension"][0]["valueString"] == "2023-05-14T11:03:00"


@pytest.mark.parametrize(
    ("printed", "value", "code"),
    [("33岁", "33", "a"), ("5个月", "5", "mo"), ("30 Years", "30", "a"), ("12天", "12", "d")],
)
def test_an_age_keeps_its_unit(printed: str, value: str, code: str) -> None:
    record = lab_bundle.build(LabReport(LabHeader(age=printed), ROWS[:1], (), "zh"), [picture()], recorded=NOON)
    age = next(record.resources("Patient"))["extension"][0]["valueQuantity"]
    assert (str(age["value"]), age["code"]) == (value, code)


@pytest.mark.parametrize("version", ["R4", "R5"])
def test_the_bundle_is_structurally_fhir(version: str) -> None:
    assert built(fhir_version=version, transaction=True).bundle is not None


def test_a_transaction_is_conditional_so_that_a_second_push_adds_nothing() -> None:
    entries = built(transaction=True).json["entry"]
    for entry in entries:
        if entry["resource"]["resourceType"] in {"Patient", "Observation", "DiagnosticReport", "DocumentReference"}:
            assert entry["request"]["ifNoneExist"].startswith("identifier=")


def test_the_same_picture_gives_the_same_bundle() -> None:
    assert built().to_json() == built().to_json()


@pytest.mark.parametrize("header", [True, False])
def test_a_large_picture_is_embedded_small_enough_for_fhir_with_the_same_pixels(header: bool) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (1200, 1600, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, "PNG")
    large = replace(picture(), data=stream.getvalue(), content_type="image/png", pixels=noise)
    record = built(photo=large, header=header)
    (attachment,) = [c["attachment"] for d in record.resources("DocumentReference") for c in d["content"]]
    assert len(stream.getvalue()) > 1024 * 1024 >= len(attachment["data"])
    with Image.open(io.BytesIO(base64.b64decode(attachment["data"]))) as shown:
        assert shown.size == (1600, 1200)
