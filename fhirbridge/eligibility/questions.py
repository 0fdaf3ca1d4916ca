"""Leaves as questions: one concept each, without their place in the text, so that trials share them.

A leaf with several concepts becomes Any of its questions. A question also carries what the leaf alone cannot say:
whether it asks for the trial's own disease, and whether it means another disease than that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from fhirbridge.languages import fold
from fhirbridge.records import Bound, Concept, LeafKind, Window

__all__ = ["Question", "names_of"]


@dataclass(frozen=True, slots=True)
class Question:
    """One computable question. `keys` are what an item must have one of to be meant; `name` is for the reason."""

    kind: LeafKind
    name: str = ""
    keys: tuple[str, ...] = ()
    measure: str = ""
    values: tuple[str, ...] = ()
    low: Bound | None = None
    high: Bound | None = None
    window: Window | None = None
    count_low: int | None = None
    count_high: int | None = None
    qualifiers: tuple[str, ...] = ()
    required: bool = False  # asked for by an inclusion criterion, not denied or excluded
    index: bool = False
    other: bool = False
    anchors: tuple[str, ...] = ()  # keys of the trial's own disease, where `other`
    words: str = ""  # what the text says around it, where a judge needs it

    @property
    def known(self) -> bool:
        """Whether the criterion only means what is known, confirmed or documented."""
        words = {"known", "confirmed", "documented"} if self.kind is LeafKind.BIOMARKER else {"known"}
        return not self.required and bool(words & set(self.qualifiers))

    def without_window(self) -> Question:
        """The same question at any time."""
        return replace(self, window=None)


@lru_cache(maxsize=200_000)
def names_of(concept: Concept) -> tuple[str, ...]:
    """The folded name of a concept, as a key."""
    return (fold(concept.name),) if concept.name else ()
