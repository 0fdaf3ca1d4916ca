"""Names found in text: by whole words in Latin script, by characters in Chinese.

No automaton is built: a name is looked up in one dictionary, and a second one says how long the names are that begin
with this word. Ready as soon as the names are read, and small.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fhirbridge.terminology import _folding as folding

Found = tuple[int, int, int]  # start, end, number of the entry
_CHINESE = re.compile(r"[㐀-鿿]")
_GONE = re.compile(r"[ \t\u3000\-·]+")


class Names:
    """Folded names to entry numbers: `add` them, then `scan` texts or `find` one."""

    TABLES = ("latin", "capitals", "exact", "chinese")

    def __init__(self) -> None:
        self.latin: dict[str, int] = {}
        self.capitals: dict[str, int] = {}  # only where the text has capitals
        self.exact: dict[str, int] = {}  # as written: "Na"; in any case when it is lower-case here: "sats", not "sat"
        self.chinese: dict[str, int] = {}
        self.words: dict[str, tuple[int, ...]] = {}  # first word -> numbers of words of names that begin so, downwards
        self.characters: dict[str, tuple[int, ...]] = {}  # the same by first two characters

    def copy(self) -> Names:
        """An independent copy, to add to."""
        other = Names()
        for field in (*self.TABLES, "words", "characters"):
            setattr(other, field, dict(getattr(self, field)))
        return other

    def add(self, name: str, number: int, *, keep: bool = False) -> None:
        """Add a name of entry `number`; with `keep` a name that is there already stays what it is."""
        if folding.is_chinese(name):
            self._put(self.chinese, folding.compact(name), number, keep)
        elif name.startswith("="):
            self._put(self.exact, name[1:].lower(), number, keep)
        elif folding.exact(name):
            self._put(self.exact, name, number, keep)
        else:
            where = self.capitals if folding.capitals(name) else self.latin
            for key in folding.variants(name):
                self._put(where, key, number, keep)

    def add_folded(self, key: str, number: int) -> None:
        """Add a Latin name that was folded before ("=" in front: only in capitals); one that is there stays."""
        if key.startswith("="):
            self._put(self.capitals, key[1:], number, True)
        else:
            self._put(self.latin, key, number, True)

    def _put(self, where: dict[str, int], key: str, number: int, keep: bool) -> None:
        if not key or (keep and key in where):
            return
        where[key] = number
        if where is self.chinese:
            head, length, known = key[:2], len(key), self.characters
        else:
            first = folding.phrase(key) if where is self.exact else key
            head, length, known = first.partition(" ")[0], first.count(" ") + 1, self.words
        lengths = known.get(head, ())
        if length not in lengths:
            known[head] = tuple(sorted((*lengths, length), reverse=True))

    def find(self, name: str) -> int | None:
        """The entry of exactly this name, None if there is none."""
        if folding.is_chinese(name):
            return self.chinese.get(folding.compact(name))
        for written in (name, name.lower().lstrip("=")):
            if written in self.exact:
                return self.exact[written]
        key = folding.phrase(name)
        if folding.capitals(name) and key in self.capitals:
            return self.capitals[key]
        found = self.latin.get(key)
        return self.capitals.get(key) if found is None and name.isupper() else found

    def scan(self, text: str, *, overlapping: bool = False) -> list[Found]:
        """The names in `text` by place, longer ones first; leftmost and longest ones only, or all."""
        lower = folding.same_length(text)
        found = list(self._scan_latin(text, lower, overlapping))
        if _CHINESE.search(lower):
            found.extend(self._scan_chinese(lower, overlapping))
            found.sort(key=lambda f: (f[0], -f[1]))
            if not overlapping:
                return leftmost_longest(found)
        return found

    def _scan_latin(self, text: str, lower: str, overlapping: bool) -> Iterator[Found]:
        words = folding.tokens(lower)
        joined = " ".join([w[2] for w in words])
        begins, place = [], 0
        for w in words:
            begins.append(place)
            place += len(w[2]) + 1
        begins.append(place)
        lengths, latin, capitals, count, free = self.words, self.latin, self.capitals, len(words), 0
        for i, (start, _, head) in enumerate(words):
            known = lengths.get(head)
            if known is None or i < free:
                continue
            for length in known:
                last = i + length
                if last > count:
                    continue
                key = joined[begins[i] : begins[last] - 1]
                end = words[last - 1][1]
                number = latin.get(key)
                if key in capitals and _in_capitals(text[start:end]):
                    number = capitals[key]
                if number is None:
                    number = self.exact.get(text[start:end], self.exact.get(lower[start:end]))
                if number is not None:
                    yield start, end, number
                    if not overlapping:
                        free = last
                        break

    def _scan_chinese(self, lower: str, overlapping: bool) -> Iterator[Found]:
        places: list[int] | range = range(len(lower))
        short = lower
        if _GONE.search(lower):
            places = [i for i, c in enumerate(lower) if c not in " \t\u3000-·"]
            short = "".join([lower[i] for i in places])
        lengths, chinese, count, free = self.characters, self.chinese, len(short), 0
        for i in range(count):
            known = lengths.get(short[i : i + 2]) or lengths.get(short[i])
            if known is None or i < free:
                continue
            for length in known if 1 in known else (*known, 1):
                end = i + length
                number = chinese.get(short[i:end])
                if number is not None and end <= count and _is_whole(lower, places[i], places[end - 1] + 1):
                    yield places[i], places[end - 1] + 1, number
                    if not overlapping:
                        free = end
                        break


def _in_capitals(piece: str) -> bool:
    """Whether the words of the text stand in capitals: "MI", "MIs", "PD-L1"."""
    letters = piece[:-1] if len(piece) > 2 and piece.endswith("s") else piece
    return letters.upper() == letters


def _is_whole(lower: str, start: int, end: int) -> bool:
    """Whether a name that begins or ends in Latin letters or digits is not part of a longer word."""
    before = start > 0 and lower[start].isascii() and lower[start - 1].isascii() and lower[start - 1].isalnum()
    after = end < len(lower) and lower[end - 1].isascii() and lower[end].isascii() and lower[end].isalnum()
    return not (before and lower[start].isalnum()) and not (after and lower[end - 1].isalnum())


def leftmost_longest(found: list[Found]) -> list[Found]:
    """Those that do not overlap: the leftmost first, of one place the longest; `found` is sorted so."""
    kept: list[Found] = []
    end = 0
    for piece in found:
        if piece[0] >= end:
            kept.append(piece)
            end = piece[1]
    return kept
