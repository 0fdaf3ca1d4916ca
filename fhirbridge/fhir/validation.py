"""What is wrong with FHIR R4 before it is sent: structure, required codes, reference types, invariants, UCUM.

From HL7's own definitions (`definitions.py`), not from a model, so that a large Bundle is checked in a fraction of the
time a typed model takes. Slices and profiles are not checked. No finding holds a value: it may be a patient's word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from fhirbridge.fhir.definitions import Definitions, Element, r4
from fhirbridge.fhir.invariants import BY_TYPE

_UCUM = "http://unitsofmeasure.org"
_NUMBERS = {"decimal": (int, Decimal, float), "integer": (int,), "positiveInt": (int,), "unsignedInt": (int,)}
_WHOLE_TEXT = ("string", "markdown", "xhtml", "base64Binary")  # any text; base64 of a picture is not matched by regex


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, where, and what to do about it."""

    path: str
    reason: str
    cure: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}; {self.cure}"


def check(
    resource: Mapping[str, Any], *, ucum: Callable[[str], bool] | None = None, kinds: Mapping[str, str] | None = None
) -> list[Finding]:
    """The findings for one resource; none means that it may be sent.

    `ucum` tells whether a code is valid UCUM; `kinds` the resource type behind a `urn:uuid:` or other full URL.
    """
    checker = _Checker(r4(), ucum, kinds or {})
    checker.resource(resource, str(resource.get("resourceType", "?")))
    return checker.findings


def check_bundle(bundle: Mapping[str, Any], *, ucum: Callable[[str], bool] | None = None) -> dict[int, list[Finding]]:
    """The findings for the resources of a Bundle, by the number of their entry."""
    entries = [(n, e) for n, e in enumerate(bundle.get("entry", [])) if isinstance(e.get("resource"), dict)]
    kinds = {str(e["fullUrl"]): str(e["resource"].get("resourceType")) for _, e in entries if "fullUrl" in e}
    found = ((n, check(e["resource"], ucum=ucum, kinds=kinds)) for n, e in entries)
    return {n: findings for n, findings in found if findings}


@dataclass(slots=True)
class _Checker:
    definitions: Definitions
    ucum: Callable[[str], bool] | None
    kinds: Mapping[str, str]
    findings: list[Finding] = field(default_factory=list)

    def say(self, path: str, reason: str, cure: str) -> None:
        self.findings.append(Finding(path, reason, cure))

    def resource(self, value: Mapping[str, Any], path: str) -> None:
        kind = value.get("resourceType")
        if kind not in self.definitions.resources:
            self.say(path, "not a FHIR R4 resource type", "set resourceType to one of HL7's")
            return
        self.complex(value, str(kind), path)

    def complex(self, value: Mapping[str, Any], kind: str, path: str) -> None:
        known = self.definitions.types[kind]
        chosen: set[str] = set()
        for name, item in value.items():
            element = known.get(name)
            if element is None:
                self.other(name, item, known, path)
                continue
            if element.choice:
                if element.choice in chosen:
                    self.say(f"{path}.{element.choice}[x]", "more than one type of it", "keep one")
                chosen.add(element.choice)
            self.items(item, element, f"{path}.{name}")
        for names in self.definitions.required[kind]:
            if not any(name in value or f"_{name}" in value for name in names):
                self.say(f"{path}.{names[0]}", "missing", f"{kind} needs it")
        if not value:
            self.say(path, "empty", "leave it out")
        for key, holds in BY_TYPE.get(kind, ()):
            if not holds(value):
                self.say(path, f"invariant {key} does not hold", self.definitions.invariants.get(key, ""))

    def other(self, name: str, item: Any, known: Mapping[str, Element], path: str) -> None:
        if name == "resourceType" or (name[:1] == "_" and known.get(name[1:], _NONE).type[:1].islower()):
            return
        self.say(f"{path}.{name}", "no such element in R4", "check the spelling and the FHIR version")

    def items(self, value: Any, element: Element, path: str) -> None:
        if isinstance(value, list) != element.many:
            self.say(path, "a list" if isinstance(value, list) else "not a list", "see the cardinality in FHIR")
            return
        if not element.many:
            self.one(value, element, path)
            return
        if not value:
            self.say(path, "an empty list", "leave it out")
        for number, item in enumerate(value):
            if item is not None or not element.type[:1].islower():
                self.one(item, element, f"{path}[{number}]")

    def one(self, value: Any, element: Element, path: str) -> None:
        kind = element.type
        if kind[:1].islower() and kind in self.definitions.written:
            self.primitive(value, element, path)
        elif not isinstance(value, dict):
            self.say(path, f"not an object, {kind.rpartition('.')[2]} is one", "write it as FHIR's JSON does")
        elif kind == "Resource":
            self.resource(value, path)
        else:
            self.complex(value, kind, path)
            if element.codes and kind in ("CodeableConcept", "Coding"):
                self.coded(value, element, path)
            elif kind == "Reference" and element.targets:
                self.reference(value, element.targets, path)
            elif self.ucum and value.get("system") == _UCUM and not self.ucum(str(value.get("code", ""))):
                self.say(f"{path}.code", "not a UCUM code", "write the unit in UCUM, or leave code and system out")

    def primitive(self, value: Any, element: Element, path: str) -> None:
        kind = element.type
        numbers = _NUMBERS.get(kind)
        if kind == "boolean":
            right = isinstance(value, bool)
        elif numbers is not None:
            right = isinstance(value, numbers) and not isinstance(value, bool) and value >= (kind == "positiveInt")
            right = right or (kind in ("decimal", "integer") and isinstance(value, numbers) and value is not True)
        elif not isinstance(value, str) or not value.strip():
            right = False
        else:
            right = kind in _WHOLE_TEXT or self.definitions.written[kind].fullmatch(value) is not None
        if not right:
            self.say(path, f"not a {kind}", "write it as FHIR says")
        elif element.codes and not any(value in codes for codes in element.codes.values()):
            allowed = sorted(c for codes in element.codes.values() for c in codes)
            self.say(path, "not a code of its required value set", f"one of {', '.join(allowed[:12])}")

    def coded(self, value: Mapping[str, Any], element: Element, path: str) -> None:
        codings = [value] if element.type == "Coding" else value.get("coding", [])
        allowed = element.codes or {}
        if codings and not any(c.get("code") in allowed.get(c.get("system", ""), ()) for c in codings):
            self.say(path, "no code of its required value set", f"use one of {', '.join(sorted(allowed))}")

    def reference(self, value: Mapping[str, Any], targets: frozenset[str], path: str) -> None:
        kind = next(iter(self.kind_of(value)), "")
        if kind and kind not in targets:
            self.say(path, f"refers to {kind}", f"may refer to {', '.join(sorted(targets))}")

    def kind_of(self, value: Mapping[str, Any]) -> Iterator[str]:
        reference = str(value.get("reference", ""))
        if reference in self.kinds:
            yield self.kinds[reference]
        pieces = reference.partition("?")[0].split("/_history/")[0].split("/")
        yield from (p for p in pieces[-2:][:1] if p in self.definitions.resources)
        if value.get("type") in self.definitions.resources:
            yield str(value["type"])


_NONE = Element(0, False, "?", None, None, "")
