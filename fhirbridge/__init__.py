"""fhirbridge: what is said and photographed in a clinic into FHIR, and FHIR into the trials a patient can join.

    import fhirbridge as fb
    record = fb.read_transcript("visit.txt")
    record.to_json()

Everything here is loaded when first used, so that importing the package stays fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "ConfigurationError": "errors",
    "EmptyInput": "errors",
    "FHIRServer": "fhir.server",
    "FhirbridgeError": "errors",
    "InputError": "errors",
    "LeftOut": "records",
    "Match": "eligibility.matches",
    "Record": "fhir.record",
    "ServerError": "errors",
    "Truth": "records",
    "ValidationError": "errors",
    "compile_studies": "pipeline",
    "funnel": "pipeline",
    "join": "fhir.joined",
    "match": "pipeline",
    "night": "pipeline",
    "plots": "plots",
    "read_lab_report": "pipeline",
    "read_studies": "pipeline",
    "read_study": "pipeline",
    "read_transcript": "pipeline",
}

__all__ = [
    "ConfigurationError",
    "EmptyInput",
    "FHIRServer",
    "FhirbridgeError",
    "InputError",
    "LeftOut",
    "Match",
    "Record",
    "ServerError",
    "Truth",
    "ValidationError",
    "compile_studies",
    "funnel",
    "join",
    "match",
    "night",
    "plots",
    "read_lab_report",
    "read_studies",
    "read_study",
    "read_transcript",
]

if TYPE_CHECKING:
    from fhirbridge import plots
    from fhirbridge.eligibility.matches import Match
    from fhirbridge.errors import (
        ConfigurationError,
        EmptyInput,
        FhirbridgeError,
        InputError,
        ServerError,
        ValidationError,
    )
    from fhirbridge.fhir.joined import join
    from fhirbridge.fhir.record import Record
    from fhirbridge.fhir.server import FHIRServer
    from fhirbridge.pipeline import (
        compile_studies,
        funnel,
        match,
        night,
        read_lab_report,
        read_studies,
        read_study,
        read_transcript,
    )
    from fhirbridge.records import LeftOut, Truth


def __getattr__(name: str) -> Any:
    """Load a public name from its home on first use."""
    if name not in _HOME:
        raise AttributeError(f"module 'fhirbridge' has no attribute '{name}'")
    home = importlib.import_module(f"fhirbridge.{_HOME[name]}")
    value = home if _HOME[name] == name else getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
