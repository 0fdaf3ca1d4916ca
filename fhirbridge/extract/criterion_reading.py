"""How a sentence within a criterion is read again, handed down to the stages that take sentences apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from fhirbridge.extract.criterion_pieces import Piece
from fhirbridge.records import Node, Span

__all__ = ["Reading", "WEIGHTLESS", "read_sentence", "span_of", "trimmed"]


WEIGHTLESS = frozenset(
    {"ignored", "mark", "stop", "line", "comma", "slash", "open", "note", "plus", "who", "ruled", "enumerator"}
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What stays the same for one criterion: its side, its language, and how a sentence within it is read."""

    exclude: bool
    language: str
    sentence: Callable[[list[Piece], Reading], Node | None]

    def excluding(self) -> Reading:
        """The same for words that name what is meant, as exclusions do: a comma among them is an "or"."""
        return replace(self, exclude=True)


def read_sentence(pieces: list[Piece], reading: Reading) -> Node | None:
    """The tree of one sentence, or of a part of one that can stand alone."""
    return reading.sentence(pieces, reading)


def trimmed(pieces: list[Piece]) -> list[Piece]:
    start, end = 0, len(pieces)
    while start < end and pieces[start].kind in ("comma", "stop", "open", "line", "slash", "semicolon", "note"):
        start += 1
    while end > start and pieces[end - 1].kind in ("comma", "stop", "open", "line", "slash", "semicolon"):
        end -= 1
    return pieces[start:end]


def span_of(pieces: list[Piece]) -> Span:
    """The stretch that the pieces cover."""
    return Span(pieces[0].start, pieces[-1].end - pieces[0].start)
