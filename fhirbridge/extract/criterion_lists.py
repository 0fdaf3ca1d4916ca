"""Lists: "a history of stroke, unstable angina or myocardial infarction within 6 months" as one tree.

The text is cut at its connectives; what is said once for several items (negation, head, window, value, variant) is
handed to each; then the items are joined by the connectives, "and" before "or".
"""

# ruff: noqa: E501 - word lists and patterns are easier to review unbroken
from __future__ import annotations

from collections.abc import Callable

from fhirbridge.extract import criterion_leaves
from fhirbridge.extract.criterion_items import read
from fhirbridge.extract.criterion_nodes import EVENTS, all_of, any_of, text_leaf
from fhirbridge.extract.criterion_parts import Part, is_stage, merged_modifiers, parts_of
from fhirbridge.extract.criterion_pieces import Piece
from fhirbridge.extract.criterion_records import MEASURES, Item, State
from fhirbridge.extract.criterion_sharing import part_families, share
from fhirbridge.records import All, Any, Leaf, LeafKind, Node, Not

__all__ = ["parse"]


_BARE = frozenset(
    {
        "term",
        "word",
        "stage",
        "group",
        "anatomy",
        "organism",
        "ignored",
        "qualifier",
        "class",
        "mark",
        "variant",
        "allergen",
        "social",
    }
)


GroupReader = Callable[[Node, Piece, Item], Node]


def parse(pieces: list[Piece], exclude: bool, with_group: GroupReader) -> Node | None:
    """The tree of a stretch without exceptions or conditions, None when it says nothing."""
    parts = merged_modifiers(parts_of(pieces))
    if not parts:
        return None
    items = _read(parts, exclude)
    joints = _joints([p.joint for p in parts], exclude)
    share(items, joints)
    if not exclude:
        part_families(parts, items, joints)
        if all(_is_washout(item) for item in items):
            joints = ["and"] * len(joints)  # "4 weeks since chemotherapy or radiotherapy": since either of them
    _join_limits(items, joints, [p.joint for p in parts], exclude)
    noun = _shared_noun(items, joints, [p.joint for p in parts])
    nodes: list[Node | None] = []
    for item in items:
        made = criterion_leaves.node(item, exclude)
        for group in item.groups:
            made = with_group(made, group, item) if made is not None else _group_alone(group, item, with_group)
        nodes.append(made)
    joined = _join(items, nodes, joints, exclude)
    if noun is None or joined is None:
        return joined
    return all_of([joined, *[n for n in [criterion_leaves.node(noun, exclude)] if n is not None]])


def _join_limits(items: list[Item], joints: list[str], written: list[str], exclude: bool) -> None:
    """ "ALT/AST ≤ 2.5 x ULN": a slash between measures below one limit asks for both."""
    for i in range(1, len(items)):
        before, here = items[i - 1].anchors[-1:], items[i].anchors[:1]
        if written[i] != "slash" or exclude or not before or not here:
            continue
        amount = here[0].amount
        if before[0].kind in MEASURES and before[0].amount is amount and amount is not None and amount.low is None:
            joints[i] = "and"


def _is_washout(item: Item) -> bool:
    window = item.windows[-1] if item.windows else None
    since = window is not None and window.at_least is not None and window.direction == "since"
    return since and not item.negated and item.head != "stopped"  # "completed a taxane or a platinum 3 months ago"


def _shared_noun(items: list[Item], joints: list[str], written: list[str]) -> Item | None:
    """The disease that several markers describe ("HER2-negative, ER- and/or PR-positive breast cancer"), taken out."""
    if len(items) < 2 or not all(
        i.anchors and all(a.kind is LeafKind.BIOMARKER for a in i.anchors) for i in items[:-1]
    ):
        return None
    last = items[-1]
    nouns = [a for a in last.anchors if a.kind in (LeafKind.DIAGNOSIS, LeafKind.STAGE)]
    if not nouns or last.anchors[0].kind is not LeafKind.BIOMARKER or last.tail is not None:
        return None
    for i in range(1, len(items)):
        before, here = items[i - 1].anchors[-1].values[:1], items[i].anchors[0].values[:1]
        if written[i] in ("comma", "slash") and before != here:
            joints[i] = "and all"
    last.anchors = [a for a in last.anchors if a not in nouns]
    return Item(nouns[0].start, nouns[-1].end, nouns)


def _group_alone(group: Piece, item: Item, with_group: GroupReader) -> Node | None:
    return with_group(text_leaf(item.start, item.start), group, item)


def _read(parts: list[Part], exclude: bool) -> list[Item]:
    items: list[Item] = []
    state = State()
    for part in parts:
        before = state if items and not part.fresh and _continues(part, items[-1]) else State()
        if before.head in ("risk", "family") and is_stage(part):
            before = State(negated=before.negated)
        item = read(part.pieces, before, exclude)
        previous_kinds = {a.kind for a in items[-1].anchors} if items else set()
        if not _carries_negation(part, item, before, previous_kinds):
            item.negated = item.own_negation and item.negated
            item.state.negated = item.negated
        items.append(item)
        state = item.state
    return items


def _continues(part: Part, previous: Item) -> bool:
    """Whether the head of the item before goes on: "treatment with A, B or C"."""
    if part.joint in ("but", "semicolon") or (previous.tail is not None and part.joint == "and"):
        return False
    first = next((p.kind for p in part.pieces if p.kind not in ("ignored", "mark", "group")), "ignored")
    return first in _BARE or first in (
        "treat",
        "history",
        "current",
        "both",
        "planned",
        "women",
        "men",
        "count",
        "window",
        "amount",
        "allergy",
        "required",
        "admin",
        "weak_admin",
        "positive",
        "negative",
        "failed",
    )


def _carries_negation(part: Part, item: Item, before: State, previous_kinds: set[LeafKind]) -> bool:
    if not before.negated or item.own_negation:
        return item.own_negation
    kinds = {a.kind for a in item.anchors}
    if {LeafKind.DIAGNOSIS, LeafKind.STAGE} <= kinds and previous_kinds and LeafKind.DIAGNOSIS not in previous_kinds:
        return False  # "not fit for radiotherapy, or metastatic lung cancer"
    if part.joint == "and":
        return not any(a.kind in MEASURES and a.amount for a in item.anchors) and not item.age
    return True


def _joints(joints: list[str], exclude: bool) -> list[str]:
    """Each comma as the connective that ends its list; without one, "or" among exclusions and "and" among inclusions."""
    plain = "or" if exclude else "and"
    resolved = list(joints)
    following = ""
    for i in range(len(joints) - 1, 0, -1):
        if joints[i] == "slash":
            resolved[i] = "or"
        elif joints[i] in ("or", "and"):
            following = joints[i]
        elif joints[i] == "comma":
            resolved[i] = following or plain
        elif joints[i] == "semicolon":
            resolved[i] = plain
            following = ""
        elif joints[i] == "but":
            resolved[i] = "and"
            following = ""
    return resolved


def _join(items: list[Item], nodes: list[Node | None], joints: list[str], exclude: bool) -> Node | None:
    """Items joined: runs of carried negation as Not(any of them); "and" binds before "or"."""
    kept = [(item, made, joint) for item, made, joint in zip(items, nodes, joints, strict=True) if made is not None]
    if not kept:
        return None
    runs: list[list[tuple[Item, Node, str]]] = []
    for item, made, joint in kept:
        carried = runs and item.negated and not item.own_negation and runs[-1][-1][0].negated
        if carried:
            runs[-1].append((item, made, joint))
        else:
            runs.append([(item, made, joint)])
    groups: list[Node] = []
    alternatives: list[list[Node]] = []
    previous: Node | None = None
    for run in runs:
        made = run[0][1] if len(run) == 1 else _none_of([n for _, n, _ in run])
        joint = run[0][2]
        if (
            previous is not None
            and joint == "and"
            and exclude
            and (_lists_kinds(previous, made) or _parts_sexes(previous, made))
        ):
            joint = "or"
        if alternatives and joint == "and all":
            groups.append(any_of([all_of(group) for group in alternatives]))
            alternatives = [[made]]
        elif alternatives and joint == "and":
            alternatives[-1].append(made)
        else:
            alternatives.append([made])
        previous = made
    return all_of([*groups, any_of([all_of(group) for group in alternatives])])


def _none_of(nodes: list[Node]) -> Node:
    inner: list[Node] = []
    beside: list[Node] = []
    for n in nodes:
        if isinstance(n, All) and isinstance(n.children[0], Not):  # beside what nobody understood
            inner.append(n.children[0].child)
            beside += n.children[1:]
        else:
            inner.append(n.child if isinstance(n, Not) else n)
    return all_of([Not(any_of(inner)), *beside])


def _lists_kinds(a: Node, b: Node) -> bool:
    """Among exclusions "pregnant and lactating women" lists two exclusions; "HBsAg positive and DNA > 1000" is one."""
    first, second = _kinds(a), _kinds(b)
    if not first or not second:
        return False
    plain = EVENTS | {LeafKind.PREGNANCY, LeafKind.LACTATION, LeafKind.ALLERGY, LeafKind.ADMINISTRATIVE, LeafKind.TEXT}
    if first | second <= plain:
        return True
    return first == second and first <= MEASURES and _raised(a) and _raised(b)


def _parts_sexes(a: Node, b: Node) -> bool:
    return {_sexes(a), _sexes(b)} == {"male", "female"}


def _sexes(node: Node) -> str:
    """The one sex a node asks for: "> 120 for men and > 105 for women" are two exclusions."""
    if isinstance(node, Leaf):
        return node.values[0] if node.kind is LeafKind.SEX and len(node.values) == 1 else ""
    if isinstance(node, All):
        return next((s for c in node.children if (s := _sexes(c))), "")
    return ""


def _kinds(node: Node) -> set[LeafKind]:
    if isinstance(node, Leaf):
        return {node.kind}
    if isinstance(node, (All, Any)):
        return set().union(*(_kinds(c) for c in node.children))
    return set()


def _raised(node: Node) -> bool:
    return (isinstance(node, Leaf) and node.low is not None and node.high is None) or (
        isinstance(node, Any) and all(_raised(c) for c in node.children)
    )
