"""The units that protocols print, in both languages, and their UCUM codes."""

from __future__ import annotations

from functools import lru_cache

from fhirbridge import languages

__all__ = ["units"]


_UNIT_ROWS = "criterion_units"


@lru_cache(maxsize=1)
def units() -> dict[str, str]:
    """The UCUM code of each spelling in small letters."""
    rows = [*languages.rows("en", _UNIT_ROWS), *languages.rows("zh", _UNIT_ROWS)]
    units = {spelling.strip().lower(): row["ucum"] for row in rows for spelling in row["spellings"].split("|")}
    for spelling, ucum in tuple(units.items()):
        base, slash, volume = spelling.rpartition("/")
        for full in _SPELLED_OUT.get(volume, ()) if slash else ():
            units.setdefault(f"{base}/{full}", ucum)
    return units


# Volumes and times that a unit may end on, written in full ("mmol/liter").
_SPELLED_OUT = {"l": ("liter", "litre"), "dl": ("deciliter", "decilitre"), "ml": ("milliliter", "millilitre"),
                "min": ("minute",), "ul": ("microliter", "microlitre"), "d": ("day",), "h": ("hour",)}  # fmt: skip
