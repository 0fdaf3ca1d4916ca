"""Units as dimension and factor, so that g/L and g/dL, mg/dL and umol/L, /uL and 10*9/L can be compared exactly.

Reads UCUM and the spellings that trials print. Molar masses and valences come from `data/measures.tsv`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

__all__ = ["Unit", "converted", "days", "unit_of"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: what it measures and how many of that dimension's base unit it is."""

    dimension: str
    factor: Decimal


_D = Decimal
_PREFIX = {"": _D(1), "k": _D(1000), "d": _D("0.1"), "c": _D("0.01"), "m": _D("0.001"), "u": _D("1e-6")}
_PREFIX |= {"n": _D("1e-9"), "p": _D("1e-12"), "f": _D("1e-15"), "h": _D(100)}
_BASE = {"g": "mass", "mol": "amount", "l": "volume", "m": "length", "eq": "charge", "iu": "activity", "u": "activity"}
_BASE |= {"kat": "katal", "osm": "osmoles", "pa": "pressure"}
_PLAIN = {
    "": Unit("one", _D(1)),
    "%": Unit("one", _D("0.01")),
    "percent": Unit("one", _D("0.01")),
    "fold": Unit("one", _D(1)),
    "ratio": Unit("one", _D(1)),
    "mmhg": Unit("pressure", _D("133.322387415")),
    "mm hg": Unit("pressure", _D("133.322387415")),
    "mm[hg]": Unit("pressure", _D("133.322387415")),
    "torr": Unit("pressure", _D("133.322387415")),
    "cm[h2o]": Unit("pressure", _D("98.0665")),
    "ms": Unit("seconds", _D("0.001")),
    "msec": Unit("seconds", _D("0.001")),
    "s": Unit("seconds", _D(1)),
    "sec": Unit("seconds", _D(1)),
    "seconds": Unit("seconds", _D(1)),
    "秒": Unit("seconds", _D(1)),
    "毫秒": Unit("seconds", _D("0.001")),
    "bpm": Unit("per minute", _D(1)),
    "/min": Unit("per minute", _D(1)),
    "次/分": Unit("per minute", _D(1)),
    "cel": Unit("celsius", _D(1)),
    "c": Unit("celsius", _D(1)),
    "°c": Unit("celsius", _D(1)),
    "℃": Unit("celsius", _D(1)),
    "[degf]": Unit("fahrenheit", _D(1)),
    "f": Unit("fahrenheit", _D(1)),
    "°f": Unit("fahrenheit", _D(1)),
    "kg/m2": Unit("mass per area", _D(1)),
    "kg/m^2": Unit("mass per area", _D(1)),
    "lb": Unit("mass", _D("453.59237")),
    "lbs": Unit("mass", _D("453.59237")),
    "[lb_av]": Unit("mass", _D("453.59237")),
    "pounds": Unit("mass", _D("453.59237")),
    "公斤": Unit("mass", _D(1000)),
    "千克": Unit("mass", _D(1000)),
    "in": Unit("length", _D("0.0254")),
    "[in_i]": Unit("length", _D("0.0254")),
    "inches": Unit("length", _D("0.0254")),
    "米": Unit("length", _D(1)),
    "厘米": Unit("length", _D("0.01")),
    "毫米": Unit("length", _D("0.001")),
    "m2": Unit("area", _D(1)),
    "ml/min": Unit("clearance", _D(1)),
    "ml/s": Unit("clearance", _D(60)),
    "l/min": Unit("clearance", _D(1000)),
    "分": Unit("one", _D(1)),
    "inr": Unit("one", _D(1)),
    "{inr}": Unit("one", _D(1)),
}
_COUNT = re.compile(
    r"^(?:cells?|cell|个)?(?:(?:x|×|\*|\.)?10(?:\^|\*|e|\*\*)?\(?(\d{1,2})\)?)?(?:\{?cells?\}?|个)?/?(l|ml|ul|mm3|mm\^3|cmm|dl)?$"
)
_COUNTS = {"k/ul": _D("1e9"), "g/l": _D("1e9"), "t/l": _D("1e12"), "m/ul": _D("1e12"), "thou/ul": _D("1e9")}
_COUNTS |= {"k/mm3": _D("1e9"), "m/mm3": _D("1e12"), "k/cumm": _D("1e9"), "10*3/ul": _D("1e9")}
_VOLUME = {"l": _D(1), "ml": _D("0.001"), "dl": _D("0.1"), "ul": _D("1e-6"), "mm3": _D("1e-6"), "mm^3": _D("1e-6")}
_VOLUME |= {"cmm": _D("1e-6")}
_TERM = re.compile(r"^(k|d|c|m|u|n|p|f|h)?(g|mol|l|m|eq|iu|u|kat|osm|pa)(\d)?$")
_NOISE = re.compile(r"\{[^}]*\}|\[|\]|\s|\(.*?\)|by .*$")


@lru_cache(maxsize=20_000)
def unit_of(text: str) -> Unit | None:
    """The Unit of a spelling, None if it cannot be read."""
    plain = unicodedata.normalize("NFKC", text).replace("µ", "u").replace("μ", "u").strip().casefold()
    plain = plain.replace("mcg", "ug").replace("litre", "l").replace("liter", "l").replace("international units", "iu")
    if plain in _PLAIN:
        return _PLAIN[plain]
    if re.match(r"^ml/min(?:ute)?s?\s*[/*.·]\s*[\[{(]?1[._]73", plain):
        return Unit("clearance", _D(1))
    plain = _NOISE.sub("", plain.replace("·", "/").replace("units", "u").replace("minute", "min"))
    if plain in _PLAIN:
        return _PLAIN[plain]
    return _counted(plain) or _ratio(plain)


def _counted(plain: str) -> Unit | None:
    if plain in _COUNTS and plain != "g/l":
        return Unit("number per litre", _COUNTS[plain])
    found = _COUNT.match(plain)
    if found and (found[1] or "/" in plain):
        power = _D(10) ** int(found[1] or 0)
        return Unit("number per litre", power / _VOLUME.get(found[2] or "", _D(1)))
    return None


def _ratio(plain: str) -> Unit | None:
    top, *below = plain.split("/")
    unit = _term(top)
    for part in below:
        under = _PLAIN.get(part) if part in ("m2", "min") else _term(part) or _time(part)
        if unit is None or under is None:
            return None
        unit = Unit(f"{unit.dimension}/{under.dimension}", unit.factor / under.factor)
    return unit


def _term(part: str) -> Unit | None:
    found = _TERM.match(part)
    if not found:
        return None
    factor = _PREFIX[found[1] or ""]
    if found[3]:
        return Unit(f"{_BASE[found[2]]}^{found[3]}", factor ** int(found[3]))
    return Unit(_BASE[found[2]], factor)


def _time(part: str) -> Unit | None:
    hours = {"h": 1, "hr": 1, "24h": 24, "d": 24, "day": 24, "24hr": 24, "24小时": 24, "min": None, "s": None}
    if part not in hours or hours[part] is None:
        return None
    return Unit("day", _D(str(hours[part])) / 24)


@lru_cache(maxsize=100_000)
def converted(value: Decimal, unit: str, to: str, molar: Decimal | None = None, valence: int = 1) -> Decimal | None:
    """`value` in the unit `to`; mass and amount are exchanged by the molar mass (g/mol). None if not of one kind."""
    here, there = unit_of(unit), unit_of(to)
    if here is None or there is None:
        return None
    if here.dimension == there.dimension:
        return value * here.factor / there.factor
    if {here.dimension, there.dimension} == {"celsius", "fahrenheit"}:
        return (value - 32) * 5 / 9 if here.dimension == "fahrenheit" else value * 9 / 5 + 32
    kinds = (here.dimension.split("/")[0], there.dimension.split("/")[0])
    if here.dimension.split("/")[1:] != there.dimension.split("/")[1:]:
        return None
    factor = _exchange(kinds, molar, valence)
    return None if factor is None else value * here.factor * factor / there.factor


def _exchange(kinds: tuple[str, str], molar: Decimal | None, valence: int) -> Decimal | None:
    if kinds == ("charge", "amount"):
        return _D(1) / valence
    if kinds == ("amount", "charge"):
        return _D(valence)
    if molar is None:
        return None
    steps = {("mass", "amount"): 1 / molar, ("amount", "mass"): molar}
    steps |= {("mass", "charge"): valence / molar, ("charge", "mass"): molar / valence}
    return steps.get(kinds)


_DAYS = {"h": _D(1) / 24, "hour": _D(1) / 24, "min": _D(1) / 1440, "d": _D(1), "day": _D(1), "wk": _D(7), "week": _D(7)}
_MONTHS = {"mo": 1, "month": 1, "a": 12, "year": 12, "yr": 12, "y": 12}


@lru_cache(maxsize=10_000)
def days(value: Decimal, unit: str) -> tuple[Decimal, int]:
    """A duration as (days, calendar months): weeks and hours are days, months and years are calendar months."""
    plain = unit.casefold().rstrip("s")
    if plain in _MONTHS:
        months = value * _MONTHS[plain]
        whole = int(months)
        return (months - whole) * _D("30.4375"), whole
    return value * _DAYS.get(plain, _D(1)), 0
