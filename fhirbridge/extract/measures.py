"""Vital signs, laboratory values, scores and body measures said aloud, with LOINC and UCUM."""

from __future__ import annotations

from fhirbridge.extract.mentions import Mention
from fhirbridge.extract.talk import Talk
from fhirbridge.records import Fact


def find(talk: Talk, mentions: list[Mention]) -> list[Fact]:
    """The measured facts of a talk; mentions that were only the name of a measure are marked as dropped."""
    return []
