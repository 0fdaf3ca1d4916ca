"""What was said twice is one fact; what is part of another is dropped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from fhirbridge.records import Fact


def merge(facts: Iterable[Fact]) -> list[Fact]:
    """Facts in the order of their first evidence, one for each concept and status."""
    kept: dict[tuple[object, ...], Fact] = {}
    for fact in facts:
        key = (fact.kind, fact.concept.name.lower(), fact.status, fact.relative, str(fact.value), fact.components)
        if key in kept:
            kept[key] = replace(kept[key], evidence=(*kept[key].evidence, *fact.evidence))
        else:
            kept[key] = fact
    return sorted(kept.values(), key=lambda f: (f.evidence[0].offset, f.concept.name))
