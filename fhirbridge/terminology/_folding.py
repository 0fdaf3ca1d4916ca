"""Words made equal: case, width, British spelling, simple plurals, possessives, hyphens.

Folding need not give real words ("diabetes" becomes "diabete"): it only has to give the same for the same thing, on
the side of the names and on the side of the text. Offsets stay those of the original: `same_length` never changes them.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

BREAK = "\x00"  # stands between two words that no name may span

_TOKEN = re.compile(r"[a-zα-ω]+(?:'[a-z]+)*|\d+|[.;:!?,()\[\]{}|•]|\n[ \t]*\n")
_BRITISH = (
    (re.compile(r"^(tum|col|od|hum|lab|rum|behavi|fav|vap|rig|neighb|sav|flav)our"), r"\1or"),
    (re.compile(r"^(cent|lit|fib|met|calib|goit|millimet|centimet|millilit)re(?=s?$|d$)"), r"\1er"),
    (re.compile(r"sulph"), "sulf"),
    (re.compile(r"^(.{3,})is(e|ed|es|ing|ation)$"), r"\1iz\2"),
    (re.compile(r"^(.{3,})lys(e|ed|ing)$"), r"\1lyz\2"),
)
_WITH_ES = ("sses", "xes", "ches", "shes", "zzes", "ruses", "nuses", "tuses", "luses")
_LATIN_PLURALS = ("oses", "yses", "theses", "stases")
_WHOLE = {
    "my": "the", "your": "the", "his": "the", "her": "the", "their": "the", "our": "the", "cannot": "cant",
    "feet": "foot", "teeth": "tooth", "women": "woman", "men": "man", "children": "child", "lice": "louse",
    "grey": "gray", "mould": "mold", "plough": "plow", "metastases": "metastasis", "vertebrae": "vertebra",
    "bronchi": "bronchus", "nuclei": "nucleus", "emboli": "embolus", "thrombi": "thrombus", "calculi": "calculus",
    "diverticula": "diverticulum", "ova": "ovum", "bacteria": "bacterium", "fungi": "fungus", "does": "does",
    "was": "was", "has": "has", "this": "this", "as": "as", "is": "is", "us": "us", "gas": "gas", "yes": "yes",
}  # fmt: skip


class _SameLength(dict[int, str]):
    """A translation table that folds width and case of each character and never changes a length."""

    def __missing__(self, point: int) -> str:
        character = chr(point)
        folded = unicodedata.normalize("NFKC", character).casefold()
        if len(folded) != 1:
            folded = character.lower() if len(character.lower()) == 1 else character
        self[point] = folded
        return folded


_TABLE = _SameLength({ord(c): "'" for c in "’‘ʼ`´"} | {ord(c): "-" for c in "‐‑‒–—−"} | {0xA0: " "})


def same_length(text: str) -> str:
    """The text with case and width folded, character by character: offsets into it are offsets into `text`."""
    return text.lower() if text.isascii() else text.translate(_TABLE)


@lru_cache(maxsize=200_000)
def word(token: str) -> str:
    """One lower-case word, folded: "tumours" and "tumor" give "tumor", "crohn's" gives "crohn"."""
    if "'" in token:
        token = token[:-2] if token.endswith("'s") else token.replace("'", "")
    if token in _WHOLE:
        return _WHOLE[token]
    if len(token) < 4:
        return token
    for pattern, american in _BRITISH:
        token = pattern.sub(american, token)
    if len(token) > 5:
        token = token.replace("ae", "e").replace("oe", "e")
    return _singular(token)


def _singular(token: str) -> str:
    if not token.endswith("s") or token.endswith(("ss", "us", "is")):
        return token
    if token.endswith("ies") and len(token) > 4:
        return token[:-3] + "y"
    if token.endswith(_LATIN_PLURALS) and len(token) > 6 and not token.endswith(("doses", "closes", "poses")):
        return token[:-2] + "is"
    if token.endswith(_WITH_ES) and not token.endswith("aches"):
        return token[:-2]
    return token[:-1]


def tokens(lower: str) -> list[tuple[int, int, str]]:
    """(start, end, folded word) of each word of a text that `same_length` folded; BREAK where no name may span."""
    found = []
    for match in _TOKEN.finditer(lower):
        piece = match.group()
        first = piece[0]
        if first.isalnum():
            found.append((match.start(), match.end(), word(piece)))
        elif found and found[-1][2] is not BREAK:
            found.append((match.start(), match.end(), BREAK))
    return found


def phrase(name: str) -> str:
    """A Latin-script name as a folded key: words joined by one space; punctuation in it does not matter."""
    lower = unicodedata.normalize("NFKC", name).casefold().replace("’", "'")
    return " ".join(text for _, _, text in tokens(same_length(lower)) if text is not BREAK)


def variants(name: str) -> tuple[str, ...]:
    """The folded keys of a name: as written, and with hyphens closed ("x-ray" is also "xray")."""
    plain = phrase(name)
    closed = phrase(re.sub(r"(?<=[A-Za-z])-(?=[A-Za-z])", "", name)) if "-" in name else plain
    return (plain,) if closed == plain or not plain else (plain, closed)


def compact(name: str) -> str:
    """A name in Chinese script as a folded key: case and width folded, spaces and hyphens gone."""
    return re.sub(r"[\s\-·]+", "", same_length(unicodedata.normalize("NFKC", name)))


def is_chinese(name: str) -> bool:
    """Whether there is a Chinese character in the name."""
    return any("㐀" <= c <= "鿿" for c in name)


def exact(name: str) -> bool:
    """Whether a synonym is so short that it counts only as it is written: "Na", "Cr", "Hb"."""
    return name.isalpha() and len(name) <= 3 and not name.islower() and not name.isupper()


def capitals(name: str) -> bool:
    """Whether a synonym is an abbreviation that counts only in capitals: written so, five letters at most."""
    letters = [c for c in name if c.isalpha()]
    return 0 < len(letters) <= 5 and len(letters) > 1 and name.upper() == name and name.lower() != name
