"""What passes between the stages that put a criterion together: anchors and items with the modifiers found for them so far."""

# ruff: noqa: E501 - word lists and patterns are easier to review unbroken
from __future__ import annotations

from dataclasses import dataclass, field

from fhirbridge.extract.criterion_numbers import Amount
from fhirbridge.extract.criterion_pieces import Piece
from fhirbridge.records import Concept, LeafKind, Window

__all__ = ["Anchor", "Item", "MEASURES", "State"]


MEASURES = frozenset({LeafKind.LABORATORY, LeafKind.VITAL_SIGN, LeafKind.BODY_MEASURE, LeafKind.SCORE})


@dataclass(slots=True)
class Anchor:
    """One thing an item asks about, with the modifiers found for it so far."""

    kind: LeafKind
    concepts: tuple[Concept, ...]
    values: list[str]
    start: int
    end: int
    head: str = ""
    qualifiers: set[str] = field(default_factory=set)
    negated: bool = False
    amount: Amount | None = None
    extra: list[Amount] = field(default_factory=list)
    window: Window | None = None
    count: tuple[int | None, int | None] | None = None
    bounds: tuple[int | None, int | None] | None = None  # a class or grade
    text: str = ""


@dataclass(slots=True)
class State:
    """What the words before a list item still say about it."""

    head: str = ""
    negated: bool = False
    qualifiers: frozenset[str] = frozenset()


@dataclass(slots=True)
class Item:
    """A list item: anchors in order, unused modifiers, and the words that were not understood."""

    start: int
    end: int
    anchors: list[Anchor] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    amounts: list[Amount] = field(default_factory=list)
    grades: list[tuple[str, int | None, int | None, int, int]] = field(default_factory=list)
    pressures: list[tuple[str, int, int, int, int]] = field(default_factory=list)
    unknown: list[Piece] = field(default_factory=list)
    groups: list[Piece] = field(default_factory=list)
    qualifiers: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    admin: str = ""
    opinion: str = ""
    sex: str = ""
    sex_first: bool = False  # "women with ...", not "... for women"
    age: bool = False
    negated: bool = False  # before its first anchor, by its own words or by the list's
    window_first: bool = False
    head: str = ""
    allergen: bool = False
    study_drug: bool = False
    allergy_last: bool = False
    count: tuple[int | None, int | None] | None = None
    treatment: tuple[int, int] | None = None  # "therapy for ..." that names no therapy
    own_head: bool = False
    own_negation: bool = False
    state: State = field(default_factory=State)
    tail: tuple[int, int] | None = None
