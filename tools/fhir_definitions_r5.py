"""The R5 part of make_fhir_definitions.py: what the models of fhir.resources say of HL7's R5, as a table."""

from __future__ import annotations

import importlib
import pkgutil
import re
import typing
from typing import Any

import fhir.resources
from fhir.resources import get_fhir_model_class

_ABSTRACT = {"Resource", "DomainResource", "Element", "BackboneElement", "Base", "DataType"}
_NO_ELEMENT = {"resource_type", "fhir_comments", "resourceType"}
_WHOLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")


def r5_table(written: dict[str, str]) -> dict[str, Any]:
    """The table of R5; `written` are the patterns of R4's primitives, which R5 keeps."""
    table: dict[str, Any] = {"types": {}, "codes": {}, "resources": [], "invariants": {}}
    table["regex"] = {**written, "integer64": r"-?(0|[1-9][0-9]*)"}
    paths: dict[str, str] = {}
    tops = []
    for module in pkgutil.iter_modules(fhir.resources.__path__):
        if module.ispkg or module.name.startswith("fhir") or module.name == "integer64":
            continue
        inside = vars(importlib.import_module(f"fhir.resources.{module.name}"))
        for name in inside:
            if name.lower() == module.name and hasattr(inside[name], "model_fields"):
                tops.append(name)
                paths[name] = name
    resource = get_fhir_model_class("Resource")
    for name in tops:
        model = get_fhir_model_class(name)
        if issubclass(model, resource) and name not in _ABSTRACT:
            table["resources"].append(name)
        _add(model, name, paths, table)
    table["resources"].sort()
    return table


def _add(model: Any, path: str, paths: dict[str, str], table: dict[str, Any]) -> None:
    children: dict[str, Any] = {}
    inside: list[str] = []
    table["types"][path] = children
    for field, info in model.model_fields.items():
        if field in _NO_ELEMENT or field.endswith("__ext"):
            continue
        name, told = info.alias or field, info.json_schema_extra or {}
        kind, many, optional = _kind(info.annotation)
        if kind[:1].isupper() and kind not in paths:
            paths[kind] = f"{path}.{name}"
            inside.append(kind)
        choice = told.get("one_of_many", "")
        least = int(bool(told.get("element_required") or told.get("one_of_many_required") or not optional))
        codes = _codes(path, name, kind, told.get("enum_values"), table)
        targets = sorted(told.get("enum_reference_types") or []) or None
        targets = None if targets and "Resource" in targets else targets
        children[name] = [least, many, paths.get(kind, kind), codes, targets, choice]
    for kind in inside:
        _add(get_fhir_model_class(kind), paths[kind], paths, table)


def _kind(annotation: Any) -> tuple[str, bool, bool]:
    """FHIR type, whether it is a list, and whether it may be missing."""
    optional = many = False
    while True:
        origin, inside = typing.get_origin(annotation), typing.get_args(annotation)
        if origin in (list, typing.List):  # noqa: UP006
            many, annotation = True, inside[0]
        elif origin is typing.Annotated:
            marks = [type(m).__name__ for m in annotation.__metadata__]
            known = [m for m in marks if m != "EncodedBytes"]
            return _primitive(known[0] if known else inside[0].__name__), many, optional
        elif type(None) in inside:
            optional = True
            annotation = next(t for t in inside if t is not type(None))
        else:
            name = annotation.__name__
            whole = name.endswith("Type") and name != "Integer64Type"
            return (name if whole else _primitive(name)).removesuffix("Type"), many, optional


def _primitive(name: str) -> str:
    named = {"bool": "boolean", "bytes": "base64Binary", "Integer64": "integer64", "str": "string"}
    named |= {"int": "integer", "UuidVersion": "uuid"}
    return named.get(name, name[:1].lower() + name[1:])


def _codes(path: str, name: str, kind: str, listed: list[str] | None, table: dict[str, Any]) -> str:
    """The name of its value set; "" where fhir.resources lists it in part ("+") or in words."""
    if kind != "code" or not listed or not all(_WHOLE.fullmatch(code) for code in listed):
        return ""
    url = f"{path}.{name}"
    table["codes"][url] = {"": sorted(listed)}
    return url
