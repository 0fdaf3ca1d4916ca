"""Reads 200 Synthea Bundles, views them as typed models, writes them: how many primitive values changed.

    python -m benchmarks.round_trip [--number 200] [--source FOLDER_OR_TAR]

Values are compared as they are printed in the file: 12.30 and 12.3 differ, and so do two ways to write an instant.
"""

from __future__ import annotations

import argparse
import json
import sys
import tarfile
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import fhirbridge as fb
from fhirbridge.fhir import lossless
from tests.fhir.read_back import SYNTHEA


def texts(number: int, source: Path) -> Iterator[tuple[str, str]]:
    """Name and text of the first `number` Bundles."""
    if source.is_dir():
        for file in sorted(source.rglob("*.json"))[:number]:
            yield file.name, file.read_text("utf-8")
        return
    with tarfile.open(source) as tar:
        for member in sorted((m for m in tar if m.name.endswith(".json")), key=lambda m: m.name)[:number]:
            content = tar.extractfile(member)
            assert content is not None
            yield member.name, content.read().decode()


def changed(text: str) -> tuple[int, list[str]]:
    """How many primitive values a Bundle holds, and the places of those that a round trip changes."""
    record = fb.Record(lossless.loads(text))
    assert record.bundle.get_resource_type() == "Bundle"
    before, after = list(_primitives(_printed(text))), list(_primitives(_printed(record.to_json())))
    return len(before), [f"{a} -> {b}" for a, b in zip_longest(before, after) if a != b]


def _printed(text: str) -> Any:
    """JSON with its numbers as they are printed."""
    return json.loads(text, parse_float=lambda digits: ("number", digits), parse_int=lambda digits: ("number", digits))


def _primitives(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _primitives(item, f"{path}.{name}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _primitives(item, f"{path}[{number}]")
    else:
        yield path, value


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figure; 1 if a value changed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, default=SYNTHEA)
    parser.add_argument("--number", type=int, default=200)
    a = parser.parse_args(argv)
    bundles = values = 0
    differ: list[str] = []
    for name, text in texts(a.number, a.source):
        counted, found = changed(text)
        bundles, values = bundles + 1, values + counted
        differ += [f"{name}{place}" for place in found]
    print(f"{bundles} Bundles, {values:,} primitive values, {len(differ)} changed")
    print("\n".join(differ[:20]), end="")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
