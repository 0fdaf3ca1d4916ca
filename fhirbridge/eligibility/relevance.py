"""How much a trial is about what a patient has: diseases named in its conditions, title and keywords, and its words.

Postings are made when studies are compiled: for every disease key and word, the trials that hold it with a weight
(BM25 form, fields weighted). A patient is a small weighted set of such terms.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhirbridge.eligibility import cancer_facts
from fhirbridge.eligibility.chart import Chart
from fhirbridge.eligibility.compiled import CompiledStudies, Relevance
from fhirbridge.eligibility.questions_of import Subject
from fhirbridge.records import ItemKind, Trial

__all__ = ["Postings", "Query", "query_of", "relevance_of"]

Query = dict[str, float]
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


class Postings:
    """Collects the terms of trials; `made` gives the arrays."""

    def __init__(self, words: Any) -> None:
        self._words = words
        self._studies: list[dict[str, float]] = []

    def add(self, trial: Trial, subject: Subject) -> None:
        """Take in one trial."""
        self._studies.append(self._terms(trial, subject))

    def replace(self, number: int, trial: Trial, subject: Subject) -> None:
        """Take in a later record of a trial already there."""
        self._studies[number] = self._terms(trial, subject)

    def _terms(self, trial: Trial, subject: Subject) -> dict[str, float]:
        terms: dict[str, float] = defaultdict(float)
        for key in subject.keys:
            terms[f"k:{key}"] += 3.0
        for key in subject.above - subject.keys:
            terms[f"k:{key}"] += 0.6
        fields = (
            (" ".join(trial.conditions), 3.0),
            (trial.title, 3.0),
            (trial.official_title, 1.0),
            (" ".join(trial.keywords), 1.5),
            (trial.summary[:1200], 0.7),
            (trial.eligibility_text[:2500], 0.5),
        )
        for text, weight in fields:
            for word in words_of(text):
                terms[f"w:{word}"] += weight
        return {term: tf * 2.2 / (tf + 1.2 * 2.0) for term, tf in terms.items()}

    def made(self) -> Relevance:
        """The postings, weights multiplied by inverse document frequency; terms of one trial only are dropped."""
        where: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for number, terms in enumerate(self._studies):
            for term, weight in terms.items():
                where[term].append((number, weight))
        total = max(1, len(self._studies))
        kept = sorted(term for term, found in where.items() if term.startswith("k:") or len(found) < 0.3 * total + 3)
        starts = np.zeros(len(kept) + 1, dtype=np.int32)
        np.cumsum([len(where[t]) for t in kept], out=starts[1:])
        studies = np.array([n for t in kept for n, _ in where[t]], dtype=np.int32)
        weights = np.array(
            [
                w * math.log(1 + (total - len(where[t]) + 0.5) / (len(where[t]) + 0.5))
                for t in kept
                for _, w in where[t]
            ],
            dtype=np.float32,
        )
        self._studies = []
        return Relevance({t: i for i, t in enumerate(kept)}, starts, studies, weights)


def query_of(chart: Chart) -> Query:
    """A patient's terms: active problems first, cancers above comorbidities, symptoms and the told story below."""
    terms: dict[str, float] = defaultdict(float)
    own = {id(i) for i in cancer_facts.primaries(chart) if i.status == "present"}
    problems = [i for i in chart.kind(ItemKind.CONDITION) if i.status in ("present", "possible", "past")]
    for place, item in enumerate(problems):
        weight = 3.0 if id(item) in own else 1.0 / (1 + 0.15 * place)
        weight *= {"present": 1.0, "possible": 0.6, "past": 0.3}[item.status]
        for key in item.keys:
            if "|" not in key:
                terms[f"k:{key}"] = max(terms[f"k:{key}"], weight)
        for word in words_of(item.concept.name):
            terms[f"w:{word}"] = max(terms[f"w:{word}"], 0.7 * weight)
    for gene, found in cancer_facts.findings(chart).items():
        if any(f.status == "present" for f in found):
            terms[f"w:{gene.casefold()}"] = max(terms[f"w:{gene.casefold()}"], 2.0)
    for item in chart.kind(ItemKind.DOCUMENT):
        for word, count in Counter(words_of(item.text)).items():
            terms[f"w:{word}"] = max(terms[f"w:{word}"], 0.25 * min(count, 3) ** 0.5)
    return dict(terms)


def relevance_of(compiled: CompiledStudies, query: Query) -> NDArray[np.float64]:
    """The raw relevance of every study to a query."""
    table = compiled.relevance
    total = np.zeros(len(compiled.studies))
    for term in sorted(query):
        place = table.terms.get(term)
        if place is not None:
            start, end = int(table.starts[place]), int(table.starts[place + 1])
            total[table.studies[start:end]] += query[term] * table.weights[start:end]
    return total
