"""The words of one table -> its lines -> its cells: a first reading finds the columns, a second uses them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fhirbridge.extract import lab_cells, lab_columns, lab_pieces
from fhirbridge.extract.lab_cells import Cell
from fhirbridge.extract.lab_columns import Column, Heading
from fhirbridge.extract.lab_flatten import Level
from fhirbridge.records import Word

Line = tuple[Cell, ...]

_SPARSE = frozenset(("flag", "unit", "range"))


def lines(levels: Sequence[Level]) -> list[list[Level]]:
    """The words of a table, line by line: words of one line lie at one height and do not stand on one another."""
    found: list[list[Level]] = []
    for level in sorted(levels, key=lambda level: level.y):
        best, where = 0.55, None
        for line in found[-4:]:
            size = min(level.height, float(np.median([w.height for w in line])))
            away = abs(level.y - float(np.mean([w.y for w in line]))) / size
            if away < best and not any(_over(level, other) for other in line):
                best, where = away, line
        if where is None:
            found.append([level])
        else:
            where.append(level)
    return sorted((sorted(line, key=lambda w: w.left) for line in found), key=lambda line: np.mean([w.y for w in line]))


def _over(a: Level, b: Level) -> bool:
    """Whether one stands above the other: they share a good part of their width, and not just their edges."""
    shared = (min(a.right, b.right) - max(a.left, b.left)) / max(1.0, min(a.right - a.left, b.right - b.left))
    return shared > (0.3 if abs(a.y - b.y) > 0.25 * min(a.height, b.height) else 0.6)


def read(
    levels: Sequence[Level], words: Sequence[Word], headings: Sequence[Heading]
) -> tuple[list[Line], dict[str, Column]]:
    """The lines of a table as cells, and the columns they showed."""
    if not levels:
        return [], {}
    rows = [lab_pieces.pieces(line, words) for line in lines(levels)]
    headed = frozenset(kind for heading in headings for kind in heading.kind.split("+"))
    left, right = min(v.left for v in levels), max(v.right for v in levels)
    promised = lab_columns.from_headings(headings, left, right) if headings else {}
    columns = promised
    first = [lab_cells.read_line(row, columns, headed=headed) for row in rows]
    for _ in range(2):
        learned = _learn(first, promised)
        if not learned:
            return first, columns
        columns = {**promised, **learned}
        first = [lab_cells.read_line(row, columns, headed=headed) for row in rows]
    return first, columns


def _learn(rows: Sequence[Line], promised: Mapping[str, Column]) -> dict[str, Column]:
    """Columns from the lines that are rows beyond doubt: a name, a value, and a unit or range."""
    sure = [row for row in rows if _is_sure(row)]
    cells = [(c.kind, c.left, c.right, c.pieces[0].y) for row in sure for c in row if c.kind and _below(c, promised)]
    learned = lab_columns.from_cells(cells)
    counts = {kind: sum(c[0] == kind for c in cells) for kind in learned}
    least = max(3, len(sure) // 3)
    return {k: c for k, c in learned.items() if k in promised or counts[k] >= least or k in _SPARSE}


def _below(cell: Cell, promised: Mapping[str, Column]) -> bool:
    """Whether a cell stands below the heading of its kind, or its kind has none."""
    column = promised.get(cell.kind)
    if column is None:
        return True
    left, right = column.at(cell.pieces[0].y)
    return min(right, cell.right) - max(left, cell.left) > 0


def _is_sure(row: Line) -> bool:
    kinds = {cell.kind for cell in row}
    loose = sum(len(cell.text) for cell in row if not cell.kind)
    return "value" in kinds and bool(kinds & {"name", "code"}) and bool(kinds & {"unit", "range"}) and loose < 12
