"""Each folder of fixtures/ is one test: what its expected.json says is what comes out of the whole real path."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

import fhirbridge as fb
from fhirbridge.demo import AS_OF, PATIENTS

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
KINDS = {
    "transcripts": "visit.txt",
    "lab_reports": "photo.jpg",
    "trials": "studies.*",
    "patients": "bundle.json",
}


def _cases(kind: str) -> list[Path]:
    return sorted(p for p in (FIXTURES / kind).iterdir() if p.is_dir())


def _expected(case: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((case / "expected.json").read_text("utf-8"))
    return loaded


@pytest.mark.parametrize("kind", KINDS)
def test_every_input_has_its_expected_output_and_the_reverse(kind: str) -> None:
    for case in _cases(kind):
        assert len(list(case.glob(KINDS[kind]))) == 1, f"{case.name}: no {KINDS[kind]}"
        assert (case / "expected.json").exists(), f"{case.name}: no expected.json"
    assert {p.name for p in FIXTURES.iterdir() if p.is_dir() and p.name != "__pycache__"} == set(KINDS)


@lru_cache(maxsize=8)
def _visit(case: str) -> fb.Record:
    return fb.read_transcript(FIXTURES / "transcripts" / case / "visit.txt", visit_date=AS_OF)


@lru_cache(maxsize=8)
def _photo(case: str) -> fb.Record:
    return fb.read_lab_report(FIXTURES / "lab_reports" / case / "photo.jpg")


# ------------------------------------------------------------------------------------------------------- transcripts


def _concepts(resource: dict[str, Any]) -> list[dict[str, Any]]:
    found = [resource.get("code"), resource.get("medicationCodeableConcept")]
    found += [c.get("code") for c in resource.get("condition", [])]
    return [c for c in found if c]


def _is_about(resource: dict[str, Any], fact: dict[str, Any]) -> bool:
    for concept in _concepts(resource):
        codes = [c.get("code", "") for c in concept.get("coding", [])]
        names = [concept.get("text", ""), *(c.get("display", "") for c in concept.get("coding", []))]
        if "code" in fact and any(code.startswith(fact["code"]) for code in codes):
            return True
        if "text" in fact and any(fact["text"].casefold() in name.casefold() for name in names):
            return True
    return False


def _stands(resource: dict[str, Any], fact: dict[str, Any]) -> bool:
    verification = [c["code"] for c in resource.get("verificationStatus", {}).get("coding", [])]
    if "status" in fact and fact["status"] not in (resource.get("status"), *verification):
        return False
    if "components" in fact:
        return fact["components"] == [str(c["valueQuantity"]["value"]) for c in resource.get("component", [])]
    if "value" in fact:
        doses = [
            d["doseAndRate"][0]["doseQuantity"]["value"]
            for d in (*resource.get("dosage", []), *resource.get("dosageInstruction", []))
            if d.get("doseAndRate")
        ]
        values = [resource.get("valueInteger"), (resource.get("valueQuantity") or {}).get("value"), *doses]
        return fact["value"] in [str(v) for v in values]
    return True


def _facts(kind: str) -> Iterator[Any]:
    for case in _cases("transcripts"):
        for fact in _expected(case)[kind]:
            name = fact.get("code") or fact.get("text")
            yield pytest.param(case.name, fact, id=f"{case.name}-{fact['resource']}-{name}")


@pytest.mark.parametrize(("case", "fact"), list(_facts("facts")))
def test_a_visit_gives_the_fact(case: str, fact: dict[str, Any]) -> None:
    about = [r for r in _visit(case).resources(fact["resource"]) if _is_about(r, fact)]
    assert any(_stands(r, fact) for r in about), f"{fact}: found {about}"


@pytest.mark.parametrize(("case", "fact"), list(_facts("not_facts")))
def test_a_visit_does_not_give_what_is_no_fact(case: str, fact: dict[str, Any]) -> None:
    about = [r for r in _visit(case).resources(fact["resource"]) if _is_about(r, fact)]
    assert not about, fact["why"]


# --------------------------------------------------------------------------------------------------------------- labs


def _nearest(name: str, read: list[str]) -> str:
    """The name that was read for a printed one; one character in ten may be misread."""
    close = difflib.get_close_matches(name, read, n=1, cutoff=0.9)
    return close[0] if close else ""


@pytest.mark.parametrize("case", [p.name for p in _cases("lab_reports")])
def test_a_photo_gives_what_is_printed(case: str) -> None:
    rows = {
        o["code"]["text"].replace(" ", ""): o for o in _photo(case).resources("Observation") if "valueQuantity" in o
    }
    for row in _expected(FIXTURES / "lab_reports" / case)["rows"]:
        found = rows.get(_nearest(row["name"].replace(" ", ""), list(rows)))
        assert found, f"{row['name']} was not read; read: {sorted(rows)}"
        assert str(found["valueQuantity"]["value"]) == row["value"], row["name"]
        assert found["status"] == "final", f"{row['name']}: {found.get('note')}"
        flags = {c["code"] for i in found.get("interpretation", []) for c in i.get("coding", [])}
        wanted = {"↑": "H", "↓": "L", "H": "H", "L": "L"}.get(row["flag"])
        assert wanted in flags if wanted else not flags & {"H", "L"}, row["name"]


# ------------------------------------------------------------------------------------------------------------- trials


@lru_cache(maxsize=1)
def _people() -> dict[str, fb.Record]:
    return {id: fb.join([_visit(v), _photo(p)], patient_id=id) for id, (_, v, p) in PATIENTS.items()}


def _status(patients: Any, case: Path, as_of: date = AS_OF) -> dict[str, dict[str, str]]:
    matches = fb.match(patients, next(iter(case.glob("studies.*"))), as_of=as_of)
    found = {}
    for line in map(json.loads, matches.to_lines()):
        found[line["patient"].rsplit("/", 1)[-1]] = {
            m["study"].rsplit("/", 1)[-1]: m["status"] for m in line["matches"]
        }
    return found


@pytest.mark.parametrize("case", _cases("trials"), ids=lambda p: p.name)
def test_no_criterion_of_a_registry_is_lost(case: Path) -> None:
    expected = _expected(case)
    records = list(fb.read_studies(next(iter(case.glob("studies.*")))))
    assert len(records) == expected["studies"]
    for record in records:
        assert isinstance(record, fb.Record)
        study = next(record.resources("ResearchStudy"))["id"]
        group = next(record.resources("Group"))
        spans = {
            (part["valueInteger"])
            for c in group["characteristic"]
            for e in c.get("extension", [])
            for part in e.get("extension", [])
            if part["url"] == "offset"
        }
        assert len(spans) >= expected["criteria"][study], study


@pytest.mark.parametrize("case", _cases("trials"), ids=lambda p: p.name)
def test_the_demo_patients_get_the_trials_that_fit(case: Path) -> None:
    found = _status(list(_people().values()), case)
    for patient, wanted in _expected(case)["matches"].items():
        got = {study: found[patient][study] for study in wanted}
        assert all(got[study] in wanted[study] for study in wanted), f"{patient}: {got}"


@pytest.mark.parametrize("case", _cases("patients"), ids=lambda p: p.name)
def test_an_ehr_bundle_gets_the_trials_that_fit(case: Path) -> None:
    (found,) = _status(case / "bundle.json", FIXTURES / "trials" / "registry").values()
    wanted = _expected(case)["matches"]
    assert all(found[study] in wanted[study] for study in wanted), found
