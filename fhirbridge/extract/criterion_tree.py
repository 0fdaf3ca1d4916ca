"""The pieces of a criterion as one tree: sentences, exceptions, conditions, examples and brackets around its lists."""

# ruff: noqa: E501 - conditions on kinds of pieces are easier to review unbroken
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fhirbridge.extract import criterion_leaves as leaves
from fhirbridge.extract import criterion_lists
from fhirbridge.extract.criterion_items import MEASURES, Item
from fhirbridge.extract.criterion_pieces import Piece
from fhirbridge.records import All, Any, AtLeast, If, Leaf, LeafKind, Node, Not

__all__ = ["parse", "kinds_of", "leaves_of"]

_WEIGHTLESS = frozenset({"ignored", "mark", "stop", "line", "comma", "slash", "open", "note", "plus", "who", "ruled"})
_CLINICAL_HEADS = frozenset({LeafKind.DIAGNOSIS, LeafKind.SYMPTOM, LeafKind.INFECTION, LeafKind.ORGAN_FUNCTION})


@dataclass(frozen=True, slots=True)
class _Reading:
    """What stays the same for one criterion: its side and its language."""

    exclude: bool
    language: str


def parse(pieces: list[Piece], exclude: bool, language: str) -> Node | None:
    """The tree of all pieces of a criterion, None when they say nothing."""
    reading = _Reading(exclude, language)
    sentences = _sentences(pieces)
    made: list[Node] = []
    counted: tuple[int, str] | None = None
    for sentence in sentences:
        marker = _any_of_marker(sentence)
        if marker is not None and counted is None:
            before, number, after = marker
            head = _sentence(before, reading) if before else None
            children = _alternatives(after, reading)
            if not children:
                counted = number
                made += [head] if head is not None and _is_understood(head) else []
                continue
            made += [
                n
                for n in (head if head is not None and _is_understood(head) else None, _counted(children, number))
                if n is not None
            ]
            continue
        if made and _comments(made[-1], sentence):
            continue
        if made and _begins_with_example(sentence):
            made[-1] = _with_examples(made[-1], sentence, reading)
            continue
        permission = _permission(sentence)
        if permission is not None and made:
            _permit(made, permission, reading)
            continue
        if made and _is_note(sentence):
            continue
        node = _sentence(sentence, reading)
        if node is not None:
            made.append(node)
    if counted is not None and len(made) > 1:
        return _counted(made, counted)
    return _joined(made, exclude)


def _joined(made: list[Node], exclude: bool) -> Node | None:
    if not made:
        return None
    return leaves.any_of(made) if exclude else leaves.all_of(made)


def _counted(children: list[Node], number: tuple[int, str]) -> Node:
    count, _ = number
    if count == 0:
        return leaves.all_of(children)
    if count == 1 or len(children) < 2:
        return leaves.any_of(children)
    return AtLeast(count, tuple(children))


def _sentences(pieces: list[Piece]) -> list[list[Piece]]:
    sentences: list[list[Piece]] = [[]]
    for piece in pieces:
        ends = piece.kind in ("semicolon", "stop") or (piece.kind == "word" and piece.value == ".")
        if piece.kind == "word" and piece.value == ".":
            sentences[-1].append(piece)
        if ends:
            sentences.append([])
        elif piece.kind != "word" or piece.value != ".":
            sentences[-1].append(piece)
    parted = [part for s in sentences for part in _parted_by_dash(s)]
    return [s for s in parted if any(p.kind not in _WEIGHTLESS for p in s)]


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
            while after and after[0].kind in (*_WEIGHTLESS, "open"):
                after = after[1:]
            return sentence[:i], (count, piece.kind), after
    return None


def _introduces_a_list(sentence: list[Piece], at: int) -> bool:
    """ "One of the following: A, B" does, "any of the following therapies within the stated time" does not."""
    after = sentence[at + 1 :]
    return not any(p.kind not in _WEIGHTLESS for p in after) or any(
        p.kind in ("open", "comma", "or", "and", "semicolon", "group") for p in after
    )


def _alternatives(pieces: list[Piece], reading: _Reading) -> list[Node]:
    """The children of "any of: A, B or C"; commas and "or" part them."""
    if not pieces:
        return []
    node = _sentence(pieces, reading)
    if node is None:
        return []
    return list(node.children) if isinstance(node, (All, Any)) else [node]


def _permission(sentence: list[Piece]) -> list[Piece] | None:
    """The content of "patients with X are eligible", without the cue; None for other sentences."""
    if not any(p.kind == "allowed" for p in sentence):
        return None
    return [p for p in sentence if p.kind != "allowed"]


def _comments(before: Node, sentence: list[Piece]) -> bool:
    """What follows about measurable lesions only says which ones count."""
    if not _only(before, LeafKind.MEASURABLE_DISEASE):
        return False
    return any("lesion" in p.text or "病灶" in p.text or "measurable" in p.text for p in sentence)


def _begins_with_example(sentence: list[Piece]) -> bool:
    first = next((p for p in sentence if p.kind not in _WEIGHTLESS), None)
    return first is not None and first.kind == "example"


def _with_examples(before: Node, sentence: list[Piece], reading: _Reading) -> Node:
    at = next(i for i, p in enumerate(sentence) if p.kind == "example")
    examples = _sentence(sentence[at + 1 :], _Reading(True, reading.language))
    return before if examples is None else _elaborated(before, examples, reading, False)


def _is_note(sentence: list[Piece]) -> bool:
    return sentence[0].kind == "note"


def _permit(made: list[Node], content: list[Piece], reading: _Reading) -> None:
    """What a permission takes from the exclusion, or adds to the inclusion, before it."""
    allowed = _sentence(content, reading)
    if allowed is not None and not _only(allowed, LeafKind.ADMINISTRATIVE):
        made[-1] = _with_permission(made[-1], allowed, reading)


def _with_permission(node: Node, allowed: Node, reading: _Reading) -> Node:
    """An exclusion or a "no ..." without what is allowed; an inclusion, or what is allowed besides."""
    if isinstance(node, Not):
        return Not(leaves.all_of([node.child, Not(allowed)]))
    if reading.exclude:
        return leaves.all_of([node, Not(allowed)])
    return leaves.any_of([node, allowed])


def _sentence(pieces: list[Piece], reading: _Reading) -> Node | None:
    """One sentence: exclusion wording, examples, exceptions and conditions around a list."""
    pieces = _trimmed(pieces)
    if not pieces:
        return None
    denied = next((i for i, p in enumerate(pieces) if p.kind == "not_allowed"), None)
    if denied is not None and pieces[0].kind == "if":
        comma = next((i for i, p in enumerate(pieces) if p.kind == "comma"), len(pieces))
        condition = _sentence(pieces[1:comma], _Reading(True, reading.language))
        return condition if condition is None or reading.exclude else Not(condition)
    if denied is not None:
        inner = _sentence(pieces[:denied] + pieces[denied + 1 :], reading)
        return inner if inner is None or reading.exclude else Not(inner)
    if any(p.kind == "allowed" for p in pieces):
        return _permitted(pieces, reading)
    if not reading.exclude and (demanded := _demanded(pieces, reading)) is not None:
        return demanded
    for wanted, split in ((("except",), _excepted), (("if", "if_not"), _conditioned), (("example",), _exemplified)):
        at = next((i for i, p in enumerate(pieces) if p.kind in wanted), None)
        if at is not None and (made := split(pieces, at, reading)) is not None:
            return made
    opened = next((i for i, p in enumerate(pieces) if p.kind == "open" and _opens(pieces, i)), None)
    if opened is not None:
        return _opened(pieces, opened, reading)
    return _settled(
        criterion_lists.parse(_neutral(pieces), reading.exclude, lambda n, g, i: _with_group(n, g, i, reading))
    )


_DEMANDS = frozenset({"must", "must be", "must have", "should", "should be", "should have", "must meet"})


def _demanded(pieces: list[Piece], reading: _Reading) -> Node | None:
    """ "Patients who received X must Y": Y is asked only of them."""
    first = next((i for i, p in enumerate(pieces[:4]) if p.kind in ("who", "ruled")), None)
    if first is None:
        return None
    at = next((i for i, p in enumerate(pieces) if i > first and p.kind == "ignored" and p.text in _DEMANDS), None)
    if at is None or at == first + 1:
        return None
    condition = _sentence(pieces[first + 1 : at], _Reading(True, reading.language))
    then = _sentence(pieces[at + 1 :], reading)
    if then is None:  # "patients with brain metastases must be stable"
        then = _sentence([*pieces[first + 1 : at], *pieces[at + 1 :]], reading)
    if condition is None or then is None or _only(condition, LeafKind.TEXT) or _only(then, LeafKind.ADMINISTRATIVE):
        return None
    return If(condition, then)


def _opens(pieces: list[Piece], at: int) -> bool:
    """A colon that parts a heading from its content, not a measure from its number."""
    if not 0 < at < len(pieces) - 1:
        return False
    following = next((p for p in pieces[at + 1 :] if p.kind not in (*_WEIGHTLESS, "open")), None)
    return following is None or following.kind not in ("amount", "class", "pressure", "letters", "stage")


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


def _trimmed(pieces: list[Piece]) -> list[Piece]:
    start, end = 0, len(pieces)
    while start < end and pieces[start].kind in ("comma", "stop", "open", "line", "slash", "semicolon", "note"):
        start += 1
    while end > start and pieces[end - 1].kind in ("comma", "stop", "open", "line", "slash", "semicolon"):
        end -= 1
    return pieces[start:end]


def _permitted(pieces: list[Piece], reading: _Reading) -> Node | None:
    """A criterion that only permits asks nothing, unless it sets a limit ("up to one prior line is permitted")."""
    content = [p for p in pieces if p.kind != "allowed"]
    cut = next((i for i, p in enumerate(content) if p.kind in ("but", "semicolon")), len(content))
    conditions = next((i for i, p in enumerate(content) if p.kind == "if"), None)
    if conditions is not None and conditions > 0:
        main = _sentence(content[:conditions], reading)
        condition = _sentence(content[conditions + 1 :], reading)
        if main is not None and condition is not None:
            return leaves.all_of([main, Not(condition)]) if reading.exclude else If(main, condition)
    made = _sentence(content[:cut], reading)
    if made is None:
        return None
    if _sets_a_limit(made):
        return made
    return Leaf(LeafKind.ADMINISTRATIVE, _span(pieces), values=("permission",))


def _sets_a_limit(node: Node) -> bool:
    return any(leaf.count_high is not None or leaf.high is not None or leaf.low is not None for leaf in leaves_of(node))


def _span(pieces: list[Piece]):  # type: ignore[no-untyped-def]
    from fhirbridge.records import Span

    return Span(pieces[0].start, pieces[-1].end - pieces[0].start)


def _excepted(pieces: list[Piece], at: int, reading: _Reading) -> Node | None:
    """ "X except Y": X and not Y; with X a negation, what is negated is X that is no Y."""
    cue = pieces[at]
    if cue.value == "after":  # Chinese: "A，B除外" — the exception stands before the cue
        return _excepted_before(pieces, at, reading)
    if at == 0 or not any(p.kind not in _WEIGHTLESS for p in pieces[:at]):
        return _excepted_first(pieces, at, reading)
    main = _sentence(pieces[:at], reading)
    exception = _sentence(pieces[at + 1 :], _Reading(True, reading.language))
    return _without(main, exception, pieces[at + 1 :])


def _excepted_first(pieces: list[Piece], at: int, reading: _Reading) -> Node | None:
    """ "Except for Y, X"."""
    comma = next((i for i in range(at + 1, len(pieces)) if pieces[i].kind == "comma"), None)
    if comma is None:
        return None
    main = _sentence(pieces[comma + 1 :], reading)
    return _without(main, _sentence(pieces[at + 1 : comma], _Reading(True, reading.language)), pieces[at + 1 : comma])


def _excepted_before(pieces: list[Piece], at: int, reading: _Reading) -> Node | None:
    start = max(
        (i for i in range(at) if pieces[i].kind in ("comma", "semicolon") and pieces[i].text in (",", "，")), default=-1
    )
    if start < 0:
        return None
    main = _sentence(pieces[:start] + pieces[at + 1 :], reading)
    inner = pieces[start + 1 : at]
    return _without(main, _sentence(inner, _Reading(True, reading.language)), inner)


def _without(main: Node | None, exception: Node | None, words: list[Piece]) -> Node | None:
    if main is None:
        return None if exception is None else Not(exception)
    if exception is None:
        if not words:
            return main
        exception = leaves.text_leaf(words[0].start, words[-1].end)
    if _only(exception, LeafKind.ADMINISTRATIVE):
        exception = leaves.text_leaf(words[0].start, words[-1].end)
    if isinstance(main, Not):
        return Not(leaves.all_of([main.child, Not(exception)]))
    return leaves.all_of([main, Not(exception)])


def _conditioned(pieces: list[Piece], at: int, reading: _Reading) -> Node | None:
    """ "X if C", "if C, X"; a second limit of the same measure is an alternative ("≤ 5 x ULN if liver metastases")."""
    negative = pieces[at].kind == "if_not"
    if not any(p.kind not in _WEIGHTLESS for p in pieces[:at]):
        comma = next((i for i in range(at + 1, len(pieces)) if pieces[i].kind in ("comma", "open")), None)
        if comma is None:
            return None
        condition = _sentence(pieces[at + 1 : comma], _Reading(True, reading.language))
        then = _sentence(pieces[comma + 1 :], reading)
        if condition is None or then is None or _only(condition, LeafKind.ADMINISTRATIVE):
            return then
        return If(Not(condition) if negative else condition, then)
    end = _end_of_condition(pieces, at)
    condition = _sentence(pieces[at + 1 : end], _Reading(True, reading.language))
    if condition is None:
        return None
    if negative:
        condition = Not(condition)
    rest = pieces[end:]
    main = _sentence(pieces[:at], reading)
    if main is None:
        return condition
    alternative = _alternative(main, condition)
    made = alternative if alternative is not None else If(condition, main)
    if not rest:
        return made
    return _further_limit(made, pieces[:at], rest, reading)


def _further_limit(made: Node, before: list[Piece], rest: list[Piece], reading: _Reading) -> Node:
    """ "≤ 2.5 x ULN without, or ≤ 5 x ULN with liver metastases": the measure goes on after the first condition."""
    measured = next((i for i, p in enumerate(before) if p.kind == "amount"), None)
    first = next((i for i, p in enumerate(rest) if p.kind not in (*_WEIGHTLESS, "or", "and")), None)
    content = rest
    if measured is not None and first is not None and rest[first].kind == "amount":
        content = [*before[:measured], *rest[first:]]
    following = _sentence(content, reading)
    if following is None:
        return made
    if isinstance(made, If) and isinstance(following, If):
        return (
            leaves.all_of([made, following]) if not reading.exclude else leaves.any_of([_both(made), _both(following)])
        )
    joined = [made, following]
    if any(p.kind == "or" for p in rest[:3]) and not isinstance(made, If):
        return leaves.any_of(joined)
    return leaves.any_of(joined) if reading.exclude else leaves.all_of(joined)


def _both(node: If) -> Node:
    return leaves.all_of([node.condition, node.then])


def _end_of_condition(pieces: list[Piece], at: int) -> int:
    """Where a condition ends: before the next limit of a measure, or a second condition's limit."""
    for i in range(at + 1, len(pieces)):
        if pieces[i].kind in ("comma", "or", "and") and i + 1 < len(pieces):
            following = next((p for p in pieces[i + 1 :] if p.kind not in (*_WEIGHTLESS, "or", "and")), None)
            if following is not None and following.kind == "amount" and i > at + 1:
                return i
            if following is not None and following.kind == "term" and following.value.kind in MEASURES and i > at + 1:
                return i
    return len(pieces)


def _alternative(main: Node, condition: Node) -> Node | None:
    """The limit that holds under the condition, beside the one that holds always, or None if there is no such pair."""
    children = list(main.children) if isinstance(main, (All, Any)) else []
    if len(children) < 2:
        return None
    last = children[-1]
    others, changed = [], None
    measured = {leaf.concepts: leaf for leaf in leaves_of(last) if leaf.kind in MEASURES}
    if not measured or len(measured) != len(leaves_of(last)):
        return None
    for child in children[:-1]:
        bases = [leaf for leaf in leaves_of(child) if leaf.kind in MEASURES and leaf.concepts in measured]
        if bases and changed is None:
            changed = _replaced(child, {base: _pair(base, measured[base.concepts], condition) for base in bases})
            others.append(changed)
        else:
            others.append(child)
    if changed is None:
        return None
    return leaves.all_of(others) if isinstance(main, All) else leaves.any_of(others)


def _pair(base: Leaf, other: Leaf, condition: Node) -> Node:
    """The wider limit under its condition."""
    if _is_wider(other, base):
        return leaves.any_of([base, leaves.all_of([condition, other])])
    return leaves.all_of([base, leaves.any_of([Not(condition), other])])


def _is_wider(a: Leaf, b: Leaf) -> bool:
    if a.high is not None and b.high is not None:
        return a.high.quantity.value > b.high.quantity.value
    if a.low is not None and b.low is not None:
        return a.low.quantity.value < b.low.quantity.value
    return False


def _exemplified(pieces: list[Piece], at: int, reading: _Reading) -> Node | None:
    """ "X such as A or B": X, or one of its kinds; a definition by numbers stands for the X it defines."""
    before, after = pieces[:at], pieces[at + 1 :]
    cue = pieces[at].text
    if not any(p.kind not in _WEIGHTLESS for p in before):
        return _sentence(after, reading)
    first = next((p.kind for p in after if p.kind not in _WEIGHTLESS), "")
    if first in ("amount", "pressure") and any(p.kind == "term" and p.value.kind in MEASURES for p in before):
        return _sentence([*before, *after], reading)  # "QTc defined as > 470 ms"
    apart = _next_stage(before, after)
    if apart is not None:
        first_part = _sentence([*before, pieces[at], *after[:apart]], reading)
        second = _sentence(after[apart + 1 :], reading)
        parts = [n for n in (first_part, second) if n is not None]
        return leaves.any_of(parts) if parts else None
    head = _sentence(before, reading)
    examples = _sentence(after, _Reading(True, reading.language))
    if head is None:
        return examples
    if examples is None or not _is_understood(examples):
        return head
    if _only(head, LeafKind.ADMINISTRATIVE) and not _numbered(examples):
        return head
    defined = (
        "defin" in cue
        or "i.e" in cue
        or "demonstrated" in cue
        or "evidenced" in cue
        or "indicated" in cue
        or "定义" in cue
        or "即" in cue
    )
    return _elaborated(head, examples, reading, defined)


def _next_stage(before: list[Piece], after: list[Piece]) -> int | None:
    """Where a list of stages goes on behind an example: "locally advanced, i.e. ..., or metastatic disease"."""
    if not any(p.kind == "stage" for p in before):
        return None
    for i, piece in enumerate(after[:-1]):
        if piece.kind == "or" and after[i + 1].kind == "stage":
            return i
    return None


def _elaborated(head: Node, detail: Node, reading: _Reading, defined: bool) -> Node:
    negated = isinstance(head, Not)
    core = head.child if isinstance(head, Not) else head
    if _numbered(detail):
        made = _defined(core, detail, reading)
    elif defined:
        made = leaves.all_of([core, detail])
    else:
        made = leaves.any_of([core, *_kinds_of_it(core, detail)])
    return Not(made) if negated else made


def _kinds_of_it(core: Node, detail: Node) -> list[Node]:
    """The examples that were understood: the others are no loss, for every example is a case of the whole."""
    listed = list(detail.children) if isinstance(detail, Any) else [detail]
    narrowed = isinstance(core, All) and LeafKind.TEXT not in kinds_of(core)
    if narrowed or not _akin(core, detail):
        return []
    kept = [n for n in listed if LeafKind.TEXT not in kinds_of(n)]
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
        kept = [_replaced(n, pairs) for n in kept]
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


def _defined(core: Node, detail: Node, reading: _Reading) -> Node:
    """A head whose limits follow: a score narrows it, laboratory limits replace it."""
    kinds = kinds_of(core)
    if kinds <= {LeafKind.ORGAN_FUNCTION, LeafKind.TEXT, LeafKind.LABORATORY} and kinds & {
        LeafKind.ORGAN_FUNCTION,
        LeafKind.TEXT,
    }:
        return detail if LeafKind.ORGAN_FUNCTION in kinds or not reading.exclude else leaves.any_of([core, detail])
    if LeafKind.SCORE in kinds_of(detail) or not kinds <= _CLINICAL_HEADS | {LeafKind.TEXT}:
        return leaves.all_of([core, detail])
    return detail


def _opened(pieces: list[Piece], at: int, reading: _Reading) -> Node | None:
    """ "Heading: content"."""
    head = _sentence(pieces[:at], reading)
    body = _sentence(pieces[at + 1 :], reading)
    if head is None or body is None:
        return body if body is not None else head
    if not _is_understood(head) or _only(head, LeafKind.TEXT):
        return body
    if _only(head, LeafKind.ORGAN_FUNCTION) or (isinstance(head, Not) and _only(head.child, LeafKind.ORGAN_FUNCTION)):
        return body if _is_understood(body) else head
    if _numbered(body):
        return _elaborated(head, body, reading, True)
    if reading.exclude:
        return _elaborated(head, body, reading, False)
    return leaves.all_of([head, body])


def _with_group(node: Node, group: Piece, item: Item, reading: _Reading) -> Node:
    """The node with what stands in brackets behind it."""
    inner: list[Piece] = list(_trimmed(list(group.value)))
    if not inner or all(p.kind in (*_WEIGHTLESS, "opinion") for p in inner) or _is_abbreviation(inner, item):
        return node
    if _only(node, LeafKind.MEASURABLE_DISEASE):
        return node
    first, last = inner[0], inner[-1]
    if any(p.kind == "except" for p in inner):
        return _with_exception(node, inner, reading)
    if any(p.kind == "allowed" for p in inner):
        allowed = _sentence([p for p in inner if p.kind not in ("allowed", "note")], _Reading(True, reading.language))
        method = any(
            w in p.text for p in inner for w in ("result", "test", "sample", "tissue", "assay", "检测", "标本")
        )
        if allowed is None or (method and not _is_understood(allowed)):
            return node
        return _with_permission(node, allowed, reading)
    if first.kind == "note" or any(p.kind == "note" for p in inner):
        return node
    if {p.kind for p in inner} <= _WEIGHTLESS | {"variant", "or", "and", "positive", "negative"} and _marks(node):
        return _with_variants(node, inner)
    if any(p.kind == "not_allowed" for p in inner):
        return node
    if all(p.kind in (*_WEIGHTLESS, "amount", "or", "and", "age", "sexes") for p in inner):
        return _with_amounts(node, inner, item, reading)
    if first.kind == "if" or any(p.kind in ("if", "if_not") for p in inner) or _has_conditional_amount(inner):
        limited = _with_condition(node, inner, item, reading)
        if limited is not None:
            return limited
    detail = _sentence([p for p in inner if p.kind != "example"], _Reading(True, reading.language))
    if detail is None or not _is_understood(detail):
        example = first.kind == "example" or last.kind == "stop"
        return node if example or detail is None or _is_light(inner) else _restricted(node, inner)
    if _only(detail, LeafKind.ADMINISTRATIVE):
        return node
    if _adds_nothing(node, detail):
        return node
    if _limits_only(node) and kinds_of(detail) <= _STATES and not _numbered(detail):
        return If(detail, node)
    if _numbered(detail) or kinds_of(detail) & {LeafKind.STAGE, LeafKind.GRADE, LeafKind.SCORE, LeafKind.AGE}:
        if kinds_of(detail) <= {LeafKind.STAGE, LeafKind.GRADE, LeafKind.AGE}:
            return leaves.all_of([node, detail])
        return _elaborated(node, detail, reading, True)
    if kinds_of(detail) <= {LeafKind.BIOMARKER} and not kinds_of(node) <= {LeafKind.BIOMARKER, LeafKind.TEXT}:
        return leaves.all_of([node, detail])
    return _elaborated(node, detail, reading, False)


_STATES = frozenset(
    {
        LeafKind.METASTASIS,
        LeafKind.DIAGNOSIS,
        LeafKind.SYMPTOM,
        LeafKind.INFECTION,
        LeafKind.SEX,
        LeafKind.STAGE,
        LeafKind.TEXT,
    }
)


def _limits_only(node: Node) -> bool:
    return all(leaf.kind in MEASURES and (leaf.low or leaf.high) for leaf in leaves_of(node))


def _settled(node: Node | None) -> Node | None:
    """ "≤ 2.5 x ULN or ≤ 5 x ULN (with liver metastases)": the second limit holds only under its condition."""
    if not isinstance(node, Any):
        return node
    plain = {
        leaf.concepts for n in node.children if not isinstance(n, If) for leaf in leaves_of(n) if leaf.kind in MEASURES
    }
    made = [
        _both(n) if isinstance(n, If) and {leaf.concepts for leaf in leaves_of(n.then)} & plain else n
        for n in node.children
    ]
    return leaves.any_of(made)


def _marks(node: Node) -> bool:
    return any(leaf.kind is LeafKind.BIOMARKER for leaf in leaves_of(node))


def _with_variants(node: Node, inner: list[Piece]) -> Node:
    """ "EGFR mutation (exon 19 deletion or L858R)": the variants in brackets are the ones meant."""
    values = tuple(dict.fromkeys(str(p.value) for p in inner if p.kind in ("variant", "positive", "negative")))
    last = [leaf for leaf in leaves_of(node) if leaf.kind is LeafKind.BIOMARKER][-1]
    kept = tuple(v for v in last.values if v not in ("mutation", "positive", "sensitising mutation"))
    return _replaced(node, {last: replace(last, values=(*kept, *values) if values else last.values)})


def _with_exception(node: Node, inner: list[Piece], reading: _Reading) -> Node:
    content = [p for p in inner if p.kind != "except"]
    exception = _sentence(content, _Reading(True, reading.language))
    return _without(node, exception, inner) or node


def _with_amounts(node: Node, inner: list[Piece], item: Item, reading: _Reading) -> Node:
    """ "(≤ 133 µmol/L)" repeats a limit in another unit, "(18-65 years)" is an age, "(> 50 %)" measures what it follows."""
    if any(leaf.kind in MEASURES and (leaf.low or leaf.high) for leaf in leaves_of(node)):
        return node
    aged = _sentence(inner, reading)
    if aged is not None and kinds_of(aged) == {LeafKind.AGE}:
        return aged if _only(node, LeafKind.TEXT) else leaves.all_of([node, aged])
    amounts = [p.value for p in inner if p.kind == "amount"]
    if not amounts:
        return node
    measured = [leaf for leaf in leaves_of(node) if leaf.concepts]
    if len(amounts) == 1 and measured and (not amounts[0].bare or amounts[0].unit):
        model = measured[-1]
        kind = model.kind if model.kind in MEASURES else LeafKind.LABORATORY
        span = leaves.text_leaf(inner[0].start, inner[-1].end).span
        limit = Leaf(kind, span, model.concepts[:1], (), amounts[0].low, amounts[0].high)
        return _with_limit(node, limit)
    return _restricted(node, inner) if not _only(node, LeafKind.TEXT) else node


def _with_limit(node: Node, limit: Leaf) -> Node:
    if isinstance(node, Not):
        return Not(leaves.all_of([node.child, limit]))
    return leaves.all_of([node, limit])


def _has_conditional_amount(inner: list[Piece]) -> bool:
    return inner[0].kind == "amount" and any(p.kind == "term" for p in inner)


def _with_condition(node: Node, inner: list[Piece], item: Item, reading: _Reading) -> Node | None:
    """ "(≤ 5 x ULN if liver metastases)" behind a limit."""
    amount = next((p for p in inner if p.kind == "amount"), None)
    bases = [leaf for leaf in leaves_of(node) if leaf.kind in MEASURES and (leaf.low or leaf.high)]
    if amount is None:
        if inner[0].kind in ("if", "if_not"):
            condition = _sentence(inner[1:], _Reading(True, reading.language))
            if condition is not None and bases:
                return If(Not(condition) if inner[0].kind == "if_not" else condition, node)
        return None
    if not bases:
        return None
    condition = _sentence([p for p in inner if p.kind not in ("amount", "if", "or")], _Reading(True, reading.language))
    if condition is None:
        return None
    pairs: dict[Leaf, Node] = {}
    for base in bases:
        other = Leaf(
            base.kind,
            leaves.text_leaf(amount.start, amount.end).span,
            base.concepts,
            (),
            amount.value.low,
            amount.value.high,
        )
        pairs[base] = _pair(base, other, condition)
    return _replaced(node, pairs)


def _replaced(node: Node, pairs: Mapping[Leaf, Node]) -> Node:
    if isinstance(node, Leaf):
        return pairs.get(node, node)
    if isinstance(node, All):
        return leaves.all_of([_replaced(c, pairs) for c in node.children])
    if isinstance(node, Any):
        return leaves.any_of([_replaced(c, pairs) for c in node.children])
    if isinstance(node, Not):
        return Not(_replaced(node.child, pairs))
    if isinstance(node, If):
        return If(node.condition, _replaced(node.then, pairs))
    return node


def _restricted(node: Node, inner: list[Piece]) -> Node:
    rest = leaves.text_leaf(inner[0].start, inner[-1].end)
    if isinstance(node, Not):
        return Not(leaves.all_of([node.child, rest]))
    return leaves.all_of([node, rest])


def _is_light(inner: list[Piece]) -> bool:
    """A remark of at most two unknown words ("(female)", "(ICF)")."""
    return sum(p.kind == "word" for p in inner) <= 2 and not any(p.kind in ("amount", "window") for p in inner)


def _is_abbreviation(inner: list[Piece], item: Item) -> bool:
    words = [p for p in inner if p.kind not in _WEIGHTLESS]
    if len(words) != 1:
        return False
    if words[0].kind == "word" and words[0].end - words[0].start <= 8:
        return True
    if words[0].kind == "term":
        known = {c for a in item.anchors for c in a.concepts}
        short = words[0].end - words[0].start <= 5 and words[0].text.isascii()
        return bool(known & set(words[0].value.concepts)) or short
    return words[0].kind in ("history", "current", "treat", "weak_admin", "admin")


def _adds_nothing(node: Node, detail: Node) -> bool:
    known = {c for leaf in leaves_of(node) for c in leaf.concepts}
    said = leaves_of(detail)
    return all(
        leaf.concepts and set(leaf.concepts) <= known and not leaf.values and not leaf.low and not leaf.high
        for leaf in said
    )


def leaves_of(node: Node) -> list[Leaf]:
    """The leaves of a tree in order."""
    if isinstance(node, Leaf):
        return [node]
    if isinstance(node, (All, Any, AtLeast)):
        return [leaf for c in node.children for leaf in leaves_of(c)]
    if isinstance(node, Not):
        return leaves_of(node.child)
    return leaves_of(node.condition) + leaves_of(node.then)


def kinds_of(node: Node) -> set[LeafKind]:
    """The kinds of a tree's leaves."""
    return {leaf.kind for leaf in leaves_of(node)}


def _is_understood(node: Node) -> bool:
    return bool(kinds_of(node) - {LeafKind.TEXT})


def _only(node: Node, kind: LeafKind) -> bool:
    return kinds_of(node) == {kind}


def _numbered(node: Node) -> bool:
    return any(leaf.kind in MEASURES and (leaf.low or leaf.high or leaf.values) for leaf in leaves_of(node))
