"""HL7's definitions of FHIR R4 as one compact table (made by tools/make_fhir_definitions.py; HL7's text is CC0)."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import NamedTuple


class Element(NamedTuple):
    """One element of a type. `codes` are those of a required binding, by system; `choice` is "value" for value[x]."""

    least: int
    many: bool
    type: str
    codes: dict[str, frozenset[str]] | None
    targets: frozenset[str] | None
    choice: str


@dataclass(frozen=True, slots=True)
class Definitions:
    """`types` by path ("Observation.component"), what each must have, and how primitives are written."""

    types: dict[str, dict[str, Element]]
    required: dict[str, tuple[tuple[str, ...], ...]]
    written: dict[str, re.Pattern[str]]
    resources: frozenset[str]
    invariants: dict[str, str]


@lru_cache(maxsize=1)
def r4() -> Definitions:
    """The definitions of FHIR 4.0.1."""
    packed = (resources.files(__package__) / "data" / "r4-definitions.json.gz").read_bytes()
    table = json.loads(gzip.decompress(packed))
    codes = {url: {s: frozenset(c) for s, c in by.items()} if by else None for url, by in table["codes"].items()}
    types = {
        path: {
            name: Element(least, many, kind, codes.get(url), frozenset(targets) if targets else None, choice)
            for name, (least, many, kind, url, targets, choice) in children.items()
        }
        for path, children in table["types"].items()
    }
    written = {name: re.compile(pattern) for name, pattern in table["regex"].items()}
    return Definitions(types, _required(types), written, frozenset(table["resources"]), table["invariants"])


def _required(types: dict[str, dict[str, Element]]) -> dict[str, tuple[tuple[str, ...], ...]]:
    found = {}
    for path, children in types.items():
        groups: dict[str, list[str]] = {}
        for name, element in children.items():
            if element.least:
                groups.setdefault(element.choice or name, []).append(name)
        found[path] = tuple(tuple(names) for names in groups.values())
    return found
