"""A criterion's tree as one readable line: `(any (laboratory Creatinine [..1.5xULN]) (not (pregnancy Pregnancy)))`.

A leaf is its kind, its concepts, `=values`, `[low..high]` ("!" behind an end that is not reached, "xULN" a multiple),
`@window`, `#count` and `{qualifiers}`; a TEXT leaf shows its words.
"""

from __future__ import annotations

from fhirbridge.records import All, Any, AtLeast, Bound, If, Leaf, LeafKind, Node, Not, Window


def written(node: Node, text: str) -> str:
    """The tree in the notation; `text` is the criterion, for the words of TEXT leaves."""
    if isinstance(node, Leaf):
        return _leaf(node, text)
    if isinstance(node, Not):
        return f"(not {written(node.child, text)})"
    if isinstance(node, If):
        return f"(if {written(node.condition, text)} {written(node.then, text)})"
    name = {All: "all", Any: "any", AtLeast: "at-least"}[type(node)]
    count = f" {node.count}" if isinstance(node, AtLeast) else ""
    return f"({name}{count} {' '.join(written(child, text) for child in node.children)})"


def _leaf(leaf: Leaf, text: str) -> str:
    if leaf.kind is LeafKind.TEXT:
        return f'(text "{" ".join(text[leaf.span.offset : leaf.span.end].split())}")'
    parts = [leaf.kind.value]
    if leaf.concepts:
        parts.append("|".join(concept.name for concept in leaf.concepts))
    if leaf.values:
        parts.append("=" + "|".join(leaf.values))
    if leaf.low or leaf.high:
        parts.append(f"[{_bound(leaf.low)}..{_bound(leaf.high)}]")
    if leaf.window:
        parts.append(_window(leaf.window))
    if leaf.count_low is not None or leaf.count_high is not None:
        low = "" if leaf.count_low is None else leaf.count_low
        high = "" if leaf.count_high is None else leaf.count_high
        parts.append(f"#{low}-{high}")
    if leaf.qualifiers:
        parts.append("{" + ",".join(sorted(leaf.qualifiers)) + "}")
    return f"({' '.join(parts)})"


def _bound(bound: Bound | None) -> str:
    if bound is None:
        return ""
    multiple = f"x{bound.times_of}" if bound.times_of else ""
    unit = f" {bound.quantity.ucum}" if bound.quantity.ucum else ""
    return f"{bound.quantity.value}{multiple}{unit}{'' if bound.inclusive else '!'}"


def _window(window: Window) -> str:
    within = f"<{window.within.value}{window.within.ucum}" if window.within else ""
    least = f">={window.at_least.value}{window.at_least.ucum}" if window.at_least else ""
    return f"@{within}{least}:{window.direction}" + (f":{window.anchor}" if window.anchor else "")
