"""Golden cases of `golden.tsv`: facts and a question in short notation -> a FHIR Bundle and a leaf.

facts, separated by " ; ":
  born DATE | sex male | cond NAME [@DATE[..DATE]] [refuted|resolved|suspected|error] | code SYSTEM CODE NAME [@DATE]
  lab NAME = VALUE [UNIT] [@DATE] [low..high] [error|pending] | says NAME = ANSWER [@DATE]
  med NAME [@DATE[..DATE]] [stopped] | proc NAME [@DATE] | allergy NAME
question: KIND NAME [is VALUE|VALUE] [>= 9 g/dL] [<= 1.5 xULN] [within 28 d] [since 4 wk] [count>=2] [known ...]
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from fhirbridge.records import Bound, Concept, Leaf, LeafKind, Quantity, Span, Window

LOINC = "http://loinc.org"
SYSTEMS = {"icd10": "http://hl7.org/fhir/sid/icd-10-cm", "sct": "http://snomed.info/sct", "loinc": LOINC}
SYSTEMS["rxnorm"] = "http://www.nlm.nih.gov/research/umls/rxnorm"


def bundle(facts: str) -> dict[str, Any]:
    """The Bundle of a row's facts."""
    patient: dict[str, Any] = {"resourceType": "Patient", "id": "p"}
    resources: list[dict[str, Any]] = [patient]
    for number, fact in enumerate(f.strip() for f in facts.split(" ; ") if f.strip()):
        word, _, rest = fact.partition(" ")
        if word == "born":
            patient["birthDate"] = rest
        elif word == "sex":
            patient["gender"] = rest
        else:
            resource = MAKERS[word](rest)
            resource.setdefault("id", f"r{number}")
            resource["subject" if word != "allergy" else "patient"] = {"reference": "Patient/p"}
            resources.append(resource)
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]}


def _dates(text: str) -> tuple[str, str, str]:
    """The text without its date, the start and the end."""
    found = re.search(r"@(\S+?)(?:\.\.(\S+))?(?=\s|$)", text)
    if not found:
        return text.strip(), "", ""
    return (text[: found.start()] + text[found.end() :]).strip(), found[1], found[2] or ""


def _flag(text: str, *flags: str) -> tuple[str, str]:
    for flag in flags:
        if text.endswith(" " + flag):
            return text[: -len(flag) - 1].strip(), flag
    return text, ""


def _condition(text: str) -> dict[str, Any]:
    text, flag = _flag(text, "refuted", "resolved", "suspected", "error")
    name, start, end = _dates(text)
    status = {"refuted": "refuted", "suspected": "provisional", "error": "entered-in-error"}.get(flag, "confirmed")
    made: dict[str, Any] = {"resourceType": "Condition", "code": {"text": name}}
    made["verificationStatus"] = {"coding": [{"code": status}]}
    made["clinicalStatus"] = {"coding": [{"code": "resolved" if flag == "resolved" else "active"}]}
    if start:
        made["onsetDateTime"] = start
    if end:
        made["abatementDateTime"] = end
    return made


def _coded(text: str) -> dict[str, Any]:
    system, code, name = text.split(" ", 2)
    made = _condition(name)
    made["code"]["coding"] = [{"system": SYSTEMS[system], "code": code}]
    return made


def _lab(text: str) -> dict[str, Any]:
    text, flag = _flag(text, "error", "pending")
    text, start, _ = _dates(text)
    name, _, value = text.partition(" = ")
    code = {"text": name}
    if re.fullmatch(r"\d+-\d", name):
        code = {"coding": [{"system": LOINC, "code": name}]}  # type: ignore[dict-item]
    made: dict[str, Any] = {"resourceType": "Observation", "status": "final", "code": code}
    made["status"] = {"error": "entered-in-error", "pending": "registered"}.get(flag, "final")
    if start:
        made["effectiveDateTime"] = start
    span = re.search(r"\[(\S*)\.\.(\S*)\]$", value)
    if span:
        value = value[: span.start()].strip()
    found = re.match(r"^(<=|>=|<|>)?(-?[\d.]+)\s*(.*)$", value)
    if found:
        made["valueQuantity"] = {"value": Decimal(found[2]), "unit": found[3].strip()}
        if found[1]:
            made["valueQuantity"]["comparator"] = found[1]
        if span:
            limits = {"low": span[1], "high": span[2]}
            unit = found[3].strip()
            made["referenceRange"] = [{k: {"value": Decimal(v), "unit": unit} for k, v in limits.items() if v}]
    return made


def _says(text: str) -> dict[str, Any]:
    text, flag = _flag(text, "error", "pending")
    text, start, _ = _dates(text)
    name, _, answer = text.partition(" = ")
    made: dict[str, Any] = {"resourceType": "Observation", "status": "registered" if flag == "pending" else "final"}
    made |= {"code": {"text": name}, "valueCodeableConcept": {"text": answer}}
    if start:
        made["effectiveDateTime"] = start
    if flag == "error":
        made["status"] = "entered-in-error"
    return made


def _medicine(text: str) -> dict[str, Any]:
    text, flag = _flag(text, "stopped", "error", "not-taken")
    name, start, end = _dates(text)
    status = {"stopped": "stopped", "error": "entered-in-error", "not-taken": "not-taken"}.get(flag, "active")
    made: dict[str, Any] = {
        "resourceType": "MedicationStatement",
        "status": "completed" if end and not flag else status,
    }
    made["medicationCodeableConcept"] = {"text": name.split(" (")[0]}
    if " (" in name:
        made["reasonCode"] = [{"text": name.split(" (")[1].rstrip(")")}]
    if start or end:
        made["effectivePeriod"] = {k: v for k, v in (("start", start), ("end", end)) if v}
    return made


def _procedure(text: str) -> dict[str, Any]:
    text, flag = _flag(text, "planned", "not-done")
    name, start, _ = _dates(text)
    made: dict[str, Any] = {"resourceType": "Procedure", "status": "completed", "code": {"text": name}}
    made["status"] = {"planned": "preparation", "not-done": "not-done"}.get(flag, "completed")
    if start:
        made["performedDateTime"] = start
    return made


def _allergy(text: str) -> dict[str, Any]:
    made: dict[str, Any] = {"resourceType": "AllergyIntolerance", "code": {"text": text}}
    if text.casefold().startswith("no known") or text == "无已知过敏史":
        made["code"]["coding"] = [{"system": SYSTEMS["sct"], "code": "716186003"}]
    return made


def _family(text: str) -> dict[str, Any]:
    return {"resourceType": "FamilyMemberHistory", "status": "completed", "condition": [{"code": {"text": text}}]}


MAKERS = {"cond": _condition, "code": _coded, "lab": _lab, "says": _says, "med": _medicine, "proc": _procedure}
MAKERS |= {"allergy": _allergy, "family": _family}

_BOUND = re.compile(r" (>=|<=|>|<) ([\d.]+)(?: ?x(ULN|LLN)| ([^\s<>=\[]+))?(?=\s|$)")
_WINDOW = re.compile(r" (within|since|lasting) (\d+) (d|wk|mo|a)(?=\s|$)")
_COUNT = re.compile(r" count(>=|<=)(\d+)")
_QUALIFIERS = ("known", "active", "current", "history", "uncontrolled", "severe", "symptomatic", "untreated", "other")


def leaf(question: str) -> Leaf:
    """The leaf of a row's question."""
    kind, _, text = question.partition(" ")
    text = " " + text
    low = high = window = None
    for sign, value, times, unit in _BOUND.findall(text):
        bound = Bound(Quantity(Decimal(value), unit, unit or None), sign in (">=", "<="), times)
        low, high = (bound, high) if sign[0] == ">" else (low, bound)
    text = _BOUND.sub("", text)
    found = _WINDOW.search(text)
    if found:
        length = Quantity(Decimal(found[2]), found[3], found[3])
        window = Window(within=length) if found[1] == "within" else None
        if found[1] == "since":
            window = Window(at_least=length, direction="since")
        if found[1] == "lasting":
            window = Window(at_least=length, direction="lasting")
        text = _WINDOW.sub("", text)
    counts = {sign: int(n) for sign, n in _COUNT.findall(text)}
    text = _COUNT.sub("", text)
    qualifiers = {q for q in _QUALIFIERS if re.search(rf" \[{q}\]", text)}
    text = re.sub(r" \[\w+\]", "", text)
    name, _, values = text.strip().partition(" is ")
    if text.strip().startswith("is "):
        name, values = "", text.strip()[3:]
    return Leaf(
        LeafKind(kind),
        Span(0, 0),
        (Concept(name),) if name else (),
        tuple(v for v in values.split("|") if v),
        low,
        high,
        window,
        counts.get(">="),
        counts.get("<="),
        frozenset(qualifiers),
    )
