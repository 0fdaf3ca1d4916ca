"""What the commands write is valid, says a validator nobody here wrote; tools/validate_outputs.py does all of it."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

import fhirbridge as fb

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "fixtures"
SHARED = ROOT.parent / "shared"
TOOL: dict[str, Any] = runpy.run_path(str(ROOT / "tools" / "validate_outputs.py"))
REASON = TOOL["why_not"](SHARED)

needs_validator = pytest.mark.skipif(bool(REASON), reason=REASON or "it can run")


@pytest.fixture(scope="module")
def validator(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return TOOL["Validator"](SHARED, tmp_path_factory.mktemp("validator"))


@needs_validator
def test_transcripts_and_studies_are_valid(validator: Any, tmp_path: Path) -> None:
    visits = sorted((FIXTURES / "transcripts").glob("*/visit.txt"))
    trials = sorted(p for p in (FIXTURES / "trials").rglob("*.json") if "expected" not in p.name)
    files = []
    for number, source in enumerate(visits):
        files.append(fb.read_transcript(source).save(tmp_path / f"visit-{number}.json"))
    for number, source in enumerate(trials):
        for record in fb.read_studies([source]):
            files.append(record.save(tmp_path / f"trial-{number}.json"))
    result = validator.check(files)
    assert result.resources > 40
    assert result.claims > 10
    assert result.said == ""
    assert TOOL["ours"](files) == []


def test_what_is_written_as_r5_is_valid_by_hl7s_definitions_and_the_typed_models(tmp_path: Path) -> None:
    files = []
    for number, source in enumerate(sorted((FIXTURES / "transcripts").glob("*/visit.txt"))):
        files.append(fb.read_transcript(source, fhir_version="R5").save(tmp_path / f"visit-{number}.json"))
    for number, source in enumerate(sorted((FIXTURES / "trials").rglob("*.json"))):
        if "expected" not in source.name:
            for record in fb.read_studies([source], fhir_version="R5"):
                files.append(record.save(tmp_path / f"trial-{number}.json"))
    assert len(files) > 3
    assert TOOL["ours"](files, "R5") == []


def test_a_document_without_an_encounter_has_no_empty_context_in_r5() -> None:
    from fhirbridge.fhir import r5

    attachment = {"contentType": "text/plain", "size": 12}
    document = {"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": attachment}]}
    newer = r5.converted(document)
    assert "context" not in newer
    assert newer["content"][0]["attachment"]["size"] == "12"
    assert attachment["size"] == 12


@needs_validator
def test_what_is_wrong_is_seen_by_both(validator: Any, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    observation = {"resourceType": "Observation", "id": "o", "status": "finall", "code": {"text": "Hb"}}
    entry = [{"fullUrl": "urn:uuid:o", "resource": observation}]
    wrong.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entry}))
    assert len(TOOL["ours"]([wrong])) == 1
    observation.pop("status")
    wrong.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entry}))
    assert validator.check([wrong]).invalid == 1
    assert len(TOOL["ours"]([wrong])) == 1
