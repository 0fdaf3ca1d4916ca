"""Coded characteristics of a Group or EvidenceVariable -> words that the reader of criteria understands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fhirbridge.records import LeftOut, Quantity

_AGE = {"30525-0", "21612-7", "63900-5", "397669002", "424144002", "age"}
_SEX = {"46098-0", "76689-9", "263495000", "gender", "sex"}
_UNITS = {"a": "years", "mo": "months", "wk": "weeks", "d": "days", "h": "hours", "1": "", "{score}": ""}
_JOINTS = {"all-of": " and ", "any-of": " or ", "at-least": "; ", "none-of": "; "}


@dataclass(frozen=True, slots=True)
class Composed:
    """A text made of characteristics, and what of them fills the record's own fields."""

    text: str = ""
    minimum_age: Quantity | None = None
    maximum_age: Quantity | None = None
    sex: str = ""
    healthy_volunteers: bool | None = None
    left_out: tuple[LeftOut, ...] = ()


EMPTY = Composed()


def composed(resources: list[dict[str, Any]]) -> Composed:
    """The criteria text of the characteristics, inclusion and exclusion apart, one line each."""
    sides: tuple[list[str], list[str]] = ([], [])
    left_out: list[LeftOut] = []
    for resource in resources:
        contained = {f"#{r.get('id')}": r for r in _dicts(resource.get("contained"))}
        for number, one in enumerate(_characteristics(resource), 1):
            words = _words_of(one, contained)
            if words:
                sides[bool(one.get("exclude"))].append(words)
            else:
                source = f"{resource.get('resourceType')}.characteristic[{number - 1}]"
                left_out.append(LeftOut(source, "neither words nor a code with display: nothing to read"))
    parts = [
        f"{title}\n\n" + "\n".join(f"* {' '.join(line.split())}" for line in lines)
        for title, lines in zip(("Inclusion Criteria:", "Exclusion Criteria:"), sides, strict=True)
        if lines
    ]
    return Composed("\n\n".join(parts), left_out=tuple(left_out))


def structured(resources: list[dict[str, Any]]) -> Composed:
    """Age, sex and health out of characteristics that do not come from the text (they have no place in it)."""
    low = high = None
    sex, healthy = "", None
    for resource in resources:
        for one in _characteristics(resource):
            if any(e.get("url", "").endswith("derivation-reference") for e in _dicts(one.get("extension"))):
                continue
            codes, value = _codes(one.get("code")), _value(one)
            if codes & _AGE:
                low, high = _quantity(value.get("low")) or low, _quantity(value.get("high")) or high
            elif codes & _SEX:
                said = name(value.get("concept") or {}).lower()
                sex = said if said in ("female", "male") else sex
            elif one.get("exclude") and (one.get("code") or {}).get("text") == "Healthy volunteers":
                healthy = False
    return Composed("", low, high, sex, healthy)


def _characteristics(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The characteristics, one combination of all of them opened."""
    for one in _dicts(resource.get("characteristic")):
        combined = one.get("definitionByCombination") or {}
        if combined.get("code") == "all-of" and not one.get("exclude") and not one.get("description"):
            yield from _dicts(combined.get("characteristic"))
        else:
            yield one


def _words_of(one: dict[str, Any], contained: dict[str, dict[str, Any]]) -> str:
    """The words of a characteristic: its own text, else composed of code, value and time."""
    text = one.get("description") or (one.get("code") or {}).get("text")
    if isinstance(text, str) and text.strip():
        return text.strip()
    reference = (one.get("valueReference") or {}).get("reference", "")
    if reference in contained:
        return _combined(contained[reference], contained)
    if combined := one.get("definitionByCombination"):
        parts = [_negated(c, _words_of(c, contained)) for c in _dicts(combined.get("characteristic"))]
        return _JOINTS.get(combined.get("code", ""), " and ").join(p for p in parts if p)
    typed = one.get("definitionByTypeAndValue")
    source = {**typed, "code": typed.get("type")} if isinstance(typed, dict) else one
    kind = name(source.get("code") or {}) or name(one.get("definitionCodeableConcept") or {})
    return " ".join(p for p in (_said(kind, _codes(source.get("code")), _value(source)), _time(one)) if p)


def _combined(group: dict[str, Any], contained: dict[str, dict[str, Any]]) -> str:
    said = str(group.get("name", ""))
    methods = [e.get("valueCode") for e in _dicts(group.get("extension")) if "valueCode" in e]
    joint = " or " if said.startswith("any-of") or "any-of" in methods else " and "
    parts = [_negated(c, _words_of(c, contained)) for c in _dicts(group.get("characteristic"))]
    return joint.join(p for p in parts if p)


def _negated(one: dict[str, Any], words: str) -> str:
    return f"no {words}" if words and one.get("exclude") else words


def _said(kind: str, codes: set[str], value: dict[str, Any]) -> str:
    if "concept" in value:
        answer = name(value["concept"])
        generic = codes & {"64572001", "404684003", "71388002", "18651-0", "29308-4", "11341-5"}
        return answer if generic or not kind else f"{kind}: {answer}"
    if "boolean" in value:
        return kind if value["boolean"] else f"no {kind}"
    low, high = _number(value.get("low")), _number(value.get("high"))
    kind = "age" if codes & _AGE else kind
    if low and high:
        return f"{kind} {low} to {high}"
    sign = value.get("sign") or (">=" if low else "<=")
    return f"{kind} {sign} {low or high}" if low or high else kind


def _value(one: dict[str, Any]) -> dict[str, Any]:
    """The value[x] as {concept}, {boolean}, {low, high}."""
    if concept := one.get("valueCodeableConcept"):
        return {"concept": concept}
    if isinstance(one.get("valueBoolean"), bool):
        return {"boolean": one["valueBoolean"]}
    if isinstance(one.get("valueRange"), dict):
        return {k: one["valueRange"].get(k) for k in ("low", "high")}
    quantity = one.get("valueQuantity")
    if isinstance(quantity, dict):
        sign = quantity.get("comparator", "")
        ends = ("low",) if ">" in sign else ("high",) if "<" in sign else ("low", "high")
        return {**dict.fromkeys(ends, quantity), "sign": sign}
    return {}


def _time(one: dict[str, Any]) -> str:
    for event in _dicts(one.get("timeFromEvent")):
        low = (event.get("range") or {}).get("low") or event.get("quantity") or {}
        if isinstance(low.get("value"), (int, float, Decimal)):
            unit = _UNITS.get(str(low.get("code", "")), str(low.get("unit", "")))
            return f"within {abs(low['value'])} {unit} {event.get('description', '')}".strip()
    return ""


def _number(quantity: Any) -> str:
    if not isinstance(quantity, dict) or quantity.get("value") is None:
        return ""
    code = str(quantity.get("code", ""))
    unit = _UNITS.get(code, str(quantity.get("unit") or code))
    return f"{quantity['value']} {unit}".strip()


def _quantity(value: Any) -> Quantity | None:
    if not isinstance(value, dict) or value.get("value") is None:
        return None
    return Quantity(Decimal(str(value["value"])), str(value.get("unit", "")), value.get("code"))


def name(concept: dict[str, Any]) -> str:
    """The words of a CodeableConcept: its text, or a display, or a code."""
    if isinstance(concept.get("text"), str) and concept["text"].strip():
        return str(concept["text"]).strip()
    codings = _dicts(concept.get("coding"))
    return next((str(c[k]) for k in ("display", "code") for c in codings if c.get(k)), "")


def _codes(concept: Any) -> set[str]:
    if not isinstance(concept, dict):
        return set()
    return {str(c.get("code")) for c in _dicts(concept.get("coding"))}


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []
