"""A stretch of pieces cut at its connectives, modifiers and stages that stand alone put to what they modify."""

from __future__ import annotations

from dataclasses import dataclass, field

from fhirbridge.extract.criterion_pieces import Piece

__all__ = ["Part", "is_stage", "merged_modifiers", "parts_of"]


_CONNECTIVES = frozenset({"or", "and", "comma", "nor", "slash", "semicolon"})


_MODIFIERS = frozenset({"qualifier", "ignored", "history", "current", "both", "mark", "suspected", "group"})


@dataclass(slots=True)
class Part:
    """A stretch between connectives and the connective before it."""

    joint: str
    pieces: list[Piece] = field(default_factory=list)
    fresh: bool = False  # numbered: nothing said before goes on in it


def parts_of(pieces: list[Piece]) -> list[Part]:
    """The stretches between connectives."""
    parts = [Part("")]
    pieces = _neighbouring_stages(pieces)
    for i, piece in enumerate(pieces):
        if piece.kind == "slash" and not _parts_terms(pieces, i):
            continue
        if piece.kind == "enumerator":
            parts[-1].fresh = not parts[-1].pieces
            continue
        if piece.kind in _CONNECTIVES:
            if parts[-1].pieces:
                parts.append(Part(_joint(piece)))
            elif len(parts) > 1 or piece.kind in ("or", "and", "nor"):
                parts[-1].joint = _stronger(parts[-1].joint, _joint(piece))
        else:
            parts[-1].pieces.append(piece)
    return [p for p in parts if p.pieces]


def _neighbouring_stages(pieces: list[Piece]) -> list[Piece]:
    """ "advanced/metastatic" and "stage III or stage IV" as one stage of several names."""
    made: list[Piece] = []
    for piece in pieces:
        before = made[-2] if len(made) > 1 and made[-1].kind in ("slash", "or", "and", "comma") else None
        if piece.kind == "stage" and before is not None and before.kind == "stage":
            names = tuple(dict.fromkeys([*_values(before), *_values(piece)]))
            alternatives = (
                made[-1].kind in ("slash", "or") or set(names) <= _EXTENTS or all(n[:1] in "IV" for n in names)
            )
            if alternatives:
                made[-2:] = [Piece(before.start, piece.end, "stage", names, before.text)]
                continue
        made.append(piece)
    return made


def _joint(piece: Piece) -> str:
    if piece.kind == "and" and piece.text == "but":
        return "but"
    return "or" if piece.kind == "nor" else piece.kind


def _stronger(a: str, b: str) -> str:
    """Of ", or" the "or"."""
    order = ("", "comma", "semicolon", "slash", "and", "but", "or")
    return max(a, b, key=order.index)


def _parts_terms(pieces: list[Piece], i: int) -> bool:
    left = pieces[i - 1].kind if i else ""
    right = pieces[i + 1].kind if i + 1 < len(pieces) else ""
    return left in ("term", "variant", "stage", "qualifier") and right in (
        "term",
        "variant",
        "stage",
        "qualifier",
        "group",
    )


def merged_modifiers(parts: list[Part]) -> list[Part]:
    """ "mild, moderate or severe asthma": the modifiers before the last go to it; stages before it likewise."""
    merged: list[Part] = []
    waiting: list[Part] = []
    for part in parts:
        if _only_modifies(part):
            waiting.append(part)
            continue
        if waiting and part.joint in ("or", "and", "comma", "slash") and _takes_modifiers(part, waiting):
            before = [p for w in waiting for p in w.pieces]
            part = Part(waiting[0].joint, [*_one_stage(before, part.pieces)])
            waiting = []
        merged += _stages_together(waiting)
        waiting = []
        merged.append(part)
    if waiting and merged and all(is_stage(w) for w in waiting):
        last = merged[-1]
        if waiting[0].joint in ("or", "slash") and last.pieces[-1].kind == "stage":
            last.pieces = _one_stage(last.pieces, [p for w in waiting for p in w.pieces])
            return merged
    return merged + _stages_together(waiting)


def _only_modifies(part: Part) -> bool:
    kinds = {p.kind for p in part.pieces}
    return (kinds <= _MODIFIERS and "qualifier" in kinds) or (kinds <= _MODIFIERS | {"stage"} and "stage" in kinds)


def is_stage(part: Part) -> bool:
    """Whether it names a stage."""
    return any(p.kind == "stage" for p in part.pieces)


_EXTENTS = frozenset({"locally advanced", "advanced", "metastatic", "recurrent", "early", "relapsed/refractory"})


def _takes_modifiers(part: Part, waiting: list[Part]) -> bool:
    """Whether the part goes on with what waits: "unresectable and histologically confirmed" does not."""
    first = next((p.kind for p in part.pieces if p.kind not in ("ignored", "mark")), "")
    if first not in ("qualifier", "stage", "term"):
        return False
    stages = [v for w in waiting for p in w.pieces if p.kind == "stage" for v in _values(p)]
    return part.joint != "and" or not stages or set(stages) <= _EXTENTS or all(v[:1] in "IV" for v in stages)


def _values(piece: Piece) -> tuple[str, ...]:
    return piece.value if isinstance(piece.value, tuple) else (str(piece.value),)


def _stages_together(waiting: list[Part]) -> list[Part]:
    """Stages in an "or" listing of their own as one part."""
    if len(waiting) < 2 or not all(is_stage(w) for w in waiting) or any(w.joint == "and" for w in waiting[1:]):
        return waiting
    pieces = waiting[0].pieces
    for part in waiting[1:]:
        pieces = _one_stage(pieces, part.pieces)
    return [Part(waiting[0].joint, pieces)]


def _one_stage(before: list[Piece], after: list[Piece]) -> list[Piece]:
    """Both stretches, the last stage of the first and the first of the second as one piece with all names."""
    left = [p for p in before if p.kind == "stage"]
    right = next((p for p in after if p.kind == "stage"), None)
    if not left or right is None:
        return [*before, *after]
    names = tuple(dict.fromkeys(v for p in [*left, right] for v in _values(p)))
    one = Piece(left[0].start, right.end, "stage", names, left[0].text)
    kept = [p for p in before if p.kind != "stage"]
    return [*kept, *[one if p is right else p for p in after]]
