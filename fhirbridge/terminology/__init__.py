"""Text -> code. One file a terminology, its tables under `data/` with their licence in `data/NOTICE`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from fhirbridge.records import Coding


@dataclass(frozen=True, slots=True)
class Record:
    """One code of a terminology with its names; `kind` as in the lexicon ("condition", "medication" ...)."""

    code: str
    name: str
    synonyms: tuple[str, ...] = ()
    kind: str = "condition"


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

    def records(self) -> Iterator[Record]:
        """Every code with its names, for the lexicon."""
        ...
