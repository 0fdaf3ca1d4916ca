"""Text -> code. One file a terminology, its tables under `data/` with their licence in `data/NOTICE`."""

from __future__ import annotations

from typing import Protocol

from fhirbridge.records import Coding


class Terminology(Protocol):
    """Looks up names and codes of one code system."""

    name: str
    system: str

    def display(self, code: str) -> str | None:
        """The preferred name of a code, None if the code is not known."""
        ...

    def find(self, name: str) -> tuple[Coding, ...]:
        """The codes whose name or synonym is `name` (case and spacing folded), best first."""
        ...
