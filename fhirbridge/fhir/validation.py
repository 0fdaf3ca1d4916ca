"""What is wrong with FHIR before it is sent: structure, required codes, reference types, invariants, UCUM, profiles.

From HL7's own definitions (`definitions`), not from a model, so that a large Bundle is checked in a fraction of the
time a typed model takes. No finding holds a value: it may be a patient's word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fhirbridge.fhir import definitions, profiles
from fhirbridge.fhir.definitions import Definitions, Element
from fhirbridge.fhir.invariants import BY_TYPE, CONTAINING, WHOLE

_UCUM = "http://unitsofmeasure.org"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, where, and what to do about it."""

    path: str
    reason: str
    cure: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}; {self.cure}"


def check(
    resource: Mapping[str, Any],
    *,
    ucum: Callable[[str], bool] | None = None,
    kinds: Mapping[str, str] | None = None,
    fhir_version: str = "R4",
) -> list[Finding]:
    """The findings for one resource; none means that it may be sent.

    `ucum` tells whether a code is valid UCUM; `kinds` the resource type behind a `urn:uuid:` or other full URL.
    """
    checker = _Checker(definitions.of(fhir_version), ucum, kinds or {})
    checker.place.append(str(resource.get("resourceType", "?")))
    checker.resource(resource)
    checker.rules(WHOLE, resource)
    return checker.findings


def check_bundle(
    bundle: Mapping[str, Any], *, ucum: Callable[[str], bool] | None = None, fhir_version: str = "R4"
) -> dict[int, list[Finding]]:
    """The findings for the resources of a Bundle, by the number of their entry."""
    entries = [(n, e) for n, e in enumerate(bundle.get("entry", [])) if isinstance(e.get("resource"), dict)]
    kinds = {str(e["fullUrl"]): str(e["resource"].get("resourceType")) for _, e in entries if "fullUrl" in e}
    found = ((n, check(e["resource"], ucum=ucum, kinds=kinds, fhir_version=fhir_version)) for n, e in entries)
    return {n: findings for n, findings in found if findings}


class _Checker:
    """Walks a resource; `place` is where it is, names and the numbers of list items."""

    def __init__(self, known: Definitions, ucum: Callable[[str], bool] | None, kinds: Mapping[str, str]) -> None:
        self.known, self.ucum, self.kinds = known, ucum, kinds
        self.findings: list[Finding] = []
        self.place: list[str | int] = []

    def say(self, reason: str, cure: str, *below: str) -> None:
        steps = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in (*self.place, *below))
        self.findings.append(Finding(steps[1:], reason, cure))

    def resource(self, value: Mapping[str, Any]) -> None:
        kind = value.get("resourceType")
        if kind not in self.known.resources:
            self.say(f"not a FHIR {self.known.version} resource type", "set resourceType to one of HL7's")
            return
        self.complex(value, str(kind))
        if self.known.version == "R4":
            self.claims(value)
        if "contained" in value and all(isinstance(one, dict) for one in value["contained"]):
            self.rules(CONTAINING, value)

    def claims(self, value: Mapping[str, Any]) -> None:
        """The profiles that a resource says it conforms to, where its structure is right enough to look."""
        claimed = (value.get("meta") or {}).get("profile", []) if isinstance(value.get("meta"), dict) else []
        if not claimed or self.findings:
            return
        for url in claimed:
            for path, reason, cure in profiles.check(value, str(url)):
                self.say(reason, cure, *([path] if path else []))

    def rules(self, rules: Iterable[tuple[str, Callable[[Mapping[str, Any]], bool]]], value: Mapping[str, Any]) -> None:
        """HL7's invariants, where the structure is right enough to ask them."""
        for key, holds in rules:
            try:
                if key in self.known.invariants and not holds(value):
                    self.say(f"invariant {key} does not hold", self.known.invariants[key])
            except (AttributeError, TypeError, KeyError):
                continue  # the structure is wrong there, which has been said

    def complex(self, value: Mapping[str, Any], kind: str) -> None:
        elements, required, one_of = self.known.types[kind]
        place = self.place
        chosen: dict[str, str] = {}
        for name, item in value.items():
            element = elements.get(name)
            if element is None:
                if name != "resourceType":
                    self.unknown(name, item, elements)
                continue
            if element.choice and chosen.setdefault(element.choice, name) != name:
                self.say("more than one type of it", "keep one", f"{element.choice}[x]")
            place.append(name)
            if element.many:
                self.items(item, element)
            elif element.holds is None:
                self.object(item, element)
            elif not element.holds(item):
                self.primitive(item, element)
            place.pop()
        if not required <= value.keys() or one_of or not value:
            self.missing(value, kind)
        if kind in BY_TYPE:
            self.rules(BY_TYPE[kind], value)

    def missing(self, value: Mapping[str, Any], kind: str) -> None:
        _, required, one_of = self.known.types[kind]
        for names in (*((name,) for name in sorted(required)), *one_of):
            if not any(name in value or f"_{name}" in value for name in names):
                self.say("missing", f"{kind} needs it", names[0])
        if not value:
            self.say("empty", "leave it out")

    def unknown(self, name: str, item: Any, elements: Mapping[str, Element]) -> None:
        element = elements.get(name[1:]) if name[:1] == "_" else None
        if element is None or element.holds is None:
            self.say(f"no such element in {self.known.version}", "check the spelling and the FHIR version", name)
            return
        self.place.append(name)
        if isinstance(item, list) != element.many:
            self.say("a list" if isinstance(item, list) else "not a list", "see the cardinality in FHIR")
        else:
            for part in item if element.many else [item]:
                if part is not None:
                    self.object(part, _EXTENDED)
        self.place.pop()

    def items(self, value: Any, element: Element) -> None:
        if not isinstance(value, list):
            self.say("not a list", "see the cardinality in FHIR")
            return
        if not value:
            self.say("an empty list", "leave it out")
        place, holds = self.place, element.holds
        for number, item in enumerate(value):
            place.append(number)
            if holds is None:
                self.object(item, element)
            elif item is not None and not holds(item):
                self.primitive(item, element)
            place.pop()

    def object(self, value: Any, element: Element) -> None:
        kind = element.type
        if not isinstance(value, dict):
            list_or_not = "a list" if isinstance(value, list) else f"not an object, {kind.rpartition('.')[2]} is one"
            self.say(list_or_not, "write it as FHIR's JSON does")
            return
        if kind == "Resource":
            self.resource(value)
            return
        self.complex(value, kind)
        if element.codes:
            self.coded(value, element)
        elif element.targets:
            self.reference(
                value["reference"] if kind == "CodeableReference" and "reference" in value else value, element.targets
            )
        elif self.ucum and value.get("system") == _UCUM and not self.ucum(str(value.get("code", ""))):
            self.say("not a UCUM code", "write the unit in UCUM, or leave code and system out", "code")

    def primitive(self, value: Any, element: Element) -> None:
        pattern = self.known.written.get(element.type)
        if isinstance(value, list):
            self.say("a list", "see the cardinality in FHIR")
        elif not element.codes or not isinstance(value, str) or (pattern and not pattern.fullmatch(value)):
            self.say(f"not a {element.type}", "write it as FHIR says")
        else:
            allowed = sorted(c for codes in element.codes.values() for c in codes)
            self.say("not a code of its required value set", f"one of {', '.join(allowed[:12])}")

    def coded(self, value: Mapping[str, Any], element: Element) -> None:
        codings = [value] if element.type == "Coding" else value.get("coding", [])
        allowed = element.codes or {}
        if codings and not any(c.get("code") in allowed.get(c.get("system", ""), ()) for c in codings):
            self.say("no code of its required value set", f"use one of {', '.join(sorted(allowed))}")

    def reference(self, value: Mapping[str, Any], targets: frozenset[str]) -> None:
        kind = next(self.kind_of(value), "")
        if kind and kind not in targets:
            self.say(f"refers to {kind}", f"may refer to {', '.join(sorted(targets))}")

    def kind_of(self, value: Mapping[str, Any]) -> Iterator[str]:
        reference = str(value.get("reference", ""))
        if reference in self.kinds:
            yield self.kinds[reference]
        pieces = reference.partition("?")[0].split("/_history/")[0].split("/")
        yield from (p for p in pieces[-2:][:1] if p in self.known.resources)
        if value.get("type") in self.known.resources:
            yield str(value["type"])


_EXTENDED = Element(0, False, "Element", None, None, "")
