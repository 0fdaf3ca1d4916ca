"""What US Core 6.1.0 asks of a resource that claims one of its profiles (table: tools/make_profile_definitions.py).

A node of the table may hold: `least` and `most` (how many), `pattern`, `codes` (by system, one of which must be there),
`types` (of a choice), `children` by element, and `slices`, told apart `by` the values at certain paths.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from importlib import resources
from typing import Any

Node = Mapping[str, Any]
_REPORTED = {"partial", "preliminary", "final", "amended", "corrected", "appended"}
_UCUM = "http://unitsofmeasure.org"


@lru_cache(maxsize=1)
def table() -> dict[str, Any]:
    """The profiles by URL, and HL7's words for their invariants by key and resource type."""
    packed = (resources.files(__package__) / "data" / "us-core-profiles.json.gz").read_bytes()
    read: dict[str, Any] = json.loads(gzip.decompress(packed))
    return read


def check(resource: Mapping[str, Any], url: str) -> Iterator[tuple[str, str, str]]:
    """Path below the resource, what is wrong there and the cure, for a profile that it claims.

    A profile of another guide, or of another kind of resource, asks nothing here.
    """
    profile = table()["profiles"].get(url.partition("|")[0])
    if profile is None or profile["type"] != resource.get("resourceType"):
        return
    name = url.partition("|")[0].rpartition("/")[2]
    for path, reason, cure in _children(resource, profile, ""):
        yield path, f"{reason} by {name}", cure
    for key in profile["keys"]:
        holds = INVARIANTS.get(key)
        if holds is not None and not holds(resource):
            yield "", f"invariant {key.partition(' ')[0]} of {name} does not hold", table()["invariants"][key]


def _children(value: Mapping[str, Any], node: Node, path: str) -> Iterator[tuple[str, str, str]]:
    for name, child in node.get("children", {}).items():
        yield from _element(value, name, child, f"{path}.{name}" if path else name)


def _element(value: Mapping[str, Any], name: str, node: Node, path: str) -> Iterator[tuple[str, str, str]]:
    if name.endswith("[x]"):
        stem = name.removesuffix("[x]")
        named = [k for k in value if k.startswith(stem) and k[len(stem) : len(stem) + 1].isupper()]
        allowed = {stem + kind[:1].upper() + kind[1:] for kind in node.get("types", [])}
        for key in named:
            if allowed and key not in allowed:
                yield path, f"a type not allowed ({key})", f"one of {', '.join(sorted(allowed)[:6])}"
        found = [value[k] for k in named] or [None for k in value if k.startswith(f"_{stem}")]
    else:
        held = value.get(name, [])
        found = held if isinstance(held, list) else [held]
        if not found and f"_{name}" in value:
            found = [None]
    yield from _counted(len(found), node, path)
    for item in found:
        if item is not None:
            yield from _one(item, node, path)
    for sliced, asked in node.get("slices", {}).items():
        within = [item for item in found if item is not None and _is(item, asked, node["by"])]
        yield from _counted(len(within), asked, f"{path}:{sliced}")
        for item in within:
            yield from _one(item, asked, f"{path}:{sliced}")


def _counted(number: int, node: Node, path: str) -> Iterator[tuple[str, str, str]]:
    least, most = node.get("least", 0), node.get("most")
    if number < least:
        yield path, "missing" if not number else f"{number} of at least {least}", "add it, or do not claim the profile"
    if most is not None and number > most:
        yield path, f"{number}, more than {most}", "leave it out, or do not claim the profile"


def _one(value: Any, node: Node, path: str) -> Iterator[tuple[str, str, str]]:
    if "pattern" in node and not _fits(value, node["pattern"]):
        yield path, "not the value asked for", f"it is {json.dumps(node['pattern'], ensure_ascii=False)[:200]}"
    if "codes" in node and not _coded(value, node["codes"]):
        codes = sorted(c for listed in node["codes"].values() for c in listed)
        yield path, "not of the value set asked for", f"one of {', '.join(codes[:12])}"
    if isinstance(value, dict):
        yield from _children(value, node, path)


def _fits(value: Any, pattern: Any) -> bool:
    """Whether a value holds all that its pattern does."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(k in value and _fits(value[k], p) for k, p in pattern.items())
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(_fits(v, p) for v in value) for p in pattern)
    return bool(value == pattern)


def _coded(value: Any, codes: Mapping[str, list[str]]) -> bool:
    if isinstance(value, str):
        return any(value in listed for listed in codes.values())
    codings = value.get("coding", [value]) if isinstance(value, dict) else []
    return any(c.get("code") in codes.get(c.get("system", ""), ()) for c in codings)


def _is(value: Any, asked: Node, by: list[list[str]]) -> bool:
    """Whether a value belongs to a slice: what tells slices apart has the values the slice asks for."""
    for _, path in by:
        names = path.split(".") if path != "$this" else []
        node, held = asked, [value]
        for name in names:
            node = node["children"][name]
            inside = [v.get(name) for v in held if isinstance(v, dict)]
            held = [x for v in inside if v is not None for x in (v if isinstance(v, list) else [v])]
        if "pattern" in node:
            here = any(_fits(v, node["pattern"]) for v in held)
        else:
            here = any(_coded(v, node["codes"]) for v in held)
        if not here:
            return False
    return True


# -------------------------------------------------------------------------------------------------------- invariants


def _any(value: Mapping[str, Any], stem: str) -> bool:
    names = [k.removeprefix("_") for k in value]  # an extension may say why there is no value
    return any(k.startswith(stem) and k[len(stem) : len(stem) + 1].isupper() for k in names)


def _answered(value: Mapping[str, Any]) -> bool:
    return _any(value, "value") or "dataAbsentReason" in value


def _observed(value: Mapping[str, Any]) -> bool:
    return "component" in value or "hasMember" in value or _answered(value)


def _to_the_day(value: Mapping[str, Any]) -> bool:
    return len(value.get("effectiveDateTime", "0000-00-00")) >= 10


def _in_ucum(value: Mapping[str, Any]) -> bool:
    quantity = value.get("valueQuantity", {})
    return "code" not in quantity or quantity.get("system") == _UCUM


INVARIANTS: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "us-core-1 Observation": _to_the_day,
    "us-core-2 Observation": _observed,
    "us-core-3 Observation": _in_ucum,
    "vs-1 Observation": _to_the_day,
    "vs-2 Observation": _observed,
    "vs-3 Observation": lambda v: all(_answered(part) for part in v.get("component", [])),
    "us-core-6 DocumentReference": lambda v: all(
        "url" in c["attachment"] or "data" in c["attachment"] for c in v.get("content", []) if "attachment" in c
    ),
    "us-core-6 Patient": lambda v: all("given" in n or "family" in n or "extension" in n for n in v.get("name", [])),
    "us-core-7 Procedure": lambda v: v.get("status") not in ("completed", "in-progress") or _any(v, "performed"),
    "us-core-8 DiagnosticReport": lambda v: v.get("status") not in _REPORTED or _any(v, "effective"),
    "us-core-9 DiagnosticReport": lambda v: v.get("status") not in _REPORTED or "issued" in v,
    "us-core-10 DiagnosticReport": lambda v: v.get("status") not in _REPORTED or _any(v, "effective"),
    "us-core-13 PractitionerRole": lambda v: any(
        k in v for k in ("practitioner", "organization", "healthcareService", "location")
    ),
    "us-core-14 RelatedPerson": lambda v: "name" in v or "relationship" in v,
    "us-core-20 MedicationDispense": lambda v: v.get("status") != "completed" or "whenHandedOver" in v,
    "us-core-21 MedicationRequest": lambda v: v.get("intent") != "order" or "requester" in v,
}
