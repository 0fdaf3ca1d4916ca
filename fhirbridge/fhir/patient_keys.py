"""What a coded or worded concept is, and everything it is a kind of, as keys that criteria can be compared with.

A key is a folded name ("non small cell lung cancer") or a code ("icd10|C34.1", "sct|254626006"). ICD-10 and ATC codes
bring the codes above them; the lexicon brings the diseases and medicine classes above a concept.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from functools import lru_cache
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from fhirbridge.languages import detect, fold
from fhirbridge.records import Coding, Concept

__all__ = ["Keys", "Words", "code_keys", "concept_of"]

_SYSTEMS = (
    ("icd10", ("icd-10", "icd10", "2.16.840.1.113883.6.3", "2.16.840.1.113883.6.90")),
    ("sct", ("snomed",)),
    ("loinc", ("loinc",)),
    ("rxnorm", ("rxnorm",)),
    ("atc", ("whocc.no/atc", "atc")),
    ("hgnc", ("genenames", "hgnc")),
)
_TAG = re.compile(
    r"\s*\((?:disorder|finding|procedure|situation|observable entity|substance|product|qualifier value|"
    r"morphologic abnormality|body structure|event|regime/therapy|medicinal product|clinical drug)\)$"
)
_HEADS = re.compile(r"^\W*(?:personal |past |known )?history of |^(?:既往|病史)[:：]?")


class Words(Hashable, Protocol):
    """What is asked of the lexicon."""

    def scan(self, text: str, language: str) -> Iterable[Any]:
        """The known names in a text."""

    def by_code(self, system: str, code: str) -> Any:
        """The entry of a code, or None."""

    def above(self, what: Any) -> Iterable[str]:
        """The keys of everything that an entry or concept is a kind of."""


class Keys:
    """Makes keys with one lexicon; equal concepts are looked up once a process."""

    def __init__(self, lexicon: Words) -> None:
        self._lexicon = lexicon

    def of(self, concept: Concept) -> frozenset[str]:
        """Every key of a concept: its names, its codes, and those of all it is a kind of."""
        return _keys(self._lexicon, concept)

    def own(self, concept: Concept) -> frozenset[str]:
        """The keys of a concept itself: its name, its codes, and the names found in it."""
        return _own(self._lexicon, concept)

    def diseases_in(self, text: str) -> tuple[frozenset[str], str]:
        """The keys of the diseases that a document names, and the words that name them."""
        hits = [h for h in self._lexicon.scan(text, detect(text)) if h.entry.kind == "condition"]
        words = " ".join(text[h.span.offset : h.span.offset + h.span.length] for h in hits)
        return frozenset(fold(h.entry.key) for h in hits), words

    def in_text(self, text: str) -> frozenset[str]:
        """Every key of the names found in a text."""
        return _text_keys(self._lexicon, text)


def concept_of(value: Any) -> Concept:
    """A Concept of a FHIR CodeableConcept, an R5 CodeableReference, a Coding or a string."""
    if isinstance(value, str):
        return Concept(value)
    if not isinstance(value, dict):
        return Concept("")
    if isinstance(value.get("concept"), dict):
        value = value["concept"]
    raw = value.get("coding") if "coding" in value else [value] if value.get("code") else []
    codings = tuple(
        Coding(str(c.get("system") or ""), str(c["code"]), str(c.get("display") or ""))
        for c in raw or []
        if isinstance(c, dict) and isinstance(c.get("code"), (str, int))
    )
    name = str(value.get("text") or value.get("display") or "") or next((c.display for c in codings if c.display), "")
    return Concept(name or next((c.code for c in codings), ""), codings)


@lru_cache(maxsize=200_000)
def code_keys(system: str, code: str) -> tuple[str, ...]:
    """A code as keys, with the codes above it where the code itself shows them (ICD-10, ATC)."""
    short = next((name for name, marks in _SYSTEMS if any(m in system.casefold() for m in marks)), "")
    if short == "icd10":
        plain = code.upper().replace(".", "")
        return tuple(f"icd10|{_dotted(plain[:n])}" for n in range(len(plain), 2, -1))
    if short == "atc":
        return tuple(f"atc|{code[:n]}" for n in (7, 5, 4, 3, 1) if n <= len(code))
    return (f"{short or system}|{code}",)


def _dotted(code: str) -> str:
    return code if len(code) <= 3 else f"{code[:3]}.{code[3:]}"


@lru_cache(maxsize=200_000)
def _keys(lexicon: Words, concept: Concept) -> frozenset[str]:
    found = set(_text_keys(lexicon, concept.name))
    for coding in concept.codings:
        found.update(code_keys(coding.system, coding.code))
        entry = lexicon.by_code(coding.system, coding.code)
        if entry is not None:
            found.update(_entry_keys(lexicon, entry))
        found.update(fold(key) for key in lexicon.above(Concept(coding.display or coding.code, (coding,))))
        if entry is None and coding.display:
            found.update(_text_keys(lexicon, _TAG.sub("", coding.display)))
    return frozenset(found)


@lru_cache(maxsize=200_000)
def _own(lexicon: Words, concept: Concept) -> frozenset[str]:
    found = {fold(_HEADS.sub("", _TAG.sub("", concept.name.casefold())))}
    found.update(fold(hit.entry.key) for hit in lexicon.scan(concept.name, detect(concept.name)))
    for coding in concept.codings:
        found.update(code_keys(coding.system, coding.code)[:1])
        entry = lexicon.by_code(coding.system, coding.code)
        if entry is not None:
            found.add(fold(entry.key))
    return frozenset(found)


@lru_cache(maxsize=200_000)
def _text_keys(lexicon: Words, text: str) -> frozenset[str]:
    if not text:
        return frozenset()
    plain = _HEADS.sub("", _TAG.sub("", text.casefold()))
    found = {fold(plain)}
    for hit in lexicon.scan(text, detect(text)):
        found.update(_entry_keys(lexicon, hit.entry))
    return frozenset(found)


_ENTRIES: WeakKeyDictionary[Words, dict[str, frozenset[str]]] = WeakKeyDictionary()


def _entry_keys(lexicon: Words, entry: Any) -> frozenset[str]:
    known = _ENTRIES.setdefault(lexicon, {})
    if entry.key not in known:
        known[entry.key] = _all_names(lexicon, entry)
    return known[entry.key]


def _all_names(lexicon: Words, entry: Any) -> frozenset[str]:
    found = {fold(entry.key), fold(entry.concept.name), *(fold(name) for name in entry.names.values())}
    found.update(k for c in entry.concept.codings for k in code_keys(c.system, c.code))
    found.update(fold(key) for key in lexicon.above(entry))
    return frozenset(found - {""})
