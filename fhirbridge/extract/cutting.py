"""A trial's eligibility text -> atomic criteria, each with its place, side, section and the words it hangs on.

Every character that is not white space, bullet, heading or frame ("Patients must meet all of the following:") lies in
exactly one criterion. The trees are still `Leaf TEXT`; a list of which any, all or some are enough stays one criterion
whose tree holds its lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from fhirbridge.extract.cutting_headings import Heading, heading, inline, is_note, old_nci, says_exclusion
from fhirbridge.extract.cutting_leads import Lead, is_frame, is_thin, lead
from fhirbridge.extract.cutting_lines import Item, items
from fhirbridge.extract.cutting_pieces import pieces, run_in
from fhirbridge.extract.plain_text import plain
from fhirbridge.records import All, Any, AtLeast, Criterion, Leaf, LeafKind, Node, Span, Trial, Understanding

_LONGEST_LIST = 8_000  # characters; a longer list is not held together as one criterion
_RANK = {"none": 1, "number": 1, "capital": 2, "letter": 3, "roman": 4, "bullet": 5}


@dataclass(slots=True)
class _Branch:
    """An item with the items beneath it."""

    item: Item
    section: str = ""
    label: str = ""
    exclude: bool | None = None
    children: list[_Branch] = field(default_factory=list)
    end: int = 0


@dataclass(frozen=True, slots=True)
class Cut:
    """The criteria of a text and what of it is heading, frame or empty word."""

    criteria: tuple[Criterion, ...]
    decoration: tuple[Span, ...]


def cut(trial: Trial) -> tuple[Criterion, ...]:
    """The criteria of a trial in the order of the text; none for an empty text."""
    return cut_text(trial).criteria


def cut_text(trial: Trial) -> Cut:
    """The criteria of a trial, and the spans that are no criterion."""
    text = plain(trial.eligibility_text)
    decoration: list[Span] = []
    roots: list[_Branch] = []
    for start, end, side in _sides(trial):
        roots += _grow(text, start, end, side, decoration)
    found = [criterion for root in roots for criterion in _emit(text, root, "", decoration)]
    if text != trial.eligibility_text:
        whole = trial.eligibility_text
        found = [replace(c, text=whole[c.span.offset : c.span.end]) for c in found]
    return Cut(tuple(found), tuple(decoration))


def _sides(trial: Trial) -> Iterator[tuple[int, int, bool | None]]:
    """The stretches of the text and the side each is on, where the record keeps the sides apart."""
    text, at = trial.eligibility_text, 0
    for part, exclude in ((trial.inclusion_text, False), (trial.exclusion_text, True)):
        place = text.find(part, at) if part else -1
        if part and place >= 0:
            if text[at:place].strip():
                yield at, place, None
            yield place, place + len(part), exclude
            at = place + len(part)
    if text[at:].strip():
        yield at, len(text), None


# -------------------------------------------------------------------------------------------------- text -> branches


def _grow(text: str, start: int, end: int, side: bool | None, decoration: list[Span]) -> list[_Branch]:
    """The branches of one stretch of text."""
    running = bool(re.search(r"[㐀-鿿]", text[start:end]))
    roots: list[_Branch] = []
    stack: list[_Branch] = []
    exclude, section, label, mixed = side, "", "", False
    laid_out = [replace(i, start=i.start + start, end=i.end + start) for i in items(text[start:end])]
    for part in _with_headings(text, laid_out, running):
        if isinstance(part, tuple):
            title, span = part
            decoration.append(span)
            label = title.words if title.kind == "label" else ""
            if title.kind in ("inclusion", "exclusion", "both") and side is None:
                exclude, section, mixed = (title.kind == "exclusion"), _section_of(title.words), title.kind == "both"
            elif title.kind == "section":
                section = title.words
            if title.kind != "empty":
                stack = []
            continue
        words = text[part.start : part.end]
        if roots and is_note(words) and not _has_heading_between(decoration, roots, part):
            last = _last(roots)
            last.end = part.end
            continue
        own = exclude
        if exclude is None or mixed:
            own = says_exclusion(words) or None
        branch = _Branch(part, section, label, own, end=part.end)
        _place(text, branch, stack, roots)
    return roots


def _with_headings(text: str, laid_out: list[Item], running: bool) -> Iterator[Item | tuple[Heading, Span]]:
    """Items in order, headings among them as they come, run-in numbers cut apart."""
    for at, item in enumerate(laid_out):
        words = text[item.start : item.end]
        title = heading(re.sub(r"\s+", " ", item.sign + " " + words if item.sign[:1] in "*【[" else words))
        follower = laid_out[at + 1] if at + 1 < len(laid_out) else None
        if title and _heads(title, item, follower):
            yield title, Span(item.start, item.end - item.start)
            continue
        position = item.start
        for begin, stop, inner in inline(words) or old_nci(words):
            if words[position - item.start : begin].strip(" \t\n-*"):
                before = replace(item, start=position, end=_back(text, position, item.start + begin))
                yield from run_in(text, before, running, follower)
            yield inner, Span(item.start + begin, len(words[begin:stop].rstrip()))
            position = item.start + stop
            position += len(text[position : item.end]) - len(text[position : item.end].lstrip(" \t\n-*"))
        if position < item.end and re.search(r"\w", text[position : item.end]):
            yield from run_in(text, replace(item, start=position), running, follower)


def _heads(title: Heading, item: Item, follower: Item | None) -> bool:
    """Whether what looks like a heading is one: a bulleted label with a value beneath is, the last line is not."""
    if title.kind in ("inclusion", "exclusion", "both", "empty"):
        return True
    return follower is not None and (item.mark == "none" or follower.indent > item.indent or title.kind == "section")


def _back(text: str, start: int, end: int) -> int:
    return start + len(text[start:end].rstrip(" \t\n-*"))


def _section_of(words: str) -> str:
    """The part, cohort or group a side heading names ("Inclusion Criteria for Part B")."""
    found = re.search(
        r"(?:\b(?:for|of)\s+|[(（]\s*|[-–:]\s*)([^()（）]*\b(?:part|cohort|arm|group|phase|stage|control|healthy|donor|volunteer|caregiver|patient"
        r"|participant|substudy|sub-study)s?\b[^()（）]*|[^()（）]*(?:组|队列|阶段|部分)[^()（）]*)",
        words,
        re.IGNORECASE,
    )
    before = re.match(r"(.{3,60}?)\s+(?:inclusion|exclusion|eligibility)\b", words, re.IGNORECASE)
    if found and len(found[1]) < 80 and not re.search(r"\bstudy\b", found[1], re.I):
        return found[1].strip()
    if before and re.search(
        r"\b(?:part|cohort|arm|group|phase|control|healthy|donor|volunteer|caregiver|stage)", before[1], re.I
    ):
        return before[1].strip()
    return ""


def _last(roots: list[_Branch]) -> _Branch:
    last = roots[-1]
    while last.children:
        last = last.children[-1]
    return last


def _has_heading_between(decoration: list[Span], roots: list[_Branch], part: Item) -> bool:
    return bool(decoration) and decoration[-1].offset >= _last(roots).end and decoration[-1].end <= part.start


def _place(text: str, branch: _Branch, stack: list[_Branch], roots: list[_Branch]) -> None:
    """Hang a branch beneath the line it belongs to."""
    item = branch.item
    while stack and not _beneath(text, item, stack):
        stack.pop()
    if stack:
        stack[-1].children.append(branch)
        branch.label = branch.label or stack[-1].label
    else:
        roots.append(branch)
    stack.append(branch)


def _beneath(text: str, item: Item, stack: list[_Branch]) -> bool:
    top = stack[-1].item
    if item.indent != top.indent:
        return item.indent > top.indent
    if item.mark == top.mark or any(b.item.mark == item.mark and b.item.indent == item.indent for b in stack):
        return False
    if item.mark == "none":
        return False
    return _opens(text[top.start : top.end]) or (_RANK[item.mark] > _RANK[top.mark] and top.mark != "none")


def _opens(words: str) -> bool:
    return words.rstrip().endswith((":", "：")) or bool(re.search(r"\bfollowing\W*$|以下\W*$|如下\W*$", words))


# ---------------------------------------------------------------------------------------------- branches -> criteria


def _emit(text: str, branch: _Branch, context: str, decoration: list[Span]) -> Iterator[Criterion]:
    words = text[branch.item.start : branch.end]
    if not branch.children:
        yield from _leaves(text, branch, context)
        return
    own = _normal(words)
    says = _mode(text, branch, own)
    if says and _stays_whole(branch, says):
        yield _whole(text, branch, says, context)
        return
    deeper = _joined(context, own) if says or _opens(words) else context
    if is_frame(own):
        decoration.append(Span(branch.item.start, branch.end - branch.item.start))
        deeper = context if not says or says.mode == "all" else deeper
    elif says or _opens(words):
        yield _lead_criterion(text, branch, says, context)
    else:
        yield from _leaves(text, branch, context)
    for child in branch.children:
        yield from _emit(text, child, deeper, decoration)


def _mode(text: str, branch: _Branch, words: str) -> Lead | None:
    """What the line and the joints of its children say."""
    says = lead(words)
    if says and says.mode == "count" and says.count >= len(branch.children):
        return Lead("all", 1, says.negated)
    ends = [text[c.item.start : c.end].rstrip(" .;,") for c in branch.children[:-1]]
    joined_by_or = ends and sum(bool(re.search(r"\b(?:or|OR)$|或$", e)) for e in ends) >= max(1, len(ends) // 2)
    if joined_by_or and (says is None or says.mode == "define"):
        return Lead("any")
    return says


def _stays_whole(branch: _Branch, says: Lead) -> bool:
    """Whether the lines beneath are one question: any of them admits, or all or some of them exclude."""
    if len(branch.children) < 2 or _end(branch) - branch.item.start > _LONGEST_LIST:
        return False
    if branch.exclude:
        return says.mode in ("all", "count") or (says.mode == "any" and says.negated)
    return says.mode == "count" or (says.mode == "any" and not says.negated)


def _end(branch: _Branch) -> int:
    return max([branch.end, *(_end(c) for c in branch.children)])


def _whole(text: str, branch: _Branch, says: Lead, context: str) -> Criterion:
    """One criterion of a line and those beneath it; the tree holds a TEXT leaf for each."""
    span = Span(branch.item.start, _end(branch) - branch.item.start)
    return _criterion(text, branch, span, context, _list_tree(text, branch, says))


def _list_tree(text: str, branch: _Branch, says: Lead) -> Node:
    children = tuple(_child_tree(text, c, bool(branch.exclude)) for c in branch.children)
    if says.mode == "count":
        body: Node = AtLeast(says.count, children)
    else:
        body = Any(children) if says.mode == "any" else All(children)
    words = _normal(text[branch.item.start : branch.end])
    if is_frame(words) or (is_thin(words) and not says.negated):
        return body
    return All((_leaf(branch.item.start, branch.end), body))


def _child_tree(text: str, branch: _Branch, exclude: bool) -> Node:
    leaf = _leaf(branch.item.start, branch.end)
    if not branch.children:
        return leaf
    says = _mode(text, branch, _normal(text[branch.item.start : branch.end]))
    if says and says.mode in ("any", "all", "count"):
        return _list_tree(text, branch, says)
    inner = tuple(_child_tree(text, c, exclude) for c in branch.children)
    return Any((leaf, *inner)) if exclude or (says and says.mode == "own") else All((leaf, *inner))


def _lead_criterion(text: str, branch: _Branch, says: Lead | None, context: str) -> Criterion:
    """The line above opened lines. What only announces them asks nothing of its own: an empty All (held), on the
    excluding side an empty Any (not held)."""
    span = Span(branch.item.start, branch.end - branch.item.start)
    leaf = _leaf(branch.item.start, branch.end)
    if says and says.mode == "own":
        tree: Node = leaf
    elif branch.exclude:
        tree = Any(())
    else:
        tree = All((leaf,))
    return _criterion(text, branch, span, context, tree)


def _leaves(text: str, branch: _Branch, context: str) -> Iterator[Criterion]:
    for start, end in pieces(text, branch.item.start, branch.end, bool(branch.exclude)):
        yield _criterion(text, branch, Span(start, end - start), context, _leaf(start, end))


def _criterion(text: str, branch: _Branch, span: Span, context: str, tree: Node) -> Criterion:
    label = branch.label if branch.label and branch.label.lower() not in ("other", "general", "其他") else ""
    return Criterion(
        text=text[span.offset : span.end],
        span=span,
        exclude=bool(branch.exclude),
        tree=tree,
        understanding=Understanding.TEXT,
        section=branch.section,
        context=_joined(label, context),
    )


def _leaf(start: int, end: int) -> Leaf:
    return Leaf(LeafKind.TEXT, Span(start, end - start))


def _normal(words: str) -> str:
    return re.sub(r"\s+", " ", words).strip()


def _joined(*parts: str) -> str:
    return " ".join(p if p.endswith((":", "：")) else f"{p}:" for p in parts if p)


def spans(criteria: Iterable[Criterion]) -> list[Span]:
    """The places of criteria that come from the text."""
    return [c.span for c in criteria if c.span.length]
