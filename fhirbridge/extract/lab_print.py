"""What a piece of print on a report is: a number, range, flag or word of a result; read, not corrected."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from fhirbridge import languages
from fhirbridge.records import Quantity

_WIDE = {chr(0xFF01 + i): chr(0x21 + i) for i in range(94)}
_SAME = {"～": "~", "〜": "~", "∼": "~", "—": "-", "–": "-", "－": "-", "−": "-", "‐": "-", "‑": "-", "―": "-"}
_SAME |= {"：": ":", "，": ",", "。": ".", "、": ",", "（": "(", "）": ")", "【": "[", "】": "]", "μ": "µ", "　": " "}
_SAME |= {"≦": "≤", "≧": "≥", "﹤": "<", "﹥": ">", "〈": "<", "〉": ">", "個": "个"}
_SAME |= {"⬆": "↑", "⬇": "↓", "▲": "↑", "▼": "↓", "‒": "-", "﹣": "-", "⁄": "/", "∕": "/"}
_PLAIN = str.maketrans(_WIDE | _SAME)
_SUPER = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")

_ONE_AS_DASH = re.compile(r"(?<=[\d(])一(?=[\d)])")  # the Chinese one, where a dash stood
NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
_COMPARATOR = r"(?:<=|>=|[<>≤≥])"
_POWER = r"\s*[x×*X]\s*10\s*\^?\s*([-+]?\d{1,2})|[eE]([-+]\d{1,2})"
_VALUE = re.compile(rf"({_COMPARATOR})?\s*([-+]?{NUMBER})(?:{_POWER})?")
_TITRE = re.compile(rf"{_COMPARATOR}?\s*1\s*:\s*\d+(?:\.\d+)?")
_PLUSES = re.compile(r"(?:\d\s*\+|\+{1,4}|\+\s*\d|-|±|\+/-|\+-|\(\s*(?:\+{1,4}|-|±|\d\+|\+-)\s*\))")
_GRADE = re.compile(r"\d\s?级|[ⅠⅡⅢⅣⅤ]\s?[度级]?|\d\+\s?\(.+\)|\d\s?\+\s?~\s?\d\s?\+")
_SEPARATOR = r"(?:\s*[-~]{1,3}\s*|\s*至\s*|\s+to\s+|\s+(?=[\d.]+$))"  # a dash may have been lost between them
_TWO = re.compile(rf"([-+]?{NUMBER}){_SEPARATOR}([-+]?{NUMBER})")
_LIMIT_WORDS = "小于等于|大于等于|小于|大于|up to|less than|more than|greater than|under|below|above"
_HALF = re.compile(rf"({_COMPARATOR}|{_LIMIT_WORDS})\s*({NUMBER})", re.IGNORECASE)
_UPPER = frozenset(("<", "<=", "≤", "小于", "小于等于", "up to", "less than", "under", "below"))
ARROWS = re.compile(r"[↑↓]+")


def plain(text: str) -> str:
    """The text with full-width and look-alike characters as ASCII; the length stays, so places stay."""
    plain = text.translate(_PLAIN)
    return _ONE_AS_DASH.sub("-", plain) if "一" in plain else plain


def number(text: str) -> Quantity | None:
    """The number a text is, all of it, with its comparator and all printed digits; else None."""
    found = _VALUE.fullmatch(plain(text).translate(_SUPER).strip())
    if not found:
        return None
    sign = (found[1] or "").replace("≤", "<=").replace("≥", ">=")
    value = Decimal(found[2].replace(",", ""))
    power = found[3] or found[4]
    return Quantity(value.scaleb(int(power)) if power else value, comparator=sign)


@dataclass(frozen=True, slots=True)
class Range:
    """A reference range as printed; `low` and `high` only where it has plain limits. `rest` is what stood after it."""

    text: str
    low: Quantity | None = None
    high: Quantity | None = None
    rest: str = ""


@lru_cache(maxsize=8192)
def limits(text: str) -> Range | None:
    """The range a text holds: two limits, one limit, or a qualitative answer; None when it holds none."""
    bare = plain(text).strip()
    inner = bare[1:-1].strip() if len(bare) > 2 and bare[0] in "([" and bare[-1] in ")]" else bare.strip("[]")
    found = _TWO.match(inner)
    if found:
        low, high = (Quantity(Decimal(n.replace(",", ""))) for n in found.groups())
        rest = inner[found.end() :].strip()
        return Range(text) if _TWO.search(rest) or rest == "." else Range(text, low, high, rest)
    found = _HALF.match(inner)
    if found:
        if re.match(r"\s*:", inner[found.end() :]):
            return Range(text)  # a titre
        limit, rest = Quantity(Decimal(found[2].replace(",", ""))), inner[found.end() :].strip()
        upper = found[1].casefold() in _UPPER
        return Range(text, None if upper else limit, limit if upper else None, rest)
    return Range(text) if _answers(inner) else None


def _answers(text: str) -> bool:
    """Whether a range is one answer or several: negative, (-), negative/trace, yellow to amber."""
    parts = [text.strip(), *re.split(r"\s*[/,;]\s*|\s+(?:or|to)\s+|[或至、]", text)]
    fit = [result_word(part) is not None or _PLUSES.fullmatch(part.strip()) is not None for part in parts]
    return fit[0] or (len(fit) > 2 and all(fit[1:]))


@lru_cache(maxsize=8192)
def result_word(text: str) -> str | None:
    """What a word of a result says (POS, NEG, N, A or "" for a colour and the like); None if it is no such word."""
    bare = _bare(text).replace("(一)", "(-)")
    words = _result_words()
    if bare in words:
        return words[bare]
    signed = re.fullmatch(r"(.+?)\s*\(?([-+±]{1,4}|\d\+|\+\d)\)?", bare)
    return words.get(signed[1].strip()) if signed else None


def number_and_word(text: str) -> tuple[str, str] | None:
    """A number and the sign or word that judges it, where both are printed as one result: 0.05 (-) or 3.2 阳性."""
    found = re.fullmatch(rf"((?:{_COMPARATOR}\s*)?{NUMBER})\s*(\S.*)", plain(text).strip())
    if not found or (not found[2].startswith("(") and result_word(found[2]) not in ("POS", "NEG")):
        return None
    inner = found[2].strip("()（） ")
    means = result_word(found[2]) or result_word(inner)
    if means in ("POS", "NEG"):
        return found[1], means
    signs = _PLUSES.fullmatch(inner)
    return (found[1], "NEG" if inner == "-" else "POS") if signs and inner != "±" else None


def qualitative(text: str) -> bool:
    """Whether a text stands for a result that is no number: a word of a result, pluses, a titre, a grade."""
    bare = plain(text).strip()
    patterns = (_PLUSES, _TITRE, _GRADE)
    if result_word(bare) is not None or any(pattern.fullmatch(bare) for pattern in patterns):
        return True
    judged = re.fullmatch(rf"(\S+)\s+({_COMPARATOR}?\s*(?:1\s*:\s*\d+|{NUMBER}))", bare)
    return judged is not None and result_word(judged[1]) in ("POS", "NEG")


@lru_cache(maxsize=4096)
def flag(text: str) -> str | None:
    """The HL7 interpretation a mark beside a result stands for; None if it is no such mark."""
    bare = plain(text).strip().replace(" ", "")
    return _flags().get(bare) or _flags().get(bare.casefold())


def _bare(text: str) -> str:
    return re.sub(r"\s+", " ", plain(text)).strip().strip(".").casefold()


@lru_cache(maxsize=1)
def _result_words() -> dict[str, str]:
    return {
        _bare(row["word"]): row["interpretation"] or ""
        for language in languages.names()
        for row in languages.rows(language, "lab_results")
    }


@lru_cache(maxsize=1)
def _flags() -> dict[str, str]:
    found: dict[str, str] = {}
    for language in languages.names():
        for row in languages.rows(language, "lab_flags"):
            mark = plain(row["mark"]).replace(" ", "")
            found[mark] = row["interpretation"]
            if len(mark) > 2:
                found[mark.casefold()] = row["interpretation"]
    return found
