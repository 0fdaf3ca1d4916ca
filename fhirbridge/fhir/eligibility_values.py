"""One leaf of a criterion -> code, value[x] and period of a Group characteristic."""

from __future__ import annotations

from typing import Any

from fhirbridge.fhir.eligibility_codes import kind_code
from fhirbridge.records import Bound, Coding, Concept, Leaf, LeafKind, Quantity, Window

RELATIVE_DATE = "http://hl7.org/fhir/StructureDefinition/relative-date"
LASTING = "urn:fhirbridge:lasting"
_UCUM = "http://unitsofmeasure.org"
_WORDS = {"d": "days", "wk": "weeks", "mo": "months", "a": "years", "h": "hours", "min": "minutes"}
_TIMES = {"ULN": "× upper limit of normal", "LLN": "× lower limit of normal", "baseline": "× baseline"}
# Kinds whose concept names what is measured: the number or answer is the value. Elsewhere the concept is the value.
_MEASURED = {
    LeafKind.LABORATORY,
    LeafKind.VITAL_SIGN,
    LeafKind.SCORE,
    LeafKind.BODY_MEASURE,
    LeafKind.BIOMARKER,
    LeafKind.LINE,
}


def characteristic(leaf: Leaf) -> dict[str, Any]:
    """code (without text), value[x], and period or duration of a leaf with at most one concept and one value."""
    concept = leaf.concepts[0] if leaf.concepts else None
    numbers = _numbers(leaf)
    answer = leaf.values[0] if leaf.values else ""
    out: dict[str, Any] = {"code": _code(leaf.kind, concept, bool(numbers or answer))}
    if numbers:
        out.update(numbers)
    elif answer:
        out["valueCodeableConcept"] = {"text": answer}
    elif concept and leaf.kind not in _MEASURED:
        out["valueCodeableConcept"] = codeable(concept)
    else:
        out["valueBoolean"] = True
    out.update(_time(leaf.window))
    return out


def codeable(concept: Concept) -> dict[str, Any]:
    """The concept as CodeableConcept."""
    found: dict[str, Any] = {"coding": [_coding(c) for c in concept.codings]} if concept.codings else {}
    return {**found, "text": concept.name}


def _code(kind: LeafKind, concept: Concept | None, is_asked: bool) -> dict[str, Any]:
    """What is asked about: the measured thing itself, or the kind of thing whose value is the concept."""
    if concept and concept.codings and (kind in _MEASURED or is_asked):
        return {"coding": [_coding(c) for c in concept.codings]}
    found = kind_code(kind)
    return {"coding": [_coding(found)]} if found else {}


def _coding(coding: Coding) -> dict[str, str]:
    out = {"system": coding.system, "code": coding.code}
    return {**out, "display": coding.display} if coding.display else out


def _numbers(leaf: Leaf) -> dict[str, Any]:
    low, high = leaf.low, leaf.high
    if low is None and high is None:
        if leaf.count_low is None and leaf.count_high is None:
            return {}
        return _range(_count(leaf.count_low), _count(leaf.count_high))
    return _range(low, high)


def _count(number: int | None) -> Bound | None:
    return None if number is None else Bound(Quantity(_decimal(number), "", "{count}"))


def _decimal(number: int) -> Any:
    from decimal import Decimal

    return Decimal(number)


def _range(low: Bound | None, high: Bound | None) -> dict[str, Any]:
    """valueRange of inclusive ends; one exclusive end alone is a Quantity with its comparator."""
    if low and high:
        if low == high:
            return {"valueQuantity": _quantity(low)}
        return {"valueRange": {"low": _quantity(low), "high": _quantity(high)}}
    end, sign = (low, ">") if low else (high, "<")
    assert end is not None
    if not end.inclusive:
        value = _quantity(end)
        return {"valueQuantity": {"value": value.pop("value"), "comparator": sign, **value}}
    return {"valueRange": {"low" if low else "high": _quantity(end)}}


def _quantity(bound: Bound) -> dict[str, Any]:
    quantity = bound.quantity
    out: dict[str, Any] = {"value": quantity.value}
    if bound.times_of:
        return {**out, "unit": _TIMES.get(bound.times_of, f"× {bound.times_of}")}
    if quantity.unit or quantity.ucum:
        out["unit"] = quantity.unit or quantity.ucum
    if quantity.ucum:
        out.update(system=_UCUM, code=quantity.ucum)
    return out


def _time(window: Window | None) -> dict[str, Any]:
    """The window as period whose ends are relative to an event, a duration as extension."""
    if window is None:
        return {}
    anchor = window.anchor or "enrolment"
    if window.direction == "lasting" and window.at_least:
        return {"extension": [{"url": LASTING, "valueDuration": duration(window.at_least)}]}
    if window.direction in ("after", "during"):
        if window.within is None:
            return {}
        return {"period": {"_end": _relative(anchor, "after", window.within)}}
    period: dict[str, Any] = {}
    if window.within:
        period["_start"] = _relative(anchor, "before", window.within)
    if window.at_least:
        period["_end"] = _relative(anchor, "before", window.at_least)
    return {"period": period} if period else {}


def _relative(anchor: str, relationship: str, offset: Quantity) -> dict[str, Any]:
    parts = [
        {"url": "event", "valueCodeableConcept": {"text": anchor}},
        {"url": "relationship", "valueCode": relationship},
        {"url": "offset", "valueDuration": duration(offset)},
    ]
    return {"extension": [{"url": RELATIVE_DATE, "extension": parts}]}


def duration(quantity: Quantity) -> dict[str, Any]:
    """A Duration in UCUM; what is no unit of time of its own, such as a half-life, is a UCUM annotation."""
    unit = quantity.ucum or "d"
    code = unit if unit in _WORDS else f"{{{unit}}}"
    return {"value": quantity.value, "unit": quantity.unit or _WORDS.get(unit, unit), "system": _UCUM, "code": code}
