"""What a trial is about: the diseases and genes its record names, and the keys of any concept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Protocol

from fhirbridge.eligibility.cancer_facts import GENES
from fhirbridge.languages import detect, fold
from fhirbridge.records import All, AtLeast, Concept, Criterion, If, Leaf, LeafKind, Node, Trial
from fhirbridge.records import Any as AnyOf

__all__ = ["MALIGNANT", "Subject", "Words", "keys_of", "subject_of"]


MALIGNANT = frozenset(
    {"cancer", "malignant neoplasm", "malignancy", "neoplasm", "malignant tumor", "tumor", "恶性肿瘤"}
)


_NEGATIVE = re.compile(r"negative|wild|absent|阴性|野生", re.IGNORECASE)


class Words(Protocol):
    """What is asked of the lexicon."""

    def find(self, name: str, language: str | None = None) -> Any:
        """The entry with exactly this name."""

    def by_code(self, system: str, code: str) -> Any:
        """The entry of a code."""

    def scan(self, text: str, language: str) -> Any:
        """The names in a text."""

    def above(self, what: Any) -> Any:
        """The keys of all that an entry is a kind of."""


@dataclass(frozen=True)
class Subject:
    """What a trial is about: keys of the diseases it names, and those of all they are kinds of."""

    keys: frozenset[str]
    above: frozenset[str]
    genes: frozenset[str] = frozenset()
    sex: str = ""

    @property
    def cancer(self) -> bool:
        """Whether it is about cancer."""
        return bool(MALIGNANT & (self.keys | self.above))


def subject_of(trial: Trial, words: Words | None, criteria: tuple[Criterion, ...] = ()) -> Subject:
    """The diseases that a trial's conditions and title name."""
    keys: set[str] = set()
    above: set[str] = set()
    for text in (*trial.conditions, trial.title):
        if words is None:
            keys.add(fold(text))
            continue
        for hit in words.scan(text, detect(text)):
            if hit.entry.kind in ("condition", "symptom", "finding"):
                keys.add(fold(hit.entry.key))
                above.update(fold(k) for k in words.above(hit.entry))
    genes = {g for g, mark in GENES.items() if mark.search(" ".join((*trial.conditions, *trial.keywords, trial.title)))}
    return Subject(frozenset(keys), frozenset(above), frozenset(genes | _genes_asked(criteria)), trial.sex)


def _genes_asked(criteria: tuple[Criterion, ...]) -> set[str]:
    """The genes that inclusion criteria ask to be altered."""
    found: set[str] = set()
    for criterion in criteria:
        if not criterion.exclude:
            for leaf in _asserted(criterion.tree):
                if leaf.kind is LeafKind.BIOMARKER and not any(_NEGATIVE.search(v) for v in leaf.values):
                    found |= {g for c in leaf.concepts for g, mark in GENES.items() if mark.search(c.name)}
    return found


def _asserted(node: Node) -> list[Leaf]:
    match node:
        case Leaf():
            return [node]
        case All(children) | AnyOf(children) | AtLeast(_, children):
            return [leaf for child in children for leaf in _asserted(child)]
        case If(_, then):
            return _asserted(then)
        case _:
            return []


def keys_of(concept: Concept, words: Words | None) -> tuple[str, ...]:
    """The keys that an item must have one of to be this concept or a kind of it."""
    found: list[str] = []
    entry = words.find(concept.name) if words is not None and concept.name else None
    if entry is None and words is not None:
        entry = next((e for c in concept.codings if (e := words.by_code(c.system, c.code)) is not None), None)
    if entry is not None:
        found.append(fold(entry.key))
    elif concept.name:
        found.append(fold(concept.name))
        for coding in concept.codings:
            found.append(f"{_short(coding.system)}|{coding.code}")
    return tuple(dict.fromkeys(k for k in found if k))


def _short(system: str) -> str:
    for name, mark in (
        ("icd10", "icd-10"),
        ("sct", "snomed"),
        ("loinc", "loinc"),
        ("rxnorm", "rxnorm"),
        ("atc", "atc"),
    ):
        if mark in system:
            return name
    return system
