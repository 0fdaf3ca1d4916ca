"""The words of medicine, English and Chinese: names found in text, each with its concept and codes.

Three layers. Everyday words and the concepts of daily practice (`data/concepts.tsv`, `languages/*/synonyms.tsv`) win
over the names of whole terminologies (ICD-10-CM, SNOMED GPS, HPO, SYMP, MeSH, drug names); tools/build_lexicon.py makes
`data/lexicon.gz` from both. A user's own terminologies come on top.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from fhirbridge import languages
from fhirbridge.records import Coding, Concept, Span
from fhirbridge.terminology import Terminology, _compiled, _folding, _hierarchy, _scanning, _tables

_SHORT = {"I": "icd10cm", "S": "snomed", "L": "loinc", "H": "hpo", "A": "atc"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One concept: `key` is its lower-case English name; `names` the preferred name in each language there is."""

    key: str
    concept: Concept
    kind: str
    names: dict[str, str] = field(hash=False, compare=False)

    def in_language(self, language: str) -> Concept:
        """The concept with its preferred name in `language` (in English where there is none)."""
        return Concept(self.names.get(language) or self.concept.name, self.concept.codings)


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry and where its words stand, in characters of the original text."""

    span: Span
    entry: Entry


class Lexicon:
    """The names of one or more terminologies; made by `load`, not changed afterwards."""

    def __init__(self) -> None:
        self._names = _scanning.Names()
        self._rows: list[Entry | str] = []  # a row becomes an Entry when it is first asked for
        self._keys: dict[str, int] = {}
        self._codes: dict[tuple[str, str], int] | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def scan(self, text: str, language: str = "en", *, overlapping: bool = False) -> tuple[Hit, ...]:
        """The names in `text`, from left to right; leftmost and longest ones, or all with `overlapping`.

        Latin names stand at word boundaries, Chinese ones anywhere. Both scripts are looked for in either language.
        """
        found = self._names.scan(text, overlapping=overlapping)
        return tuple(Hit(Span(start, end - start), self._entry(number)) for start, end, number in found)

    def find(self, name: str, language: str | None = None) -> Entry | None:
        """The entry with exactly this name or synonym (folded), None if there is none.

        Index forms are turned round ("Carcinoma, Non-Small-Cell Lung"), a bracket at the end is left out.
        """
        for form in _forms(name):
            number = self._names.find(form)
            if number is not None:
                return self._entry(number)
        return None

    def by_code(self, system: str, code: str) -> Entry | None:
        """The entry that carries this code; `system` is the FHIR URI or its short name ("icd10cm", "snomed")."""
        if self._codes is None:
            self._codes = self._index()
        number = self._codes.get((_tables.SYSTEMS.get(system, system), code))
        return None if number is None else self._entry(number)

    def is_a(self, what: Entry | Concept | str, ancestor: Entry | Concept | str) -> bool:
        """Whether `what` is `ancestor` or a kind of it: by key, by disease hierarchy, by class of medicine, by code."""
        return _hierarchy.is_a(self._ends(what), self._ends(ancestor))

    def above(self, what: Entry | Concept | str) -> frozenset[str]:
        """The keys of everything that `what` is a kind of: parents of its key, and groups that cover its codes."""
        return _hierarchy.above(self._ends(what))

    def _ends(self, what: Entry | Concept | str) -> tuple[str, Concept]:
        if isinstance(what, Entry):
            return what.key, what.concept
        concept = Concept(what) if isinstance(what, str) else what
        found = self.find(concept.name)
        for coding in concept.codings if found is None else ():
            found = found or self.by_code(coding.system, coding.code)
        if found is None:
            return concept.name.lower(), concept
        return found.key, Concept(concept.name, (*concept.codings, *found.concept.codings))

    def _index(self) -> dict[tuple[str, str], int]:
        codes: dict[tuple[str, str], int] = {}
        for number, row in enumerate(self._rows):
            if isinstance(row, Entry):
                pairs = [(c.system, c.code) for c in row.concept.codings]
            else:
                listed = row.split("\t")[4]
                pairs = [(_tables.SYSTEMS[_SHORT[p[0]]], p[2:]) for p in listed.split(";")] if listed else []
            for pair in pairs:
                codes.setdefault(pair, number)
        return codes

    def _entry(self, number: int) -> Entry:
        row = self._rows[number]
        if isinstance(row, str):
            row = self._rows[number] = _entry_of(row)
        return row

    def _add(self, key: str) -> int:
        number = self._keys.setdefault(key, len(self._rows))
        if number == len(self._rows):
            self._rows.append("")
        return number


def load(terminologies: Sequence[Terminology] = ()) -> Lexicon:
    """The lexicon of both languages (read once a process), with the user's `terminologies` merged in."""
    if not terminologies:
        return _shipped()
    shipped, merged = _shipped(), Lexicon()
    merged._names, merged._rows, merged._keys = shipped._names.copy(), list(shipped._rows), dict(shipped._keys)
    for terminology in terminologies:
        _merge(merged, terminology)
    return merged


@lru_cache(maxsize=1)
def _shipped() -> Lexicon:
    lexicon = Lexicon()
    made_from, rows, lexicon._names = _compiled.read()
    lexicon._rows = list(rows)
    if made_from != _compiled.fingerprint():
        lexicon._keys = {row.partition("\t")[0]: number for number, row in enumerate(rows)}
        add_concepts(lexicon)
    return lexicon


def add_concepts(lexicon: Lexicon) -> None:
    """Add the concepts of daily practice with the words of every language; they win over what is there."""
    words = {lang: {r["key"]: r for r in languages.rows(lang, "synonyms")} for lang in languages.names()}
    for row in _tables.rows("concepts.tsv"):
        key = row["key"]
        named = {lang: table[key]["name"] for lang, table in words.items() if key in table}
        codings = tuple(
            _tables.coding(system, code)
            for system in ("icd10cm", "snomed", "loinc", "atc")
            for code in (row.get(system) or "").split(";")
            if code
        )
        number = lexicon._add(key)
        lexicon._rows[number] = Entry(key, Concept(named.get("en", key), codings), row["kind"], named)
        for lang, table in words.items():
            for name in _spoken(table[key], lang) if key in table else ():
                lexicon._names.add(name, number)


def _spoken(row: dict[str, str], language: str) -> Iterable[str]:
    yield row["name"]
    for name in (row.get("synonyms") or "").split(";"):
        name = name.strip()
        if name:
            yield from inflected(name) if language == "en" and "*" in name else (name,)


_IRREGULAR = {
    "throw": "threw thrown", "feel": "felt", "have": "had having has", "get": "got gotten getting", "lose": "lost",
    "catch": "caught", "break": "broke broken", "take": "took taken", "go": "went gone goes", "sleep": "slept",
    "fall": "fell fallen", "bleed": "bled", "eat": "ate eaten", "run": "ran running", "see": "saw seen", "can": "could",
    "come": "came", "hurt": "hurting", "cut": "cutting", "put": "putting", "wake": "woke woken", "bring": "brought",
    "give": "gave given", "keep": "kept", "swell": "swollen", "sting": "stung", "stop": "stopped stopping",
    "drip": "dripped dripping", "spit": "spat spitting", "shit": "shitting", "quit": "quitting", "spin": "spinning",
    "hear": "heard", "make": "made", "be": "am is are was were been being", "drink": "drank drunk", "speak": "spoke",
    "think": "thought", "pee": "peed peeing", "wee": "weed weeing", "poo": "pooed pooing", "vomit": "vomited",
    "cough": "coughed coughing", "pass": "passed passing passes", "black": "blacked blacking", "snore": "snoring",
}  # fmt: skip


def inflected(name: str) -> tuple[str, ...]:
    """A name whose verb is marked ("throw* up") in each of its forms: throw, throws, throwing, threw, thrown."""
    verb = re.search(r"(\w+)\*", name)
    if verb is None:
        return (name,)
    stem = verb[1]
    base = stem[:-1] if stem.endswith("e") and not stem.endswith("ee") else stem
    forms = {stem, f"{stem}s", f"{base}ing", f"{base}ed", *_IRREGULAR.get(stem, "").split()}
    if stem.endswith(("sh", "ch", "ss", "x")):
        forms.add(f"{stem}es")
    if stem.endswith("y") and stem[-2:-1] not in "aeiou":
        forms |= {f"{stem[:-1]}ied", f"{stem[:-1]}ies"}
    return tuple(sorted(name[: verb.start()] + form + name[verb.end() :] for form in forms))


def _forms(name: str) -> Iterable[str]:
    """A name as it stands, without a bracket at its end, and turned round at its comma."""
    yield name
    bare = re.sub(r"\s*[（(][^()（）]*[)）]\s*$", "", name)
    if bare != name and bare:
        yield bare
    if bare.count(", ") == 1:
        yield " ".join(reversed(bare.split(", ")))


def row_of(entry: Entry) -> str:
    """An entry as one line of the compiled lexicon."""
    short = {_tables.SYSTEMS[name]: letter for letter, name in _SHORT.items()}
    codes = ";".join(f"{short[c.system]}:{c.code}" for c in entry.concept.codings)
    shown = "|".join(c.display for c in entry.concept.codings)
    return "\t".join([entry.key, entry.kind, entry.names.get("en", ""), entry.names.get("zh", ""), codes, shown])


def _entry_of(row: str) -> Entry:
    key, kind, english, chinese, codes, shown = row.split("\t")
    pairs = zip(codes.split(";"), shown.split("|"), strict=True) if codes else ()
    codings = tuple(Coding(_tables.SYSTEMS[_SHORT[code[0]]], code[2:], display) for code, display in pairs)
    names = {lang: name for lang, name in (("en", english), ("zh", chinese)) if name}
    return Entry(key, Concept(english or key, codings), kind, names)


def _merge(lexicon: Lexicon, terminology: Terminology) -> None:
    """A user's terminology on top: its codes join the concept of the same name, new names become new entries."""
    for record in terminology.records():
        coding = Coding(terminology.system, record.code, record.name)
        number = next((n for n in map(lexicon._names.find, (record.name, *record.synonyms)) if n is not None), None)
        if number is None:
            key = f"{terminology.name}:{record.code}"
            named = {"zh" if _folding.is_chinese(record.name) else "en": record.name}
            number = lexicon._add(key)
            lexicon._rows[number] = Entry(key, Concept(record.name, (coding,)), record.kind, named)
        else:
            lexicon._rows[number] = _with_coding(lexicon._entry(number), coding)
        for name in (record.name, *record.synonyms):
            lexicon._names.add(name, number, keep=True)


def _with_coding(entry: Entry, coding: Coding) -> Entry:
    if any(c.system == coding.system for c in entry.concept.codings):
        return entry
    return Entry(entry.key, Concept(entry.concept.name, (*entry.concept.codings, coding)), entry.kind, entry.names)
