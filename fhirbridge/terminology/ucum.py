"""Printed unit -> UCUM code, what kind of quantity a unit measures, and exact conversion between units.

    code("×10⁹/L") == "10*9/L"      kind("umol/L") == "molar"      convert(Decimal("88.4"), "umol/L", "mg/dL",
                                                                            molar_mass=Decimal("113.12"))

UCUM's atoms come from a table made of ucum-essence.xml (tools/make_ucum_atoms.py); the tests compare the conversions
with ucumvert's. All arithmetic is on fractions, so nothing passes through float.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

SYSTEM = "http://unitsofmeasure.org"

_PREFIXES = {"Y": 24, "Z": 21, "E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "da": 1, "d": -1, "c": -2}
_PREFIXES |= {"m": -3, "u": -6, "n": -9, "p": -12, "f": -15, "a": -18, "z": -21, "y": -24}
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_POWER_OF_TEN = re.compile(r"^[x×*·.]?10(?:[\^*]+|[x×*e])?(\d{1,2})(?=$|/|[^\d.])", re.IGNORECASE)
_COUNTS_ONLY = re.compile(r"10\*\d+")


class Measure(NamedTuple):
    """What a unit is worth: `factor` in base units, `dimension` as sorted (base unit, exponent) pairs."""

    factor: Fraction
    dimension: tuple[tuple[str, int], ...]


# ------------------------------------------------------------------------------------------------ printed -> code


@lru_cache(maxsize=4096)
def code(printed: str) -> str | None:
    """The UCUM code of a unit as printed in either language; None where it is not known for certain."""
    text = _folded(printed)
    if not text:
        return None
    exact, loose, _, _ = _spellings()
    whole = exact.get(text) or loose.get(text.casefold())
    if whole:
        return whole
    return _from_parts(text) or (text if _looks_like_ucum(text) else _lhncbc().get(text.casefold()))


def _folded(printed: str) -> str:
    text = re.sub(r"(?<=10)([⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda m: "^" + m[1].translate(_SUPERSCRIPTS), printed.strip())
    text = unicodedata.normalize("NFKC", text).replace("μ", "u").replace("µ", "u").replace("∕", "/").replace("⁄", "/")
    text = re.sub(r"\s+", "", text).replace("•", ".").replace("·", ".")
    text = re.sub(r"(?<=mo)1|(?<=/)[1I|](?=$)|(?<=/[mdu])[1I|](?=$)", "L", text)  # no unit is "mmo1/1": OCR's l and L
    while len(text) > 2 and (text[0], text[-1]) in {("(", ")"), ("[", "]"), ("【", "】")}:
        text = text[1:-1]
    return text.strip(",;:。，、")


def _from_parts(text: str) -> str | None:
    power = ""
    found = _POWER_OF_TEN.match(text)
    if found and found[1] in {"3", "4", "5", "6", "9", "12"}:
        power, text = f"10*{found[1]}", text[found.end() :]
        text = re.sub(r"^(?:个|cells|cell|copies|/?#)(?=/|$)", "", text, flags=re.IGNORECASE)
        if not text:  # "10^9" alone has lost its "/L"
            return None
    numerator, *denominators = text.split("/")
    if not power and not denominators and not numerator:
        return None
    top = _part(numerator) if numerator else ""
    below = [_part(piece) for piece in denominators]
    if top is None or None in below or "" in below:
        return None
    made = (power or top) + "".join(f"/{piece}" for piece in below)
    return made if made and _measured(made) else None


def _part(piece: str) -> str | None:
    _, _, exact, loose = _spellings()
    piece = piece.strip("()")
    if piece in exact:
        return exact[piece]
    return loose.get(piece.casefold())


def _looks_like_ucum(text: str) -> bool:
    return bool(re.search(r"[A-Za-z%]", text)) and measure(text) is not None and len(text) > 1


@lru_cache(maxsize=1)
def _spellings() -> tuple[dict[str, str], dict[str, str], dict[str, str], dict[str, str]]:
    """Whole units by exact case and folded case, then parts of units likewise."""
    tables: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows("unit-spellings.tsv"):
        key = _folded(row["printed"])
        table = tables.setdefault((row["use"], row["case"]), {})
        table.setdefault(key if row["case"] == "yes" else key.casefold(), row["ucum"])
    return (tables["whole", "yes"], tables["whole", "no"], tables["part", "yes"], tables["part", "no"])


@lru_cache(maxsize=1)
def _lhncbc() -> dict[str, str]:
    """LHNCBC's spellings, folded, where they are valid UCUM and mean one thing whatever the case."""
    found: dict[str, set[str]] = {}
    for row in rows("unit-spellings-lhncbc.tsv"):
        found.setdefault(_folded(row["printed"]).casefold(), set()).add(row["ucum"])
    return {key: next(iter(codes)) for key, codes in found.items() if len(codes) == 1}


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a table in `data/`, each a dict by heading."""
    with (resources.files(__package__) / "data" / name).open(encoding="utf-8") as lines:
        return list(
            csv.DictReader((x for x in lines if not x.startswith("# ")), delimiter="\t", quoting=csv.QUOTE_NONE)
        )


# ---------------------------------------------------------------------------------------------------- code -> meaning


@lru_cache(maxsize=1)
def _atoms() -> dict[str, Measure | None]:
    """Every UCUM atom with its metric prefixes; None as measure for special units (Cel, [pH])."""
    atoms: dict[str, Measure | None] = {}
    metric: list[str] = []
    for row in rows("ucum-atoms.tsv"):
        if row["dimension"] == "special":
            atoms[row["code"]] = None
            continue
        pairs = [] if row["dimension"] == "1" else [p.rsplit(":", 1) for p in _dimension_parts(row["dimension"])]
        atoms[row["code"]] = Measure(Fraction(row["factor"]), tuple((base, int(power)) for base, power in pairs))
        if row["metric"] == "yes":
            metric.append(row["code"])
    plain = dict(atoms)
    for name in metric:
        known = plain[name]
        if known is not None:
            for prefix, power in _PREFIXES.items():
                atoms.setdefault(prefix + name, Measure(known.factor * Fraction(10) ** power, known.dimension))
    return atoms


def _dimension_parts(text: str) -> list[str]:
    return [part.rstrip(".") for part in re.findall(r"[^:]+:-?\d+(?:\.|$)", text)]


@lru_cache(maxsize=4096)
def measure(ucum: str) -> Measure | None:
    """Factor and dimension of a UCUM code; None if it is not valid UCUM or a special unit such as Cel."""
    try:
        factor, powers, rest = _term(re.sub(r"\{[^{}]*\}", "{}", ucum))
    except (KeyError, ZeroDivisionError, ValueError):
        return None
    if rest:
        return None
    return Measure(factor, tuple(sorted((base, power) for base, power in powers.items() if power)))


def is_valid(ucum: str) -> bool:
    """Whether a code is valid UCUM, special units such as Cel among them."""
    if not ucum.isascii() or any(c.isspace() for c in ucum):  # not even in an annotation
        return False
    return measure(ucum) is not None or re.sub(r"\{[^{}]*\}", "", ucum) in _atoms()


def _measured(ucum: str) -> bool:
    return measure(ucum) is not None


_COMPONENT = re.compile(
    r"(?P<ten>10[*^])(?P<tenpower>[+-]?\d+)?(?:\{\})?|(?P<number>\d+)(?:\{\})?|(?P<note>\{\})"
    r"|(?P<atom>(?:[^\d./(){}\[\]+-]|\[[^\]]*\])+?)(?P<power>[+-]?\d+)?(?:\{\})?(?=[./)]|$)"
)


def _term(text: str) -> tuple[Fraction, dict[str, int], str]:
    """Value of the term at the start of `text`, and what is left from an unmatched `)` on."""
    factor, powers, sign = Fraction(1), dict[str, int](), 1
    if not text:
        raise ValueError(text)
    if text.startswith("/"):
        sign, text = -1, text[1:]
    while True:
        if text.startswith("("):
            inner, inside, text = _term(text[1:])
            if not text.startswith(")"):
                raise ValueError(text)
            text = re.sub(r"^\)(?:\{\})?", "", text)
        else:
            found = _COMPONENT.match(text)
            if not found:
                raise ValueError(text)
            inner, inside = _component(found)
            text = text[found.end() :]
        factor *= inner**sign
        for base, power in inside.items():
            powers[base] = powers.get(base, 0) + power * sign
        if not text or text.startswith(")"):
            return factor, powers, text
        if text[0] not in "./":
            raise ValueError(text)
        sign, text = (1 if text[0] == "." else -1), text[1:]


def _component(found: re.Match[str]) -> tuple[Fraction, dict[str, int]]:
    if found["note"]:
        return Fraction(1), {}
    if found["number"]:
        return Fraction(int(found["number"])), {}
    if found["ten"]:
        return Fraction(10) ** int(found["tenpower"] or 1), {}
    atom = _atoms()[found["atom"]]
    if atom is None:
        raise ValueError(found["atom"])
    power = int(found["power"] or 1)
    return atom.factor**power, {base: exponent * power for base, exponent in atom.dimension}


_KINDS = {
    (("g", 1), ("m", -3)): "mass",
    (("m", -3), ("mol", 1)): "molar",
    (("eq", 1), ("m", -3)): "molar",
    (("m", -3), ("mol", 1), ("s", -1)): "catalytic",
    (("[IU]", 1), ("m", -3)): "units",
    (("[iU]", 1), ("m", -3)): "units",
    (("[arb'U]", 1), ("m", -3)): "units",
    (("m", -3),): "number",
    (("s", 1),): "time",
    (("m", 3),): "volume",
    (("g", 1),): "mass-per-cell",
    (("g", 1), ("s", -1)): "mass-rate",
    (("mol", 1), ("s", -1)): "molar-rate",
    (("eq", 1), ("s", -1)): "molar-rate",
    (("m", 3), ("s", -1)): "flow",
    (("g", 1), ("mol", -1)): "mass-per-mole",
    (("m", 1), ("s", -1)): "velocity",
    (("g", 1), ("m", -1), ("s", -2)): "pressure",
    (("g", -1), ("osm", 1)): "osmolality",
    (("m", -3), ("osm", 1)): "osmolality",
    (("g", -1), ("mol", 1), ("s", -1)): "catalytic-per-mass",
    (("[IU]", 1), ("g", -1)): "catalytic-per-mass",
}


_NAMED_KINDS = {
    "/[HPF]": "hpf",
    "/[LPF]": "lpf",
    "{titer}": "titer",
    "{s_co_ratio}": "index",
    "{COI}": "index",
    "{index}": "index",
    "/100{WBCs}": "fraction",
    "%": "fraction",
    "[ppth]": "fraction",
    "mS/cm": "conductivity",
    "{copies}/mL": "copies",
    "{Log_copies}/mL": "log-copies",
    "{Log_IU}/mL": "log-units",
}


@lru_cache(maxsize=1024)
def kind(ucum: str | None) -> str:
    """What a unit measures: mass, molar, catalytic, units, number, fraction, time, volume ...; "none" without a unit.

    These are the kinds of the analyte table: a LOINC code is one analyte, specimen and kind. "other" fits none.
    """
    if not ucum or ucum in {"{ratio}", "{INR}", "1", "[pH]"}:
        return "none"
    if ucum in _NAMED_KINDS:
        return _NAMED_KINDS[ucum]
    if ucum.endswith("{FEU}") or ucum.endswith("{DDU}"):
        return "mass-" + ucum[-4:-1].casefold()
    if ucum.startswith("{RU}/"):  # relative units: LOINC's arbitrary concentration, no count of anything
        return "units"
    if "{creat}" in ucum:
        return "mass-per-mole" if "mol{creat}" in ucum else "mass-ratio"
    found = measure(ucum)
    if found is None:
        return "other"
    if not found.dimension:
        return "mass-ratio" if "g" in ucum else "mole-ratio" if "mol" in ucum else "fraction"
    return _KINDS.get(found.dimension, "other")


# ------------------------------------------------------------------------------------------------------- conversion


def convert(
    value: Decimal, source: str, target: str, *, molar_mass: Decimal | None = None, valence: int = 1
) -> Decimal | None:
    """`value` of unit `source` in unit `target`, to 12 significant digits; None where the units do not allow it.

    With `molar_mass` (g/mol) mass and molar units convert into each other; meq goes to mmol by `valence`.
    """
    if source == target:
        return value
    ratio = factor(source, target, molar_mass=molar_mass, valence=valence)
    if ratio is None:
        return None
    exact = Fraction(value) * ratio
    with localcontext() as context:
        context.prec = 12
        rounded = Decimal(exact.numerator) / Decimal(exact.denominator)
    return rounded.normalize() if rounded == rounded.to_integral_value() and abs(rounded) < 10**12 else rounded


@lru_cache(maxsize=4096)
def factor(source: str, target: str, *, molar_mass: Decimal | None = None, valence: int = 1) -> Fraction | None:
    """What a value in `source` is multiplied with to be one in `target`; None where the units do not allow it."""
    a, b = measure(source), measure(target)
    if a is None or b is None or b.factor == 0:
        return None
    one, other = _in_moles(a, valence), _in_moles(b, valence)
    if one.dimension == other.dimension:
        return one.factor / other.factor
    if molar_mass is None:
        return None
    one, other = _in_grams(one, molar_mass), _in_grams(other, molar_mass)
    return one.factor / other.factor if one.dimension == other.dimension else None


def _in_moles(known: Measure, valence: int) -> Measure:
    return _exchanged(known, "eq", "mol", Fraction(1, valence))


def _in_grams(known: Measure, molar_mass: Decimal) -> Measure:
    return _exchanged(known, "mol", "g", Fraction(molar_mass))


def _exchanged(known: Measure, old: str, new: str, worth: Fraction) -> Measure:
    powers = dict(known.dimension)
    power = powers.pop(old, 0)
    if not power:
        return known
    powers[new] = powers.get(new, 0) + power
    return Measure(known.factor * worth**power, tuple(sorted((k, v) for k, v in powers.items() if v)))
