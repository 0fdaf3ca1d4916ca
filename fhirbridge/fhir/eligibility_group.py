"""Criteria -> the eligibility Group: one characteristic a criterion, in the order of the text.

A criterion of one question is a plain characteristic. One of several refers to a contained Group whose name and
combination method say how its parts combine (any-of, all-of, at-least, none-of), down to single questions, each with
the place of its own words. `cqf-expression` holds the whole logic as FHIRPath where a plain characteristic cannot.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any as Value

from fhirbridge.fhir.derivation import DERIVATION
from fhirbridge.fhir.eligibility_fhirpath import expression, is_known
from fhirbridge.fhir.eligibility_values import characteristic
from fhirbridge.records import (
    All,
    Any,
    AtLeast,
    Concept,
    Criterion,
    If,
    Leaf,
    LeafKind,
    Node,
    Not,
    Span,
    Trial,
    Understanding,
    leaves,
)

EXPRESSION = "http://hl7.org/fhir/StructureDefinition/cqf-expression"
COMBINATION = "http://hl7.org/fhir/6.0/StructureDefinition/extension-Group.combinationMethod"
THRESHOLD = "http://hl7.org/fhir/6.0/StructureDefinition/extension-Group.combinationThreshold"
UNDERSTANDING = "urn:fhirbridge:understanding"
SECTION = "urn:fhirbridge:section"
TEXT_PATH = "ResearchStudy.note[0].text"
_MOST = 24  # alternatives of one leaf spelled out as a contained Group; more stay one CodeableConcept
_Json = dict[str, Value]
_SILENT = {LeafKind.TEXT, LeafKind.ADMINISTRATIVE}


class _Writer:
    """Collects the contained Groups of one eligibility Group."""

    def __init__(self, trial: Trial, study: str, definition: _Json) -> None:
        self.text, self.study, self.definition = trial.eligibility_text, study, definition
        self.contained: list[_Json] = []
        self.criterion_span = Span(0, 0)  # of the criterion being written: its parts rest on their words and on it

    def criterion(self, criterion: Criterion) -> _Json:
        """The characteristic of a criterion; what was not understood is there with its words and `true`."""
        tree = spread(criterion.tree)
        self.criterion_span = criterion.span
        if _asks(tree):
            out = self.node(tree, criterion.span, criterion.text)
        else:
            out = {"code": {"text": criterion.text}, "valueBoolean": True}
        marks: list[_Json] = [{"url": UNDERSTANDING, "valueCode": criterion.understanding.value}]
        if criterion.section:
            marks.append({"url": SECTION, "valueString": criterion.section})
        if criterion.understanding == Understanding.COMPUTABLE and _needs_expression(tree) and is_known(tree):
            marks.append({"url": EXPRESSION, "valueExpression": fhirpath(tree)})
        return self._closed(out, criterion.span, criterion.exclude, marks)

    def node(self, node: Node, span: Span, text: str) -> _Json:
        """code and value[x] of a tree: a plain one, or a reference to a contained Group."""
        if isinstance(node, Leaf):
            out = _plain(node)
            out["code"] = {**out["code"], "text": text}
            return out
        return {"code": {"text": text}, "valueReference": {"reference": f"#{self._group(node, span)}"}}

    def _group(self, node: Node, span: Span) -> str:
        """Write a contained Group; its id comes back."""
        number = f"c{len(self.contained) + 1}"
        place: _Json = {}
        self.contained.append(place)
        method, count, parts = _combined(node)
        extensions: list[_Json] = [{"url": COMBINATION, "valueCode": "all-of" if method == "none-of" else method}]
        if method == "at-least":
            extensions.append({"url": THRESHOLD, "valuePositiveInt": count})
        members = [self._member(child, negated, span) for child, negated in parts]
        place.update(
            {
                "resourceType": "Group",
                "id": number,
                "extension": extensions,
                "type": "person",
                **self.definition,
                "name": f"at least {count} of {len(parts)}" if method == "at-least" else f"{method} {len(parts)}",
                "characteristic": members,
            }
        )
        return number

    def _member(self, node: Node, negated: bool, span: Span) -> _Json:
        inner = _span(node) or span
        out = self.node(node, inner, self.text[inner.offset : inner.end])
        numbered = "valueQuantity" in out or "valueRange" in out
        within = [derivation(self.criterion_span, self.study)] if numbered and inner != self.criterion_span else []
        return self._closed(out, inner, negated, within)

    def _closed(self, out: _Json, span: Span, exclude: bool, marks: list[_Json]) -> _Json:
        """The characteristic with its place, its marks first, and its side last, as FHIR orders the elements."""
        extensions = [derivation(span, self.study)] if span.length else []
        extensions += marks + out.pop("extension", [])
        period = {"period": out.pop("period")} if "period" in out else {}
        return {**({"extension": extensions} if extensions else {}), **out, "exclude": exclude, **period}


def group(trial: Trial, criteria: tuple[Criterion, ...], study: str, fhir_version: str) -> _Json:
    """The Group of everyone who fulfils the criteria (`actual` false; R5: `membership` definitional)."""
    definition: _Json = {"membership": "definitional"} if fhir_version == "R5" else {"actual": False}
    writer = _Writer(trial, study, definition)
    written = [writer.criterion(c) for c in criteria]
    out: _Json = {"resourceType": "Group", "id": ""}
    if writer.contained:
        out["contained"] = writer.contained
    out.update({"active": True, "type": "person", **definition, "name": f"Eligibility {trial.id}"})
    if written:
        out["characteristic"] = written
    return out


def fhirpath(node: Node) -> _Json:
    """The Expression of a tree."""
    return {"language": "text/fhirpath", "expression": expression(node)}


def derivation(span: Span, study: str) -> _Json:
    """Where the words stand in the record's eligibility text."""
    return {
        "url": DERIVATION,
        "extension": [
            {"url": "reference", "valueReference": {"reference": study}},
            {"url": "path", "valueString": TEXT_PATH},
            {"url": "offset", "valueInteger": span.offset},
            {"url": "length", "valueInteger": span.length},
        ],
    }


# ------------------------------------------------------------------------------------------------------ trees


def spread(node: Node) -> Node:
    """The tree with leaves that mean any of several things opened into Any of one each, and idle frames taken away."""
    if isinstance(node, Leaf):
        return _spread_leaf(node)
    if isinstance(node, Not):
        return Not(spread(node.child))
    if isinstance(node, If):
        return If(spread(node.condition), spread(node.then))
    children = tuple(spread(child) for child in node.children)
    if len(children) == 1 and not isinstance(node, AtLeast):
        return children[0]
    return replace(node, children=children)


def _spread_leaf(leaf: Leaf) -> Node:
    ways = max(1, len(leaf.concepts)) * max(1, len(leaf.values))
    if ways == 1 or ways > _MOST or leaf.kind in _SILENT:
        return leaf
    concepts: list[tuple[Concept, ...]] = [(c,) for c in leaf.concepts] or [()]
    values: list[tuple[str, ...]] = [(v,) for v in leaf.values] or [()]
    return Any(tuple(replace(leaf, concepts=c, values=v) for c in concepts for v in values))


def _plain(leaf: Leaf) -> _Json:
    return characteristic(leaf)


def _combined(node: Node) -> tuple[str, int, list[tuple[Node, bool]]]:
    """How the parts of a node combine, how many are needed, and the parts with whether each is negated."""
    if isinstance(node, Not):
        child = node.child
        if isinstance(child, Any):
            return "none-of", 0, [(c, True) for c in child.children]
        return "none-of", 0, [(child, True)]
    if isinstance(node, If):
        return "any-of", 1, [(node.condition, True), (node.then, False)]
    if isinstance(node, Leaf):
        return "all-of", 1, [(node, False)]
    parts = [(c.child, True) if isinstance(c, Not) else (c, False) for c in node.children]
    if isinstance(node, AtLeast):
        return "at-least", node.count, parts
    return ("all-of" if isinstance(node, All) else "any-of"), len(parts), parts


def _span(node: Node) -> Span | None:
    """The stretch from a tree's first words to its last."""
    places = [leaf.span for leaf in leaves(node) if leaf.span.length]
    if not places:
        return None
    start, end = min(p.offset for p in places), max(p.end for p in places)
    return Span(start, end - start)


def _asks(node: Node) -> bool:
    """Whether the tree says more than its words do: a question, or a number."""
    return any(leaf.kind not in _SILENT or leaf.low or leaf.high for leaf in leaves(node))


def _needs_expression(node: Node) -> bool:
    """Whether the logic is more than one plain characteristic can hold."""
    if not isinstance(node, Leaf):
        return True
    exclusive = node.low is not None and node.high is not None and not (node.low.inclusive and node.high.inclusive)
    scaled = any(b is not None and b.times_of for b in (node.low, node.high))
    return bool(exclusive or scaled or node.window or node.count_low is not None or node.count_high is not None)
