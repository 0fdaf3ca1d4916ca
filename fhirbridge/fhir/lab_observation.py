"""One row of a laboratory report -> one Observation."""

from __future__ import annotations

import re
from typing import Any

from fhirbridge.fhir import derivation
from fhirbridge.records import Box, Coding, LabResult, Quantity

CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
PROFILE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-lab"
_INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_SNOMED = "http://snomed.info/sct"
_MEANING = {
    "H": "High", "L": "Low", "HH": "Critical high", "LL": "Critical low", "N": "Normal", "A": "Abnormal",
    "AA": "Critical abnormal", "POS": "Positive", "NEG": "Negative", "HU": "Significantly high",
    "LU": "Significantly low", "IND": "Indeterminate", "DET": "Detected", "ND": "Not detected",
}  # fmt: skip
# Words of a qualitative result, folded, and SNOMED CT (GPS): only those that mean one thing whatever the test.
_WORDS = {
    "260385009": ("Negative", ("negative", "neg", "阴性", "阴性(-)", "阴性-", "(-)", "-", "－")),
    "10828004": ("Positive", ("positive", "pos", "阳性", "阳性(+)", "阳性+", "(+)", "+", "＋")),
    "131194007": ("Non-Reactive", ("non-reactive", "nonreactive", "non reactive", "无反应性", "非反应性")),
    "11214006": ("Reactive", ("reactive", "有反应性", "反应性")),
    "260373001": ("Detected", ("detected", "检出")),
    "260415000": ("Not detected", ("not detected", "none detected", "未检出")),
    "260405006": ("Trace", ("trace", "微量")),
    "17621005": ("Normal", ("normal", "正常")),
}
_CODED = {word: (code, display) for code, (display, words) in _WORDS.items() for word in words}


def observation(row: LabResult, base: dict[str, Any], effective: dict[str, Any]) -> dict[str, Any]:
    """An Observation; `base` holds id, extension and references, `effective` the elements of its time."""
    profile = PROFILE if row.codings and row.value_text.strip() else ""
    out: dict[str, Any] = {"resourceType": "Observation", "id": base["id"], "meta": derivation.meta(profile)}
    out |= {key: value for key, value in base.items() if key != "id"}
    out["status"] = "preliminary" if row.doubts or not row.value_text.strip() else "final"
    out["category"] = [derivation.code(CATEGORY, "laboratory", "Laboratory")]
    out["code"] = {"coding": [derivation.coding(c) for c in row.codings]} if row.codings else {}
    out["code"]["text"] = row.name
    out |= effective
    out |= _value(row)
    flag = row.flag or row.side
    if flag in _MEANING:
        out["interpretation"] = [derivation.code(_INTERPRETATION, flag, _MEANING[flag])]
    if row.doubts or row.repairs:
        out["note"] = [{"text": f"to check: {x}"} for x in row.doubts] + [
            {"text": f"repaired: {x}"} for x in row.repairs
        ]
    if row.method:
        out["method"] = {"text": row.method}
    limits = _range(row)
    if limits:
        out["referenceRange"] = [limits]
    return out


def box_evidence(document: str, where: Box, pages: int, content: int) -> list[dict[str, Any]]:
    """derivation-reference of a place on a picture, as a W3C media fragment in pixels of the original file."""
    page = f"page={where.page}&" if pages > 1 else ""
    fragment = f"{page}xywh=pixel:{where.x},{where.y},{where.width},{where.height}"
    path = f"DocumentReference.content[{content}].attachment.data#{fragment}"
    parts = [
        {"url": "reference", "valueReference": {"reference": document}},
        {"url": "path", "valueString": path},
    ]
    return [{"url": derivation.DERIVATION, "extension": parts}]


def _value(row: LabResult) -> dict[str, Any]:
    if row.quantity is not None:
        return {"valueQuantity": derivation.quantity(row.quantity)}
    text = row.value_text.strip()
    if not text:
        return {"dataAbsentReason": derivation.code(_ABSENT, "unknown", "Unknown")}
    coded = _CODED.get(re.sub(r"\s+", " ", text).casefold())
    value: dict[str, Any] = {}
    if coded:
        value["coding"] = [derivation.coding(Coding(_SNOMED, *coded))]
    return {"valueCodeableConcept": value | {"text": text}}


def _range(row: LabResult) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for side, limit in (("low", row.low), ("high", row.high)):
        if limit is not None:  # a comparator is not allowed there: the printed text has it
            plain = Quantity(limit.value, limit.unit or row.unit, limit.ucum)
            out[side] = derivation.quantity(plain)
    if row.range_text:
        out["text"] = row.range_text
    return out
