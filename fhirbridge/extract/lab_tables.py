"""The words of a page -> its tables: between lines of headings, and in halves where the form stands side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fhirbridge.extract import lab_cells, lab_columns, lab_pieces, lab_rows
from fhirbridge.extract.lab_columns import Column, Heading
from fhirbridge.extract.lab_flatten import Level
from fhirbridge.records import Word


@dataclass(frozen=True, slots=True)
class Table:
    """One table, or one half of a side-by-side form: its lines as cells from top to bottom."""

    lines: tuple[lab_rows.Line, ...]
    headings: tuple[Heading, ...]
    columns: dict[str, Column]


_Half = tuple[list[Level], list[Heading]]


def find(levels: Sequence[Level], words: Sequence[Word]) -> list[Table]:
    """The tables of a page in reading order."""
    heads = lab_columns.heading_lines(levels, words)
    if not heads:
        return _unheaded(levels, words)
    tables: list[Table] = []
    edges = [*[float(np.median([h.y for h in line])) for line in heads], float("inf")]
    for line, top, bottom in zip(heads, edges, edges[1:], strict=False):
        taken = {heading.word for heading in line}
        size = float(np.median([h.height for h in line]))
        body = [v for v in levels if top - 0.3 * size < v.y < bottom - 0.5 * size and v.word not in taken]
        for part, headings in _halves(body, line, words):
            rows, columns = lab_rows.read(part, words, headings)
            tables.append(Table(tuple(rows), tuple(headings), columns))
    return tables


def _halves(body: Sequence[Level], line: Sequence[Heading], words: Sequence[Word]) -> list[_Half]:
    """The words below each half of a heading line."""
    sides = lab_columns.split_sides(line)
    parts: list[_Half] = []
    rest = list(body)
    for side, following in pairwise(sides):
        wall = lab_columns.seam(rest, side[-1].right - 0.3 * side[-1].height, following[0].left) if rest else None
        inside, rest = _parted(rest, wall, words) if wall else ([], rest)
        parts.append((inside, side))
    return [*parts, (rest, sides[-1])]


def _parted(levels: Sequence[Level], wall: Column, words: Sequence[Word]) -> tuple[list[Level], list[Level]]:
    """The words left and right of a wall; a word that the engine read across it is cut there."""
    left: list[Level] = []
    right: list[Level] = []
    for level in levels:
        x = wall.at(level.y)[0]
        crossed = min(x - level.left, level.right - x) > 0.6 * level.height
        parts = lab_pieces.cut_at(level, words[level.word], x) if crossed else None
        if parts:
            left.append(parts[0])
            right.append(parts[1])
        else:
            (left if (level.left + level.right) / 2 < x else right).append(level)
    return left, right


def _unheaded(levels: Sequence[Level], words: Sequence[Word]) -> list[Table]:
    """A page without headings: where second rows begin on many lines, at one place, the form has halves."""
    rows = [lab_pieces.pieces(line, words) for line in lab_rows.lines(levels)]
    read = [lab_cells.read_line(row, {}, headed=frozenset(), halves=True) for row in rows]
    starts = [(cell.left, row[i - 1].right) for row in read for i, cell in enumerate(row) if cell.again and i]
    full = sum(any(c.kind == "value" for c in row) for row in read)
    parts = [list(levels)]
    if len(starts) >= max(3, full // 3):
        middle = float(np.median([s for s, _e in starts]))
        near = [(s, e) for s, e in starts if abs(s - middle) < 0.12 * np.ptp([v.right for v in levels])]
        if len(near) >= 3:
            wall = lab_columns.seam(levels, float(np.median([e for _s, e in near])), middle)
            parts = list(_parted(levels, wall, words))
    tables = [_table(part, words) for part in parts]
    counts = [sum(_is_full(line) for line in table.lines) for table in tables]
    if len(tables) > 1 and min(counts) < max(3, 0.3 * max(counts)):  # what stands on the right is no second half
        return [_table(levels, words)]
    return tables


def _table(levels: Sequence[Level], words: Sequence[Word]) -> Table:
    lines, columns = lab_rows.read(levels, words, ())
    return Table(tuple(lines), (), columns)


def _is_full(line: lab_rows.Line) -> bool:
    kinds = {cell.kind for cell in line}
    return "value" in kinds and bool(kinds & {"name", "code"})
