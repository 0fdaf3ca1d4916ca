"""Units as printed: what is a unit, and the letters of it that print and engine surely mistook."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from fhirbridge import languages
from fhirbridge.extract.lab_print import plain
from fhirbridge.records import LabResult

_POWER = r"(?:[x×*X·]?\s?10\s?[\^~'\"*°]{0,2}\s?[⁰¹²³⁴⁵⁶⁷⁸⁹\d]{1,2}|10\s?[x×*X]\s?\d{1,2}|[x×*X]\s?[Ee]\s?\d{1,2})"
_LOST_L = re.compile(r"(?<=/)[1Ii|!](?=$|[)\]])|(?<=/[mdunpfµ])[1I|](?=$|[)\]])")
_LOST_MOL = re.compile(r"(?<=mo)[1I|](?=$|/)")
_LOST_POWER = re.compile(r"(?<=10)\s?[~'\"°%*]\s?(?=\d{1,2}/)")
_NO_POWER = re.compile(r"[x×*X]?\s?10[.,·^~*'\"°º]?\s?/\s?[Ll]")
_NO_STROKE = frozenset(("UL", "IUL", "gL"))  # letters that are a unit only with the stroke they lost
_LOOK = str.maketrans(
    {"l": "1", "i": "1", "|": "1", "!": "1", "/": "1", "o": "0", "µ": "u", "μ": "u", "q": "g", "9": "g"}
)
_FLAT_POWER = re.compile(r"(?<![\d.])10([369]|12)(?=/)")


@lru_cache(maxsize=8192)
def read(text: str) -> str | None:
    """The unit a text is, its surely misread letters mended (mg/1 is mg/L, 10~9/L is 10^9/L); None if it is none.

    A power of ten whose exponent the engine lost is `10^?/L`.
    """
    bare = plain(text).strip().rstrip(".")
    if not bare or len(bare) > 24 or re.match(r"[%‰]\s?/", bare):  # a misread power of ten
        return None
    if _NO_POWER.fullmatch(bare):
        return re.sub(r"10[^/]*/", "10^?/", bare)
    mended = _LOST_POWER.sub("^", _LOST_L.sub("L", _LOST_MOL.sub("l", bare)))
    if bare in _NO_STROKE or not _pattern().fullmatch(mended) or mended in _alone() or re.fullmatch(r"[\d.]+", mended):
        return _like(bare)
    mended = _FLAT_POWER.sub(r"10^\1", mended)
    return mended.strip("()[]") if mended.count("(") != mended.count(")") or mended[0] in "([" else mended


def _like(text: str) -> str | None:
    """The one common unit that looks like a text: 1U/mL is IU/mL, UIL is U/L, mlu/L is mIU/L; None if not just one."""
    if len(text) < 2 or text.isdigit() or not re.search(r"[A-Za-z]", text):
        return None
    found = _common().get(_skeleton(text), frozenset())
    return min(found) if len(found) == 1 else None


def _skeleton(text: str) -> str:
    return text.casefold().translate(_LOOK).replace(" ", "").strip(".")


@lru_cache(maxsize=1)
def _common() -> dict[str, frozenset[str]]:
    """The common units by their skeletons, with and without the stroke that print so often loses."""
    found: dict[str, set[str]] = {}
    for language in languages.names():
        for row in languages.rows(language, "lab_units"):
            if row["kind"] == "common":
                unit = plain(row["unit"]).replace("µ", "u")
                for form in (unit, unit[0] + unit[1:].replace("/", "")):
                    if len(form) > 1 and not form.isdigit():
                        found.setdefault(_skeleton(form), set()).add(unit)
    return {skeleton: frozenset(units) for skeleton, units in found.items()}


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    """A base or power of ten, then any number of bases below or beside it, perhaps in brackets."""
    rows = [row for language in languages.names() for row in languages.rows(language, "lab_units")]
    prefixed = "|".join(re.escape(row["unit"]) for row in rows if row["kind"] == "prefixed")
    whole = [re.escape(row["unit"]) for row in rows if row["kind"] not in ("prefixed", "common")]
    other = "|".join(sorted(whole, key=len, reverse=True))
    base = rf"(?:{other}|[kKmMuµnpfdcGT]?(?:{prefixed}))"
    return re.compile(
        rf"{_POWER}/|"
        rf"\(?\[?(?:(?:{_POWER}\s?)?/?\s?{base}(?:\s?[/.·]\s?(?:{_POWER}|{base})|\s(?:Cr|cr|FEU|DDU|Hb|creat))*"
        rf"|{_POWER}(?:\s?/\s?{base})*)\]?\)?"
    )


@lru_cache(maxsize=1)
def _alone() -> frozenset[str]:
    """Bases that are no unit by themselves: RBC and WBC are analytes, a lone letter is anything."""
    rows = (row for language in languages.names() for row in languages.rows(language, "lab_units"))
    return frozenset(row["unit"] for row in rows if row["kind"] == "below") | frozenset("xMTGKmhulSVJLsUgd")


def powers_restored(rows: Sequence[LabResult]) -> list[LabResult]:
    """The rows with 10^?/L made whole where the other rows leave one choice: red cells are counted in 10^12/L."""
    known = {power for row in rows for power in re.findall(r"10\^(\d+)/L", row.unit, re.IGNORECASE)}
    return [_restored(row, known) if "10^?" in row.unit else row for row in rows]


def _restored(row: LabResult, known: set[str]) -> LabResult:
    names = f"{row.name} {row.abbreviation}".casefold()
    red = any(word in names for word in _words("red cells")) and not any(
        word in names for word in _words("not red cells")
    )
    power = "12" if red else "9"
    if known and power not in known:
        return row
    unit = row.unit.replace("?", power)
    return _with(row, unit, f"exponent of the unit not legible, read as {unit}")


def alike(rows: Sequence[LabResult]) -> list[LabResult]:
    """The rows with an illegible unit taken from at least three rows whose names end alike and agree on theirs."""
    units: dict[str, set[str]] = {}
    counts: dict[str, int] = {}
    for row in rows:
        if read(row.unit) is not None:
            units.setdefault(row.name[-3:], set()).add(row.unit)
            counts[row.name[-3:]] = counts.get(row.name[-3:], 0) + 1
    found = []
    for row in rows:
        same = units.get(row.name[-3:], set())
        illegible = bool(row.unit) and read(row.unit) is None
        trusted = illegible and len(same) == 1 and counts[row.name[-3:]] >= 3
        found.append(_with(row, min(same), "unit not legible, taken as in the rows of like name") if trusted else row)
    return found


def _with(row: LabResult, unit: str, repair: str) -> LabResult:
    measured = [None if q is None else replace(q, unit=unit) for q in (row.quantity, row.low, row.high)]
    return replace(
        row, unit=unit, quantity=measured[0], low=measured[1], high=measured[2], repairs=(*row.repairs, repair)
    )


def _has(names: str, kind: str) -> bool:
    return any(word in names for word in _words(kind))


@lru_cache(maxsize=4)
def _words(kind: str) -> tuple[str, ...]:
    rows = (row for language in languages.names() for row in languages.rows(language, "lab_words"))
    return tuple(row["word"].casefold() for row in rows if row["kind"] == kind)
