"""The words of eligibility criteria: a language's cue and term tables as one automaton, and same-length folding.

Tables: `criterion_cues.tsv` (words that shape a criterion), `criterion_terms.tsv` (what criteria ask about beyond the
terminologies), `criterion_admin.tsv` (consent, contraception ...), `criterion_ignored.tsv` (words without weight).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from ahocorasick_rs import AhoCorasick

from fhirbridge import languages
from fhirbridge.records import Coding, Concept, LeafKind

__all__ = ["Cue", "Term", "Words", "fold", "load"]

LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
_ENTITIES = re.compile(r"&(gt|lt|ge|le|amp|nbsp|#\d{1,5});", re.IGNORECASE)
_ENTITY_SIGNS = {"gt": ">", "lt": "<", "ge": "≥", "le": "≤", "amp": "&", "nbsp": " "}
_SAME_LENGTH: dict[int, int | str | None] = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},
    **{ord(a): b for a, b in zip("　  ​‎﻿\\\t\r", "         ", strict=False)},
    **dict.fromkeys(map(ord, "‐‑‒–—−﹣"), "-"),
    **dict.fromkeys(map(ord, "’‘´`′"), "'"),
    **dict.fromkeys(map(ord, "“”″"), '"'),
    **dict.fromkeys(map(ord, "≧⩾≥"), "≥"),
    **dict.fromkeys(map(ord, "≦⩽≤"), "≤"),
    **dict.fromkeys(map(ord, "﹥〉》"), ">"),
    **dict.fromkeys(map(ord, "﹤〈《"), "<"),
    **dict.fromkeys(map(ord, "×✕╳✖Х"), "x"),
    **dict.fromkeys(map(ord, "µμ"), "u"),
    **dict.fromkeys(map(ord, "∼～˜"), "~"),
    **dict.fromkeys(map(ord, "⁄∕／"), "/"),
    **dict.fromkeys(map(ord, "•·∙●◦▪"), "*"),
}
_NON = re.compile(r"[ -]?(?:pregnan|lactat|nursing|breast|smok|frail|diabet|hypertens|alcohol)")
_BOOK = re.compile(r"《([^》]{1,60})》")


def fold(text: str) -> str:
    """`text` in lower case with plain punctuation, each character at its old offset."""
    if "&" in text:
        text = _ENTITIES.sub(_padded, text)
    if "《" in text:
        text = _BOOK.sub(r"“\1”", text)
    folded = text.translate(_SAME_LENGTH)
    lower = folded.lower()
    if len(lower) != len(folded):
        lower = "".join(c.lower() if len(c.lower()) == 1 else c for c in folded)
    return lower


def _padded(match: re.Match[str]) -> str:
    name = match[1].lower()
    sign = _ENTITY_SIGNS.get(name) or chr(int(name[1:]) % 0x10000 or 32)
    return " " * (len(match[0]) - 1) + sign


@dataclass(frozen=True, slots=True)
class Term:
    """What a phrase means: a leaf kind, a concept and its values."""

    kind: LeafKind
    concepts: tuple[Concept, ...]
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cue:
    """A table phrase found in a text; `kind` is the table's kind, or "term" with the Term as `value`."""

    start: int
    end: int
    kind: str
    value: str | Term


_ONE_WORD = re.compile(r"[A-Za-z][\w'.&]*")
_GAP = re.compile(r"(?<=[)\]])\s+|\s+(?=[(\[])")
_MOST_WAYS = 120
_CHOICE = re.compile(r"\(([^()]*/[^()]*)\)|\[([^\[\]]*)\]")


def expand(phrase: str) -> list[str]:
    """The plain phrases of a table phrase: `[x]` left out or kept, each of `(a/b)`."""
    found = _CHOICE.search(phrase)
    if not found:
        return [" ".join(phrase.split())]
    choices = found[1].split("/") if found[1] is not None else ["", *found[2].split("/")]
    ways = (phrase[: found.start()] + choice + phrase[found.end() :] for choice in choices)
    return [plain for way in ways for plain in expand(way)]


def ways(phrase: str) -> int:
    """How many plain phrases a table phrase stands for (nested choices are not used)."""
    count = 1
    for m in _CHOICE.finditer(phrase):
        count *= len(m[1].split("/")) if m[1] is not None else 1 + len(m[2].split("/"))
    return count


def _compiled(phrase: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """A phrase of very many ways as one pattern, and words of which one must be in a text for it to match."""
    pattern, at, needed = "", 0, [""]
    for m in _CHOICE.finditer(phrase):
        before = phrase[at : m.start()]
        at = m.end()
        words = [fold(w.strip()) for w in (m[1] if m[1] is not None else m[2]).split("/") if w.strip()]
        gap = r"\s*" if before.endswith(" ") or (not before and pattern) else ""
        choices = "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True))
        pattern += _spaced(before) + (f"{gap}(?:{choices})" if m[1] is not None else f"(?:{gap}(?:{choices}))?")
        if m[1] is not None and (needed == [""] or min(map(len, words)) > min(map(len, needed))):
            needed = words
    return re.compile(pattern + _spaced(phrase[at:])), tuple(needed)


def _spaced(literal: str) -> str:
    plain = literal.strip()
    if not plain:
        return ""
    return (r"\s*" if literal[0] == " " else "") + re.escape(fold(plain))


def _concepts(names: str, codes: str) -> tuple[Concept, ...]:
    systems = {"L": LOINC, "S": SNOMED}
    parts = names.split("+")
    listed = [c for c in codes.split("+") if c]
    if len(parts) == 1:
        return (Concept(names, tuple(Coding(systems[c[0]], c[2:], names) for c in listed)),)
    return tuple(
        Concept(part, (Coding(systems[code[0]], code[2:], part),)) for part, code in zip(parts, listed, strict=True)
    )


class Words:
    """The phrases of one language, ready to be found."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.ignored: set[str] = set()  # single English words without weight: looked up word by word, not searched for
        self._patterns: list[tuple[re.Pattern[str], tuple[str, ...], str, str | Term]] = []
        self._phrases: dict[str, list[tuple[str, str | Term, str]]] = {}
        for row in languages.rows(language, "criterion_ignored"):
            self._add("ignored", "", row["phrases"])
        for row in languages.rows(language, "criterion_admin"):
            self._add("admin" if row["strength"] == "strong" else "weak_admin", row["value"], row["phrases"])
        for row in languages.rows(language, "criterion_cues"):
            self._add(row["kind"], row["value"], row["phrases"])
        for name, term, phrases in _terms(language):
            del name
            self._add("term", term, phrases)
        self.not_terms = frozenset(
            word.strip()
            for row in languages.rows(language, "criterion_not_terms")
            for word in row["phrases"].split("|")
        )
        self._keys = list(self._phrases)
        self._found = [self._phrases[key] for key in self._keys]
        self._automaton = AhoCorasick(self._keys)
        needed: dict[str, list[int]] = {}
        for i, (_, words, _, _) in enumerate(self._patterns):
            for word in words:
                if word:
                    needed.setdefault(word, []).append(i)
        self._everywhere = {i for i, (_, words, _, _) in enumerate(self._patterns) if "" in words}
        self._hints = AhoCorasick(list(needed) or ["\0"])
        self._hinted = list(needed.values()) or [[]]

    def _add(self, kind: str, value: str | Term, phrases: str) -> None:
        for phrase in phrases.split("|"):
            if self.language == "zh":
                phrase = _GAP.sub("", phrase)
            if ways(phrase) > _MOST_WAYS:
                self._patterns.append((*_compiled(phrase.strip()), kind, value))
                continue
            for plain in expand(phrase.strip()):
                if kind == "ignored" and self.language == "en" and _ONE_WORD.fullmatch(plain):
                    self.ignored.add(plain.lower())
                elif plain:
                    exact = plain if plain != plain.lower() and self.language == "en" else ""
                    exact = exact if len(exact) <= 5 else ""
                    others = self._phrases.setdefault(fold(plain), [])
                    others[:] = [o for o in others if o[2] != exact]
                    others.append((kind, value, exact))

    def find(self, text: str, folded: str) -> list[Cue]:
        """Every phrase of `folded` at word boundaries, overlapping ones too; `text` decides capitals."""
        cues = []
        for index, start, end in self._automaton.find_matches_as_indexes(folded, overlapping=True):
            if _joined(folded, start) or (_joined(folded, end) and not _before_class(folded, start, end)):
                continue
            meant = self._meant(index, text[start:end])
            if meant is None:
                continue
            kind, value = meant
            if kind == "not" and folded[start:end] in ("non", "non-") and not _NON.match(folded, end):
                continue
            cues.append(Cue(start, end, kind, value))
        hints = {
            i
            for index, _, _ in self._hints.find_matches_as_indexes(folded, overlapping=True)
            for i in self._hinted[index]
        }
        for i in sorted(hints | self._everywhere):
            pattern, _, kind, value = self._patterns[i]
            for m in pattern.finditer(folded):
                start = m.end() - len(m[0].lstrip())
                if not (_joined(folded, start) or _joined(folded, m.end())):
                    cues.append(Cue(start, m.end(), kind, value))
        return cues

    def _meant(self, index: int, written: str) -> tuple[str, str | Term] | None:
        """What the phrase means as it is written: a row in these capitals, else the row in small letters."""
        rows = self._found[index]
        plain = written.translate(_SAME_LENGTH)
        for kind, value, exact in rows:
            if exact == plain:
                return kind, value
        return next(((kind, value) for kind, value, exact in rows if not exact), None)


_CLASS_AFTER = re.compile(r"(?:i{1,3}|iv|[ⅰⅱⅲⅳ])(?![a-z])")


def _before_class(text: str, start: int, end: int) -> bool:
    """ "NYHAIII" and "ASAII" are printed in one word."""
    return text[start:end] in ("nyha", "asa") and bool(_CLASS_AFTER.match(text, end))


def _joined(text: str, at: int) -> bool:
    """True when position `at` cuts a Latin word or number in two."""
    if at <= 0 or at >= len(text):
        return False
    pair = text[at - 1 : at + 1]
    return pair.isalnum() and pair.isascii()


def _terms(language: str) -> list[tuple[str, Term, str]]:
    """Name, term and phrases of a language; kind, values and codes of other languages come from English by name."""
    english = languages.rows("en", "criterion_terms")
    rows = [(row, row) for row in english]
    if language != "en":
        known = {(row["name"], row["values"]): row for row in english}
        by_name = {row["name"]: row for row in reversed(english)}
        own = languages.rows(language, "criterion_terms")
        rows = [(row, known.get((row["name"], row["values"])) or by_name.get(row["name"], row)) for row in own]
    terms = []
    for own_row, base in rows:
        kind = own_row.get("kind") or base["kind"]
        values = tuple(v for v in (own_row["values"] or "").split(";") if v)
        code = own_row.get("code") or (base["code"] if base is not own_row else "")
        terms.append(
            (own_row["name"], Term(LeafKind(kind), _concepts(own_row["name"], code), values), own_row["phrases"])
        )
    return terms


@lru_cache(maxsize=8)
def load(language: str) -> Words:
    """The words of `language`, built once."""
    return Words(language)
