"""A criterion's tree -> FHIRPath over a patient's Bundle: true, false, or empty when the Bundle does not say.

FHIRPath's and, or, not and implies are three-valued with the empty collection as unknown, as the project's own
judgement is. What it cannot see: concepts below a code in a hierarchy other than ICD-10's, words, and unit conversion.
"""

from __future__ import annotations

from collections.abc import Iterable

from fhirbridge.records import All, AtLeast, Bound, Concept, If, Leaf, LeafKind, Node, Not, Quantity, Window

_UNITS = {"a": "years", "mo": "months", "wk": "weeks", "d": "days", "h": "hours", "min": "minutes"}
_ICD = "http://hl7.org/fhir/sid/icd-10"
_UNKNOWN = "{}"
_LATEST = ".aggregate(iif($total.empty() or $this.effective > $total.effective, $this, $total))"
_PATIENT = "Bundle.entry.resource.ofType(Patient)"
_RESOURCES = {
    LeafKind.MEDICATION: ("MedicationStatement", "MedicationRequest", "MedicationAdministration"),
    LeafKind.THERAPY: ("Procedure", "MedicationStatement", "MedicationRequest"),
    LeafKind.PROCEDURE: ("Procedure",),
    LeafKind.IMAGING: ("Procedure", "ImagingStudy"),
    LeafKind.ALLERGY: ("AllergyIntolerance",),
}
_MEASURES = {LeafKind.LABORATORY, LeafKind.VITAL_SIGN, LeafKind.SCORE, LeafKind.BODY_MEASURE, LeafKind.BIOMARKER}
_CONDITIONS = {
    LeafKind.DIAGNOSIS,
    LeafKind.SYMPTOM,
    LeafKind.HISTOLOGY,
    LeafKind.METASTASIS,
    LeafKind.INFECTION,
    LeafKind.PREGNANCY,
}
_CODE = {
    "MedicationStatement": "medication",
    "MedicationRequest": "medication",
    "MedicationAdministration": "medication",
    "ImagingStudy": "procedureCode",
}
_WHEN = {
    "Condition": "onset",
    "Procedure": "performed",
    "MedicationStatement": "effective",
    "MedicationRequest": "authoredOn",
    "MedicationAdministration": "effective",
    "AllergyIntolerance": "recordedDate",
    "ImagingStudy": "started",
}


def expression(node: Node) -> str:
    """The FHIRPath of a tree."""
    if isinstance(node, Leaf):
        return _leaf(node)
    if isinstance(node, Not):
        return f"({expression(node.child)}).not()"
    if isinstance(node, If):
        return f"(({expression(node.condition)}) implies ({expression(node.then)}))"
    if isinstance(node, AtLeast):
        return _at_least(node)
    word = " and " if isinstance(node, All) else " or "
    parts = [f"({expression(child)})" for child in node.children]
    return word.join(parts) if parts else ("true" if isinstance(node, All) else "false")


def _at_least(node: AtLeast) -> str:
    """True when enough children hold, false when too many fail, else empty."""
    yes = " + ".join(f"iif({expression(c)}, 1, 0)" for c in node.children)
    no = " + ".join(f"iif(({expression(c)}).not(), 1, 0)" for c in node.children)
    fails = len(node.children) - node.count
    return f"iif(({yes}) >= {node.count}, true, iif(({no}) > {fails}, false, {{}}))"


def is_known(node: Node) -> bool:
    """Whether the tree has a leaf that FHIRPath can say something about."""
    if isinstance(node, Leaf):
        return _leaf(node) != _UNKNOWN
    if isinstance(node, Not):
        return is_known(node.child)
    if isinstance(node, If):
        return is_known(node.then)
    return any(is_known(child) for child in node.children)


def _leaf(leaf: Leaf) -> str:
    if leaf.kind == LeafKind.AGE:
        return _age(leaf)
    if leaf.kind == LeafKind.SEX:
        return (
            " or ".join(f"(Bundle.entry.resource.ofType(Patient).gender = {_quoted(v)})" for v in leaf.values)
            or _UNKNOWN
        )
    if leaf.kind in _MEASURES:
        return _measure(leaf)
    if leaf.kind in _CONDITIONS and leaf.concepts:
        return _present("Condition", leaf)
    if leaf.kind in _RESOURCES and leaf.concepts:
        return " or ".join(f"({_present(name, leaf)})" for name in _RESOURCES[leaf.kind])
    return _UNKNOWN


def _age(leaf: Leaf) -> str:
    born, parts = f"{_PATIENT}.birthDate", []
    for bound, low in ((leaf.low, True), (leaf.high, False)):
        if bound is None:
            continue
        unit = _UNITS.get(bound.quantity.ucum or "", "")
        number = bound.quantity.value
        if not unit or number != number.to_integral_value():
            return _UNKNOWN
        if low:
            parts.append(f"({born} {'<=' if bound.inclusive else '<'} today() - {int(number)} {unit})")
        else:
            last = int(number) + 1 if bound.inclusive else int(number)
            parts.append(f"({born} > today() - {last} {unit})")
    return " and ".join(parts) or _UNKNOWN


def _measure(leaf: Leaf) -> str:
    codes = [_coded("code", concept) for concept in leaf.concepts]
    if not all(codes) or not codes:
        return _UNKNOWN
    ends = [_end(leaf.low, ">"), _end(leaf.high, "<")]
    if _UNKNOWN in ends:
        return _UNKNOWN
    known = " or ".join(codes)
    found = f"Bundle.entry.resource.ofType(Observation).where({known}){_within(leaf.window, 'effective')}"
    asked = [e for e in ends if e]
    if asked:
        return " and ".join(f"({found}{_LATEST}{end})" for end in asked)
    if leaf.values:
        said = " or ".join(f"value.text.lower() = {_quoted(v.lower())}" for v in leaf.values)
        return f"iif({found}.exists(), {found}{_LATEST}.where({said}).exists(), {{}})"
    return _UNKNOWN


def _end(bound: Bound | None, sign: str) -> str:
    if bound is None:
        return ""
    sign += "=" if bound.inclusive else ""
    number = bound.quantity.value
    if bound.times_of in ("ULN", "LLN"):
        limit = "high" if bound.times_of == "ULN" else "low"
        return f".select(value.value {sign} {number} * referenceRange.first().{limit}.value)"
    if bound.times_of:
        return _UNKNOWN
    unit = bound.quantity.ucum
    if unit and unit not in ("1", "{score}") and not unit.startswith("{"):
        return f".where(value.code = {_quoted(unit)}).select(value.value {sign} {number})"
    return f".select((value.value | value.ofType(integer)).first() {sign} {number})"


def _present(resource: str, leaf: Leaf) -> str:
    """True when a resource of the kind says so, false when one says the contrary, empty when none speaks of it."""
    path = _CODE.get(resource, "code")
    codes = [c for c in (_coded(path, concept) for concept in leaf.concepts) if c]
    names = [f"{path}.text.lower() = {_quoted(concept.name.lower())}" for concept in leaf.concepts]
    found = f"Bundle.entry.resource.ofType({resource}).where({' or '.join([*codes, *names])})"
    refuted = "verificationStatus.coding.where(code = 'refuted' or code = 'entered-in-error').exists()"
    if resource not in ("Condition", "AllergyIntolerance"):
        refuted = "(status in ('not-taken' | 'not-done' | 'entered-in-error' | 'cancelled'))"
    when = _inside(leaf.window, _WHEN[resource])
    asked = f".where({refuted} or ({when}))" if when else ""
    return f"{found}{asked}.aggregate(iif($total = true, true, ({refuted}).not()))"


def _within(window: Window | None, path: str) -> str:
    test = _inside(window, path)
    return f".where({test})" if test else ""


def _inside(window: Window | None, path: str) -> str:
    if window is None or window.within is None or window.direction not in ("before", "since", ""):
        return ""
    unit = _UNITS.get(window.within.ucum or "")
    number: Quantity = window.within
    if not unit or number.value != number.value.to_integral_value():
        return ""
    return f"{path} >= today() - {int(number.value)} {unit}"


def _coded(path: str, concept: Concept) -> str:
    tests = [
        f"(system.startsWith({_quoted(_ICD)}) and code.startsWith({_quoted(c.code)}))"
        if c.system.startswith(_ICD)
        else f"(system = {_quoted(c.system)} and code = {_quoted(c.code)})"
        for c in concept.codings
    ]
    return f"{path}.coding.where({_or(tests)}).exists()" if tests else ""


def _or(parts: Iterable[str]) -> str:
    return " or ".join(parts)


def _quoted(text: str) -> str:
    clean = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", " ")
    return f"'{clean}'"
