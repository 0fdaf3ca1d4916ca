"""Criteria -> the eligibility Group: one characteristic a criterion, in the order of the text."""

from __future__ import annotations

from typing import Any

from fhirbridge.records import Criterion, Span, Trial

DERIVATION = "http://hl7.org/fhir/StructureDefinition/derivation-reference"
UNDERSTANDING = "urn:fhirbridge:understanding"
TEXT_PATH = "ResearchStudy.note[0].text"


def group(trial: Trial, criteria: tuple[Criterion, ...], study: str, fhir_version: str) -> dict[str, Any]:
    """The Group of everyone who fulfils the criteria (`actual` false; R5: `membership` definitional)."""
    definition: dict[str, Any] = {"membership": "definitional"} if fhir_version == "R5" else {"actual": False}
    return {
        "resourceType": "Group",
        "id": f"{trial.id}-eligibility",
        "type": "person",
        **definition,
        "name": f"Eligibility {trial.id}",
        "characteristic": [_characteristic(c, study) for c in criteria],
    }


def _characteristic(criterion: Criterion, study: str) -> dict[str, Any]:
    extensions = [{"url": UNDERSTANDING, "valueCode": criterion.understanding.value}]
    if criterion.span.length:
        extensions.insert(0, derivation(criterion.span, study))
    return {
        "extension": extensions,
        "code": {"text": criterion.text},
        "valueBoolean": True,
        "exclude": criterion.exclude,
    }


def derivation(span: Span, study: str) -> dict[str, Any]:
    """Where the words stand in the record's eligibility text."""
    return {
        "url": DERIVATION,
        "extension": [
            {"url": "reference", "valueReference": {"reference": study}},
            {"url": "path", "valueString": TEXT_PATH},
            {"url": "offset", "valueInteger": span.offset},
            {"url": "length", "valueInteger": span.length},
        ],
    }
