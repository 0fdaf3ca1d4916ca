"""Registry file -> `Trial`. One file a registry; `create()` in it gives a `TrialRegistry`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from fhirbridge.records import LeftOut, Trial


class TrialRegistry(Protocol):
    """Reads one registry's records. `name` is what the user types after `--registry`."""

    name: str

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether the file looks like this registry's: `head` is its first 64 kB, decompressed."""
        ...

    def read(self, path: Path) -> Iterator[Trial | LeftOut]:
        """The trials of a file one by one, in bounded memory; what cannot be used as LeftOut with its place."""
        ...

    def read_record(self, record: dict[str, Any]) -> Trial:
        """One record already parsed; InputError if it is not this registry's."""
        ...
