"""Words in level coordinates -> pieces: the smallest parts of print that may belong to different columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from fhirbridge.extract import lab_print, lab_units
from fhirbridge.extract.lab_flatten import Level
from fhirbridge.records import Word

_CHUNK = re.compile(r"\S+")
_PIECE = re.compile(
    r"[↑↓]+|[(\[](?:[HLAN]{1,2}|[高低↑↓*])[)\]]"
    r"|[<>≤≥]?1:\d+(?![\d:])"
    r"|(?<![\d.])[x×*X]?10[\^~'\"*°]\d{1,2}(?:/(?:[mudµ]?[Ll](?=[A-Z㐀-鿿])|[A-Za-zµ]+|[1|](?![\d.]))?)?"
    r"|(?<![\d.])[x×*X]?10(?:[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2}|[3-9]|12)/(?:[mudµ]?[Ll](?=[A-Z㐀-鿿])|[A-Za-zµ]+)"
    r"|(?<![\d.])[x×*X]?10[.,·^~*'\"°º]?/[Ll]"
    r"|\d+(?:\.\d+)?[-~]{1,3}\d+(?:\.\d+)?"
    r"|[<>≤≥]=?\d[\d.,]*"
    r"|\d+(?:,\d{3})*(?:\.\d+)?"
    r"|[-~]{1,3}"
    r"|[㐀-鿿]+"
    r"|[A-Za-zα-ωΑ-ΩµÅ]+(?:\d+(?![.\d])[A-Za-z]*)?"
    r"|."
)
_KIND = (
    ("digit", re.compile(r"[<>≤≥]?[\d]")),
    ("han", re.compile(r"[㐀-鿿]")),
    ("letter", re.compile(r"[A-Za-zα-ωΑ-ΩµÅ]")),
)
_CUTS = {
    ("digit", "letter"): 0.8,
    ("digit", "han"): 1.0,
    ("han", "digit"): 0.8,
    ("letter", "han"): 0.5,
    ("han", "letter"): 1.0,
    ("letter", "digit"): 2.4,
    ("sign", "han"): 0.8,
    ("sign", "letter"): 1.2,
    ("sign", "digit"): 1.2,
    ("digit", "sign"): 2.2,
    ("letter", "sign"): 3.0,
    ("han", "sign"): 2.0,
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of one word. `cut` is the price of parting it from the piece before it, where both are of one word."""

    text: str
    left: float
    right: float
    y: float
    height: float
    word: int
    start: int  # characters into the word's text
    end: int
    cut: float  # 0 when a new word begins here
    sure: float


def pieces(levels: Sequence[Level], words: Sequence[Word]) -> list[Piece]:
    """The pieces of some words, from left to right."""
    found = [piece for level in levels for piece in _of_word(level, words[level.word])]
    return sorted(found, key=lambda piece: (piece.left, piece.word, piece.start))


def _of_word(level: Level, word: Word) -> Iterator[Piece]:
    text = lab_print.plain(word.text)
    edges = _edges(text)
    first, last = level.start, len(text) if level.end is None else level.end
    scale = (level.right - level.left) / max(edges[last] - edges[first], 1e-6)
    origin = level.left - edges[first] * scale
    before: tuple[int, int] | None = None
    for start, end in _spans(text, first, last):
        left, right = origin + edges[start] * scale, origin + edges[end] * scale
        cut = 0.0 if before is None else _cut(text, before, (start, end))
        yield Piece(
            word.text[start:end], left, right, level.y, level.height, level.word, start, end, cut, word.confidence
        )
        before = (start, end)


def cut_at(level: Level, word: Word, x: float) -> tuple[Level, Level] | None:
    """A word's two parts left and right of a wall that crosses it; None where only one of its pieces would be cut."""
    text = lab_print.plain(word.text)
    edges = _edges(text)
    scale = (level.right - level.left) / max(edges[-1], 1e-6)
    starts = [start for start, _end in _spans(text, 0, len(text))][1:]
    if not starts:
        return None
    at = min(starts, key=lambda i: abs(level.left + edges[i] * scale - x))
    middle = level.left + edges[at] * scale
    if abs(middle - x) > 1.5 * level.height:
        return None
    return replace(level, right=middle, end=at), replace(level, left=middle, start=at)


def _edges(text: str) -> list[float]:
    """Where each character begins, in Latin character widths; Chinese ones are twice as wide, points and I narrow."""
    at, found = 0.0, [0.0]
    for character in text:
        at += 2.0 if "⺀" <= character <= "鿿" or character >= "＀" else 0.6 if character in ".,:;'|!il1I" else 1.0
        found.append(at)
    return found


def _spans(text: str, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Where each piece begins and ends: a unit, number or range stays whole, the rest is cut where its kind changes."""
    for chunk in _CHUNK.finditer(text, first, last):
        at, stop = chunk.span()
        while at < stop:
            end = stop if _whole(text[at:stop], at > chunk.start()) else _PIECE.match(text, at, stop).end()  # type: ignore[union-attr]
            yield at, end
            at = end


@lru_cache(maxsize=16384)
def _whole(text: str, inside: bool) -> bool:
    """Whether a chunk, or the rest of one, is one unit or number."""
    return lab_units.read(text.rstrip("-")) is not None and (len(text) > 1 or not inside or text == "%")


def _cut(text: str, before: tuple[int, int], after: tuple[int, int]) -> float:
    a, b = text[slice(*before)], text[slice(*after)]
    if before[1] < after[0]:  # one space between two Latin words is seldom more than a space
        return 0.8 if _kind(a) == _kind(b) == "letter" and before[1] + 1 == after[0] else 0.15
    if a == "(":
        return 3.0
    if lab_print.ARROWS.fullmatch(a) or lab_print.ARROWS.fullmatch(b):
        return 0.05
    if _kind(a) == "digit" and lab_units.read(b) is not None:
        return 0.3
    if len(a) == 1 and _kind(a) == "letter" and _kind(b) == "han":
        return 2.5
    return _CUTS.get((_kind(a), _kind(b)), 1.5)


def _kind(text: str) -> str:
    return next((kind for kind, pattern in _KIND if pattern.match(text)), "sign")
