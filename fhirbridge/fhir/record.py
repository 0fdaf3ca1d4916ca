"""What the readers give back: lossless FHIR JSON, a typed view on it, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fhirbridge import frames
from fhirbridge.fhir import lossless
from fhirbridge.records import LeftOut


class Record:
    """A Bundle that was read from one input.

    `json` is the truth: plain dicts with `Decimal` numbers. `bundle` is the fhir.resources model of it, made when asked
    for (R4B for R4, R5 for R5). `left_out` lists what could not be read, with the reason.
    """

    def __init__(self, json: dict[str, Any], left_out: tuple[LeftOut, ...] = (), fhir_version: str = "R4") -> None:
        self.json = json
        self.left_out = left_out
        self.fhir_version = fhir_version

    @property
    def bundle(self) -> Any:
        """The Bundle as a fhir.resources model; pydantic.ValidationError if its structure is not FHIR's."""
        if self.fhir_version == "R5":
            from fhir.resources.bundle import Bundle
        else:
            from fhir.resources.R4B.bundle import Bundle
        return Bundle.model_validate(self.json)

    def to_json(self, indent: int | None = None) -> str:
        """The Bundle as JSON text, every number as it was printed."""
        return lossless.dumps(self.json, indent)

    def save(self, path: str | Path) -> Path:
        """Write the Bundle to a file, whole or not at all."""
        target = Path(path)
        lossless.write_text(target, self.to_json(indent=2) + "\n")
        return target

    def resources(self, resource_type: str | None = None) -> Iterator[dict[str, Any]]:
        """The resources of the Bundle in order, all or those of one type."""
        for entry in self.json.get("entry", []):
            resource = entry.get("resource")
            if resource and resource_type in (None, resource.get("resourceType")):
                yield resource

    def to_frame(self, *, polars: bool = False) -> Any:
        """One line a clinical resource: type, name, status, value, unit, codes. Needs the `dataframe` extra.

        A pandas DataFrame, or a polars one where that is installed and asked for.
        """
        lines = [_line(r) for r in self.resources()]
        return frames.frame([line for line in lines if line], polars=polars)

    def __repr__(self) -> str:
        kinds: dict[str, int] = {}
        for resource in self.resources():
            kinds[resource["resourceType"]] = kinds.get(resource["resourceType"], 0) + 1
        inside = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
        return f"<Record {inside}; {len(self.left_out)} left out>"


@dataclass(frozen=True, slots=True)
class StudyLine:
    """One trial as a line of JSON, as worker processes hand it back; `counts` by what became of its criteria."""

    id: str
    text: str
    left_out: tuple[LeftOut, ...]
    counts: dict[str, int]

    def to_json(self) -> str:
        """The Bundle as JSON text."""
        return self.text


def _line(resource: dict[str, Any]) -> dict[str, Any] | None:
    concept = resource.get("code") or resource.get("medicationCodeableConcept")
    if not isinstance(concept, dict):
        return None
    quantity = resource.get("valueQuantity", {})
    value = quantity.get("value", (resource.get("valueCodeableConcept") or {}).get("text", resource.get("valueString")))
    codes = [f"{c.get('system', '')}|{c.get('code', '')}" for c in concept.get("coding", [])]
    status = resource.get("status") or _first_code(resource.get("verificationStatus"))
    return {
        "resourceType": resource["resourceType"],
        "id": resource.get("id"),
        "name": concept.get("text") or next((c.get("display") for c in concept.get("coding", [])), None),
        "status": status,
        "value": value,
        "unit": quantity.get("unit"),
        "codes": codes,
    }


def _first_code(concept: dict[str, Any] | None) -> str | None:
    return next((c.get("code") for c in (concept or {}).get("coding", [])), None)
