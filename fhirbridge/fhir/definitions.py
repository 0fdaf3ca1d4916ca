"""HL7's definitions of FHIR R4 and R5 as compact tables, made by tools/make_fhir_definitions.py (HL7's text is CC0)."""

from __future__ import annotations

import gzip
import json
import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple

_WHOLE_TEXT = ("string", "markdown", "xhtml", "base64Binary")  # any text; base64 of a picture is not matched by regex
_LEAST = {"positiveInt": 1, "unsignedInt": 0}


class Element(NamedTuple):
    """One element of a type. `codes` are those of a required binding, by system; `choice` is "value" for value[x].

    `holds` says whether a value is written as its primitive type is, and a code one of its value set; None for a type
    with elements of its own.
    """

    least: int
    many: bool
    type: str
    codes: dict[str, frozenset[str]] | None
    targets: frozenset[str] | None
    choice: str
    holds: Callable[[Any], bool] | None = None


class Type(NamedTuple):
    """A type by its path ("Observation.component"): its elements, those it must have, and choices one of which."""

    elements: dict[str, Element]
    required: frozenset[str]
    one_of: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Definitions:
    """`types` by path, how primitives are `written`, the names of the `resources`, HL7's words for each invariant."""

    version: str
    types: dict[str, Type]
    written: dict[str, re.Pattern[str]]
    resources: frozenset[str]
    invariants: dict[str, str]


@lru_cache(maxsize=2)
def of(version: str = "R4") -> Definitions:
    """The definitions of FHIR 4.0.1 or 5.0.0."""
    packed = (resources.files(__package__) / "data" / f"{version.lower()}-definitions.json.gz").read_bytes()
    table = json.loads(gzip.decompress(packed))
    codes = {url: {s: frozenset(c) for s, c in by.items()} if by else None for url, by in table["codes"].items()}
    written = {name: re.compile(pattern) for name, pattern in table["regex"].items()}
    types = {path: _type(children, codes, written) for path, children in table["types"].items()}
    return Definitions(version, types, written, frozenset(table["resources"]), table["invariants"])


def _type(
    children: Mapping[str, Any],
    codes: Mapping[str, dict[str, frozenset[str]] | None],
    written: Mapping[str, re.Pattern[str]],
) -> Type:
    elements = {}
    for name, (least, many, kind, url, targets, choice) in children.items():
        allowed = codes.get(url)
        holds = _primitive(kind, allowed, written) if kind[:1].islower() and kind in written else None
        elements[name] = Element(least, many, kind, allowed, frozenset(targets) if targets else None, choice, holds)
    groups: dict[str, list[str]] = {}
    for name, element in elements.items():
        if element.least:
            groups.setdefault(element.choice or name, []).append(name)
    alone = frozenset(names[0] for names in groups.values() if len(names) == 1)
    return Type(elements, alone, tuple(tuple(names) for names in groups.values() if len(names) > 1))


def _primitive(
    kind: str, codes: dict[str, frozenset[str]] | None, written: Mapping[str, re.Pattern[str]]
) -> Callable[[Any], bool]:
    if kind == "boolean":
        return lambda value: isinstance(value, bool)
    if kind == "decimal":
        return lambda value: isinstance(value, (int, Decimal, float)) and not isinstance(value, bool)
    if kind in ("integer", "positiveInt", "unsignedInt"):
        least = _LEAST.get(kind, -(2**31))
        return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value < 2**31
    if kind in _WHOLE_TEXT:
        return lambda value: isinstance(value, str) and bool(value) and not value.isspace()
    if codes:
        one = frozenset().union(*codes.values())
        return lambda value: isinstance(value, str) and value in one
    fits = written[kind].fullmatch
    if kind in ("date", "dateTime", "instant"):
        return lambda value: isinstance(value, str) and fits(value) is not None and bool(value) and _on_calendar(value)
    return lambda value: isinstance(value, str) and bool(value) and fits(value) is not None


def _on_calendar(value: str) -> bool:
    if value[8:10] <= "28":
        return True
    year, month, day = int(value[:4]), int(value[5:7]), int(value[8:10])
    return day <= monthrange(year, month)[1]
