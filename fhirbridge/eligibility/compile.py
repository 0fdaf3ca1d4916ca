"""Trials and their criteria -> CompiledStudies: each question and each tree node once, criteria as columns."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fhirbridge import __version__
from fhirbridge.eligibility import compiled, relevance
from fhirbridge.eligibility.compiled import CompiledStudies, CriterionText, Layer, Study, Texts
from fhirbridge.eligibility.joining import joined
from fhirbridge.eligibility.judge import AskAll, AskAny, AskAtLeast, Asked, AskIf, AskNot
from fhirbridge.eligibility.questions import Question
from fhirbridge.eligibility.questions_of import Subject, Words, asked, subject_of
from fhirbridge.records import All, Criterion, Leaf, LeafKind, LeftOut, Trial, Truth, Understanding
from fhirbridge.records import Any as AnyOf

__all__ = ["CompiledStudies", "Known", "compile", "load"]

_VALUE = {Truth.NOT_MET: 0, Truth.UNKNOWN: 1, Truth.MET: 2}


def load(sources: Any) -> CompiledStudies | None:
    """The compiled studies of a file that `save` wrote; None when `sources` is anything else."""
    if isinstance(sources, (list, tuple)) and len(sources) == 1:
        sources = sources[0]
    if isinstance(sources, (str, Path)) and compiled.is_compiled(Path(sources)):
        return compiled.read(Path(sources))
    return None


def compile(
    pairs: Iterable[tuple[Trial, tuple[Criterion, ...]] | LeftOut], words: Words | None = None
) -> CompiledStudies:
    """The studies in the order given; a registry id that comes twice keeps its last record."""
    maker = _Maker(words)
    for pair in pairs:
        if isinstance(pair, LeftOut):
            maker.left_out.append(pair)
        else:
            maker.add(*pair)
    return maker.made()


class Known:
    """Studies compiled before: the trials that are the same now are passed over, and taken from there in the end."""

    def __init__(self, before: CompiledStudies) -> None:
        self.before = before
        self._records = {study.id: study.record for study in before.studies}
        self._seen: dict[str, bool] = {}  # id -> whether its last record is the one compiled before

    def changed(self, trials: Iterable[Trial | LeftOut]) -> Iterator[Trial | LeftOut]:
        """The trials that have to be compiled; what was left out goes through."""
        for trial in trials:
            if isinstance(trial, Trial):
                same = self._records.get(trial.id) == record_of(trial) and trial.id not in self._seen
                self._seen[trial.id] = same
                if same:
                    continue
            yield trial

    def with_fresh(self, fresh: CompiledStudies) -> CompiledStudies:
        """Those that are the same, and those compiled now."""
        kept = self.before.only(id for id, same in self._seen.items() if same)
        kept.left_out = tuple(gap for gap in self.before.left_out if self._seen.get(gap.source))
        return joined(kept, fresh) if len(fresh) or fresh.left_out else kept


class _Maker:
    def __init__(self, words: Words | None) -> None:
        self.words = words
        self.left_out: list[LeftOut] = []
        self.studies: list[Study] = []
        self.seen: dict[str, int] = {}
        self.texts: list[list[CriterionText]] = []
        self.roots: list[list[int]] = []
        self.molecular: list[list[bool]] = []
        self.personal: list[list[bool]] = []
        self.questions: dict[Question, int] = {}
        self.nodes: dict[tuple[Any, ...], int] = {}
        self.postings = relevance.Postings(words)

    def add(self, trial: Trial, criteria: tuple[Criterion, ...]) -> None:
        """Take in one trial."""
        subject = subject_of(trial, self.words, criteria)
        roots, texts, molecular, personal = [], [], [], []
        for criterion in criteria:
            administrative = _administrative(criterion)
            tree = asked(criterion, subject, self.words)
            if administrative:
                tree = Question(LeafKind.ADMINISTRATIVE, required=not criterion.exclude)
            roots.append(self._node(tree))
            texts.append(_shown(criterion, administrative))
            molecular.append(criterion.exclude and _molecular(tree))
            personal.append(criterion.source == "structured" and _personal(tree))
        if not criteria:
            self.left_out.append(LeftOut(trial.id, "no eligibility criteria; nothing to judge"))
        study = _study(trial, criteria)
        number = self.seen.setdefault(trial.id, len(self.studies))
        if number < len(self.studies):
            self.left_out.append(LeftOut(trial.id, "the study comes twice; the last record was used"))
            self.studies[number], self.roots[number], self.texts[number] = study, roots, texts
            self.molecular[number], self.personal[number] = molecular, personal
            self.postings.replace(number, trial, criteria, subject)
            return
        self.studies.append(study)
        self.roots.append(roots)
        self.molecular.append(molecular)
        self.personal.append(personal)
        self.texts.append(texts)
        self.postings.add(trial, criteria, subject)

    def _node(self, tree: Asked) -> int:
        if isinstance(tree, (AskAll, AskAny, AskAtLeast)) and not tree.parts:
            tree = Question(LeafKind.TEXT)  # nothing understood is nothing known
        match tree:
            case Question():
                key: tuple[Any, ...] = ("q", self.questions.setdefault(tree, len(self.questions)))
            case AskNot(part):
                key = ("not", self._node(part))
            case AskAll(parts):
                key = ("all", *sorted({self._node(p) for p in parts}))
            case AskAny(parts):
                key = ("any", *sorted({self._node(p) for p in parts}))
            case AskAtLeast(count, parts):
                key = ("atleast", count, *(self._node(p) for p in parts))
            case AskIf(condition, then, otherwise):
                key = ("if", _VALUE[otherwise], self._node(condition), self._node(then))
        return self.nodes.setdefault(key, len(self.nodes))

    def made(self) -> CompiledStudies:
        """Everything as arrays."""
        first = np.zeros(len(self.studies) + 1, dtype=np.int32)
        np.cumsum([len(r) for r in self.roots], out=first[1:])
        texts = [t for own in self.texts for t in own]
        arrays = {
            "first": first,
            "node": np.array([n for own in self.roots for n in own], dtype=np.int32),
            "exclude": np.array([t.exclude for t in texts], dtype=np.int32),
            "administrative": np.array([t.administrative for t in texts], dtype=np.int32),
            "group": _groups(self.texts),
            "personal": np.array([m for own in self.personal for m in own], dtype=np.int32),
            "molecular": np.array([m for own in self.molecular for m in own], dtype=np.int32),
            "question_node": _question_nodes(self.nodes, len(self.questions)),
            "node_count": np.array([len(self.nodes)], dtype=np.int32),
        }
        layers = _layers(self.nodes)
        questions = list(self.questions)
        return CompiledStudies(
            self.studies, Texts.of(texts), questions, arrays, layers, self.postings.made(), tuple(self.left_out)
        )


def _personal(tree: Asked) -> bool:
    """Whether a tree asks for age and sex alone."""
    match tree:
        case Question():
            return tree.kind in (LeafKind.AGE, LeafKind.SEX)
        case AskNot(part):
            return _personal(part)
        case AskIf(condition, then):
            return _personal(condition) and _personal(then)
        case _:
            return all(_personal(p) for p in tree.parts)


def _molecular(tree: Asked) -> bool:
    """Whether a tree asks for a marker without saying "known": then silence leaves a pair open."""
    match tree:
        case Question():
            return tree.kind is LeafKind.BIOMARKER and not tree.known
        case AskNot(part):
            return _molecular(part)
        case AskIf(_, then, _):
            return _molecular(then)
        case _:
            return any(_molecular(p) for p in tree.parts)


_SET = re.compile(r"(?<=frozenset\(\{)[^{}]*(?=\}\))")


def _in_order(members: re.Match[str]) -> str:
    """The members of a set as printed, sorted: their own order differs from process to process."""
    return ", ".join(sorted(members[0].split(", ")))


def _study(trial: Trial, criteria: tuple[Criterion, ...]) -> Study:
    title = trial.title or trial.official_title or trial.id
    told = _SET.sub(_in_order, repr((trial, criteria))).encode()
    return Study(
        trial.id,
        title,
        trial.conditions,
        trial.phase,
        trial.status,
        trial.sites,
        trial.contacts,
        trial.url,
        hashlib.sha256(told).hexdigest()[:12],
        record_of(trial),
    )


def record_of(trial: Trial) -> str:
    """What changes when a record changes, or the version that understands it."""
    return hashlib.sha256(repr((__version__, trial)).encode()).hexdigest()[:12]


_VISIT = re.compile(
    r"contracepti|birth control|sperm donation|abstinen|避孕|"
    r"(?:provide|provision|submit|availability|available).{0,70}(?:tissue|specimen|samples?\b|slides?\b|\bblood\b|ffpe|block)|"
    r"提供.{0,25}(?:组织|标本|样本|血样)",
    re.IGNORECASE | re.DOTALL,
)
_HEADING = re.compile(
    r"(?:following|below|criteria|conditions|以下|下列|条件|标准)[^:：]{0,40}[:：]\s*$", re.IGNORECASE
)
_VALUES = re.compile(r"[<>≤≥=]\s*\d|\bTPS\b|mutation|突变", re.IGNORECASE)


def _administrative(criterion: Criterion) -> bool:
    """Whether a criterion is settled at the visit: consent, contraception, supply of tissue, an opinion."""
    if criterion.understanding is Understanding.ADMINISTRATIVE:
        return True
    if getattr(criterion.tree, "kind", None) is LeafKind.ADMINISTRATIVE:
        return True
    if isinstance(criterion.tree, (All, AnyOf)) and not criterion.tree.children:
        return True  # a line that only announces
    if isinstance(criterion.tree, Leaf) and criterion.tree.kind is LeafKind.TEXT and _HEADING.search(criterion.text):
        return True
    if criterion.exclude:
        return False
    found = _VISIT.search(criterion.text)
    return bool(found) and (
        bool(re.search("contracepti|birth control|避孕", criterion.text, re.I)) or not _VALUES.search(criterion.text)
    )


def _shown(criterion: Criterion, administrative: bool) -> CriterionText:
    group = criterion.group
    return CriterionText(criterion.text, criterion.exclude, administrative, criterion.source == "structured", group)


def _groups(texts: list[list[CriterionText]]) -> np.ndarray[Any, np.dtype[np.int32]]:
    """A number for each group of alternatives within a study, -1 for criteria that stand alone."""
    numbers: dict[tuple[int, str, bool], int] = {}
    found = [
        numbers.setdefault((study, t.group, t.exclude), len(numbers)) if t.group else -1
        for study, own in enumerate(texts)
        for t in own
    ]
    return np.array(found, dtype=np.int32)


def _question_nodes(nodes: dict[tuple[Any, ...], int], count: int) -> np.ndarray[Any, np.dtype[np.int32]]:
    places = np.full(count, -1, dtype=np.int32)
    for key, number in nodes.items():
        if key[0] == "q":
            places[key[1]] = number
    return places


def _layers(nodes: dict[tuple[Any, ...], int]) -> list[Layer]:
    """The inner nodes by depth and operator, so that each layer is one array operation."""
    depth = np.zeros(len(nodes), dtype=np.int32)
    layers: dict[tuple[int, str], list[tuple[int, int, tuple[int, ...]]]] = {}
    for key, number in nodes.items():  # children are numbered before their parents
        op = key[0]
        if op == "q":
            continue
        count, parts = (key[1], key[2:]) if op in ("atleast", "if") else (0, key[1:])
        depth[number] = 1 + max(depth[p] for p in parts)
        layers.setdefault((int(depth[number]), op), []).append((number, count, parts))
    return [_layer(op, rows) for (_, op), rows in sorted(layers.items())]


def _layer(op: str, rows: list[tuple[int, int, tuple[int, ...]]]) -> Layer:
    starts = np.zeros(len(rows), dtype=np.int32)
    np.cumsum([len(parts) for _, _, parts in rows[:-1]], out=starts[1:])
    return Layer(
        op,
        np.array([number for number, _, _ in rows], dtype=np.int32),
        np.array([p for _, _, parts in rows for p in parts], dtype=np.int32),
        starts,
        np.array([count for _, count, _ in rows], dtype=np.int32),
    )


__all__ += ["Subject"]
