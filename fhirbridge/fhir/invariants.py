"""HL7's invariants of the kinds that are written here, each as a function: whether it holds for a value of its type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

Value = Mapping[str, Any]


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


def _con_4(v: Value) -> bool:
    return not _any(v, "abatement") or _coded(v, "clinicalStatus", "resolved", "remission", "inactive")


def _entered_in_error(value: Value) -> bool:
    return _coded(value, "verificationStatus", "entered-in-error")


BY_TYPE: Mapping[str, tuple[tuple[str, Callable[[Value], bool]], ...]] = {
    "AllergyIntolerance": (
        ("ait-1", lambda v: _entered_in_error(v) or "clinicalStatus" in v),
        ("ait-2", lambda v: not _entered_in_error(v) or "clinicalStatus" not in v),
    ),
    "Condition": (("con-4", _con_4), ("con-5", lambda v: not _entered_in_error(v) or "clinicalStatus" not in v)),
    "Condition.stage": (("con-1", lambda v: "summary" in v or "assessment" in v),),
    "Condition.evidence": (("con-2", lambda v: "code" in v or "detail" in v),),
    "FamilyMemberHistory": (
        ("fhs-1", lambda v: not (_any(v, "age") and _any(v, "born"))),
        ("fhs-2", lambda v: _any(v, "age") or "estimatedAge" not in v),
    ),
    "Group": (("grp-1", lambda v: "member" not in v or v.get("actual") is True),),
    "Observation": (("obs-6", lambda v: "dataAbsentReason" not in v or not _any(v, "value")), ("obs-7", _obs_7)),
    "Observation.referenceRange": (("obs-3", lambda v: "low" in v or "high" in v or "text" in v),),
    "Organization": (("org-1", lambda v: "identifier" in v or "name" in v),),
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
        ("tim-6", lambda v: "periodMax" not in v or "period" in v),
        ("tim-7", lambda v: "durationMax" not in v or "duration" in v),
        ("tim-8", lambda v: "countMax" not in v or "count" in v),
        ("tim-10", lambda v: "timeOfDay" not in v or "when" not in v),
    ),
    "Extension": (("ext-1", lambda v: ("extension" in v) != _any(v, "value")),),
}
