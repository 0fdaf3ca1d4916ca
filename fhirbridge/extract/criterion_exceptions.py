"""Exceptions and permissions: "X except Y", "patients with Y are eligible", "X is permitted"."""

from __future__ import annotations

from fhirbridge.extract.criterion_nodes import all_of, any_of, leaves_of, only, text_leaf
from fhirbridge.extract.criterion_pieces import Piece
from fhirbridge.extract.criterion_reading import WEIGHTLESS, Reading, read_sentence, span_of
from fhirbridge.records import If, Leaf, LeafKind, Node, Not

__all__ = ["excepted", "content_of_permission", "permit", "permitted", "with_permission", "without"]


def content_of_permission(sentence: list[Piece]) -> list[Piece] | None:
    """The content of "patients with X are eligible", without the cue; None for other sentences."""
    if not any(p.kind == "allowed" for p in sentence):
        return None
    return [p for p in sentence if p.kind != "allowed"]


def permit(made: list[Node], content: list[Piece], reading: Reading) -> None:
    """What a permission takes from the exclusion, or adds to the inclusion, before it."""
    allowed = read_sentence(content, reading)
    if allowed is not None and not only(allowed, LeafKind.ADMINISTRATIVE):
        made[-1] = with_permission(made[-1], allowed, reading)


def with_permission(node: Node, allowed: Node, reading: Reading) -> Node:
    """An exclusion or a "no ..." without what is allowed; an inclusion, or what is allowed besides."""
    if isinstance(node, Not):
        return Not(all_of([node.child, Not(allowed)]))
    if reading.exclude:
        return all_of([node, Not(allowed)])
    return any_of([node, allowed])


def permitted(pieces: list[Piece], reading: Reading) -> Node | None:
    """A criterion that only permits asks nothing, unless it sets a limit ("up to one prior line is permitted")."""
    content = [p for p in pieces if p.kind != "allowed"]
    cut = next((i for i, p in enumerate(content) if p.kind in ("but", "semicolon")), len(content))
    conditions = next((i for i, p in enumerate(content) if p.kind == "if"), None)
    if conditions is not None and conditions > 0:
        main = read_sentence(content[:conditions], reading)
        condition = read_sentence(content[conditions + 1 :], reading)
        if main is not None and condition is not None:
            return all_of([main, Not(condition)]) if reading.exclude else If(main, condition)
    made = read_sentence(content[:cut], reading)
    if made is None:
        return None
    if _sets_a_limit(made):
        return made
    return Leaf(LeafKind.ADMINISTRATIVE, span_of(pieces), values=("permission",))


def _sets_a_limit(node: Node) -> bool:
    return any(leaf.count_high is not None or leaf.high is not None or leaf.low is not None for leaf in leaves_of(node))


def excepted(pieces: list[Piece], at: int, reading: Reading) -> Node | None:
    """ "X except Y": X and not Y; with X a negation, what is negated is X that is no Y."""
    cue = pieces[at]
    if cue.value == "after":  # Chinese: "A，B除外" — the exception stands before the cue
        return _excepted_before(pieces, at, reading)
    if at == 0 or not any(p.kind not in WEIGHTLESS for p in pieces[:at]):
        return _excepted_first(pieces, at, reading)
    main = read_sentence(pieces[:at], reading)
    exception = read_sentence(pieces[at + 1 :], reading.excluding())
    return without(main, exception, pieces[at + 1 :])


def _excepted_first(pieces: list[Piece], at: int, reading: Reading) -> Node | None:
    """ "Except for Y, X"."""
    comma = next((i for i in range(at + 1, len(pieces)) if pieces[i].kind == "comma"), None)
    if comma is None:
        return None
    main = read_sentence(pieces[comma + 1 :], reading)
    return without(main, read_sentence(pieces[at + 1 : comma], reading.excluding()), pieces[at + 1 : comma])


def _excepted_before(pieces: list[Piece], at: int, reading: Reading) -> Node | None:
    start = max(
        (i for i in range(at) if pieces[i].kind in ("comma", "semicolon") and pieces[i].text in (",", "，")), default=-1
    )
    if start < 0:
        return None
    main = read_sentence(pieces[:start] + pieces[at + 1 :], reading)
    inner = pieces[start + 1 : at]
    return without(main, read_sentence(inner, reading.excluding()), inner)


def without(main: Node | None, exception: Node | None, words: list[Piece]) -> Node | None:
    """What remains of `main` when the exception is taken out; `words` are those of the exception."""
    if main is None:
        return None if exception is None else Not(exception)
    if exception is None:
        if not words:
            return main
        exception = text_leaf(words[0].start, words[-1].end)
    if only(exception, LeafKind.ADMINISTRATIVE):
        exception = text_leaf(words[0].start, words[-1].end)
    if isinstance(main, Not):
        return Not(all_of([main.child, Not(exception)]))
    return all_of([main, Not(exception)])
