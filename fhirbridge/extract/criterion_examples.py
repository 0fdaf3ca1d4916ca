"""Examples, definitions and headings: "X such as A or B", "X defined as ...", "X: ..."."""

from __future__ import annotations

from dataclasses import replace

from fhirbridge.extract.criterion_nodes import (
    EVENTS,
    all_of,
    any_of,
    is_numbered,
    is_understood,
    kinds_of,
    leaves_of,
    only,
    replaced,
    within,
)
from fhirbridge.extract.criterion_pieces import Piece
from fhirbridge.extract.criterion_reading import WEIGHTLESS, Reading, read_sentence
from fhirbridge.extract.criterion_records import MEASURES
from fhirbridge.records import All, Any, Leaf, LeafKind, Node, Not

__all__ = ["begins_with_example", "elaborated", "exemplified", "heading_and_content", "opens", "with_examples"]


_CLINICAL_HEADS = frozenset({LeafKind.DIAGNOSIS, LeafKind.SYMPTOM, LeafKind.INFECTION, LeafKind.ORGAN_FUNCTION})


def begins_with_example(sentence: list[Piece]) -> bool:
    """Whether the sentence only names examples of what stands before it."""
    first = next((p for p in sentence if p.kind not in WEIGHTLESS), None)
    return first is not None and first.kind == "example"


def with_examples(before: Node, sentence: list[Piece], reading: Reading) -> Node:
    """What stands before, and its examples."""
    at = next(i for i, p in enumerate(sentence) if p.kind == "example")
    examples = read_sentence(sentence[at + 1 :], reading.excluding())
    return before if examples is None else elaborated(before, examples, reading, False)


def opens(pieces: list[Piece], at: int) -> bool:
    """A colon that parts a heading from its content, not a measure from its number."""
    if not 0 < at < len(pieces) - 1:
        return False
    following = next((p for p in pieces[at + 1 :] if p.kind not in (*WEIGHTLESS, "open")), None)
    return following is None or following.kind not in ("amount", "class", "pressure", "letters", "stage")


def exemplified(pieces: list[Piece], at: int, reading: Reading) -> Node | None:
    """ "X such as A or B": X, or one of its kinds; a definition by numbers stands for the X it defines."""
    before, after = pieces[:at], pieces[at + 1 :]
    cue = pieces[at].text
    if not any(p.kind not in WEIGHTLESS for p in before):
        return read_sentence(after, reading)
    first = next((p.kind for p in after if p.kind not in WEIGHTLESS), "")
    if first in ("amount", "pressure") and any(p.kind == "term" and p.value.kind in MEASURES for p in before):
        return read_sentence([*before, *after], reading)  # "QTc defined as > 470 ms"
    apart = _next_stage(before, after)
    if apart is not None:
        first_part = read_sentence([*before, pieces[at], *after[:apart]], reading)
        second = read_sentence(after[apart + 1 :], reading)
        if first_part is not None and second is not None:
            return _with_disease(first_part, second)
        return first_part if first_part is not None else second
    head = read_sentence(before, reading)
    examples = read_sentence(after, reading.excluding())
    if head is None:
        return examples
    if examples is not None:
        windows = {leaf.window for leaf in leaves_of(examples) if leaf.kind in EVENTS}
        shared = windows.pop() if len(windows) == 1 else None
        if shared is not None and shared.within and pieces[-1].kind in ("window", "stop"):
            head = within(head, shared)  # "any therapy, including chemotherapy or surgery, within 4 weeks"
    if examples is None or not is_understood(examples):
        return head
    if only(head, LeafKind.ADMINISTRATIVE) and not is_numbered(examples):
        return head
    if reading.exclude and _is_treatment_for(before) and kinds_of(examples) <= _TREATMENTS:
        return any_of([head, examples])  # "any treatment for acromegaly, including octreotide or surgery"
    defined = (
        "defin" in cue
        or "i.e" in cue
        or "demonstrated" in cue
        or "evidenced" in cue
        or "indicated" in cue
        or "定义" in cue
        or "即" in cue
    )
    return elaborated(head, examples, reading, defined)


def _is_treatment_for(pieces: list[Piece]) -> bool:
    """Whether a treatment that is not named is given for a disease: "prior therapy for myeloma"."""
    treated = next(
        (
            i
            for i, p in enumerate(pieces)
            if p.kind == "treat" and p.text.endswith((" for", "therapy", "treatment", "治疗"))
        ),
        None,
    )
    if treated is None:
        return False
    rest = [p for p in pieces[treated + 1 :] if p.kind == "term"]
    return bool(rest) and all(p.value.kind in (LeafKind.DIAGNOSIS, LeafKind.INFECTION, LeafKind.SYMPTOM) for p in rest)


def _next_stage(before: list[Piece], after: list[Piece]) -> int | None:
    """Where a list of stages goes on behind an example: "locally advanced, i.e. ..., or metastatic disease"."""
    if not any(p.kind == "stage" for p in before):
        return None
    for i, piece in enumerate(after[:-1]):
        if piece.kind == "or" and after[i + 1].kind == "stage":
            return i
    return None


_NOUNS = frozenset({LeafKind.DIAGNOSIS, LeafKind.HISTOLOGY, LeafKind.BIOMARKER})


def _with_disease(first: Node, second: Node) -> Node:
    """ "Locally advanced, i.e. ..., or metastatic ALK+ NSCLC": the disease named last is that of both."""
    if not isinstance(second, All) or not kinds_of(first) <= {LeafKind.STAGE, LeafKind.TEXT}:
        return any_of([first, second])
    nouns = [n for n in second.children if kinds_of(n) <= _NOUNS]
    stages = [n for n in second.children if n not in nouns]
    if not any(kinds_of(n) == {LeafKind.DIAGNOSIS} for n in nouns) or not stages:
        return any_of([first, second])
    return all_of([any_of([first, all_of(stages)]), *nouns])


def elaborated(head: Node, detail: Node, reading: Reading, defined: bool) -> Node:
    """A head with what stands behind it: limits that define it, or kinds of it."""
    negated = isinstance(head, Not)
    core = head.child if isinstance(head, Not) else head
    if is_numbered(detail):
        made = _defined(core, detail, reading)
    elif defined and not (kinds_of(detail) <= _TREATMENTS | {LeafKind.TEXT} and not _akin(core, detail)):
        made = all_of([core, detail])
    elif defined:
        made = core  # "not amenable to curative treatment, i.e. surgery": what it is not amenable to
    else:
        made = any_of([core, *_kinds_of_it(core, detail)])
    return Not(made) if negated else made


def _kinds_of_it(core: Node, detail: Node) -> list[Node]:
    """The examples that were understood: the others are no loss, for every example is a case of the whole."""
    listed = list(detail.children) if isinstance(detail, Any) else [detail]
    narrowed = isinstance(core, All) and LeafKind.TEXT not in kinds_of(core)
    if narrowed or not _akin(core, detail):
        return []
    kept = [n for n in listed if LeafKind.TEXT not in kinds_of(n) and kinds_of(n) != {LeafKind.SEX}]
    if any("known" in leaf.qualifiers for leaf in leaves_of(core)):
        kept = [_known(n) for n in kept]
    windows = {leaf.window for leaf in leaves_of(core) if leaf.window is not None}
    if len(windows) == 1:
        window = windows.pop()
        pairs = {
            leaf: replace(leaf, window=window)
            for n in kept
            for leaf in leaves_of(n)
            if leaf.window is None and leaf.kind not in MEASURES
        }
        kept = [replaced(n, pairs) for n in kept]
    return kept


_TREATMENTS = frozenset(
    {LeafKind.MEDICATION, LeafKind.THERAPY, LeafKind.PROCEDURE, LeafKind.LINE, LeafKind.TRIAL_PARTICIPATION}
)


def _akin(core: Node, detail: Node) -> bool:
    """Whether examples can be cases of the whole: treatments of a treatment, not of a disease."""
    whole, cases = kinds_of(core) - {LeafKind.TEXT, LeafKind.STAGE}, kinds_of(detail) - {LeafKind.TEXT}
    if not whole or whole & cases:
        return bool(whole) or not kinds_of(core) <= {LeafKind.STAGE}
    return bool(whole & _TREATMENTS) == bool(cases & _TREATMENTS)


def _known(node: Node) -> Node:
    if isinstance(node, Leaf):
        return replace(node, qualifiers=node.qualifiers | {"known"})
    if isinstance(node, (All, Any)):
        return type(node)(tuple(_known(c) for c in node.children))
    return node


def _defined(core: Node, detail: Node, reading: Reading) -> Node:
    """A head whose limits follow: a score narrows it, laboratory limits replace it."""
    kinds = kinds_of(core)
    if kinds <= {LeafKind.ORGAN_FUNCTION, LeafKind.TEXT, LeafKind.LABORATORY} and kinds & {
        LeafKind.ORGAN_FUNCTION,
        LeafKind.TEXT,
    }:
        return detail if LeafKind.ORGAN_FUNCTION in kinds or not reading.exclude else any_of([core, detail])
    if LeafKind.SCORE in kinds_of(detail) or not kinds <= _CLINICAL_HEADS | {LeafKind.TEXT}:
        return all_of([core, detail])
    return detail


def heading_and_content(pieces: list[Piece], at: int, reading: Reading) -> Node | None:
    """ "Heading: content"."""
    head = read_sentence(pieces[:at], reading)
    body = read_sentence(pieces[at + 1 :], reading)
    windows = [p.value for p in pieces[:at] if p.kind == "window"]
    if head is None and body is not None and len(windows) == 1:
        return within(body, windows[0])  # "any of the following within 6 months: ..."
    if head is None or body is None:
        return body if body is not None else head
    if not is_understood(head) or only(head, LeafKind.TEXT):
        return body
    if only(head, LeafKind.ORGAN_FUNCTION) or (isinstance(head, Not) and only(head.child, LeafKind.ORGAN_FUNCTION)):
        return body if is_understood(body) else head
    if is_numbered(body):
        return elaborated(head, body, reading, True)
    if reading.exclude:
        return elaborated(head, body, reading, False)
    return all_of([head, body])
