"""English: how much of a medicine and how often, as it is said."""

# ruff: noqa: E501  (patterns read better on one line)
from __future__ import annotations

import re
from decimal import Decimal

from fhirbridge.languages.en.numbers import numbers
from fhirbridge.languages.en.since import UNITS
from fhirbridge.languages.spoken import Timing

_DOSE = re.compile(
    r"[\s-]*(?:of an? |an? )?(?P<unit>milligrams?|mgs?|micrograms?|mcgs?|µg|ug|grams?|gm|g|milliliters?|millilitres?|mls?|mils?|cc|international units|units?|iu|milliequivalents?|meq|"
    r"percent|%|tablets?|tabs?|pills?|capsules?|caps|puffs?|drops?|sprays?|teaspoons?|tablespoons?|patch(?:es)?|sachets?|lozenges?|ounces?|mg)(?![\w])"
)
_DOSE_UCUM = {
    "mi": "mg", "mg": "mg", "mc": "ug", "ug": "ug", "µg": "ug", "gr": "g", "gm": "g", "g": "g", "ml": "mL", "cc": "mL",
    "un": "[IU]", "iu": "[IU]", "in": "[IU]", "me": "meq", "pe": "%", "%": "%", "ta": "{tablet}", "pi": "{tablet}",
    "ca": "{capsule}", "pu": "{puff}", "dr": "[drp]", "sp": "{spray}", "te": "[tsp_us]", "pa": "{patch}",
    "sa": "{sachet}", "lo": "{lozenge}", "ou": "[oz_av]",
}  # fmt: skip


def dose_unit(after: str) -> tuple[str, str, int] | None:
    """The unit right after a dose: (as said, UCUM, characters taken)."""
    match = _DOSE.match(after)
    if match is None:
        return None
    unit = match["unit"]
    if unit.startswith("microg"):
        ucum = "ug"
    elif unit.startswith("millil") or unit in ("mil", "mils"):
        ucum = "mL"
    elif unit.startswith("millieq"):
        ucum = "meq"
    elif unit.startswith("tablesp"):
        ucum = "[tbs_us]"
    else:
        ucum = _DOSE_UCUM[unit[:2]] if unit[:2] in _DOSE_UCUM else _DOSE_UCUM[unit[:1]]
    return unit, ucum, match.end()


_COUNT = {
    "once": 1,
    "one time": 1,
    "twice": 2,
    "two times": 2,
    "three times": 3,
    "four times": 4,
    "five times": 5,
    "six times": 6,
}
_OFTEN = re.compile(
    r"\b(?P<n>once|twice|(?:one|two|three|four|five|six|\d) times?|one|two)?\s*(?:a|per|every|each|/)\s*(?P<unit>day|week|month|night|morning|evening|hour)\b"
    r"|\b(?P<nd>once|twice|(?:two|three|four|\d) times)?\s*(?P<daily>daily|nightly|weekly|monthly)\b"
    r"|\bevery (?P<every>\w+(?: (?:to|or) \w+)?) (?P<eunit>hour|day|week|month)s?\b"
    r"|\b(?P<latin>b\.?i\.?d|t\.?i\.?d|q\.?i\.?d|q\.?d|q\.?h\.?s)\b"
)
_WHEN = (("HS", r"at (?:bed ?time|night)|before bed|nightly|every night"), ("MORN", r"(?:in|every) (?:the )?morning"),
         ("EVE", r"(?:in|every) (?:the )?evening"), ("AC", r"before (?:meals|eating|food)"), ("PC", r"after (?:meals|eating|food)"),
         ("C", r"with (?:meals|food|each meal|breakfast|dinner)"))  # fmt: skip
_NEEDED = re.compile(
    r"\b(?:as needed|when needed|if needed|when you need|as you need|p\.?r\.?n|when i need|as required|as necessary)\b"
)
_LATIN = {"bid": 2, "tid": 3, "qid": 4, "qd": 1, "qhs": 1}


def timing(text: str) -> Timing | None:
    """How often a medicine is taken, as said in the words about it."""
    when = tuple(code for code, pattern in _WHEN if re.search(rf"\b(?:{pattern})\b", text))
    needed = _NEEDED.search(text) is not None
    match = _OFTEN.search(text)
    if match is None:
        return Timing(None, None, "", needed, when, 0, len(text)) if when or needed else None
    if match["every"]:
        if match["every"] == "other":
            return Timing(1, Decimal(2), UNITS[match["eunit"]], needed, when, match.start(), match.end())
        counted = numbers(match["every"])
        period = counted[0].value if counted else Decimal(1)
        return Timing(1, period, UNITS[match["eunit"]], needed, when, match.start(), match.end())
    if match["latin"]:
        return Timing(
            _LATIN[match["latin"].replace(".", "")], Decimal(1), "d", needed, when, match.start(), match.end()
        )
    said = match["n"] or match["nd"] or "once"
    counted = numbers(said)
    count = _COUNT.get(said) or (int(counted[0].value) if counted else 1)
    unit = {"daily": "d", "nightly": "d", "weekly": "wk", "monthly": "mo"}.get(match["daily"] or "") or UNITS[
        match["unit"]
    ]
    return Timing(count, Decimal(1), unit, needed, when, match.start(), match.end())


_BARE = re.compile(r",? (?:um |i think (?:it's|that's) |it's |that's )?$")
_BARE_END = re.compile(
    r"\s*(?:[,.?!]|$|once\b|twice\b|a day\b|daily\b|every\b|at night\b|in the morning\b|when\b|most\b)"
)


def bare_dose(text: str) -> tuple[Decimal, int, int] | None:
    """A dose without its unit right after the medicine ("losartan, i think it's fifty"); small numbers count tablets."""
    first = next(iter(numbers(text)), None)
    if first is None or first.value < 5 or _BARE.fullmatch(text[: first.start]) is None:
        return None
    return (first.value, first.start, first.end) if _BARE_END.match(text, first.end) else None
