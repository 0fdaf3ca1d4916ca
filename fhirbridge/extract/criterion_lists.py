"""Lists: "a history of stroke, unstable angina or myocardial infarction within 6 months" as one tree.

The text is cut at its connectives; what is said once for several items (negation, head, window, value, variant) is
handed to each; then the items are joined by the connectives, "and" before "or".
"""

# ruff: noqa: E501 - word lists and patterns are easier to review unbroken
from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from fhirbridge.extract import criterion_leaves as leaves
from fhirbridge.extract.criterion_items import MEASURES, Anchor, Item, State, read
from fhirbridge.extract.criterion_pieces import Piece
from fhirbridge.records import All, Any, Concept, Leaf, LeafKind, Node, Not

__all__ = ["parse"]

_CONNECTIVES = frozenset({"or", "and", "comma", "nor", "slash", "semicolon"})
_EVENTS = frozenset(
    {LeafKind.DIAGNOSIS, LeafKind.SYMPTOM, LeafKind.PROCEDURE, LeafKind.THERAPY, LeafKind.MEDICATION, LeafKind.INFECTION,
     LeafKind.TRIAL_PARTICIPATION, LeafKind.LINE, LeafKind.ALCOHOL, LeafKind.SMOKING, LeafKind.METASTASIS}
)  # fmt: skip
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
_MODIFIERS = frozenset({"qualifier", "ignored", "history", "current", "both", "mark", "suspected", "group"})

GroupReader = Callable[[Node, Piece, Item], Node]


@dataclass(slots=True)
class _Part:
    """A stretch between connectives and the connective before it."""

    joint: str
    pieces: list[Piece] = field(default_factory=list)


def parse(pieces: list[Piece], exclude: bool, with_group: GroupReader) -> Node | None:
    """The tree of a stretch without exceptions or conditions, None when it says nothing."""
    parts = _merge_modifiers(_parts(pieces))
    if not parts:
        return None
    items = _read(parts, exclude)
    joints = _joints([p.joint for p in parts], exclude)
    _share(items, joints)
    if not exclude:
        _part_families(parts, items, joints)
    noun = _shared_noun(items, joints, [p.joint for p in parts])
    nodes: list[Node | None] = []
    for item in items:
        made = leaves.node(item, exclude)
        for group in item.groups:
            made = with_group(made, group, item) if made is not None else _group_alone(group, item, with_group)
        nodes.append(made)
    joined = _join(items, nodes, joints, exclude)
    if noun is None or joined is None:
        return joined
    return leaves.all_of([joined, *[n for n in [leaves.node(noun, exclude)] if n is not None]])


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
    return with_group(leaves.text_leaf(item.start, item.start), group, item)


def _parts(pieces: list[Piece]) -> list[_Part]:
    parts = [_Part("")]
    pieces = _neighbouring_stages(pieces)
    for i, piece in enumerate(pieces):
        if piece.kind == "slash" and not _parts_terms(pieces, i):
            continue
        if piece.kind in _CONNECTIVES:
            if parts[-1].pieces:
                parts.append(_Part(_joint(piece)))
            elif len(parts) > 1 or piece.kind in ("or", "and", "nor"):
                parts[-1].joint = _stronger(parts[-1].joint, _joint(piece))
        else:
            parts[-1].pieces.append(piece)
    return [p for p in parts if p.pieces]


def _neighbouring_stages(pieces: list[Piece]) -> list[Piece]:
    """ "advanced/metastatic" and "stage III or stage IV" as one stage of several names."""
    made: list[Piece] = []
    for piece in pieces:
        before = made[-2] if len(made) > 1 and made[-1].kind in ("slash", "or", "and", "comma") else None
        if piece.kind == "stage" and before is not None and before.kind == "stage":
            names = tuple(dict.fromkeys([*_values(before), *_values(piece)]))
            alternatives = (
                made[-1].kind in ("slash", "or") or set(names) <= _EXTENTS or all(n[:1] in "IV" for n in names)
            )
            if alternatives:
                made[-2:] = [Piece(before.start, piece.end, "stage", names, before.text)]
                continue
        made.append(piece)
    return made


def _joint(piece: Piece) -> str:
    if piece.kind == "and" and piece.text == "but":
        return "but"
    return "or" if piece.kind == "nor" else piece.kind


def _stronger(a: str, b: str) -> str:
    """Of ", or" the "or"."""
    order = ("", "comma", "semicolon", "slash", "and", "but", "or")
    return max(a, b, key=order.index)


def _parts_terms(pieces: list[Piece], i: int) -> bool:
    left = pieces[i - 1].kind if i else ""
    right = pieces[i + 1].kind if i + 1 < len(pieces) else ""
    return left in ("term", "variant", "stage", "qualifier") and right in (
        "term",
        "variant",
        "stage",
        "qualifier",
        "group",
    )


def _merge_modifiers(parts: list[_Part]) -> list[_Part]:
    """ "mild, moderate or severe asthma": the modifiers before the last go to it; stages before it likewise."""
    merged: list[_Part] = []
    waiting: list[_Part] = []
    for part in parts:
        if _only_modifies(part):
            waiting.append(part)
            continue
        if waiting and part.joint in ("or", "and", "comma", "slash") and _takes_modifiers(part, waiting):
            before = [p for w in waiting for p in w.pieces]
            part = _Part(waiting[0].joint, [*_one_stage(before, part.pieces)])
            waiting = []
        merged += _stages_together(waiting)
        waiting = []
        merged.append(part)
    if waiting and merged and all(_is_stage(w) for w in waiting):
        last = merged[-1]
        if waiting[0].joint in ("or", "slash") and last.pieces[-1].kind == "stage":
            last.pieces = _one_stage(last.pieces, [p for w in waiting for p in w.pieces])
            return merged
    return merged + _stages_together(waiting)


def _only_modifies(part: _Part) -> bool:
    kinds = {p.kind for p in part.pieces}
    return (kinds <= _MODIFIERS and "qualifier" in kinds) or (kinds <= _MODIFIERS | {"stage"} and "stage" in kinds)


def _is_stage(part: _Part) -> bool:
    return any(p.kind == "stage" for p in part.pieces)


_EXTENTS = frozenset({"locally advanced", "advanced", "metastatic", "recurrent", "early", "relapsed/refractory"})


def _takes_modifiers(part: _Part, waiting: list[_Part]) -> bool:
    """Whether the part goes on with what waits: "unresectable and histologically confirmed" does not."""
    first = next((p.kind for p in part.pieces if p.kind not in ("ignored", "mark")), "")
    if first not in ("qualifier", "stage", "term"):
        return False
    stages = [v for w in waiting for p in w.pieces if p.kind == "stage" for v in _values(p)]
    return part.joint != "and" or not stages or set(stages) <= _EXTENTS or all(v[:1] in "IV" for v in stages)


def _values(piece: Piece) -> tuple[str, ...]:
    return piece.value if isinstance(piece.value, tuple) else (str(piece.value),)


def _stages_together(waiting: list[_Part]) -> list[_Part]:
    """Stages in an "or" listing of their own as one part."""
    if len(waiting) < 2 or not all(_is_stage(w) for w in waiting) or any(w.joint == "and" for w in waiting[1:]):
        return waiting
    pieces = waiting[0].pieces
    for part in waiting[1:]:
        pieces = _one_stage(pieces, part.pieces)
    return [_Part(waiting[0].joint, pieces)]


def _one_stage(before: list[Piece], after: list[Piece]) -> list[Piece]:
    """Both stretches, the last stage of the first and the first of the second as one piece with all names."""
    left = [p for p in before if p.kind == "stage"]
    right = next((p for p in after if p.kind == "stage"), None)
    if not left or right is None:
        return [*before, *after]
    names = tuple(dict.fromkeys(v for p in [*left, right] for v in _values(p)))
    one = Piece(left[0].start, right.end, "stage", names, left[0].text)
    kept = [p for p in before if p.kind != "stage"]
    return [*kept, *[one if p is right else p for p in after]]


def _read(parts: list[_Part], exclude: bool) -> list[Item]:
    items: list[Item] = []
    state = State()
    for part in parts:
        before = state if items and _continues(part, items[-1]) else State()
        if before.head in ("risk", "family") and _is_stage(part):
            before = State(negated=before.negated)
        item = read(part.pieces, before, exclude)
        previous_kinds = {a.kind for a in items[-1].anchors} if items else set()
        if not _carries_negation(part, item, before, previous_kinds):
            item.negated = item.own_negation and item.negated
            item.state.negated = item.negated
        items.append(item)
        state = item.state
    return items


def _continues(part: _Part, previous: Item) -> bool:
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


def _carries_negation(part: _Part, item: Item, before: State, previous_kinds: set[LeafKind]) -> bool:
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


def _part_families(parts: list[_Part], items: list[Item], joints: list[str]) -> None:
    """ "Age ≥ 18, ECOG 0-1 or KPS ≥ 70": a comma between different questions is no part of the "or" that follows."""
    for i in range(1, len(items)):
        if parts[i].joint == "comma" and joints[i] == "or":
            before, here = _family(items[i - 1]), _family(items[i])
            if before and here and before != here:
                joints[i] = "and all"


def _family(item: Item) -> str:
    if item.age and item.amounts:
        return "age"
    kinds = {a.kind for a in item.anchors}
    if not kinds:
        return "admin" if item.admin else ""
    if kinds <= _EVENTS:
        return "event"
    return "/".join(sorted(k.value for k in kinds - {LeafKind.STAGE}))


def _share(items: list[Item], joints: list[str]) -> None:
    _share_allergy(items)
    _share_function(items)
    _share_amounts(items)
    _share_variants(items)
    _share_windows(items)
    del joints


def _share_allergy(items: list[Item]) -> None:
    """ "对青霉素、头孢或其辅料过敏": what stands before the last allergen is allergen too."""
    for i in range(len(items) - 2, -1, -1):
        if (
            items[i + 1].allergy_last
            and not items[i].own_head
            and (items[i].anchors or items[i].allergen or items[i].unknown)
        ):
            items[i].head, items[i].allergy_last = "allergy", True
            for anchor in items[i].anchors:
                anchor.head = "allergy"


_ORGANS = {"bone marrow": "bone marrow", "marrow": "bone marrow", "hematologic": "bone marrow", "hematological": "bone marrow",
           "hepatic": "hepatic", "liver": "hepatic", "renal": "renal", "kidney": "renal", "cardiac": "cardiac", "heart": "cardiac",
           "pulmonary": "pulmonary", "lung": "pulmonary", "coagulation": "coagulation", "cardiovascular": "cardiac",
           "心": "cardiac", "肝": "hepatic", "肾": "renal", "肺": "pulmonary", "心脏": "cardiac", "肝脏": "hepatic", "肾脏": "renal",
           "骨髓": "bone marrow", "凝血": "coagulation"}  # fmt: skip
_FAILING = (
    "异常",
    "不全",
    "损害",
    "障碍",
    "衰竭",
    "减退",
    "dysfunction",
    "impairment",
    "failure",
    "insufficiency",
    "abnormal",
)


def _share_function(items: list[Item]) -> None:
    """ "肝功能或肾功能异常": the adjective of the last function is that of the ones before."""
    for i in range(len(items) - 2, -1, -1):
        following = [a for a in items[i + 1].anchors if a.kind is LeafKind.ORGAN_FUNCTION]
        words = " ".join(p.text for p in items[i].unknown)
        if following and not items[i].anchors and words in _ORGANS:
            name = f"{_ORGANS[words].capitalize()} function"
            qualifiers = items[i].qualifiers or list(following[-1].qualifiers)
            made = Anchor(
                LeafKind.ORGAN_FUNCTION,
                (Concept(name),),
                [_ORGANS[words]],
                items[i].start,
                items[i].end,
                "",
                set(qualifiers),
            )
            items[i].anchors, items[i].unknown = [made], []
        mine = [a for a in items[i].anchors if a.kind is LeafKind.ORGAN_FUNCTION]
        theirs = [a for a in items[i + 1].anchors if a.kind in (LeafKind.ORGAN_FUNCTION, LeafKind.DIAGNOSIS)]
        if mine and theirs and not _says_how(items[i]):
            spoken = {q for q in theirs[0].qualifiers if ":" in q}
            if not spoken and theirs[0].text.endswith(_FAILING):
                spoken = {f"inadequate:{theirs[0].text}"}
            mine[-1].qualifiers |= spoken


def _share_amounts(items: list[Item]) -> None:
    """ "AST and ALT ≤ 2.5 x ULN" and "creatinine ≤ 1.5 mg/dL or ≤ 133 µmol/L"."""
    for i in range(len(items) - 2, -1, -1):
        waiting = [
            a for a in items[i].anchors if a.kind in MEASURES and a.amount is None and a.bounds is None and not a.values
        ]
        source = next((a for a in items[i + 1].anchors if a.kind in MEASURES), None)
        if waiting and source is not None and not _says_how(items[i]):
            for anchor in waiting:
                if anchor.kind is source.kind:
                    anchor.amount, anchor.bounds = source.amount, source.bounds
                    anchor.qualifiers |= {q for q in source.qualifiers if ":" in q}
    for before, item in itertools.pairwise(items):
        measures = [a for a in before.anchors if a.kind in MEASURES and (a.amount is not None or a.bounds is not None)]
        if item.amounts and measures and not any(a.kind in MEASURES for a in item.anchors) and not item.age:
            model = measures[-1]
            amount = item.amounts.pop(0)
            copied = Anchor(model.kind, model.concepts, [], amount.start, amount.end, amount=amount, text=model.text)
            item.anchors.insert(0, copied)
        if item.age is False and before.age and item.amounts:
            item.age = True


def _says_how(item: Item) -> bool:
    return any(":" in q for q in item.qualifiers)


def _share_variants(items: list[Item]) -> None:
    genes = [a for item in items for a in item.anchors if a.kind is LeafKind.BIOMARKER]
    for item, before in zip(items[1:], items, strict=False):
        own = [a for a in item.anchors if a.kind is LeafKind.BIOMARKER]
        earlier = [a for a in before.anchors if a.kind is LeafKind.BIOMARKER]
        if item.values and not own and earlier and not item.anchors:
            earlier[-1].values += item.values
            item.anchors = []
            item.values = []
            before.end = item.end
    for item, following_item in itertools.pairwise(items):
        _name_class(item, following_item)
    anchors = [a for item in items for a in item.anchors]
    for gene, following in itertools.pairwise(anchors):
        ending = following.text.rstrip(".").rpartition(" ")[2] if following.kind is LeafKind.MEDICATION else ""
        if (
            gene.kind is LeafKind.BIOMARKER
            and not gene.values
            and ending.startswith(("inhibitor", "antibod", "antagonist", "tki", "agonist"))
        ):
            gene.kind, gene.concepts = LeafKind.MEDICATION, (Concept(f"{gene.concepts[0].name} {ending}"),)
    genes = [g for g in genes if g.kind is LeafKind.BIOMARKER]
    infections = [a for item in items for a in item.anchors if a.kind is LeafKind.INFECTION]
    for before_one, after_one in reversed(list(itertools.pairwise(infections))):
        known = [v for v in after_one.values if v in ("positive", "negative")]
        if known and not {"positive", "negative"} & set(before_one.values):
            before_one.values.append(known[-1])
    for i in range(len(genes) - 2, -1, -1):
        if not genes[i].values:
            genes[i].values = list(genes[i + 1].values)
    for i in range(1, len(genes)):
        if not genes[i].values:
            genes[i].values = list(genes[i - 1].values)
            genes[i].qualifiers |= genes[i - 1].qualifiers & {"known"}


def _name_class(item: Item, following: Item) -> None:
    """ "PD-1 or PD-L1 inhibitors": the word before "or" is a target of the same class of medicines."""
    words = [p for p in item.unknown if p.kind == "word"]
    source = following.anchors[0] if following.anchors else None
    if item.anchors or len(words) != 1 or source is None or source.kind is not LeafKind.MEDICATION or not source.text:
        return
    ending = source.text.rstrip(".").rpartition(" ")[2]
    if ending.startswith(("inhibitor", "antibod", "antagonist", "tki", "agonist")):
        word = words[0]
        concept = Concept(f"{word.text.upper()} {ending}")
        item.anchors = [
            Anchor(LeafKind.MEDICATION, (concept,), [], word.start, word.end, item.head, set(item.qualifiers))
        ]
        item.unknown = [p for p in item.unknown if p is not word]


def _share_windows(items: list[Item]) -> None:
    if len(items) < 2:
        return
    last = items[-1]
    if last.windows and not last.window_first and all(a.kind in _EVENTS for a in last.anchors) and last.anchors:
        for item in items[:-1]:
            if not item.windows and item.anchors and item.tail is None and all(a.kind in _EVENTS for a in item.anchors):
                item.windows = list(last.windows)
    for before, item in itertools.pairwise(items):
        empty = not before.anchors and not before.unknown and not before.admin
        events = bool(item.anchors) and all(a.kind in _EVENTS for a in item.anchors)
        if before.windows and before.window_first and not item.windows and (empty or events):
            item.windows, item.window_first = list(before.windows), True


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
            groups.append(leaves.any_of([leaves.all_of(group) for group in alternatives]))
            alternatives = [[made]]
        elif alternatives and joint == "and":
            alternatives[-1].append(made)
        else:
            alternatives.append([made])
        previous = made
    return leaves.all_of([*groups, leaves.any_of([leaves.all_of(group) for group in alternatives])])


def _none_of(nodes: list[Node]) -> Node:
    inner = [n.child if isinstance(n, Not) else n for n in nodes]
    return Not(leaves.any_of(inner))


def _lists_kinds(a: Node, b: Node) -> bool:
    """Among exclusions "pregnant and lactating women" lists two exclusions; "HBsAg positive and DNA > 1000" is one."""
    first, second = _kinds(a), _kinds(b)
    if not first or not second:
        return False
    plain = _EVENTS | {LeafKind.PREGNANCY, LeafKind.LACTATION, LeafKind.ALLERGY, LeafKind.ADMINISTRATIVE, LeafKind.TEXT}
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
