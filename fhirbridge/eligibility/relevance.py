"""How much a trial is about what a patient has: diseases and words of its conditions, title and inclusion criteria.

Postings are made when studies are compiled, one table a feature: for every word or disease key the trials that hold it
with a weight. A patient is a few weighted sets of such terms. The features and their weights were fitted by logistic
regression on TREC 2021 and SIGIR 2016 judgements (see docs/matching.md); no term is fitted.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhirbridge.eligibility import cancer_facts, rarity
from fhirbridge.eligibility.chart import Chart
from fhirbridge.eligibility.compiled import CompiledStudies, Relevance
from fhirbridge.eligibility.questions_of import Subject
from fhirbridge.languages import detect, fold
from fhirbridge.records import Criterion, Item, ItemKind, Trial

__all__ = ["Postings", "Query", "query_of", "relevance_of", "words_of"]

Floats = NDArray[np.float64]
_WORD = re.compile(r"[a-z][a-z0-9\-]{2,}|[㐀-鿿]")
_STOP = frozenset(
    [
        "the",
        "and",
        "for",
        "with",
        "from",
        "who",
        "that",
        "this",
        "have",
        "has",
        "had",
        "not",
        "are",
        "was",
        "were",
        "will",
        "been",
        "being",
        "than",
        "other",
        "any",
        "all",
        "may",
        "must",
        "can",
        "patient",
        "patients",
        "study",
        "subject",
        "subjects",
        "participants",
        "participant",
        "clinical",
        "trial",
        "treatment",
        "inclusion",
        "exclusion",
        "criteria",
        "years",
        "year",
        "old",
        "age",
        "aged",
        "male",
        "female",
        "men",
        "women",
        "history",
        "informed",
        "consent",
        "able",
        "willing",
        "written",
        "prior",
        "within",
        "during",
        "before",
        "after",
        "least",
        "more",
        "less",
        "disease",
        "diseases",
        "therapy",
        "using",
        "used",
        "use",
        "which",
        "their",
        "they",
        "them",
        "his",
        "her",
        "she",
        "him",
        "one",
        "two",
        "three",
        "days",
        "weeks",
        "months",
        "day",
        "week",
        "month",
        "due",
        "non",
        "evaluation",
        "efficacy",
        "safety",
        "effect",
        "effects",
        "versus",
        "compared",
        "comparison",
        "randomized",
        "controlled",
        "phase",
        "placebo",
    ]
)


def words_of(text: str) -> list[str]:
    """The words of a text, Chinese as pairs of characters."""
    found: list[str] = []
    last = ""
    for word in _WORD.findall(text.casefold()):
        if len(word) == 1:
            if last:
                found.append(last + word)
            last = word
            continue
        last = ""
        if word not in _STOP:
            found.append(_stem(word))
    return found


@lru_cache(maxsize=200_000)
def _stem(word: str) -> str:
    for tail, put in (("ies", "y"), ("sses", "ss"), ("es", "e"), ("s", "")):
        if word.endswith(tail) and len(word) - len(tail) >= 3 and not word.endswith(("ss", "us", "is")):
            return word[: -len(tail)] + put
    return word


@dataclass(frozen=True, slots=True)
class _About:
    """The terms of one trial."""

    conditions: list[str]
    title: list[str]
    inclusion: frozenset[str]
    keys: frozenset[str]  # diseases it is about
    asked: frozenset[str]  # diseases its inclusion criteria name
    exclusion: frozenset[str]  # words that only its exclusion criteria hold
    length: int  # words of its inclusion criteria


class Postings:
    """Collects the terms of trials; `made` gives the tables."""

    def __init__(self, words: Any) -> None:
        self._words = words
        self._studies: list[_About] = []

    def add(self, trial: Trial, criteria: tuple[Criterion, ...], subject: Subject) -> None:
        """Take in one trial."""
        self._studies.append(self._about(trial, criteria, subject))

    def replace(self, number: int, trial: Trial, criteria: tuple[Criterion, ...], subject: Subject) -> None:
        """Take in a later record of a trial already there."""
        self._studies[number] = self._about(trial, criteria, subject)

    def _about(self, trial: Trial, criteria: tuple[Criterion, ...], subject: Subject) -> _About:
        included = "\n".join(c.text for c in criteria if not c.exclude and c.source != "structured")
        included = included or trial.eligibility_text
        excluded = "\n".join(c.text for c in criteria if c.exclude and c.source != "structured")
        told = words_of(included)
        asked: set[str] = set()
        if self._words is not None:
            hits = self._words.scan(included[:3000], detect(included))
            asked = {fold(h.entry.key) for h in hits if h.entry.kind == "condition"}
        return _About(
            words_of(" ".join(trial.conditions)),
            words_of(f"{trial.title} {trial.official_title}"),
            frozenset(told),
            subject.keys,
            frozenset(asked),
            frozenset(words_of(excluded)) - {*told, *words_of(" ".join((*trial.conditions, trial.title)))},
            len(told),
        )

    def made(self) -> Relevance:
        """The tables."""
        tables: dict[str, dict[str, list[tuple[int, float]]]] = {name: defaultdict(list) for name in _FEATURES}
        for number, s in enumerate(self._studies):
            _share(tables["inclusion words"], number, {w: rarity.word(w) for w in s.inclusion})
            _share(tables["subject words"], number, {w: rarity.word(w) for w in {*s.conditions, *s.title}})
            _share(tables["subject keys"], number, {k: rarity.disease(k) for k in s.keys})
            tables["length"][_ALWAYS].append((number, math.log1p(s.length)))
            for word in sorted(s.exclusion):
                tables["exclusion words"][word].append((number, rarity.word(word)))
            for key in sorted(s.asked):
                tables["inclusion keys"][key].append((number, rarity.disease(key)))
            for name in ("conditions", "title"):
                own = getattr(s, name)
                for word, tf in Counter(own).items():
                    saturated = tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * len(own) / rarity.MEAN_WORDS[name]))
                    tables[name][word].append((number, rarity.word(word) * saturated))
        self._studies = []
        return Relevance({name: _packed(rows) for name, rows in tables.items()})


def _share(table: dict[str, list[tuple[int, float]]], number: int, weights: dict[str, float]) -> None:
    """Each term with its share of the whole weight, so that a patient who has all of them scores 1."""
    whole = sum(weights.values())
    for term in sorted(weights):
        table[term].append((number, weights[term] / whole))


def _packed(rows: dict[str, list[tuple[int, float]]]) -> tuple[dict[str, int], Any, Any, Any]:
    terms = sorted(rows)
    starts = np.zeros(len(terms) + 1, dtype=np.int32)
    np.cumsum([len(rows[t]) for t in terms], out=starts[1:])
    studies = np.fromiter((n for t in terms for n, _ in rows[t]), dtype=np.int32, count=int(starts[-1]))
    weights = np.fromiter((w for t in terms for _, w in rows[t]), dtype=np.float32, count=int(starts[-1]))
    return {t: i for i, t in enumerate(terms)}, starts, studies, weights


@dataclass(frozen=True, slots=True)
class Query:
    """What a patient brings: all words with weight, words of problems with weight, disease keys."""

    words: dict[str, float]
    problems: dict[str, float]
    keys: dict[str, float]


# Feature: which part of the query it takes, whether log(1+x) is taken, its weight in the sum.
_FEATURES: dict[str, tuple[str, bool, float]] = {
    "inclusion words": ("present", False, 4.0),
    "subject words": ("present", False, 1.0),
    "subject keys": ("keys", False, 0.8),
    "inclusion keys": ("keys", True, 0.45),
    "title": ("problems", True, 0.25),
    "conditions": ("words", True, 0.25),
    "exclusion words": ("present", False, -0.06),
    "length": ("always", False, -0.4),
}
_OFFSET = -1.4
_ALWAYS = "*"


def query_of(chart: Chart) -> Query:
    """A patient's terms, from the problems on record and the words of a told story."""
    words: Counter[str] = Counter()
    problems: Counter[str] = Counter()
    keys: dict[str, float] = {}
    denied: set[str] = set()
    for item in chart.items:
        if item.status == "absent":
            denied |= item.own
            continue
        if item.kind is ItemKind.DOCUMENT:
            words.update(words_of(item.text))
            problems.update(words_of(item.answer))
            keys.update(dict.fromkeys(sorted(item.own), 1.0))
        elif item.kind in _TELLING and not chart.patient.narrative:
            words.update(words_of(item.concept.name))
            words.update(_wider(item))
        if item.kind is ItemKind.CONDITION:
            if not chart.patient.narrative:
                problems.update(words_of(item.concept.name))
            keys.update(dict.fromkeys(sorted(k for k in item.own if "|" not in k), 1.0))
    for gene, found in cancer_facts.findings(chart).items():
        if any(f.status == "present" for f in found):
            words[gene.casefold()] += 1
    for item in cancer_facts.primaries(chart):
        if item.status == "present":
            keys.update(dict.fromkeys(sorted(k for k in item.keys if "|" not in k), 1.0))
    return Query(
        {w: min(n, 3) ** 0.5 for w, n in words.items()},
        {w: min(n, 4) ** 0.5 for w, n in problems.items()},
        {k: v for k, v in keys.items() if k not in denied},
    )


_TELLING = frozenset((ItemKind.CONDITION, ItemKind.PROCEDURE, ItemKind.MEDICATION, ItemKind.OBSERVATION))


def _wider(item: Item) -> list[str]:
    """The words of what an item is a kind of ("lung cancer" for an adenocarcinoma), where a disease is meant."""
    if item.kind is not ItemKind.CONDITION:
        return []
    return [word for key in sorted(item.keys) if "|" not in key for word in words_of(key)]


def relevance_of(compiled: CompiledStudies, query: Query) -> Floats:
    """The relevance of every study to a query, 0 to 1 before eligibility is weighed, as log-odds."""
    total = np.full(len(compiled.studies), _OFFSET)
    for name, (part, logged, weight) in _FEATURES.items():
        terms = _terms(query, part)
        value = _sum(compiled, name, terms)
        total += weight * (np.log1p(value) if logged else value)
    return total


def _terms(query: Query, part: str) -> dict[str, float]:
    if part == "always":
        return {_ALWAYS: 1.0}
    if part == "present":
        return dict.fromkeys(query.words, 1.0)
    found: dict[str, float] = getattr(query, part)
    return found


def _sum(compiled: CompiledStudies, name: str, query: dict[str, float]) -> Floats:
    terms, starts, studies, weights = compiled.relevance.tables[name]
    places = sorted((terms[t], v) for t, v in query.items() if t in terms)
    if not places:
        return np.zeros(len(compiled.studies))
    spans = [(int(starts[p]), int(starts[p + 1]), v) for p, v in places]
    where = np.concatenate([studies[a:b] for a, b, _ in spans])
    values = np.concatenate([weights[a:b] * np.float32(v) for a, b, v in spans])
    found: Floats = np.bincount(where, weights=values, minlength=len(compiled.studies)).astype(np.float64)
    return found
