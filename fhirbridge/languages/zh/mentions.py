"""What a Chinese turn talks about: names of the lexicon, everyday sayings, and a feeling at a part of the body.

Chinese negates and asks inside the words ("骨头不疼", "腿肿不肿"), so a part of the body, what may stand between, and
a feeling are read as one mention that knows whether it was negated or asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from fhirbridge import languages
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

    def scan(self, text: str, language: str) -> Iterable[Hit]: ...
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
    certain: bool = True
    site: str = ""
    rank: int = 0  # how much its status counts beside others of the same thing


ADVERBS = (
    r"(?:有点儿?|有一?些|一点儿?|老是?|总是?|经常|时常|常常?|也|都|倒是?|还算?|就|是|特别|很|挺|蛮|比较|偶尔会?|一直|容易|阵阵"
    r"|隐隐|稍微|稍|轻微|明显|最近|现在|非常|十分|太|更|又|里头?|这儿|这边|那儿|这块儿?|那块儿?|上|部位?|两边|双侧|觉得|感觉|会|突然|时不时|反复|怎么)*"
)
NEGATION = r"(?P<no>不怎么|不太|没怎么|没有|没啥|没|未见?|不|无|否认)?"


@dataclass(frozen=True, slots=True)
class _Saying:
    kind: str
    name: str
    good: bool
    value: str
    clinician: bool
    pattern: re.Pattern[str]


@lru_cache(maxsize=1)
def _sayings() -> tuple[_Saying, ...]:
    found = []
    for row in languages.rows("zh", "sayings"):
        pattern = row["pattern"].replace("{A}", ADVERBS).replace("{N}", NEGATION)
        found.append(
            _Saying(row["kind"], row["name"], row["status"].strip() == "good", row["value"].strip(),
                    row["who"].strip() == "clinician", re.compile(pattern))
        )  # fmt: skip
    return tuple(found)


def _alternatives(words: Iterable[str]) -> str:
    return "|".join(re.escape(w) for w in sorted(set(words), key=lambda w: (-len(w), w)))


@lru_cache(maxsize=1)
def _felt() -> tuple[re.Pattern[str], dict[str, str], dict[str, tuple[str, str]], dict[tuple[str, str], str]]:
    sites: dict[str, str] = {}
    for row in languages.rows("zh", "sites"):
        for word in row["said"].split("|"):
            sites.setdefault(word, row["site"])
    feelings: dict[str, tuple[str, str]] = {}
    for row in languages.rows("zh", "feelings"):
        for word in row["said"].split("|"):
            feelings.setdefault(word, (row["feeling"], row["name"]))
    names = {(row["site"], row["feeling"]): row["name"] for row in languages.rows("zh", "combinations")}
    site, feeling = _alternatives(sites), _alternatives(feelings)
    pattern = re.compile(
        rf"(?P<side>左边?|右边?|双侧|两侧)?(?P<site>{site})(?:的)?{ADVERBS}{NEGATION}{ADVERBS}"
        rf"(?:(?P<feeling>{feeling})(?P<ask>(?:得|的)?不(?P=feeling)|不(?P<askee>[疼痛肿麻痒闷慌晕胀]))?)"
    )
    return pattern, sites, feelings, names


def find(text: str, turn: int, lexicon: Vocabulary, clinician: bool) -> list[Mention]:
    """The mentions of a cleaned turn in order, the longest where they overlap."""
    found = [*_named(text, turn, lexicon), *_said(text, turn, lexicon, clinician), *_feelings(text, turn, lexicon)]
    return _longest(found)


_SKIP = {"anatomy", "organism", "gene", "vital-sign", "analyte", "score", "biomarker", "social"}
_VAGUE = {"疼", "痛", "疼痛", "不适", "不舒服", "难受", "疾病", "症状", "病", "感染", "炎症", "发炎", "手术", "检查", "治疗", "正常", "紧张", "压力", "疲劳感"}  # fmt: skip


def _named(text: str, turn: int, lexicon: Vocabulary) -> Iterator[Mention]:
    for hit in lexicon.scan(text, "zh"):
        start, end = hit.span.offset, hit.span.end
        words = text[start:end]
        if hit.entry.kind in _SKIP or words in _VAGUE or (words.isascii() and not _latin_name(words, hit.entry.kind)):
            continue
        yield Mention(turn, start, end, hit.entry.kind, hit.entry.key, hit.entry.in_language("zh"), words)


def _latin_name(words: str, kind: str) -> bool:
    return len(words) > 2 or kind in ("medication", "procedure")


def _said(text: str, turn: int, lexicon: Vocabulary, clinician: bool) -> Iterator[Mention]:
    for saying in _sayings():
        if saying.clinician and not clinician:
            continue
        for match in saying.pattern.finditer(text):
            mention = named(saying.name, saying.kind, lexicon, turn, match.start(), match.end(), text)
            mention.good = saying.good
            groups = match.groupdict()
            mention.negated = bool(groups.get("no"))
            if saying.value:
                mention.value = match.expand(saying.value) if "\\" in saying.value else saying.value
            yield mention


def named(name: str, kind: str, lexicon: Vocabulary, turn: int, start: int, end: int, text: str) -> Mention:
    """A mention of a name at text[start:end], with the lexicon's codes where the lexicon knows the name."""
    entry = lexicon.find(name, "zh")
    if entry is None:
        return Mention(turn, start, end, kind, name, Concept(name), text[start:end])
    known = entry.in_language("zh")
    own = kind if kind in ("exam", "procedure", "medication", "allergy") else entry.kind
    return Mention(turn, start, end, own, entry.key, Concept(known.name, known.codings), text[start:end])


def _feelings(text: str, turn: int, lexicon: Vocabulary) -> Iterator[Mention]:
    pattern, sites, feelings, names = _felt()
    for match in pattern.finditer(text):
        site = sites[match["site"]]
        feeling, ending = feelings[match["feeling"]]
        name = names.get((site, feeling)) or (site + ending if ending and len(match["site"]) > 1 else "")
        if not name and ending and site in _CLEAR:
            name = site + ending
        if not name:
            continue
        mention = named(name, "symptom", lexicon, turn, match.start(), match.end(), text)
        mention.site = (match["side"] or "") + match["site"]
        if match["ask"]:
            mention.asked = True
        elif match["no"]:
            mention.negated = True
        yield mention


_CLEAR = {"腰", "背", "肩", "颈", "手", "足", "眼", "耳", "牙", "鼻", "舌", "下肢", "骨", "膝关节"}


def _longest(found: list[Mention]) -> list[Mention]:
    """Without those that overlap a longer one; of equal ones a lexicon name first."""
    kept: list[Mention] = []
    order = {id(m): i for i, m in enumerate(found)}
    for mention in sorted(found, key=lambda m: (-(m.end - m.start), order[id(m)])):
        if all(mention.end <= k.start or mention.start >= k.end for k in kept):
            kept.append(mention)
    return sorted(kept, key=lambda m: m.start)
