"""What a server holds after a push, compared with what was sent: lost, doubled, changed, rounded."""

from __future__ import annotations

import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import fhirbridge as fb
from fhirbridge.fhir import lossless
from fhirbridge.fhir.push_entries import TAG, Entry, by_identifier, entries, resolved

PATIENTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "fhir" / "patients"
SYNTHEA = PATIENTS / "synthea-r4-200-small.tar.gz"


def synthea(number: int, source: Path = SYNTHEA) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and Bundle of the first `number` of a tar file or a folder, in the order of their names."""
    if source.is_dir():
        for file in sorted(source.rglob("*.json"))[:number]:
            yield file.name, lossless.loads(file.read_bytes(), file)
        return
    with tarfile.open(source) as tar:
        for member in sorted((m for m in tar if m.name.endswith(".json")), key=lambda m: m.name)[:number]:
            content = tar.extractfile(member)
            assert content is not None
            yield Path(member.name).name, lossless.loads(content.read(), member.name)


@dataclass
class Difference:
    """`lost`, `doubled`, `unknown` and `changed` name resources; `rounded` counts paths whose numbers lost digits."""

    resources: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    rounded: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    @property
    def wrong(self) -> list[str]:
        return [*self.lost, *self.doubled, *self.unknown, *self.changed]

    def __str__(self) -> str:
        counts = ", ".join(f"{len(getattr(self, k))} {k}" for k in ("lost", "doubled", "unknown", "changed"))
        rounding = [f"  {n:6,} {path}, such as {self.examples[path]}" for path, n in sorted(self.rounded.items())]
        told = [f"{self.resources:,} resources: {counts}; {self.rounded.total():,} numbers rounded", *rounding]
        return "\n".join([*told, *self.wrong[:20]])


def compare(bundles: Sequence[Mapping[str, Any]], base: str) -> Difference:
    """What the server at `base` holds against what these Bundles, pushed in this order, should have put there."""
    found = Difference()
    sent: dict[str, Entry] = {}
    places: dict[str, str] = {}  # key in a Bundle -> identity
    for bundle in bundles:
        for entry in entries(bundle)[0]:
            sent.setdefault(entry.identity, entry)
            places[entry.key] = entry.identity
    found.resources = len(sent)
    held: dict[str, dict[str, Any]] = {}
    for kind in sorted({e.kind for e in sent.values()}):
        for resource in fb.FHIRServer(base).search(kind, _count="500"):
            identity = _identity(resource)
            if identity not in sent:
                found.unknown.append(f"{kind}/{resource['id']}")
            elif identity in held:
                found.doubled.append(identity)
            held[identity] = resource
    found.lost = [identity for identity in sent if identity not in held]
    known = {k: f"{held[i]['resourceType']}/{held[i]['id']}" for k, i in places.items() if i in held}
    for identity, entry in sent.items():
        if identity in held:
            wanted = lossless.loads(resolved(entry.text, known))
            _differ(_apart(wanted), _apart(held[identity]), entry.kind, found)
    return found


def _identity(resource: Mapping[str, Any]) -> str:
    digest = next((t["code"] for t in resource.get("meta", {}).get("tag", []) if t.get("system") == TAG), None)
    condition = by_identifier(resource) if digest is None else f"_tag=urn%3Afhirbridge%3Acontent-sha256%7C{digest}"
    return f"{resource['resourceType']}?{condition}"


def _apart(resource: Mapping[str, Any]) -> dict[str, Any]:
    meta = {k: v for k, v in resource.get("meta", {}).items() if k not in ("versionId", "lastUpdated", "source")}
    return {**{k: v for k, v in resource.items() if k not in ("id", "meta")}, **({"meta": meta} if meta else {})}


def _differ(sent: Any, held: Any, path: str, found: Difference) -> None:
    if isinstance(sent, dict) and isinstance(held, dict):
        for name in sent.keys() | held.keys():
            if name not in sent or name not in held:
                found.changed.append(f"{path}.{name}: {'new' if name in held else 'gone'}")
            else:
                _differ(sent[name], held[name], f"{path}.{name}", found)
    elif isinstance(sent, list) and isinstance(held, list) and len(sent) == len(held):
        for one, other in zip(sent, held, strict=True):
            _differ(one, other, path, found)
    elif isinstance(sent, Decimal) and not isinstance(held, bool) and isinstance(held, (int, Decimal)):
        if str(sent) != str(held) and abs(sent - held) <= abs(sent) * Decimal("1e-15"):
            found.rounded[path] += 1
            if sent != held or path not in found.examples:
                found.examples[path] = f"{sent} -> {held}"
        elif str(sent) != str(held):
            found.changed.append(f"{path}: {sent} -> {held}")
    elif type(sent) is not type(held) or sent != held:
        found.changed.append(f"{path}: {sent!r} -> {held!r}")
