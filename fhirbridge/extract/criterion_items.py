"""One item of a list ("prior chemotherapy within 4 weeks") from its pieces: what it asks about and how.

An item keeps its anchors (what is asked), their modifiers and the words nobody understood; `criterion_lists` hands
modifiers from item to item, `criterion_leaves` makes the leaves.
"""

# ruff: noqa: E501 - word lists and patterns are easier to review unbroken
from __future__ import annotations

from fhirbridge.extract.criterion_pieces import Piece
from fhirbridge.extract.criterion_reader import Reader
from fhirbridge.extract.criterion_records import Item, State

__all__ = ["read"]


def read(pieces: list[Piece], before: State, exclude: bool = False) -> Item:
    """The item that `pieces` say, with the heads and qualifiers of `before` where it brings none of its own."""
    item = Item(pieces[0].start, pieces[-1].end)
    reader = Reader(item, before)
    skipped = -1
    for i, piece in enumerate(pieces):
        if i <= skipped:
            continue
        if piece.kind == "not" and exclude and piece.text in _OBLIGES:
            continue  # among exclusions "must not be pregnant" excludes the pregnant
        if piece.kind == "not" and (ahead := _modified(pieces, i)):
            item.unknown += pieces[
                i : ahead + 1
            ]  # "not fully recovered from surgery" denies the recovery, not the surgery
            item.own_head = True
            skipped = ahead
            continue
        if piece.kind == "cond_tail" and piece.text in _RELATIVE and {p.kind for p in pieces[i + 1 :]} <= _DESCRIBES:
            continue  # "which is unresectable" describes as an adjective would
        reader.take(piece)
    reader.finish()
    return item


_OBLIGES = frozenset({"must not", "must not be", "may not", "may not be", "should not", "should not be", "must not have", "should not have", "may not have",
                      "must have no", "should have no", "must not have had", "must not have received", "不得", "不得有", "不能有", "不应有", "不可有"})  # fmt: skip


_DENIES_A_NOUN = frozenset({"no", "without", "无", "没有", "none", "absence of", "absence", "free of", "free from", "lack of", "no evidence of", "否认", "无任何",
                           "不伴", "不伴有", "无明显", "without any", "without evidence of", "no other", "negative for", "neither", "no history of", "no prior",
                           "no previous", "既往无", "不存在", "未见", "无严重", "不合并", "no concurrent", "have no", "has no", "must have no"})  # fmt: skip


def _modified(pieces: list[Piece], at: int) -> int:
    """Where the word stands that a "not" belongs to, if it is a word nobody knows or an adjective; else 0."""
    cue = pieces[at].text
    following = next((i for i in range(at + 1, len(pieces)) if pieces[i].kind not in ("ignored", "mark")), 0)
    if not following or cue in _DENIES_A_NOUN:
        return 0
    kind = pieces[following].kind
    if kind == "word" or (cue in ("非", "non-", "non") and kind in ("stage", "qualifier", "histology")):
        return following
    return 0


_RELATIVE = frozenset(
    {"that", "which", "that has", "that have", "that is", "that are", "which is", "which are", "which has", "which may"}
)


_DESCRIBES = frozenset(
    {
        "stage",
        "qualifier",
        "ignored",
        "window",
        "mark",
        "group",
        "class",
        "positive",
        "negative",
        "variant",
        "current",
        "history",
    }
)
