"""Pushes Synthea Bundles twice to a SEKMET on loopback: what was lost, doubled or changed, and entries a second.

    python benchmarks/push_synthea.py FOLDER [NUMBER]      FOLDER: Bundles as *.json

Read back by search of each type; `id`, `meta` and references are the server's and are not compared. A plain loop of
requests that posts the same transactions to a second, empty server is the measure of speed.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import requests

import fhirbridge as fb
from fhirbridge.fhir import lossless, server_push
from tests.fhir.servers import sekmet


def plain(value: Any) -> Any:
    """A value without what is the server's own, numbers by value."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in sorted(value.items()) if k not in ("reference", "fullUrl")}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value if isinstance(value, (str, bool)) or value is None else float(value)


def told(resource: dict[str, Any]) -> str:
    """The resource as comparable text."""
    return json.dumps(plain({k: v for k, v in resource.items() if k not in ("id", "meta")}), ensure_ascii=False)


def main(folder: Path, number: int) -> None:
    """Print the figures."""
    bundles = [lossless.loads(f.read_bytes(), f) for f in sorted(folder.rglob("*.json"))[:number]]
    once: dict[str, str] = {}  # what a business identifier names is one resource, however many Bundles hold it
    for bundle in bundles:
        for entry in server_push.entries(bundle)[0]:
            once.setdefault(f"{entry.resource['resourceType']}?{entry.condition}", told(entry.resource))
    sent = Counter(once.values())
    total = sum(len(b["entry"]) for b in bundles)
    with tempfile.TemporaryDirectory() as data, sekmet(Path(data)) as base:
        server = fb.FHIRServer(base)
        start = time.perf_counter()
        first = [server.push(b) for b in bundles]
        ours = time.perf_counter() - start
        second = [server.push(b) for b in bundles]
        kinds = sorted({key.partition("?")[0] for key in once})
        back = Counter(told(r) for kind in kinds for r in server.search(kind, _count="500"))
    with tempfile.TemporaryDirectory() as data, sekmet(Path(data)) as base, requests.Session() as session:
        bodies = [lossless.dumps(_transaction(b)).encode() for b in bundles]
        start = time.perf_counter()
        for body in bodies:
            session.post(base, data=body, headers={"Content-Type": "application/fhir+json"}).raise_for_status()
        loop = time.perf_counter() - start
    failed = sum(len(s.failed) for s in first + second)
    print(f"{len(bundles)} Bundles, {total:,} entries, {sum(sent.values()):,} resources, {failed} failed")
    print(f"created again: {sum(s.created for s in second)}")
    print(f"lost or changed: {(sent - back).total()}, doubled or unknown: {(back - sent).total()}")
    print(f"{total / ours:.0f} entries/s, plain loop {total / loop:.0f}: {loop / ours:.2f} of it")


def _transaction(bundle: dict[str, Any]) -> dict[str, Any]:
    made = [
        {
            "fullUrl": e.key,
            "resource": e.resource,
            "request": {"method": "POST", "url": e.resource["resourceType"], "ifNoneExist": e.condition},
        }
        for e in server_push.entries(bundle)[0]
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": made}


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 200)
