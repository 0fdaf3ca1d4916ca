"""Units as printed: what is a unit, and the letters of it that print and engine surely mistook."""

from __future__ import annotations

import re
from functools import lru_cache

from fhirbridge import languages
from fhirbridge.extract.lab_print import plain

_POWER = r"(?:[x×*X·]?\s?10\s?[\^~'\"*°]{0,2}\s?[⁰¹²³⁴⁵⁶⁷⁸⁹\d]{1,2}|10\s?[x×*X]\s?\d{1,2}|[x×*X]\s?[Ee]\s?\d{1,2})"
_LOST_L = re.compile(r"(?<=/)[1Ii|!](?=$|[)\]])|(?<=/[mdunpfµ])[1I|](?=$|[)\]])")
_LOST_MOL = re.compile(r"(?<=mo)[1I|](?=$|/)")
_LOST_POWER = re.compile(r"(?<=10)\s?[~'\"°]\s?(?=\d)")
_FLAT_POWER = re.compile(r"(?<![\d.])10([369]|12)(?=/)")


@lru_cache(maxsize=8192)
def read(text: str) -> str | None:
    """The unit a text is, its surely misread letters mended (mg/1 is mg/L, 10~9/L is 10^9/L); None if it is none."""
    bare = plain(text).strip().rstrip(".")
    if not bare or len(bare) > 24:
        return None
    mended = _LOST_POWER.sub("^", _LOST_L.sub("L", _LOST_MOL.sub("l", bare)))
    if not _pattern().fullmatch(mended) or mended in _alone() or re.fullmatch(r"[\d.]+", mended):
        return None
    mended = _FLAT_POWER.sub(r"10^\1", mended)
    return mended.strip("()[]") if mended.count("(") != mended.count(")") or mended[0] in "([" else mended


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    """A base or power of ten, then any number of bases below or beside it, perhaps in brackets."""
    rows = [row for language in languages.names() for row in languages.rows(language, "lab_units")]
    prefixed = "|".join(re.escape(row["unit"]) for row in rows if row["kind"] == "prefixed")
    whole = [re.escape(row["unit"]) for row in rows if row["kind"] != "prefixed"]
    other = "|".join(sorted(whole, key=len, reverse=True))
    base = rf"(?:{other}|[kKmMuµnpfdcGT]?(?:{prefixed}))"
    return re.compile(
        rf"\(?\[?(?:(?:{_POWER}\s?)?/?\s?{base}(?:\s?[/.·]\s?(?:{_POWER}|{base})|\s(?:Cr|cr|FEU|DDU|Hb|creat))*"
        rf"|{_POWER}(?:\s?/\s?{base})*)\]?\)?"
    )


@lru_cache(maxsize=1)
def _alone() -> frozenset[str]:
    """Bases that are no unit by themselves: RBC and WBC are analytes, a lone letter is anything."""
    rows = (row for language in languages.names() for row in languages.rows(language, "lab_units"))
    return frozenset(row["unit"] for row in rows if row["kind"] == "below") | frozenset("xMTGKmhulSVJLsUgd")
