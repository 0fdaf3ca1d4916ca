"""Makes fhirbridge/fhir/data/us-core-profiles.json.gz: what US Core 6.1.0 asks of a resource that claims a profile.

    python tools/make_profile_definitions.py hl7.fhir.us.core-610.tgz

The file is HL7's package with snapshots (CC0). Only what is stricter than R4 is kept: elements that must be there or
must not, fixed values and patterns, closed lists of codes, slices that can be told apart, types of a choice, and the
keys of the invariants. Extensions are left out. Layout: `fhirbridge/fhir/profiles.py`.
"""

from __future__ import annotations

import gzip
import json
import sys
import tarfile
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parent.parent / "fhirbridge" / "fhir" / "data" / "us-core-profiles.json.gz"
_STEMS = ("us-core-", "vs-")
Node = dict[str, Any]


def main(package: Path) -> None:
    """Write the table."""
    with tarfile.open(package) as tar:
        members = [
            m for m in tar if m.name.startswith("package/") and m.name.endswith(".json") and m.name.count("/") == 1
        ]
        read = [json.loads(tar.extractfile(m).read()) for m in members]  # type: ignore[union-attr]
    sets = {r["url"]: r for r in read if r.get("resourceType") == "ValueSet"}
    table: dict[str, Any] = {"profiles": {}, "invariants": {}}
    for profile in read:
        if profile.get("resourceType") == "StructureDefinition" and profile["kind"] == "resource":
            table["profiles"][profile["url"]] = _profile(profile, sets, table["invariants"])
    TARGET.write_bytes(gzip.compress(json.dumps(table, sort_keys=True, separators=(",", ":")).encode(), 9, mtime=0))
    print(f"{TARGET.name}: {len(table['profiles'])} profiles, {TARGET.stat().st_size:,} bytes")


def _profile(profile: Node, sets: dict[str, Node], told: dict[str, str]) -> Node:
    root: Node = {"children": {}}
    keys: set[str] = set()
    for element in profile["snapshot"]["element"]:
        for rule in element.get("constraint", []):
            if rule["severity"] == "error" and rule["key"].startswith(_STEMS):
                keys.add(f"{rule['key']} {profile['type']}")
                told[f"{rule['key']} {profile['type']}"] = rule["human"]
        names = element["id"].split(".")[1:]
        if names and not any(name.split(":")[0] in ("extension", "modifierExtension") for name in names):
            _into(_place(root, names), element, names[-1], sets)
    _pruned(root)
    return {"type": profile["type"], "keys": sorted(keys), "children": root["children"]}


def _place(node: Node, names: list[str]) -> Node:
    """The node of an element, made on the way; a slice of a choice by type is an element of that type's name."""
    for name in names:
        element, _, sliced = name.partition(":")
        if sliced and element.endswith("[x]"):
            element, sliced = sliced, ""
        node = node.setdefault("children", {}).setdefault(element, {})
        if sliced:
            node = node.setdefault("slices", {}).setdefault(sliced, {})
    return node


def _into(node: Node, element: Node, name: str, sets: dict[str, Node]) -> None:
    base = element.get("base", {"min": 0, "max": "*"})
    if element["min"] > base["min"] or (":" in name and element["min"]):
        node["least"] = element["min"]
    if element["max"] != base["max"] and element["max"].isdigit():
        node["most"] = int(element["max"])
    for key, value in element.items():
        if key.startswith(("fixed", "pattern")):
            node["pattern"] = value
    if name.endswith("[x]"):
        node["types"] = [kind["code"] for kind in element["type"]]
    binding = element.get("binding", {})
    if binding.get("strength") == "required":
        codes = _codes(sets.get(binding["valueSet"].partition("|")[0], {}))
        if codes:
            node["codes"] = codes
    if "slicing" in element and not name.endswith("[x]"):
        node["by"] = [[d["type"], d["path"]] for d in element["slicing"].get("discriminator", [])]


def _codes(value_set: Node) -> dict[str, list[str]]:
    """The codes of a value set that lists them all; {} for others."""
    includes = value_set.get("compose", {}).get("include", [])
    if value_set.get("compose", {}).get("exclude") or not all("concept" in i and "system" in i for i in includes):
        return {}
    found: dict[str, list[str]] = {}
    for include in includes:
        found.setdefault(include["system"], []).extend(c["code"] for c in include["concept"])
    return found


def _pruned(node: Node) -> bool:
    """Whether anything is asked at a node, after what asks nothing below it was taken away."""
    for kind in ("children", "slices"):
        inside = node.get(kind, {})
        for name in [n for n, child in inside.items() if not _pruned(child)]:
            del inside[name]
        if kind in node and not inside:
            del node[kind]
    known = {n: s for n, s in node.get("slices", {}).items() if all(_told(s, p) for _, p in node.get("by", [["", ""]]))}
    node.pop("slices", None)
    if known:
        node["slices"] = known
    else:
        node.pop("by", None)
    return bool(node)


def _told(node: Node, path: str) -> bool:
    for name in path.split(".") if path != "$this" else []:
        node = node.get("children", {}).get(name, {})
    return "pattern" in node or "codes" in node


if __name__ == "__main__":
    main(Path(sys.argv[1]))
