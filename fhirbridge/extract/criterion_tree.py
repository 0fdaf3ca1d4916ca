"""The pieces of a criterion as one tree: sentences, exceptions, conditions, examples and brackets around its lists."""

from __future__ import annotations

from fhirbridge.extract import criterion_lists
from fhirbridge.extract.criterion_brackets import with_group
from fhirbridge.extract.criterion_conditions import conditioned, demand, settled
from fhirbridge.extract.criterion_examples import (
    begins_with_example,
    exemplified,
    heading_and_content,
    opens,
    with_examples,
)
from fhirbridge.extract.criterion_exceptions import content_of_permission, excepted, permit, permitted
from fhirbridge.extract.criterion_nodes import all_of, any_of, is_understood, only
from fhirbridge.extract.criterion_pieces import Piece
from fhirbridge.extract.criterion_reading import WEIGHTLESS, Reading, read_sentence, trimmed
from fhirbridge.records import All, Any, AtLeast, LeafKind, Node, Not

__all__ = ["parse"]


def parse(pieces: list[Piece], exclude: bool, language: str) -> Node | None:
    """The tree of all pieces of a criterion, None when they say nothing."""
    reading = Reading(exclude, language, _sentence)
    sentences = _sentences(pieces)
    made: list[Node] = []
    counted: tuple[int, str] | None = None
    noted = False
    for sentence in sentences:
        marker = _any_of_marker(sentence)
        if marker is not None and counted is None:
            before, number, after = marker
            head = read_sentence(before, reading) if before else None
            children = _alternatives(after, reading)
            if not children:
                counted = number
                made += [head] if head is not None and is_understood(head) else []
                continue
            made += [
                n
                for n in (head if head is not None and is_understood(head) else None, _counted(children, number))
                if n is not None
            ]
            continue
        if made and _comments(made[-1], sentence):
            continue
        if made and begins_with_example(sentence):
            made[-1] = with_examples(made[-1], sentence, reading)
            continue
        permission = content_of_permission(sentence)
        if permission is not None and made:
            permit(made, permission, reading)
            continue
        noted = _is_note(sentence) or (noted and not _sets_limits(sentence))
        if made and noted:
            continue
        node = read_sentence(sentence, reading)
        if node is not None:
            made.append(node)
    if counted is not None and len(made) > 1:
        return _counted(made, counted)
    return _joined(made, exclude)


def _joined(made: list[Node], exclude: bool) -> Node | None:
    if not made:
        return None
    return any_of(made) if exclude else all_of(made)


def _counted(children: list[Node], number: tuple[int, str]) -> Node:
    count, _ = number
    if count == 0:
        return all_of(children)
    if count == 1 or len(children) < 2:
        return any_of(children)
    return AtLeast(count, tuple(children))


def _sentences(pieces: list[Piece]) -> list[list[Piece]]:
    sentences: list[list[Piece]] = [[]]
    for piece in pieces:
        if (
            piece.kind == "note"
            and piece.text.startswith("note")
            and any(p.kind not in WEIGHTLESS for p in sentences[-1])
        ):
            sentences.append([])
        ends = piece.kind in ("semicolon", "stop") or (piece.kind == "word" and piece.value == ".")
        if piece.kind == "word" and piece.value == ".":
            sentences[-1].append(piece)
        if ends:
            sentences.append([])
        elif piece.kind != "word" or piece.value != ".":
            sentences[-1].append(piece)
    parted = [part for s in sentences for part in _parted_by_dash(s)]
    return [s for s in parted if any(p.kind not in WEIGHTLESS for p in s)]


def _parted_by_dash(sentence: list[Piece]) -> list[list[Piece]]:
    """ "Uncontrolled metastases - patients with treated ones can be enrolled" are two sentences."""
    if not any(p.kind == "allowed" for p in sentence):
        return [sentence]
    for i, piece in enumerate(sentence[1:-1], 1):
        spaced = sentence[i + 1].start > piece.end or piece.start > sentence[i - 1].end
        if piece.kind == "mark" and piece.text == "-" and spaced and not any(p.kind == "allowed" for p in sentence[:i]):
            return [sentence[:i], sentence[i + 1 :]]
    return [sentence]


def _any_of_marker(sentence: list[Piece]) -> tuple[list[Piece], tuple[int, str], list[Piece]] | None:
    for i, piece in enumerate(sentence):
        if piece.kind in ("any_of", "all_of") and _introduces_a_list(sentence, i):
            count = int(str(piece.value)) if piece.kind == "any_of" else 0
            after = sentence[i + 1 :]
            while after and after[0].kind in (*WEIGHTLESS, "open"):
                after = after[1:]
            return sentence[:i], (count, piece.kind), after
    return None


def _introduces_a_list(sentence: list[Piece], at: int) -> bool:
    """ "One of the following: A, B" does, "any of the following therapies within the stated time" does not."""
    after = sentence[at + 1 :]
    return not any(p.kind not in WEIGHTLESS for p in after) or any(
        p.kind in ("open", "comma", "or", "and", "semicolon", "group") for p in after
    )


def _alternatives(pieces: list[Piece], reading: Reading) -> list[Node]:
    """The children of "any of: A, B or C"; commas and "or" part them."""
    if not pieces:
        return []
    node = read_sentence(pieces, reading)
    if node is None:
        return []
    return list(node.children) if isinstance(node, (All, Any)) else [node]


def _comments(before: Node, sentence: list[Piece]) -> bool:
    """What follows about measurable lesions only says which ones count."""
    if not only(before, LeafKind.MEASURABLE_DISEASE):
        return False
    return any("lesion" in p.text or "病灶" in p.text or "measurable" in p.text for p in sentence)


_LIMITS = frozenset({"amount", "class", "window", "not_allowed", "except", "not", "stage"})


def _sets_limits(sentence: list[Piece]) -> bool:
    """Whether a sentence behind a note asks something of its own; others go on explaining."""
    return any(p.kind in _LIMITS for p in sentence)


def _is_note(sentence: list[Piece]) -> bool:
    first = next((p for p in sentence if p.kind == "note" or p.kind not in WEIGHTLESS), None)
    return first is not None and first.kind == "note"


def _sentence(pieces: list[Piece], reading: Reading) -> Node | None:
    """One sentence: exclusion wording, examples, exceptions and conditions around a list."""
    pieces = trimmed(pieces)
    if not pieces:
        return None
    denied = next((i for i, p in enumerate(pieces) if p.kind == "not_allowed"), None)
    if denied is not None and pieces[0].kind == "if":
        comma = next((i for i, p in enumerate(pieces) if p.kind == "comma"), len(pieces))
        condition = read_sentence(pieces[1:comma], reading.excluding())
        return condition if condition is None or reading.exclude else Not(condition)
    if denied is not None:
        inner = read_sentence(pieces[:denied] + pieces[denied + 1 :], reading.excluding())
        return inner if inner is None or reading.exclude else Not(inner)
    if any(p.kind == "allowed" for p in pieces):
        return permitted(pieces, reading)
    if not reading.exclude and (demanded := demand(pieces, reading)) is not None:
        return demanded
    for wanted, split in ((("except",), excepted), (("if", "if_not"), conditioned), (("example",), exemplified)):
        at = next((i for i, p in enumerate(pieces) if p.kind in wanted), None)
        if at is not None and (made := split(pieces, at, reading)) is not None:
            return made
    opened = next((i for i, p in enumerate(pieces) if p.kind == "open" and opens(pieces, i)), None)
    if opened is not None:
        return heading_and_content(pieces, opened, reading)
    return settled(
        criterion_lists.parse(_neutral(pieces), reading.exclude, lambda n, g, i: with_group(n, g, i, reading))
    )


def _neutral(pieces: list[Piece]) -> list[Piece]:
    return [
        p
        for p in pieces
        if p.kind
        not in (
            "open",
            "who",
            "ruled",
            "note",
            "line",
            "stop",
            "any_of",
            "all_of",
            "except",
            "if",
            "if_not",
            "example",
            "allowed",
        )
    ]
