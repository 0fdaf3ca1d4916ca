"""HL7's invariants of the kinds that are written here, each as a function: whether it holds for a value of its type."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

Value = Mapping[str, Any]
_UCUM = "http://unitsofmeasure.org"


def _coded(value: Value, element: str, *codes: str) -> bool:
    return any(c.get("code") in codes for c in (value.get(element) or {}).get("coding", []))


def _any(value: Value, stem: str) -> bool:
    return any(k.startswith(stem) and k[len(stem) : len(stem) + 1].isupper() for k in value)


def _obs_7(value: Value) -> bool:
    if "component" not in value or not _any(value, "value"):
        return True
    own = {(c.get("system"), c.get("code")) for c in value.get("code", {}).get("coding", [])}
    parts = [c for part in value["component"] for c in (part.get("code") or {}).get("coding", [])]
    return not any((c.get("system"), c.get("code")) in own for c in parts)


def _per_1(value: Value) -> bool:
    start, end = str(value.get("start", "")), str(value.get("end", ""))
    shorter = min(len(start), len(end), 10)  # times of day may be of different zones: days are compared
    return start[:shorter] <= end[:shorter]


def _rng_2(value: Value) -> bool:
    low, high = value.get("low") or {}, value.get("high") or {}
    if low.get("code") != high.get("code") or low.get("unit") != high.get("unit"):
        return True
    numbers = (low.get("value"), high.get("value"))
    return not all(isinstance(n, (int, Decimal)) for n in numbers) or bool(numbers[0] <= numbers[1])  # type: ignore[operator]


def _positive(value: Value) -> bool:
    return not isinstance(value.get("value"), (int, Decimal)) or value["value"] > 0


def _con_4(v: Value) -> bool:
    return not _any(v, "abatement") or _coded(v, "clinicalStatus", "resolved", "remission", "inactive")


def _entered_in_error(value: Value) -> bool:
    return _coded(value, "verificationStatus", "entered-in-error")


def _strings(value: Any, member: str = "") -> Iterator[tuple[str, str]]:
    """Every string in a value with the name of its member."""
    if isinstance(value, str):
        yield member, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _strings(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item, member)


def _dom_3(value: Value) -> bool:
    """Each contained resource is named somewhere, or names the resource that contains it."""
    named = {text[1:] for _, text in _strings(value) if text[:1] == "#"}
    return all(
        one.get("id") in named or any(text == "#" for _, text in _strings(one))
        for one in value["contained"]
        if isinstance(one, dict)
    )


def _ref_1(value: Value) -> bool:
    """Each local reference leads to a contained resource; "#" alone is the resource that contains."""
    there = {one.get("id") for one in value.get("contained", []) if isinstance(one, dict)} | {""}
    return all(text[1:] in there for member, text in _strings(value) if member == "reference" and text.startswith("#"))


def _no_home(value: Value, element: str) -> bool:
    return not any(item.get("use") == "home" for item in value.get(element, []))


def _measured(value: Value, *codes: str) -> bool:
    """age-1, cnt-3, dis-1: a value has a code, and a system is UCUM's."""
    return (
        ("code" in value or "value" not in value)
        and value.get("system", _UCUM) == _UCUM
        and (not codes or value.get("code", codes[0]) in codes)
    )


def _tim_9(value: Value) -> bool:
    when = value.get("when", [])
    return "offset" not in value or (bool(when) and not {"C", "CM", "CD", "CV"} & set(when))


def _not_negative(element: str) -> Callable[[Value], bool]:
    return lambda v: not isinstance(v.get(element), (int, Decimal)) or v[element] >= 0


def _bundle(value: Value, element: str, *types: str) -> bool:
    """bdl-3 and bdl-4: the element is in each entry for these types of Bundle, and in none otherwise."""
    return value.get("type") == "history" or all(
        (element in entry) == (value.get("type") in types) for entry in value.get("entry", [])
    )


def _bdl_7(value: Value) -> bool:
    names = [
        (entry["fullUrl"], (entry.get("resource") or {}).get("meta", {}).get("versionId"))
        for entry in value.get("entry", [])
        if "fullUrl" in entry
    ]
    return value.get("type") == "history" or len(names) == len(set(names))


# of every resource that contains others
CONTAINING: tuple[tuple[str, Callable[[Value], bool]], ...] = (
    ("dom-2", lambda v: not any("contained" in one for one in v["contained"])),
    ("dom-3", _dom_3),
    ("dom-4", lambda v: not any({"versionId", "lastUpdated"} & one.get("meta", {}).keys() for one in v["contained"])),
    ("dom-5", lambda v: not any("security" in one.get("meta", {}) for one in v["contained"])),
)
# of a whole resource
WHOLE: tuple[tuple[str, Callable[[Value], bool]], ...] = (("ref-1", _ref_1),)

BY_TYPE: Mapping[str, tuple[tuple[str, Callable[[Value], bool]], ...]] = {
    "AllergyIntolerance": (
        ("ait-1", lambda v: _entered_in_error(v) or "clinicalStatus" in v),
        ("ait-2", lambda v: not _entered_in_error(v) or "clinicalStatus" not in v),
    ),
    "Age": (("age-1", lambda v: _measured(v) and _positive(v)),),
    "Bundle": (
        ("bdl-1", lambda v: "total" not in v or v.get("type") in ("searchset", "history")),
        ("bdl-2", lambda v: v.get("type") == "searchset" or not any("search" in e for e in v.get("entry", []))),
        ("bdl-3", lambda v: _bundle(v, "request", "batch", "transaction")),
        ("bdl-4", lambda v: _bundle(v, "response", "batch-response", "transaction-response")),
        ("bdl-7", _bdl_7),
    ),
    "Bundle.entry": (
        ("bdl-5", lambda v: any(k in v for k in ("resource", "request", "response"))),
        ("bdl-8", lambda v: "/_history/" not in str(v.get("fullUrl", ""))),
    ),
    "Count": (("cnt-3", lambda v: _measured(v, "1") and "." not in str(v.get("value", ""))),),
    "Distance": (("dis-1", _measured),),
    "Duration": (("drt-1", lambda v: "code" not in v or (v.get("system") == _UCUM and "value" in v)),),
    "Expression": (("exp-1", lambda v: "expression" in v or "reference" in v),),
    "Condition": (
        ("con-4", _con_4),
        ("con-3", _con_4),
        ("con-5", lambda v: not _entered_in_error(v) or "clinicalStatus" not in v),
    ),
    "Condition.stage": (("con-1", lambda v: "summary" in v or "assessment" in v),),
    "Condition.evidence": (("con-2", lambda v: "code" in v or "detail" in v),),
    "FamilyMemberHistory": (
        ("fhs-1", lambda v: not (_any(v, "age") and _any(v, "born"))),
        ("fhs-2", lambda v: _any(v, "age") or "estimatedAge" not in v),
    ),
    "Group": (("grp-1", lambda v: "member" not in v or v.get("actual") is True),),
    "Observation": (("obs-6", lambda v: "dataAbsentReason" not in v or not _any(v, "value")), ("obs-7", _obs_7)),
    "Observation.referenceRange": (("obs-3", lambda v: "low" in v or "high" in v or "text" in v),),
    "Organization": (
        ("org-1", lambda v: "identifier" in v or "name" in v),
        ("org-2", lambda v: _no_home(v, "address")),
        ("org-3", lambda v: _no_home(v, "telecom")),
    ),
    "Patient.contact": (("pat-1", lambda v: any(k in v for k in ("name", "telecom", "address", "organization"))),),
    "ServiceRequest": (("prr-1", lambda v: "orderDetail" not in v or "code" in v),),
    "Quantity": (("qty-3", lambda v: "code" not in v or "system" in v),),
    "Period": (("per-1", _per_1),),
    "Range": (("rng-2", _rng_2),),
    "Ratio": (
        ("rat-1", lambda v: ("numerator" in v) == ("denominator" in v) and ("numerator" in v or "extension" in v)),
    ),
    "Attachment": (("att-1", lambda v: "data" not in v or "contentType" in v),),
    "ContactPoint": (("cpt-2", lambda v: "value" not in v or "system" in v),),
    "Timing.repeat": (
        ("tim-1", lambda v: "duration" not in v or "durationUnit" in v),
        ("tim-2", lambda v: "period" not in v or "periodUnit" in v),
        ("tim-4", _not_negative("duration")),
        ("tim-5", _not_negative("period")),
        ("tim-9", _tim_9),
        ("tim-6", lambda v: "periodMax" not in v or "period" in v),
        ("tim-7", lambda v: "durationMax" not in v or "duration" in v),
        ("tim-8", lambda v: "countMax" not in v or "count" in v),
        ("tim-10", lambda v: "timeOfDay" not in v or "when" not in v),
    ),
    "Extension": (("ext-1", lambda v: ("extension" in v) != _any(v, "value")),),
}
