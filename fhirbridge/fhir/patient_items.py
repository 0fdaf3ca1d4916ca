"""Clinical resources -> Items: what was recorded, when, with what result, and whether it stands.

`entered-in-error`, cancelled and unperformed resources are left aside; refuted ones are `absent`; ordered ones
`planned`; results not yet there `pending`. R4 and R5 spellings are both read.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from fhirbridge.fhir.patient_dates import span_of, when
from fhirbridge.fhir.patient_keys import Keys, concept_of
from fhirbridge.records import Coding, Concept, Item, ItemKind, Quantity

__all__ = ["READERS", "answered", "items", "quantity"]

Resource = dict[str, Any]
Named = dict[str, Resource]

_VOID = frozenset({"entered-in-error", "cancelled", "draft", "unknown-status", "nullified"})
_NO_CODES = frozenset({"2667000", "LA9634-2", "260385009", "LA6577-6", "373067005", "LA32-8", "260415000", "LA11882-0"})
_YES_CODES = frozenset(
    {"52101004", "LA9633-4", "10828004", "LA6576-8", "373066001", "LA33-6", "260373001", "LA11884-6"}
)
_NO = re.compile(
    r"^\W*(?:absent|negative|neg|none|no|not present|not detected|undetected|non-?reactive|denied|denies|ruled out|"
    r"false|nil|未见|无|阴性|否|否认|没有|未检出|未发现|（?-）?|\(-\))(?=$|\W|[（(，,;；])",
    re.IGNORECASE,
)
_YES = re.compile(
    r"^\W*(?:present|positive|pos|yes|detected|reactive|confirmed|true|有|阳性|是|检出|存在|（?\+）?|\(\+\))(?=$|\W|[（(，,;；])",
    re.IGNORECASE,
)
_HISTORY = re.compile(r"^\W*(?:personal |past )?history of|^(?:既往|病史)|[病症癌]史$|^(?:h/o|hx of)\b", re.IGNORECASE)
_FAMILY = re.compile(r"family history|家族史", re.IGNORECASE)


def items(resources: list[tuple[str, Resource]], named: Named, keys: Keys) -> tuple[tuple[Item, ...], list[str]]:
    """The items of a patient's resources in the order given, and what could not be read of them."""
    found: list[Item] = []
    lost: list[str] = []
    for url, resource in resources:
        if _status(resource) in _VOID or _codes(resource.get("verificationStatus")) & {"entered-in-error"}:
            continue
        reference = f"{resource['resourceType']}/{resource['id']}" if resource.get("id") else url
        made = READERS[resource["resourceType"]](resource, named)
        for item in made:
            if item.kind is ItemKind.DOCUMENT:
                own, named_words = keys.diseases_in(item.text)
                found.append(dataclasses.replace(item, reference=reference, own=own, answer=named_words))
                continue
            found.append(
                dataclasses.replace(item, reference=reference, keys=_item_keys(item, keys), own=keys.own(item.concept))
            )
        lost.extend(_oddities(resource, reference))
    return tuple(found), lost


def _item_keys(item: Item, keys: Keys) -> frozenset[str]:
    if item.kind is ItemKind.DOCUMENT:
        return frozenset()
    own = keys.of(item.concept)
    if item.kind is ItemKind.MEDICATION:
        return own
    sites = item.text.split("\x1f")
    return own | keys.in_text(sites[1]) if len(sites) > 1 and sites[1] else own


def _status(resource: Resource) -> str:
    return str(resource.get("status") or "")


def _codes(value: Any) -> set[str]:
    if isinstance(value, list):
        return {code for one in value for code in _codes(one)}
    concept = concept_of(value)
    return {c.code for c in concept.codings} | ({concept.name} if concept.name else set())


def _oddities(resource: Resource, reference: str) -> list[str]:
    """What a reader of the result should know: a number without unit, a date that is none."""
    odd = []
    quantity = resource.get("valueQuantity")
    if isinstance(quantity, dict) and "value" in quantity and not (quantity.get("unit") or quantity.get("code")):
        odd.append(f"{reference}: value without unit")
    for field in ("onsetDateTime", "effectiveDateTime", "performedDateTime", "recordedDate", "authoredOn"):
        if resource.get(field) and when(resource[field]) is None:
            odd.append(f"{reference}: {field} is no date")
    return odd


# ------------------------------------------------------------------------------------------------- words of a resource


def _words(resource: Resource) -> str:
    """All that a resource says in words, body sites last after a unit separator."""
    parts: list[str] = []
    for field in ("code", "medicationCodeableConcept", "medication", "valueCodeableConcept", "method", "vaccineCode"):
        parts += _spoken(resource.get(field))
    parts += [str(resource[f]) for f in ("valueString", "conclusion", "description") if resource.get(f)]
    for field in ("reasonCode", "reason", "severity", "outcome", "statusReason"):
        parts += [w for one in _list(resource.get(field)) for w in _spoken(one)]
    parts += [str(n.get("text")) for n in _list(resource.get("note")) if isinstance(n, dict) and n.get("text")]
    for stage in _list(resource.get("stage")):
        parts += _spoken(stage.get("summary")) + _spoken(stage.get("type"))
    for dose in _list(resource.get("dosageInstruction")) + _list(resource.get("dosage")):
        parts += [str(dose["text"])] if isinstance(dose, dict) and dose.get("text") else []
    for part in _list(resource.get("component")):
        parts += _spoken(part.get("code")) + _spoken(part.get("valueCodeableConcept"))
        parts += [str(part["valueString"])] if part.get("valueString") else []
    sites = [w for one in _list(resource.get("bodySite")) for w in _spoken(one)]
    return "; ".join(dict.fromkeys(p for p in parts if p)) + ("\x1f" + "; ".join(sites) if sites else "")


def _spoken(value: Any) -> list[str]:
    if value is None:
        return []
    concept = concept_of(value)
    return [w for w in dict.fromkeys([concept.name, *(c.display for c in concept.codings)]) if w]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value is not None else []


def _answer(resource: Resource) -> str:
    """The coded or free answer of an observation or component."""
    if isinstance(resource.get("valueBoolean"), bool):
        return "yes" if resource["valueBoolean"] else "no"
    for field in ("valueString", "valueDateTime", "valueTime"):
        if resource.get(field):
            return str(resource[field])
    concept = concept_of(resource.get("valueCodeableConcept"))
    codes = {c.code for c in concept.codings}
    lead = "absent" if codes & _NO_CODES else "present" if codes & _YES_CODES else ""
    words = _spoken(resource.get("valueCodeableConcept")) + [c.code for c in concept.codings]
    return "; ".join(dict.fromkeys([lead, *words] if lead else words))


def _standing(answer: str, quantity: Quantity | None) -> str:
    """present or absent as the answer says; "stated" when there is an answer or value of another kind."""
    return answered(answer) or ("stated" if answer or quantity is not None else "present")


def answered(answer: str) -> str:
    """present, absent, or "" of a coded or free answer."""
    return "absent" if _NO.match(answer) else "present" if _YES.match(answer) else ""


def quantity(value: Any) -> Quantity | None:
    """A FHIR Quantity as a Quantity; None when it has no number."""
    if not isinstance(value, dict) or isinstance(value.get("value"), (bool, type(None))):
        return None
    try:
        number = Decimal(str(value["value"]))
    except InvalidOperation:
        return None
    if not number.is_finite():
        return None
    unit = str(value.get("unit") or value.get("code") or "")
    return Quantity(number, unit, str(value["code"]) if value.get("code") else None, str(value.get("comparator") or ""))


def _value(resource: Resource) -> Quantity | None:
    if isinstance(resource.get("valueInteger"), (int, Decimal)) and not isinstance(resource["valueInteger"], bool):
        return Quantity(Decimal(resource["valueInteger"]))
    return quantity(resource.get("valueQuantity"))


# ------------------------------------------------------------------------------------------------------- the readers


def _condition(r: Resource, named: Named) -> list[Item]:
    concept = concept_of(r.get("code"))
    verification, clinical = _codes(r.get("verificationStatus")), _codes(r.get("clinicalStatus"))
    start, end = span_of(r, "onset")[0] or when(r.get("recordedDate")), span_of(r, "abatement")[0]
    status = "present"
    if "refuted" in verification:
        status = "absent"
    elif verification & {"unconfirmed", "provisional", "differential"}:
        status = "possible"
    elif clinical & {"resolved", "inactive", "remission"} or end or _HISTORY.search(concept.name):
        status = "past"
    kind = ItemKind.FAMILY if _FAMILY.search(concept.name) else ItemKind.CONDITION
    return [Item(kind, "", concept, frozenset(), status, start, end, text=_words(r))]


def _observation(r: Resource, named: Named) -> list[Item]:
    start, end = span_of(r, "effective")
    start = start or when(r.get("issued"))
    reference_range = next((x for x in _list(r.get("referenceRange")) if isinstance(x, dict)), {})
    concept, answer, number = concept_of(r.get("code")), _answer(r), _value(r)
    pending = _status(r) in ("registered", "available") or (
        r.get("dataAbsentReason") and not answer and number is None and not r.get("component")
    )
    kind = ItemKind.FAMILY if _FAMILY.search(concept.name) else ItemKind.OBSERVATION
    main = Item(
        kind,
        "",
        concept,
        frozenset(),
        "pending" if pending else _standing(answer, number),
        start,
        end,
        number,
        answer,
        quantity(reference_range.get("low")),
        quantity(reference_range.get("high")),
        _words(r),
        _status(r) != "preliminary",
    )
    return [main, *(_component(main, part) for part in _list(r.get("component")) if isinstance(part, dict))]


def _component(main: Item, part: Resource) -> Item:
    reference_range = next((x for x in _list(part.get("referenceRange")) if isinstance(x, dict)), {})
    answer = _answer(part)
    return dataclasses.replace(
        main,
        concept=concept_of(part.get("code")),
        status=main.status if main.status == "pending" else _standing(answer, _value(part)),
        quantity=_value(part),
        answer=answer,
        low=quantity(reference_range.get("low")),
        high=quantity(reference_range.get("high")),
        text="component; " + main.concept.name,
    )


_TAKEN = {
    "active": "present",
    "completed": "past",
    "stopped": "past",
    "in-progress": "present",
    "on-hold": "past",
    "unknown": "possible",
}


_NOT_YET = ("proposal", "plan", "option")


def _said_today(r: Resource) -> bool:
    """Whether an order was read from what was said: then it begins with that visit, while an EHR's is being taken."""
    security = _list((r.get("meta") or {}).get("security")) if isinstance(r.get("meta"), dict) else []
    return any(isinstance(c, dict) and c.get("code") == "AIAST" for c in security)


def _medicine(r: Resource, named: Named) -> list[Item]:
    raw = r.get("medicationCodeableConcept") or r.get("medication")
    concept = concept_of(raw)
    target = r.get("medicationReference") or (raw.get("reference") if isinstance(raw, dict) else None)
    if not concept.name and isinstance(target, dict):
        concept = concept_of((_resolve(target, r, named) or {}).get("code") or target)
    status = _TAKEN.get(_status(r), "present")
    if _status(r) in ("not-taken", "not-done", "declined") or r.get("doNotPerform") is True:
        status = "absent"
    elif r["resourceType"] == "MedicationRequest" and (r.get("intent") in _NOT_YET or _said_today(r)):
        status = "planned"
    start, end = _taken(r)
    if r["resourceType"] in ("MedicationAdministration", "MedicationDispense") and status == "past" and end is None:
        end = start
    return [Item(ItemKind.MEDICATION, "", concept, frozenset(), status, start, end, text=_words(r))]


def _taken(r: Resource) -> tuple[Any, Any]:
    for dose in _list(r.get("dosageInstruction")) + _list(r.get("dosage")):
        repeat = ((dose.get("timing") or {}).get("repeat") or {}) if isinstance(dose, dict) else {}
        start, end = span_of(repeat, "bounds")
        if start or end:
            return start, end
    start, end = span_of(r, "effective", "occurence", "occurrence", "whenHandedOver")
    return start or when(r.get("authoredOn") or r.get("dateAsserted") or r.get("whenHandedOver")), end


def _resolve(target: Resource, holder: Resource, named: Named) -> Resource | None:
    reference = target.get("reference") if isinstance(target.get("reference"), str) else None
    if reference and reference.startswith("#"):
        inside = [c for c in _list(holder.get("contained")) if isinstance(c, dict)]
        return next((c for c in inside if c.get("id") == reference[1:]), None)
    return named.get(reference or "")


def _procedure(r: Resource, named: Named) -> list[Item]:
    status = {"not-done": "absent", "preparation": "planned", "stopped": "past", "completed": "past"}
    start, end = span_of(r, "performed", "occurrence")
    found = status.get(_status(r), "present")
    return [Item(ItemKind.PROCEDURE, "", concept_of(r.get("code")), frozenset(), found, start, end, text=_words(r))]


def _order(r: Resource, named: Named) -> list[Item]:
    start, end = span_of(r, "occurrence")
    code = concept_of(r.get("code"))
    return [Item(ItemKind.PROCEDURE, "", code, frozenset(), "planned", start, end, text=_words(r))]


def _allergy(r: Resource, named: Named) -> list[Item]:
    concept = concept_of(r.get("code"))
    status = "absent" if "refuted" in _codes(r.get("verificationStatus")) else "present"
    start = span_of(r, "onset", "recorded")[0]
    return [Item(ItemKind.ALLERGY, "", concept, frozenset(), status, start, text=_words(r))]


def _immunization(r: Resource, named: Named) -> list[Item]:
    status = "absent" if _status(r) == "not-done" else "past"
    start = span_of(r, "occurrence")[0]
    concept = concept_of(r.get("vaccineCode"))
    return [Item(ItemKind.IMMUNIZATION, "", concept, frozenset(), status, start, start, text=_words(r))]


def _family(r: Resource, named: Named) -> list[Item]:
    made = []
    for one in _list(r.get("condition")):
        concept = concept_of(one.get("code")) if isinstance(one, dict) else Concept("")
        words = "; ".join(_spoken(r.get("relationship")))
        made.append(Item(ItemKind.FAMILY, "", concept, frozenset(), "present", when(r.get("date")), text=words))
    return made


def _encounter(r: Resource, named: Named) -> list[Item]:
    start, end = span_of(r, "", "actual") if not r.get("period") else span_of({"xPeriod": r["period"]}, "x")
    reasons = "; ".join(w for one in _list(r.get("type")) + _list(r.get("reasonCode")) for w in _spoken(one))
    kind = _codes(r.get("class"))
    concept = Concept("inpatient stay" if kind & {"IMP", "ACUTE", "NONAC"} else reasons or "encounter")
    return [Item(ItemKind.ENCOUNTER, "", concept, frozenset(), "past", start, end, text=reasons)]


def _report(r: Resource, named: Named) -> list[Item]:
    start = span_of(r, "effective")[0] or when(r.get("issued")) or when(r.get("started"))
    status = "pending" if _status(r) in ("registered", "available") else "present"
    concept = concept_of(r.get("code") or (r.get("procedureCode") or [None])[0])
    return [Item(ItemKind.IMAGING, "", concept, frozenset(), status, start, answer=_words(r), text=_words(r))]


def _document(r: Resource, named: Named) -> list[Item]:
    made = []
    for content in _list(r.get("content")):
        attachment = content.get("attachment") if isinstance(content, dict) else None
        if not isinstance(attachment, dict) or not str(attachment.get("contentType", "")).startswith("text/"):
            continue
        try:
            text = base64.b64decode(str(attachment.get("data") or ""), validate=False).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            continue
        name = Concept(str(attachment.get("title") or "document"), (Coding("", "document"),))
        made.append(Item(ItemKind.DOCUMENT, "", name, frozenset(), "present", when(r.get("date")), text=text))
    return made


READERS: dict[str, Callable[[Resource, Named], list[Item]]] = {
    "Condition": _condition,
    "Observation": _observation,
    "MedicationStatement": _medicine,
    "MedicationUsage": _medicine,
    "MedicationRequest": _medicine,
    "MedicationAdministration": _medicine,
    "MedicationDispense": _medicine,
    "Procedure": _procedure,
    "ServiceRequest": _order,
    "AllergyIntolerance": _allergy,
    "Immunization": _immunization,
    "FamilyMemberHistory": _family,
    "Encounter": _encounter,
    "DiagnosticReport": _report,
    "ImagingStudy": _report,
    "DocumentReference": _document,
}
