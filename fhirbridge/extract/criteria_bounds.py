"""Numbers in words that were not understood: they stay words, but the number is kept as one.

"NOSE score greater than 55" asks nothing this library can answer, yet a reader of the FHIR can compare 55.
"""

from __future__ import annotations

from dataclasses import replace

from fhirbridge.extract import criterion_numbers, criterion_words
from fhirbridge.extract.criterion_numbers import Amount
from fhirbridge.records import All, Any, AtLeast, If, Leaf, LeafKind, Node, Not, Span

_WORDS = (LeafKind.TEXT, LeafKind.ADMINISTRATIVE)
_MOST = 6  # numbers of one stretch of words


def bounded(node: Node, text: str) -> Node:
    """The tree with the numbers of its TEXT and ADMINISTRATIVE leaves; `text` is the trial's eligibility text."""
    if isinstance(node, Leaf):
        if node.kind in _WORDS and node.low is None and node.high is None and node.window is None:
            return _read(node, text)
        return node
    if isinstance(node, Not):
        child = bounded(node.child, text)
        return node if child is node.child else Not(child)
    if isinstance(node, If):
        return If(bounded(node.condition, text), bounded(node.then, text))
    children = tuple(bounded(child, text) for child in node.children)
    if all(new is old for new, old in zip(children, node.children, strict=True)):
        return node
    if isinstance(node, AtLeast):
        return AtLeast(node.count, children)
    return All(children) if isinstance(node, All) else Any(children)


def _read(leaf: Leaf, text: str) -> Node:
    words = text[leaf.span.offset : leaf.span.end]
    if not any("0" <= sign <= "9" for sign in words):
        return leaf
    amounts = [a for a in criterion_numbers.find(criterion_words.fold(words)) if _counts(a)][:_MOST]
    if not amounts:
        return leaf
    if len(amounts) == 1:
        return replace(leaf, low=amounts[0].low, high=amounts[0].high)
    parts, at = [], leaf.span.offset
    for i, amount in enumerate(amounts):
        end = leaf.span.end if i == len(amounts) - 1 else leaf.span.offset + amount.end
        parts.append(replace(leaf, span=Span(at, end - at), low=amount.low, high=amount.high))
        at = end
    return All(tuple(parts))


def _counts(amount: Amount) -> bool:
    return amount.low is not None or amount.high is not None
