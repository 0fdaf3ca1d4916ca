"""FHIR files -> Bundles: a Bundle, one resource, or NDJSON of either, gz or not."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fhirbridge.errors import EmptyInput, UnreadableInput
from fhirbridge.fhir import lossless


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The Bundles of a file. Loose resources of one file come together in one collection Bundle at the end.

    Raises UnreadableInput (naming the line) for what is no FHIR JSON, EmptyInput for a file without a resource.
    """
    loose: list[dict[str, Any]] = []
    found = 0
    for where, resource in _resources(path):
        if not isinstance(resource, dict) or "resourceType" not in resource:
            raise UnreadableInput(where, "not a FHIR resource: no resourceType", "give FHIR JSON or NDJSON")
        found += 1
        if resource["resourceType"] == "Bundle":
            yield resource
        else:
            loose.append(resource)
    if loose:
        entries = [{"fullUrl": f"{r['resourceType']}/{r.get('id', n)}", "resource": r} for n, r in enumerate(loose)]
        yield {"resourceType": "Bundle", "type": "collection", "entry": entries}
    if not found:
        raise EmptyInput(path, "no resource in it")


def _resources(path: Path) -> Iterator[tuple[str, Any]]:
    if path.name.removesuffix(".gz").endswith(".ndjson"):
        for number, line in lossless.lines(path):
            where = f"{path}, line {number}"
            yield where, lossless.loads(line, where)
        return
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as file:
            content = file.read()
    except (OSError, EOFError) as error:
        raise UnreadableInput(path, f"cannot be read ({type(error).__name__})", "is the file complete?") from error
    if content.strip():
        yield str(path), lossless.loads(content, path)
