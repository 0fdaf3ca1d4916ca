"""What every stage shares: places in a source, codes, quantities, three-valued truth, and what was left out."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

__all__ = ["Box", "Coding", "Concept", "LeftOut", "Quantity", "Span", "Truth"]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What could not be read, coded or sent: where it stands and why, never the patient's words."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text: `offset` and `length` in Unicode characters of the decoded source."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        """The offset one past the last character."""
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle in pixels of the original file; `page` counts from 1."""

    x: int
    y: int
    width: int
    height: int
    page: int = 1


@dataclass(frozen=True, slots=True)
class Coding:
    """One code of a code system; `system` is the FHIR URI."""

    system: str
    code: str
    display: str = ""


@dataclass(frozen=True, slots=True)
class Concept:
    """What is meant: the preferred name in the source's language and the codes that are decided, if any."""

    name: str
    codings: tuple[Coding, ...] = ()


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as printed or said: `value` keeps its digits (12.30), `unit` its wording, `ucum` the code if decided."""

    value: Decimal
    unit: str = ""
    ucum: str | None = None
    comparator: str = ""  # "", "<", "<=", ">=", ">"


class Truth(StrEnum):
    """Three-valued truth, as in CQL."""

    MET = "met"
    NOT_MET = "not_met"
    UNKNOWN = "unknown"
