"""Words in level coordinates -> pieces: the smallest parts of print that may belong to different columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fhirbridge.extract import lab_print
from fhirbridge.extract.lab_flatten import Level
from fhirbridge.records import Word

_PIECE = re.compile(
    r"[↑↓]+"
    r"|[<>≤≥]=?\s?\d[\d.,]*"
    r"|(?<![\d.])[x×*X]?\s?10\s?[\^~'\"*°]\s?\d{1,2}(?:\s?/\s?[A-Za-zµ\d]+)?"
    r"|(?<![\d.])[x×*X]?\s?10\s?(?:[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2}|[3-9]|12)\s?/\s?[A-Za-zµ]+"
    r"|\d+(?:,\d{3})*(?:\.\d+)?"
    r"|[-~]{1,3}"
    r"|[㐀-鿿]+"
    r"|[A-Za-zα-ωΑ-ΩµÅ]+"
    r"|\S"
)
_KIND = (
    ("digit", re.compile(r"[<>≤≥]?[\d]")),
    ("han", re.compile(r"[㐀-鿿]")),
    ("letter", re.compile(r"[A-Za-zα-ωΑ-ΩµÅ]")),
)
_CUTS = {
    ("digit", "letter"): 0.7,
    ("digit", "han"): 1.0,
    ("han", "digit"): 0.8,
    ("letter", "han"): 0.5,
    ("han", "letter"): 1.0,
    ("letter", "digit"): 1.8,
    ("sign", "han"): 0.8,
    ("sign", "letter"): 1.2,
    ("sign", "digit"): 1.2,
    ("digit", "sign"): 1.2,
    ("letter", "sign"): 2.0,
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
    scale = (level.right - level.left) / max(edges[-1], 1e-6)
    before = None
    for found in _PIECE.finditer(text):
        start, end = found.span()
        left, right = level.left + edges[start] * scale, level.left + edges[end] * scale
        cut = 0.0 if before is None else _cut(text, before, found)
        yield Piece(
            word.text[start:end], left, right, level.y, level.height, level.word, start, end, cut, word.confidence
        )
        before = found


def _edges(text: str) -> list[float]:
    """Where each character begins, in Latin character widths; Chinese ones are twice as wide, points and I narrow."""
    at, found = 0.0, [0.0]
    for character in text:
        at += 2.0 if "⺀" <= character <= "鿿" or character >= "＀" else 0.6 if character in ".,:;'|!il1I" else 1.0
        found.append(at)
    return found


def _cut(text: str, before: re.Match[str], after: re.Match[str]) -> float:
    if text[before.end() : after.start()]:
        return 0.15
    a, b = before[0], after[0]
    if lab_print.ARROWS.fullmatch(a) or lab_print.ARROWS.fullmatch(b):
        return 0.05
    if b == "%" and _kind(a) == "digit":
        return 0.3
    return _CUTS.get((_kind(a), _kind(b)), 1.5)


def _kind(text: str) -> str:
    return next((kind for kind, pattern in _KIND if pattern.match(text)), "sign")
