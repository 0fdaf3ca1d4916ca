"""A thing named in a Chinese turn, and what is asked of the lexicon."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from fhirbridge.records import Concept, Dosage, Quantity, Span, Status


class Named(Protocol):
    """A lexicon entry."""

    @property
    def key(self) -> str: ...
    @property
    def kind(self) -> str: ...
    def in_language(self, language: str, /) -> Concept: ...


class Hit(Protocol):
    """A name found in a text."""

    @property
    def span(self) -> Span: ...
    @property
    def entry(self) -> Named: ...


class Vocabulary(Protocol):
    """What is asked of the lexicon."""

    def scan(self, text: str, language: str, *, overlapping: bool = False) -> Iterable[Hit]: ...
    def find(self, name: str, language: str | None = None) -> Named | None: ...


@dataclass(slots=True, eq=False)
class Mention:
    """Something named at text[start:end] of a cleaned turn, and what has been learnt of it."""

    turn: int
    start: int
    end: int
    kind: str
    key: str
    concept: Concept
    text: str
    status: Status | None = None
    dropped: str = ""  # why it is no fact
    asked: bool = False  # part of a question that waits for its answer
    negated: bool = False
    good: bool = False  # said to be well: the finding is absent
    family: str = ""  # HL7 role code of the relative it is about
    value: Quantity | Concept | str | None = None
    components: tuple[tuple[Concept, Quantity], ...] = ()
    severity: str = ""
    onset_text: str = ""
    dosage: Dosage | None = None
    evidence: list[Span] = field(default_factory=list)
    reaction: list[Concept] = field(default_factory=list)
    certain: bool = True
    site: str = ""
    weak: bool = False  # a clinician's passing word that states nothing
    open: bool = False  # talked about and left open: asked, feared, explained
    stated: bool = False  # said with a verb of having: 有, 得了, 患
    formed: bool = False  # a medicine told by its form
    listed: bool = False  # denied by a word that opens a list ("没有", "无"), not by 不 before one verb
    before: bool = False  # asked of the past ("以前抽过没有")
    rank: int = 0  # how much its status counts beside others of the same thing


# Sayings that stay things of their own although the lexicon counts their names to a wider one.
_OWN = {
    "心肌缺血", "心律不齐", "心动过速", "心动过缓", "甲亢", "心脏扩大", "早搏", "良性头晕", "眩晕", "头晕", "黑矇", "意识丧失", "气喘", "咳黄痰", "咳白痰",
    "活动后气促", "胃病", "口苦", "反酸", "烧心", "嗳气", "心痛", "尿黄", "抓耳", "寒战", "畏寒", "怕热", "心悸", "胸闷", "下肢水肿", "心绞痛", "先天性心脏病",
    "腹痛", "胃痛", "上腹痛", "下腹痛", "右上腹痛", "右下腹痛", "颈肩痛", "精神萎靡", "食欲减退", "消化不良", "腹胀",
}  # fmt: skip


def named(name: str, kind: str, lexicon: Vocabulary, turn: int, start: int, end: int, text: str) -> Mention:
    """A mention of a name at text[start:end], with the lexicon's codes where the lexicon knows the name."""
    entry = lexicon.find(name, "zh")
    if entry is None:
        return Mention(turn, start, end, kind, name, Concept(name), text[start:end])
    known = entry.in_language("zh")
    if kind in ("procedure", "observation"):
        return Mention(
            turn, start, end, kind, name, Concept(name, known.codings if kind == "procedure" else ()), text[start:end]
        )
    if kind == "exam":  # a sign is not the disease whose synonym it may be
        return Mention(turn, start, end, kind, name, Concept(name), text[start:end])
    key = entry.key if known.name == name or name not in _OWN else name
    own = kind if kind in ("procedure", "medication", "allergy") or key == name else entry.kind
    return Mention(turn, start, end, own, key, Concept(name, known.codings), text[start:end])


def tells(habit: Mention, mention: Mention) -> bool:
    """Whether a habit says what a symptom says (stress); smoking or drinking says nothing of the symptom beside it."""
    return mention.kind in ("symptom", "condition") and habit.concept.name not in ("吸烟", "饮酒")


def is_inside(mention: Mention, others: Sequence[Mention]) -> bool:
    """Whether a mention lies within one of the others; a fever that was measured stays a fever."""
    for other in others:
        if mention.start < other.end and other.start < mention.end:
            if other.concept.name == "体温" and mention.kind == "symptom":
                continue
            if other.concept.name in ("心率", "脉搏") and mention.concept.name.startswith("心动过"):
                continue
            if mention.end - mention.start > other.end - other.start:
                continue
            return True
    return False
