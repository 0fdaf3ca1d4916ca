"""Prints seconds to build, check and serialise 10,000 Observations, and those of fhir.resources validate + dump.

python benchmarks/validation_speed.py [NUMBER]
"""

from __future__ import annotations

import sys
import time
from decimal import Decimal
from typing import Any

from fhir.resources.R4B.observation import Observation

from fhirbridge.fhir import lossless, validation
from fhirbridge.terminology import ucum


def built(number: int) -> dict[str, Any]:
    """One laboratory Observation."""
    unit = {"unit": "g/dL", "system": "http://unitsofmeasure.org", "code": "g/dL"}
    laboratory = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}
    return {
        "resourceType": "Observation",
        "id": f"o-{number}",
        "status": "final",
        "category": [{"coding": [laboratory]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}], "text": "Haemoglobin"},
        "subject": {"reference": f"Patient/p-{number % 100}"},
        "effectiveDateTime": "2024-05-01T10:00:00+08:00",
        "valueQuantity": {"value": Decimal(number) / 100, **unit},
        "referenceRange": [{"low": {"value": Decimal("12.0"), **unit}, "high": {"value": Decimal("16.0"), **unit}}],
    }


def measured(number: int) -> tuple[float, float]:
    """Seconds of processor time of both, after one Observation each to load tables and models."""
    validation.check(built(0), ucum=ucum.is_valid)
    Observation.model_validate(built(0)).model_dump_json()
    start = time.process_time()
    for n in range(number):
        observation = built(n)
        assert not validation.check(observation, ucum=ucum.is_valid)
        lossless.dumps(observation)
    ours = time.process_time() - start
    start = time.process_time()
    for n in range(number):
        Observation.model_validate(built(n)).model_dump_json()
    return ours, time.process_time() - start


def main(number: int) -> None:
    """Print the figures."""
    ours, theirs = measured(number)
    print(f"fhirbridge {ours:.2f} s, fhir.resources {theirs:.2f} s for {number:,}: {ours / theirs:.3f} of its time")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
