"""A laboratory report -> one Bundle: patient, picture, specimen, DiagnosticReport, its Observations, Provenance."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fhirbridge.fhir import derivation, lab_observation, lab_picture, r5
from fhirbridge.fhir.record import Record
from fhirbridge.records import LabHeader, LabReport, Picture, Quantity

SOURCE = "urn:fhirbridge:lab"
AGE = "urn:fhirbridge:extension:age"  # FHIR has no element for an age without a birth date
_ORIGINAL = "http://hl7.org/fhir/StructureDefinition/originalText"
_REPORT_PROFILE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-diagnosticreport-lab"
_V2_0074 = "http://terminology.hl7.org/CodeSystem/v2-0074"
_NAMES = ("Patient", "Specimen", "Organization", "DocumentReference", "DiagnosticReport", "Provenance")


def build(
    report: LabReport,
    pictures: Sequence[Picture],
    *,
    header: bool = True,
    transaction: bool = False,
    fhir_version: str = "R4",
    recorded: datetime | None = None,
) -> Record:
    """The Bundle of a report. Without `header` nothing of it but the specimen is told, and the picture is blanked.

    `recorded` is the clock of its Provenance: the report's date, else now.
    """
    told = report.header if header else LabHeader(specimen=report.header.specimen)
    source = lab_picture.digest(pictures)
    ids = {name: derivation.name_id(SOURCE, source, name) for name in _NAMES}
    to = {name: f"urn:uuid:{value}" for name, value in ids.items()}
    zone = "+08:00" if report.language == "zh" else ""  # all of China keeps one time; elsewhere it is not printed
    rows = _observations(report, pictures, told, to, zone, blanked=not header)
    patient = _patient(ids["Patient"], source, told)
    documents = _document(ids["DocumentReference"], report, pictures, to, source, blanked=not header)
    resources = [
        patient,
        documents,
        *_specimen(ids["Specimen"], told, to, zone),
        *_laboratory(ids["Organization"], told),
    ]
    resources.append(_report(ids["DiagnosticReport"], report, told, rows, to, zone))
    resources += rows
    resources.append(_provenance(ids["Provenance"], rows, to, report, recorded or _clock(told)))
    if fhir_version == "R5":
        resources = [r5.converted(resource) for resource in resources]
    return Record(derivation.bundle(resources, transaction), report.left_out, fhir_version)


def _observations(
    report: LabReport, pictures: Sequence[Picture], told: LabHeader, to: dict[str, str], zone: str, *, blanked: bool
) -> list[dict[str, Any]]:
    content = lab_picture.content_of(pictures, blanked=blanked)
    effective = _time("effective", told.collected or told.reported, zone)
    out = []
    for number, row in enumerate(report.results):
        one = derivation.name_id(to["DocumentReference"], number, row.name, row.value_text)
        where = lab_observation.box_evidence(
            to["DocumentReference"], row.box, len(pictures), content.get(row.box.page, 0)
        )
        base: dict[str, Any] = {"id": one, "extension": where, "identifier": [_identifier("observation", one)]}
        base["subject"] = {"reference": to["Patient"]}
        made = lab_observation.observation(row, base, effective)
        if told.specimen:
            made["specimen"] = {"reference": to["Specimen"]}
        out.append(made)
    return out


def _identifier(kind: str, value: str) -> dict[str, str]:
    return {"system": f"{SOURCE}:{kind}", "value": value}


def _patient(one: str, source: str, told: LabHeader) -> dict[str, Any]:
    out: dict[str, Any] = {"resourceType": "Patient", "id": one, "meta": derivation.meta()}
    age = _age(told.age)
    if age is not None:
        out["extension"] = [{"url": AGE, "valueQuantity": derivation.quantity(age)}]
    out["identifier"] = [_identifier("patient", source[:32])]
    if told.patient_id:
        out["identifier"].append({"value": told.patient_id})
    if told.patient_name:
        out["name"] = [{"text": told.patient_name}]
    if told.sex:
        out["gender"] = told.sex
    return out


def _age(printed: str | None) -> Quantity | None:
    """The age on the day of the report; months and days only where no years are printed."""
    found = re.search(r"(\d{1,3})\s*(岁|周岁|y|yr|year|个?月|m(?:o|onth)|天|日|d|周|w|$)?", (printed or "").casefold())
    if not found or not printed:
        return None
    unit = found[2] or "y"
    code = "mo" if "月" in unit or unit.startswith("m") else "d" if unit in "天日d" else "wk" if unit in "周w" else "a"
    return Quantity(Decimal(found[1]), printed.strip()[found.end(1) :].strip() or "years", code)


def _specimen(one: str, told: LabHeader, to: dict[str, str], zone: str) -> list[dict[str, Any]]:
    if not told.specimen:
        return []
    out: dict[str, Any] = {"resourceType": "Specimen", "id": one, "meta": derivation.meta()}
    out |= {"type": {"text": told.specimen}, "subject": {"reference": to["Patient"]}}
    out |= _time("received", told.received, zone, "Time")
    collected = _time("collected", told.collected, zone)
    if collected:
        out["collection"] = collected
    return [out]


def _laboratory(one: str, told: LabHeader) -> list[dict[str, Any]]:
    if not told.laboratory:
        return []
    name = told.laboratory
    return [{"resourceType": "Organization", "id": one, "meta": derivation.meta(), "active": True, "name": name}]


def _report(
    one: str, report: LabReport, told: LabHeader, rows: Sequence[dict[str, Any]], to: dict[str, str], zone: str
) -> dict[str, Any]:
    effective = _time("effective", told.collected or told.reported, zone)
    issued = _moment(told.reported, zone)
    conforms = "effectiveDateTime" in effective and issued is not None
    final = all(row["status"] == "final" for row in rows)
    out: dict[str, Any] = {
        "resourceType": "DiagnosticReport",
        "id": one,
        "meta": derivation.meta(_REPORT_PROFILE if conforms else ""),
        "identifier": [_identifier("report", one)],
        "status": "final" if final else "preliminary",
        "category": [derivation.code(_V2_0074, "LAB", "Laboratory")],
        "code": derivation.code("http://loinc.org", "11502-2", "Laboratory report"),
        "subject": {"reference": to["Patient"]},
        **effective,
    }
    if told.title:
        out["code"]["text"] = told.title
    if issued:
        out["issued"] = issued
    if told.laboratory:
        out["performer"] = [{"reference": to["Organization"]}]
    elif told.department:
        out["performer"] = [{"display": told.department}]
    if told.specimen:
        out["specimen"] = [{"reference": to["Specimen"]}]
    if rows:
        out["result"] = [{"reference": f"urn:uuid:{row['id']}"} for row in rows]
    return out


def _time(name: str, printed: str | None, zone: str, suffix: str = "DateTime") -> dict[str, Any]:
    """A FHIR date or time as exact as it is known; what cannot be said without a time zone is kept as printed."""
    if not printed:
        return {}
    key = f"{name}{suffix}"
    day = re.match(r"\d{4}-\d{2}-\d{2}|\d{4}-\d{2}|\d{4}", printed)
    moment = _moment(printed, zone)
    if moment:
        return {key: moment}
    original = {f"_{key}": {"extension": [{"url": _ORIGINAL, "valueString": printed}]}}
    return {key: day[0]} | (original if len(printed) > len(day[0]) else {}) if day else original


def _moment(printed: str | None, zone: str) -> str | None:
    found = re.fullmatch(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(:\d{2})?(Z|[+-]\d{2}:\d{2})?", printed or "")
    if not found or not (found[4] or zone):
        return None
    return f"{found[1]}T{found[2]}{found[3] or ':00'}{found[4] or zone}"


def _document(
    one: str, report: LabReport, pictures: Sequence[Picture], to: dict[str, str], source: str, *, blanked: bool
) -> dict[str, Any]:
    files = lab_picture.blanked(pictures, report) if blanked else lab_picture.attachments(pictures)
    language = {"zh": "zh-CN"}.get(report.language, report.language)
    return {
        "resourceType": "DocumentReference",
        "id": one,
        "identifier": [_identifier("document", source)],
        "status": "current",
        "type": derivation.code("http://loinc.org", "11502-2", "Laboratory report"),
        "subject": {"reference": to["Patient"]},
        "content": [{"attachment": {**file, "language": language}} for file in files],
    }


def _clock(told: LabHeader) -> datetime:
    try:
        return datetime.strptime((told.reported or told.collected or "")[:10], "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:  # not printed, or 31 February as OCR reads it
        return datetime.now(UTC).replace(microsecond=0)


def _provenance(
    one: str, rows: Sequence[dict[str, Any]], to: dict[str, str], report: LabReport, clock: datetime
) -> dict[str, Any]:
    from fhirbridge import __version__

    participant = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
    engines = ", ".join(dict.fromkeys(page.engine for page in report.pages))
    reader = f"fhirbridge {__version__}" + (f" with {engines}" if engines else "")
    return {
        "resourceType": "Provenance",
        "id": one,
        "target": [{"reference": to["DiagnosticReport"]}, *({"reference": f"urn:uuid:{r['id']}"} for r in rows)],
        "recorded": clock.isoformat().replace("+00:00", "Z"),
        "activity": {"text": "results read from a picture"},
        "agent": [{"type": derivation.code(participant, "assembler", "Assembler"), "who": {"display": reader}}],
        "entity": [{"role": "source", "what": {"reference": to["DocumentReference"]}}],
    }
