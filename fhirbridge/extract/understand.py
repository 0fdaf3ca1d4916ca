"""A criterion's text -> its typed tree: what must hold for the criterion as written.

`understand` puts nothing into a tree that the text does not say: words it does not know stay as a TEXT leaf beside the
rest, so that the whole stays unknown unless another part decides. docs/eligibility.md tells what is understood.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from fhirbridge import languages
from fhirbridge.extract import criterion_asides, criterion_pieces, criterion_tree, criterion_words
from fhirbridge.extract.criterion_nodes import kinds_of, respanned
from fhirbridge.extract.criterion_outside import apart
from fhirbridge.records import Criterion, If, Leaf, LeafKind, Node, Not, Span, Trial, Understanding

if TYPE_CHECKING:
    from fhirbridge.terminology.lexicon import Lexicon

__all__ = ["understand"]

_LONGEST = 6_000  # a longer "criterion" is a document: kept as text


def understand(criterion: Criterion, trial: Trial, lexicon: Lexicon | None) -> Criterion:
    """The criterion with its tree and understanding; span, side, section and context stay as they are."""
    language = _language(criterion.text, trial.language)
    text, places = _unwrapped(criterion.text)
    found = _tree(text, criterion.exclude, language, _Handle(lexicon))
    if found is None:
        tree: Node = Leaf(LeafKind.TEXT, criterion.span)
        return replace(criterion, tree=tree, understanding=Understanding.TEXT)
    tree = _placed(found, criterion.span.offset, places)
    return replace(criterion, tree=tree, understanding=_understanding(tree))


def _language(text: str, fallback: str) -> str:
    if not text.isascii() and any("㐀" <= c <= "鿿" for c in text):
        return "zh" if fallback == "zh" else languages.detect(text)
    return (
        "en"
        if text.isascii() and fallback == "zh" and len(text) > 40
        else fallback
        if fallback in ("en", "zh")
        else "en"
    )


class _Handle:
    """A lexicon that two equal calls share in the cache."""

    def __init__(self, lexicon: Lexicon | None) -> None:
        self.lexicon = lexicon

    def __hash__(self) -> int:
        return id(self.lexicon)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Handle) and other.lexicon is self.lexicon


@lru_cache(maxsize=65_536)
def _tree(text: str, exclude: bool, language: str, handle: _Handle) -> Node | None:
    if not text.strip() or len(text) > _LONGEST:
        return None
    words = criterion_words.load(language)
    text = criterion_asides.without_asides(text, language)
    pieces = criterion_pieces.cut(text, words, handle.lexicon)
    tree = criterion_tree.parse(pieces, exclude, language)
    return None if tree is None else apart(tree)


def _understanding(tree: Node) -> Understanding:
    kinds = kinds_of(tree)
    if kinds - {LeafKind.TEXT, LeafKind.ADMINISTRATIVE}:
        return Understanding.COMPUTABLE
    return Understanding.ADMINISTRATIVE if LeafKind.ADMINISTRATIVE in kinds else Understanding.TEXT


_GAPS = re.compile(r"\s{2,}|\n")
_NEW_LINE = re.compile(r"\n\s*\n|\n\s*(?:[-*•·~]|\d{1,2}[.)]|[A-Z㐀-鿿])")
_Places = list[int] | None


def _unwrapped(text: str) -> tuple[str, _Places]:
    """The text with each gap as one character, and where each character stands in `text`; None for the same places.

    Registries wrap and indent their lines: "aspartate\\n             aminotransferase" is one name.
    """
    parts: list[str] = []
    places: list[int] = []
    at = 0
    for gap in _GAPS.finditer(text):
        parts += [text[at : gap.start()], "\n" if _NEW_LINE.match(text, gap.start()) else " "]
        places += range(at, gap.start() + 1)
        at = gap.end()
    if not parts:
        return text, None
    return "".join([*parts, text[at:]]), [*places, *range(at, len(text))]


def _placed(node: Node, by: int, places: _Places) -> Node:
    """The tree with its spans moved from the unwrapped criterion into the trial's eligibility text."""
    if by == 0 and places is None:
        return node
    if isinstance(node, Leaf):
        start, end = node.span.offset, node.span.end
        if places is not None:
            end = places[end - 1] + 1 if end > start else places[start] if start < len(places) else places[-1] + 1
            start = places[start] if start < len(places) else end
        return respanned(node, Span(start + by, max(0, end - start)))
    if isinstance(node, Not):
        return Not(_placed(node.child, by, places))
    if isinstance(node, If):
        return If(_placed(node.condition, by, places), _placed(node.then, by, places))
    return replace(node, children=tuple(_placed(child, by, places) for child in node.children))
