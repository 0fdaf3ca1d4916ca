"""How much was smoked, as said in English: "a pack a day for twenty years" is 20 pack-years."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from fhirbridge.languages.en.numbers import numbers
from fhirbridge.languages.spoken import Told

_DAILY = re.compile(
    r"(?<!\w)(?P<packs>half a|a half|a|one|two|three|one and a half|\d(?:\.\d)?)(?: packs?)(?: a| per| each|/)? ?day,? "
    r"(?:for|over|x)(?: about| around| like| maybe| almost| nearly| the last| the past)* "
    r"(?P<years>[\w -]{1,20}?) years?(?!\w)"
)
_TOTAL = re.compile(r"(?<!\w)(?P<years>[\w]+(?:[ -][\w]+)?)[ -]pack[ -]years?(?!\w)")
_CODE = (("http://loinc.org", "8664-5", ""),)


def told(text: str) -> Iterator[Told]:
    """The pack-years that a text tells."""
    if "pack" not in text:
        return
    for match in _DAILY.finditer(text):
        years = numbers(match["years"])
        packs = {"half a": Decimal("0.5"), "a half": Decimal("0.5"), "a": Decimal(1)}.get(match["packs"])
        counted = numbers(match["packs"]) if packs is None else []
        packs = counted[0].value if counted else packs
        if years and packs is not None:
            yield _pack_years(match, packs * years[0].value)
    for match in _TOTAL.finditer(text):
        if total := numbers(match["years"]):
            yield _pack_years(match, total[-1].value)


def _pack_years(match: re.Match[str], amount: Decimal) -> Told:
    value = f"{amount.normalize():f} {{pack-years}}"
    return Told(match.start(), match.end(), "social-history", "Cigarettes smoked, pack-years", value, _CODE)
