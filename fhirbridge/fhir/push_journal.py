"""What a server has taken, on disk before the next transaction starts, so that a push that was killed goes on.

The journal only saves time: without it everything is asked for again, and nothing is doubled. A line holds no more of
a resource than a digest of the server's URL and the resource's identity, so that one journal serves many files.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from fhirbridge.fhir.push_entries import Entry


class Journal:
    """A file of what the server at `base` has taken, one line an entry; without a path nothing is kept."""

    def __init__(self, path: Path | None, base: str) -> None:
        self._path = path
        self._base = base
        self._taken: dict[str, str] = {}
        if path is not None and path.exists():
            for line in path.read_text("utf-8").splitlines():
                self._remember(line)

    def _remember(self, line: str) -> None:
        try:
            item = json.loads(line)
            self._taken[item["entry"]] = item["reference"]
        except (ValueError, KeyError, TypeError):
            return  # the last line of a run that was killed while writing it; the entry is only asked for again

    def known(self, entry: Entry) -> str | None:
        """Where the server put such a resource, if it has taken it."""
        return self._taken.get(self._name(entry)) if self._taken else None

    def add(self, taken: Mapping[Entry, str]) -> None:
        """Remember entries and where they are on the server now."""
        if self._path is None or not taken:
            return
        lines = {self._name(entry): reference for entry, reference in taken.items()}
        self._taken.update(lines)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a+b") as file:
            file.seek(0, os.SEEK_END)
            broken = file.tell() and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n"
            text = "".join(json.dumps({"entry": e, "reference": r}) + "\n" for e, r in lines.items())
            file.write((b"\n" if broken else b"") + text.encode())
            file.flush()
            os.fsync(file.fileno())

    def _name(self, entry: Entry) -> str:
        return hashlib.sha256(f"{self._base} {entry.identity}".encode()).hexdigest()
