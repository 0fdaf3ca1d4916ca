"""A criterion's text as pieces: what each stretch of it is, before anything is put together."""

# ruff: noqa: E501 - word lists and patterns are easier to review unbroken
from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fhirbridge.extract import criterion_numbers, criterion_variants, criterion_windows
from fhirbridge.extract.criterion_words import Term, Words, fold
from fhirbridge.records import Concept, LeafKind

if TYPE_CHECKING:
    from fhirbridge.terminology.lexicon import Lexicon

__all__ = ["ANCHORS", "Piece", "cut"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text with its kind; `value` by kind: Term, Amount, Window, cue value, or a tuple of pieces (group)."""

    start: int
    end: int
    kind: str
    value: Any = ""
    text: str = ""


ANCHORS = frozenset({"term"})
_KINDS = {
    "condition": LeafKind.DIAGNOSIS,
    "finding": LeafKind.SYMPTOM,
    "symptom": LeafKind.SYMPTOM,
    "medication": LeafKind.MEDICATION,
    "medication-class": LeafKind.MEDICATION,
    "allergen": LeafKind.MEDICATION,
    "procedure": LeafKind.PROCEDURE,
    "therapy": LeafKind.PROCEDURE,
    "analyte": LeafKind.LABORATORY,
    "vital-sign": LeafKind.VITAL_SIGN,
    "score": LeafKind.SCORE,
    "biomarker": LeafKind.BIOMARKER,
    "gene": LeafKind.BIOMARKER,
}
_WORD = re.compile(r"[A-Za-zÀ-ɏͰ-Ͽ][\w'.&+-]*|\d[\w.,]*|[㐀-鿿]+|[^\s\w]|_")
_ENUMERATOR = re.compile(
    r"\s*(?:[*?#]+\s*)?(?:[(\[]?\s*(?:\d{1,2}(?:\.\d{1,2}){1,3}|\d{1,2}|[a-z]|[ivx]{1,4}|[一二三四五六七八九十]{1,3})\s*[)\]]\s*[.、,:]?|"
    r"(?:\d{1,2}(?:\.\d{1,2}){1,3}\.?\s|\d{1,2}\s?[、,:]|\d{1,2}\.(?=\D|\d{2}\s?[-~]\s?\d{2})|\d{1,2}\s+(?=[㐀-鿿])|\d{1,2}(?=[㐀-鿿](?<![岁周月天年日个级项次名例种期号线小分度型代价届]))|[a-z][.、)]\s|[ivx]{2,4}[.、)]\s?|[一二三四五六七八九十]{1,2}[、.])|"
    r"[①-⑳⑴-⒇⒈-⒛❶-❿])\s*"
)
_STARTS_WITH_A_CUE = re.compile(
    r"(?:no|not|non|without|history of|prior|previous|family|past|other|another|second|concurrent|concomitant|known|allergy to|allergic to|hypersensitivity to|personal history|absence of|lack of|无|没有|未|否认|既往|不伴)\b(?![ -]?(?:small|squamous|hodgkin|melanoma|steroidal|alcoholic|insulin|ischemic|st|cardiac|specific|valvular|invasive|infectious|q-wave))|[无未]|没有|否认|既往|不伴"
)
_ENDS_WITH_A_CUE = re.compile(r"\s*(?:过敏(?:史|反应)?者?| allergy| hypersensitivity| allergies)$")
_NON_SQUAMOUS = re.compile(r"non[- ]?squamous(?:[- ]cell)?(?: histology)?|非鳞状?(?:细胞)?")
_OPEN, _CLOSE = "([{【", ")]}】"
_MARKS = {",": "comma", "，": "comma", "、": "comma", ";": "semicolon", "；": "semicolon", "。": "stop", "/": "slash", "\n": "line", ":": "open",
          "+": "plus"}  # fmt: skip


def cut(text: str, words: Words, lexicon: Lexicon | None) -> list[Piece]:
    """The pieces of `text` in order; brackets are pieces of kind "group" holding their own pieces."""
    folded = fold(text)
    number = _ENUMERATOR.match(folded)
    if number:
        folded = " " * number.end() + folded[number.end() :]
        text = " " * number.end() + text[number.end() :]
    claims = _claims(text, folded, words, lexicon)
    flat = _fill(folded, text, _choose(claims), words)
    return _nest(flat)


def _claims(text: str, folded: str, words: Words, lexicon: Lexicon | None) -> list[tuple[int, Piece]]:
    """Every candidate piece with its weight; the longer wins, then the heavier."""
    claims: list[tuple[int, Piece]] = []
    for timed in criterion_windows.find(folded, words.language):
        claims.append((6, Piece(timed.start, timed.end, "window", timed.window)))
    for variant in criterion_variants.find(text, folded):
        claims.append((9, Piece(variant.start, variant.end, variant.kind, variant.value)))
    claims += [(7, Piece(m.start(), m.end(), "ignored")) for m in _EDITION.finditer(folded)]
    for amount in criterion_numbers.find(folded):
        claims.append((3, Piece(amount.start, amount.end, "amount", amount)))
    for cue in words.find(text, folded):
        weight = (
            5 if cue.kind == "term" else 1 if cue.kind == "ignored" and _is_slight(folded[cue.start : cue.end]) else 4
        )
        kind: str = cue.kind
        value: Any = cue.value
        if isinstance(value, Term) and value.kind is LeafKind.STAGE:
            kind, value = "stage", value.values
        claims.append((weight, Piece(cue.start, cue.end, kind, value)))
    if lexicon is not None:
        genes = [p for _, p in claims if isinstance(p.value, Term) and p.value.kind is LeafKind.BIOMARKER]
        reserved = [(p.start, p.end) for weight, p in claims if weight >= 6]
        before = [
            (p.start, p.end) for _, p in claims if p.kind == "stage" or (p.kind == "qualifier" and p.value in _PARTING)
        ]
        signed = [g for g in genes if _SIGN.match(folded, g.end)]
        claims += [(8, _signed(g.end, folded)) for g in signed]
        before += [(g.start, g.end + 1) for g in signed]
        states = [p for _, p in claims if p.kind in ("positive", "negative", "variant")]
        before += [(g.start, state.end) for g in genes for state in states if 0 <= state.start - g.end <= 1]
        for piece in _named(text, words, lexicon, (folded, reserved, before)):
            marker = isinstance(piece.value, Term) and piece.value.kind is LeafKind.BIOMARKER
            if not marker or not any(piece.start <= g.start and g.end <= piece.end for g in genes):
                claims.append((4, piece))
    return claims


_SIGN = re.compile(r"[+-](?![\w+-])")  # "ER+", "HER2-"


def _signed(at: int, folded: str) -> Piece:
    return Piece(
        at, at + 1, "positive" if folded[at] == "+" else "negative", "positive" if folded[at] == "+" else "negative"
    )


def _is_slight(phrase: str) -> bool:
    return len(phrase) < 5 and not any(c.isdigit() for c in phrase)


_EDITION = re.compile(
    r"\b(?:version|v|vers|edition)\.?\s?\d+(?:\.\d+)*\b|\b(?:19|20)\d\d\b(?!\s?(?:/|mg|ml|cells|iu|g\b|m\b))|\bcriteria \d\.\d\b"
)


_PARTING = frozenset(
    {"active", "uncontrolled", "controlled", "symptomatic", "asymptomatic", "untreated", "known", "other"}
)


def _named(
    text: str, words: Words, lexicon: Lexicon, around: tuple[str, list[tuple[int, int]], list[tuple[int, int]]]
) -> list[Piece]:
    """The lexicon's names in the text; of "prior malignancy" or "metastatic breast cancer" only the disease.

    `around` is the folded text, the spans taken by windows and stages, and those of stages and qualifiers before a name.
    """
    folded, reserved, modifiers = around
    pieces = []
    hits = [(hit.span.offset, hit.span.end, hit.entry) for hit in lexicon.scan(text, words.language)]

    def again(start: int, end: int) -> list[tuple[int, int, Any]]:
        inner = lexicon.scan(text[start:end], words.language) if start < end else ()
        return [(start + h.span.offset, start + h.span.end, h.entry) for h in inner]

    while hits:
        start, end, entry = hits.pop()
        if end - start < 2 or folded[start:end] in words.not_terms:
            continue
        cue = _STARTS_WITH_A_CUE.match(folded, start) or _NON_SQUAMOUS.match(folded, start)
        if cue:
            hits += again(cue.end(), end)
            continue
        taken = next(
            ((a, b) for a, b in reserved if a < end and start < b and not (start <= a and b <= end and a == start)),
            None,
        )
        if taken is not None and not (taken[0] <= start and end <= taken[1]):
            hits += again(start, taken[0]) + again(taken[1], end)
            continue
        modifier = max((b for a, b in modifiers if a == start and b < end), default=start)
        rest = again(modifier, end) if modifier > start else []
        if rest and rest[-1][1] == end:
            hits += rest
            continue
        ending = _ENDS_WITH_A_CUE.search(folded[start:end])
        if ending and ending.start() > 0:
            hits += again(start, start + ending.start())
            continue
        if entry.key.startswith(("prior ", "not ", "no ")):
            continue
        asked = _KINDS.get(entry.kind)
        named: Any = Term(asked, (entry.concept,)) if asked else entry
        pieces.append(Piece(start, end, "term" if asked else entry.kind, named))
    return pieces


def _choose(claims: list[tuple[int, Piece]]) -> list[Piece]:
    """Pieces that do not overlap: variants and windows before all, then the longest, then the heaviest."""
    claims.sort(key=lambda c: (-(c[0] >= 6) * c[0], -(c[1].end - c[1].start), -c[0], c[1].start))
    taken: list[Piece] = []
    covered = bytearray(max((piece.end for _, piece in claims), default=0))
    for _, piece in claims:
        start, end = piece.start, piece.end
        if end > start and not covered[start] and not covered[end - 1] and not any(covered[start:end]):
            taken.append(piece)
            covered[start:end] = b"\1" * (end - start)
    return sorted(taken, key=lambda p: p.start)


def _fill(folded: str, text: str, pieces: list[Piece], words: Words) -> list[Piece]:
    """The chosen pieces with the words and marks between them."""
    filled: list[Piece] = []
    at = 0
    for piece in [*pieces, Piece(len(folded), len(folded), "end")]:
        for m in _WORD.finditer(folded, at, piece.start):
            filled += _plain(m, text, words)
        if "\n" in folded[at : piece.start]:
            filled.append(Piece(at, at, "line"))
        if piece.kind != "end":
            filled.append(Piece(piece.start, piece.end, piece.kind, piece.value, folded[piece.start : piece.end]))
        at = max(at, piece.end)
    filled.sort(key=lambda p: p.start)
    return _medicine_classes(filled, text)


_CLASS_WORD = re.compile(
    r"(?:inhibitor|antagonist|agonist|blocker|modulator|degrader|analogue?)s?\.?|antibod(?:y|ies)\.?|tkis?\.?|抑制剂|拮抗剂|激动剂|单抗|单克隆抗体|阻断剂|抗体药物|受体激动剂"
)


def _medicine_classes(pieces: list[Piece], text: str) -> list[Piece]:
    """A gene or word before "inhibitor" and the like is the name of a class of medicines: "a SHP-2 inhibitor"."""
    made: list[Piece] = []
    for piece in pieces:
        if piece.kind == "word" and (m := _CLASS_WORD.search(piece.text)) and m.end() == len(piece.text):
            taken = 0 if m.start() == 0 else 1
            while made and taken < 7 and _names_a_target(made[-1], piece if not taken else made[-1], text):
                if piece.start - made[-1].end > 1:
                    break
                last = made.pop()
                piece = Piece(last.start, piece.end, "word", "", text[last.start : piece.end].lower())
                taken += 1
            if taken:
                name = " ".join(text[piece.start : piece.end].rstrip(".").split())
                made.append(
                    Piece(piece.start, piece.end, "term", Term(LeafKind.MEDICATION, (Concept(name),)), piece.text)
                )
                continue
        made.append(piece)
    return made


def _names_a_target(piece: Piece, _: Piece, text: str) -> bool:
    if piece.kind in ("word", "mark", "slash", "variant"):
        return piece.kind != "mark" or piece.text in "-+"
    if piece.kind == "term":
        return piece.value.kind in (LeafKind.BIOMARKER, LeafKind.LABORATORY, LeafKind.MEDICATION, LeafKind.THERAPY)
    return piece.kind == "ignored" and text[piece.start : piece.end].isupper()


def _plain(m: re.Match[str], text: str, words: Words) -> list[Piece]:
    word, start, end = m[0], m.start(), m.end()
    if word in _OPEN or word in _CLOSE:
        return [Piece(start, end, "open bracket" if word in _OPEN else "close bracket", word, word)]
    if word in _MARKS:
        kind = _MARKS[word]
        return [Piece(start, end, kind, word, word)]
    if word == ".":
        return [Piece(start, end, "stop" if _ends_sentence(text, end) else "mark", word, word)]
    if not word[0].isalnum() and word[0] not in "±":
        return [Piece(start, end, "mark", word, word)]
    if word in words.ignored:
        return [Piece(start, end, "ignored", "", word)]
    if word.endswith("."):
        if word[:-1] in words.ignored:  # "stage IV disease."
            return [Piece(start, end - 1, "ignored", "", word[:-1]), *_plain_stop(text, end)]
        last = words.language == "en" and len(word) > 3 and _ends_sentence(text, end)
        return [Piece(start, end, "word", "." if last else "", word.rstrip("."))]
    return [Piece(start, end, "word", "", word)]


def _plain_stop(text: str, end: int) -> list[Piece]:
    return [Piece(end - 1, end, "stop" if _ends_sentence(text, end) else "mark", ".", ".")]


def _ends_sentence(text: str, end: int) -> bool:
    """A full stop ends a sentence unless a small letter or a digit follows."""
    if end < len(text) and not text[end].isspace():
        return False
    following = text[end:].lstrip()[:1]
    return not following or not (following.isascii() and following.islower())


def folded_number(piece: Piece) -> str:
    """The digits of a bare number, else nothing."""
    numbers: tuple[Any, ...] = getattr(piece.value, "numbers", ())
    return (
        str(numbers[0])
        if piece.kind == "amount" and len(numbers) == 1 and piece.value.bare and not piece.value.unit
        else ""
    )


def _nest(flat: list[Piece]) -> list[Piece]:
    """The pieces with each bracket pair as one "group"; a bracket without partner is left out."""
    stack: list[list[Piece]] = [[]]
    opens: list[Piece] = []
    for piece in flat:
        if piece.kind == "open bracket":
            stack.append([])
            opens.append(piece)
        elif piece.kind == "close bracket":
            if opens:
                inner, opened = stack.pop(), opens.pop()
                if len(inner) == 1 and re.fullmatch(
                    r"\d{1,2}|[a-z]|i{1,3}|iv", inner[0].text or folded_number(inner[0])
                ):
                    stack[-1].append(Piece(opened.start, piece.end, "enumerator"))  # "(1) recurrent, or (2) stage IV"
                    continue
                stack[-1].append(Piece(opened.start, piece.end, "group", tuple(inner)))
        else:
            stack[-1].append(piece)
    while opens:
        inner = stack.pop()
        opened = opens.pop()
        end = inner[-1].end if inner else opened.end
        stack[-1].append(Piece(opened.start, end, "group", tuple(inner)))
    return stack[0]


def concept_names(piece: Piece) -> tuple[Concept, ...]:
    """The concepts a term piece stands for."""
    return piece.value.concepts if isinstance(piece.value, Term) else ()
