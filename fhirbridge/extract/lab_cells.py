"""A printed line -> cells: which stretch of it is name, value, unit, range and flag.

The best cut of the line is found by dynamic programming over its pieces: each stretch is scored by what stands in it,
by the column it stands in and by the gaps it spans. Every kind occurs once a line; what fits none is left over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from fhirbridge import languages
from fhirbridge.extract import lab_persons, lab_print, lab_units
from fhirbridge.extract.lab_columns import KINDS, Column
from fhirbridge.extract.lab_pieces import Piece

_LONGEST = {"name": 14, "range": 8, "unit": 7, "value": 5, "code": 6, "index": 2, "flag": 2, "method": 6, "previous": 4}
_RARE = frozenset(("method", "previous", "note", "low", "high"))  # only where a heading says so
_BEAM = 40
_LIKE_ARROWS = frozenset("1Il|tTf!+iJ47个卜Vv")  # what engines make of an arrow
_CODE = re.compile(r"[*#/★▲△\s]*[A-Za-zα-ωΑ-Ω0-9][A-Za-z0-9_%#/\-+.'()α-ω ]{0,14}")
_BIT = {kind: 1 << i for i, kind in enumerate(KINDS)}
_AGAIN = 1.6  # price of beginning a second row on the same line, where the halves of a form are not known


@dataclass(frozen=True, slots=True)
class Cell:
    """A stretch of a line: its kind, its verbatim text and its pieces."""

    kind: str
    text: str
    pieces: tuple[Piece, ...]
    again: bool = False  # a second row of a side-by-side form begins here

    @property
    def left(self) -> float:
        """Where it begins, in level coordinates."""
        return min(piece.left for piece in self.pieces)

    @property
    def right(self) -> float:
        """Where it ends, in level coordinates."""
        return max(piece.right for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class _Way:
    score: float
    cells: tuple[tuple[str, int, int, bool], ...]


def read_line(
    line: Sequence[Piece], columns: Mapping[str, Column], *, headed: frozenset[str], halves: bool = False
) -> tuple[Cell, ...]:
    """The cells of one line. `headed` are the kinds a heading names; `halves` allows a second row on the line."""
    ways: list[dict[tuple[int, str], _Way]] = [{} for _ in range(len(line) + 1)]
    ways[0][(0, "")] = _Way(0.0, ())
    scores = _Scores(line, columns, headed)
    for at in range(len(line)):
        kept = sorted(ways[at].items(), key=lambda item: -item[1].score)[:_BEAM]
        for (used, last), way in kept:
            _extend(ways, at, (used, last, way), scores)
            if halves and used & _BIT["value"] and at and line[at].word != line[at - 1].word:
                again = _Way(way.score - _AGAIN, way.cells)
                _extend(ways, at, (0, "again", again), scores)
    best = max(ways[-1].values(), key=lambda way: way.score, default=_Way(0.0, ()))
    return tuple(Cell(k, joined(line[a:b]), tuple(line[a:b]), new) for k, a, b, new in best.cells)


def _extend(ways: list[dict[tuple[int, str], _Way]], at: int, state: tuple[int, str, _Way], scores: _Scores) -> None:
    used, last, way = state
    again = last == "again"
    for kind, end, gain in scores.starting(at):
        bit = _BIT.get(kind, 0)
        if kind == "index" and used & ~bit and not scores.headed(kind):
            continue
        if used & bit or (kind in ("code", "index", "name") and last == "value" and not again and used & _BIT["name"]):
            continue
        named = used & (_BIT["name"] | _BIT["code"])
        if kind in ("code", "name") and named and used & _BIT["value"] and not scores.headed(kind):
            continue
        if kind in ("value", "flag") and not used & (_BIT["name"] | _BIT["code"]):
            gain -= 1.5
        if kind == "unit" and not used & _BIT["value"]:
            gain -= 1.0 if scores.stands("unit") else 2.5
        key = (used | bit, kind or last)
        total = way.score + gain
        old = ways[end].get(key)
        if old is None or total > old.score:
            ways[end][key] = _Way(total, (*way.cells, (kind, at, end, again)))


class _Scores:
    """What each stretch of a line is worth as each kind, worked out once."""

    def __init__(self, line: Sequence[Piece], columns: Mapping[str, Column], headed: frozenset[str]) -> None:
        self._line, self._columns, self._headed = line, columns, headed
        self._found: dict[int, list[tuple[str, int, float]]] = {}

    def headed(self, kind: str) -> bool:
        """Whether a heading names the kind."""
        return kind in self._headed

    def stands(self, kind: str) -> bool:
        """Whether the kind has a column of its own."""
        return kind in self._columns

    def starting(self, at: int) -> list[tuple[str, int, float]]:
        """(kind, end, score) of every stretch that begins at a piece."""
        if at not in self._found:
            self._found[at] = list(self._stretches(at))
        return self._found[at]

    def _stretches(self, at: int) -> list[tuple[str, int, float]]:
        line = self._line
        found = [("", at + 1, -0.4 - 0.1 * min(len(line[at].text), 8) - line[at].cut)]
        join = 0.0
        for end in range(at + 1, min(len(line), at + 14) + 1):
            if end > at + 1:
                join += _join(line[end - 2], line[end - 1])
                if join > 9:
                    break
            text = joined(line[at:end])
            cut = line[at].cut + (line[end].cut if end < len(line) and line[end].word == line[end - 1].word else 0.0)
            for kind in KINDS:
                if end - at > _LONGEST.get(kind, 4) or (kind in _RARE and kind not in self._headed):
                    continue
                worth = content(kind, text)
                if worth > -4:
                    place = self._place(kind, line[at].left, line[end - 1])
                    found.append((kind, end, worth + place - cut / 2 - join * (0.5 if kind == "range" else 1.0)))
        return found

    def _place(self, kind: str, left: float, last: Piece) -> float:
        if not self._columns:
            return 0.0
        column = self._columns.get(kind)
        if column is None:
            if kind in self._headed:
                return -0.5
            return {"index": -0.3, "flag": -0.4, "code": -2.0}.get(kind, -1.2 if kind in ("unit", "range") else -2.0)
        a, b = column.at(last.y)
        right = last.right
        over = min(b, right) - max(a, left)
        share = max(0.0, over) / max(1.0, min(b - a, right - left))
        beyond = max(0.0, -over) / last.height
        return (2.2 * share - 0.5 - 0.5 * min(beyond, 6.0)) * (0.5 + 0.5 * column.trust)


def _join(a: Piece, b: Piece) -> float:
    """What it costs to take two neighbouring pieces for one cell."""
    if a.word == b.word:
        return 0.05
    gap = (b.left - a.right) / max(a.height, b.height)
    if gap < 0.4:
        return 0.3
    return 0.6 if gap < 0.9 else 1.3 if gap < 1.6 else 3.0 if gap < 3.0 else 6.0


def joined(line: Sequence[Piece]) -> str:
    """The text of neighbouring pieces: spaces where the print has them, a space between two words."""
    text = ""
    for before, piece in zip([None, *line[:-1]], line, strict=True):
        if before is not None and (before.word != piece.word or before.end < piece.start):
            text += " "
        text += piece.text
    return text


@lru_cache(maxsize=65536)
def content(kind: str, text: str) -> float:
    """How much a text looks like a cell of a kind; below -4 it cannot be one."""
    return _CONTENT[kind](lab_print.plain(text).strip())


def _value(text: str) -> float:
    if lab_print.number(text) is not None:
        return 3.0 if text[0] not in "-+" else 1.2
    if lab_print.number_and_word(text):
        return 3.2
    bare = text.rstrip("↑↓*HL ").strip()
    if lab_print.qualitative(bare):
        return 2.6
    if bare != text and lab_print.number(bare) is not None:
        return 1.8
    if re.fullmatch(r"\d+(?:\.\d+)?\s?-\s?\d+(?:\.\d+)?", text):
        return 0.2
    return -2.5 if len(text) <= 12 and not lab_units.read(text) else -9


def _range(text: str) -> float:
    if lab_persons.for_somebody(text):
        return 4.6
    found = lab_print.limits(text)
    if found is None:
        return -1.0 if lab_print.number(text) is not None else -3.5 if _by_person(text) is None else 2.0
    if found.rest:
        return -9 if found.rest not in (".", ")", "(") and not lab_units.read(found.rest) else 2.0
    if found.low and found.high:
        if re.fullmatch(r"[\d.]+\s+[\d.]+", text):
            return 2.0 if found.low.value < found.high.value else -9
        return 3.6 if found.low.value <= found.high.value else 0.5
    return 2.2 if found.low or found.high else 1.0


def _by_person(text: str) -> str | None:
    """A list of ranges by sex or age, such as male: 3-5 female: 2-4."""
    return text if len(re.findall(r"\d\s*[-~]+\s*\d", text)) >= 2 and len(text) < 60 else None


def _unit(text: str) -> float:
    if lab_units.read(text) is not None:
        if text in ("/L", "/l", "/1") or re.fullmatch(r"[A-Za-z]{4,}", text):  # cells, ratio, index: words of names too
            return 1.0
        return 3.6 if len(text) > 1 or text == "%" else 2.0
    if lab_units.read(text.rstrip("-")) is not None:
        return 2.5  # cut by a hyphen, its rest on the line below
    if len(text) > 10 or not re.search(r"[/%]|[A-Za-z]", text):
        return -9
    return -1.8 if len(text) <= 3 else -3.0


def _flag(text: str) -> float:
    if lab_print.flag(text) is not None:
        return 2.5
    return -0.5 if text in _LIKE_ARROWS else -9


def _name(text: str) -> float:
    letters = len(re.findall(r"[A-Za-zα-ωΑ-Ω]", text))
    han = len(re.findall(r"[㐀-鿿]", text))
    if letters + 2 * han < 2:
        return -1.0 if letters else -9
    penalty = 2.2 if lab_print.qualitative(text) or lab_units.read(text) is not None else 0.0
    if text.startswith((")", ",", ".", "/", "-")):
        penalty += 1.0
    if lab_print.ARROWS.search(text) or re.search(r"\d\s*[-~]{1,3}\s*\d+\.\d", text):
        penalty += 3.0
    return 2.0 + min(1.2, 0.15 * (letters + 2 * han)) - penalty


def _code(text: str) -> float:
    if not _CODE.fullmatch(text) or not re.search(r"[A-Za-zα-ω]", text):
        return -9
    letters = re.findall(r"[A-Za-z]", text)
    capital = sum(c.isupper() for c in letters) >= 0.5 * len(letters) or len(text) <= 3
    score = 2.3 if " " not in text.strip("*#/ ") and capital else 0.6
    score -= 1.5 if lab_units.read(text) is not None or lab_print.qualitative(text) else 0.0
    return score - 0.1 * max(0, len(text) - 6)


def _index(text: str) -> float:
    return 1.6 if re.fullmatch(r"\d{1,3}\s?[.,、)]?", text) else -9


def _method(text: str) -> float:
    if text.casefold() in _methods():
        return 3.0
    return 1.2 if text.endswith("法") else -1.0 if re.search(r"[A-Za-z㐀-鿿]", text) else -9


def _previous(text: str) -> float:
    return 1.0 if lab_print.number(text) is not None or lab_print.qualitative(text) else -2.0


def _one_limit(text: str) -> float:
    return 2.8 if lab_print.number(text) is not None else -9


def _note(text: str) -> float:
    return 0.5 if text else -9


@lru_cache(maxsize=1)
def _methods() -> frozenset[str]:
    return frozenset(
        lab_print.plain(row["word"]).casefold()
        for language in languages.names()
        for row in languages.rows(language, "lab_words")
        if row["kind"] == "method"
    )


_CONTENT = {
    "index": _index,
    "code": _code,
    "name": _name,
    "value": _value,
    "flag": _flag,
    "unit": _unit,
    "range": _range,
    "method": _method,
    "previous": _previous,
    "note": _note,
    "low": _one_limit,
    "high": _one_limit,
}
