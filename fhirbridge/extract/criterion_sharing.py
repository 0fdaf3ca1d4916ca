"""What is said once for several items of a list (head, window, value, variant, function), handed to each of them."""

# ruff: noqa: E501 - word lists and patterns are easier to review unbroken
from __future__ import annotations

import itertools

from fhirbridge.extract.criterion_nodes import EVENTS
from fhirbridge.extract.criterion_parts import Part
from fhirbridge.extract.criterion_records import MEASURES, Anchor, Item
from fhirbridge.records import Concept, LeafKind

__all__ = ["part_families", "share"]


_CONDITIONS = frozenset({LeafKind.DIAGNOSIS, LeafKind.SYMPTOM, LeafKind.INFECTION})


def part_families(parts: list[Part], items: list[Item], joints: list[str]) -> None:
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
    if kinds <= EVENTS:
        return "event"
    return "/".join(sorted(k.value for k in kinds - {LeafKind.STAGE}))


def share(items: list[Item], joints: list[str]) -> None:
    """Each thing said once for several items, handed to each."""
    _share_allergy(items)
    _share_function(items)
    _share_amounts(items)
    _share_variants(items)
    _share_windows(items)
    _share_tails(items)
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


def _share_tails(items: list[Item]) -> None:
    """ "Psychiatric or substance abuse disorder that would interfere": the clause at the end narrows all of them."""
    last = items[-1]
    if len(items) < 2 or last.tail is None or last.admin:
        return
    for item in items[:-1]:
        if item.tail is None and item.anchors and {a.kind for a in item.anchors} <= _CONDITIONS and not item.windows:
            item.tail = last.tail


def _share_windows(items: list[Item]) -> None:
    if len(items) < 2:
        return
    for before, item in itertools.pairwise(items):
        alone = item.windows and not (item.anchors or item.unknown or item.admin or item.amounts)
        if alone and not before.windows and before.anchors and all(a.kind in EVENTS for a in before.anchors):
            before.windows = list(item.windows)  # "one platinum line ... and a treatment-free interval of 30 days"
    asking = [item for item in items if item.anchors or item.unknown or item.admin]
    last = asking[-1] if asking else items[-1]
    if last.windows and not last.window_first and all(a.kind in EVENTS for a in last.anchors) and last.anchors:
        for item in asking[:-1]:
            if not item.windows and item.anchors and item.tail is None and all(a.kind in EVENTS for a in item.anchors):
                item.windows = list(last.windows)
    for before, item in itertools.pairwise(items):
        empty = not before.anchors and not before.unknown and not before.admin
        events = bool(item.anchors) and all(a.kind in EVENTS for a in item.anchors)
        if before.windows and before.window_first and not item.windows and (empty or events):
            item.windows, item.window_first = list(before.windows), True
