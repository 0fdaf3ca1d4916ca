"""The words that turn a mention into a fact or take it out: ConText's triggers, found in one pass.

The method is ConText (Harkema 2009) as medspaCy has it: each cue has a kind, a direction and a reach; a cue of kind
`stop` ends the reach of the cues it names. The table of each language is `languages/<lang>/cues.tsv`.
"""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import NamedTuple

import ahocorasick_rs

from fhirbridge import languages
from fhirbridge.extract.talk import Talk
from fhirbridge.languages import spoken


class Cue(NamedTuple):
    """A row of the cue table. `reach` in words (characters where a language has no spaces); `note` is the row's own."""

    kind: str
    direction: str
    reach: int
    note: str


class Heard(NamedTuple):
    """A cue at text[start:end]."""

    start: int
    end: int
    cue: Cue


PHASES = frozenset({"exam", "exam-end"})
_REACH = {"negated": 9, "possible": 9, "past": 9, "history": 12, "hypothetical": 8, "family": 25, "other": 15}


# Brackets and the like become spaces, so that a phrase can be looked for with the space before it.
_PLAIN = str.maketrans(dict.fromkeys('\n()[]{}":;.?!*_', " "))


@lru_cache(maxsize=8)
def _table(language: str) -> tuple[ahocorasick_rs.AhoCorasick, tuple[Cue, ...], tuple[int, ...]]:
    cues: dict[str, Cue] = {}
    spaced = spoken.rules(language).word_gap == " "
    for row in languages.rows(language, "cues"):
        reach = int(row.get("reach") or 0) or _REACH.get(row["kind"], 12)
        phrase = f" {row['phrase']}" if spaced and row["phrase"][0].isalnum() else row["phrase"]
        cues[phrase] = Cue(row["kind"], row.get("direction") or "forward", reach, row.get("note") or "")
    return ahocorasick_rs.AhoCorasick(list(cues)), tuple(cues.values()), tuple(p[0] == " " for p in cues)


def find(talk: Talk) -> dict[int, list[Heard]]:
    """The cues of each sentence, in order, by sentence number."""
    found: dict[int, list[Heard]] = defaultdict(list)
    for language in {s.language for s in talk.sentences}:
        for heard in search(talk.text, language):
            number = talk.sentence_at(heard.start)
            if talk.sentences[number].language == language:
                found[number].append(heard)
    for heards in found.values():
        heards.sort(key=lambda h: h.start)
    return found


def search(text: str, language: str) -> list[Heard]:
    """The cues in a folded text, leftmost-longest, on word boundaries."""
    finder, cues, shifts = _table(language)
    plain = " " + text.translate(_PLAIN) + " "
    found = [
        (start + shifts[index] - 1, end - 1, index)
        for index, start, end in finder.find_matches_as_indexes(plain, overlapping=True)
        if not (
            plain[end - 1].isalnum() and plain[end].isascii() and (plain[end].isalnum() or plain[end : end + 2] == "'t")
        )
    ]
    found.sort(key=lambda f: (f[0], -f[1]))
    out: list[Heard] = []
    # words that open or close an examination, and words that end a reach, may share letters with other cues
    place = {"phase": 0, "stop": 0, "": 0}
    for start, end, index in found:
        kind = cues[index].kind
        lane = "phase" if kind in PHASES else "stop" if kind == "stop" else ""
        if start >= place[lane]:
            out.append(Heard(start, end, cues[index]))
            place[lane] = end
    return _without_hidden_stops(out)


def _without_hidden_stops(heards: list[Heard]) -> list[Heard]:
    """Without the words that end a reach where they are only a part of another cue ("with" in "with no")."""
    kept: list[Heard] = []
    reached = 0  # how far the cues before go
    for heard in sorted(heards, key=lambda h: (h.start, -h.end)):
        if heard.cue.kind != "stop":
            reached = max(reached, heard.end)
        elif heard.end <= reached:
            continue
        kept.append(heard)
    return kept


def whole(text: str, start: int, end: int) -> bool:
    """Whether text[start:end] cuts no Latin word."""
    before, first = text[start - 1 : start], text[start : start + 1]
    last, after = text[end - 1 : end], text[end : end + 1]
    if before.isalnum() and first.isalnum() and before.isascii() and first.isascii():
        return False
    return not (last.isalnum() and after.isalnum() and last.isascii() and after.isascii())
