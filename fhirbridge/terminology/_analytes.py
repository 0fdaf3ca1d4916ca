"""The analytes a laboratory reports: their names in every language, their LOINC codes, and what converts their units.

Names come from `languages/*/analytes.tsv`; codes, the same for all languages, from `data/analyte-codes.tsv`; molar
masses from `data/molar-masses.tsv`. One name may stand at several analytes ("RDW"): unit and specimen then decide.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import product

from fhirbridge import languages
from fhirbridge.errors import ConfigurationError
from fhirbridge.terminology import ucum


@dataclass(frozen=True, slots=True)
class Code:
    """One LOINC code: what decides it (`specimen`, `kind` of quantity) and LOINC's own component and example unit."""

    loinc: str
    specimen: str
    kind: str
    component: str
    unit: str


@dataclass(frozen=True, slots=True)
class Analyte:
    """Something a laboratory measures. `names` by language, the preferred first; the usual specimen's codes first."""

    key: str
    panel: str
    names: Mapping[str, tuple[str, ...]]
    abbreviations: tuple[str, ...]
    codes: tuple[Code, ...]
    molar_mass: Decimal | None = None
    valence: int = 1
    grams_per_unit: Decimal | None = None

    def name(self, language: str) -> str:
        """The preferred name in a language, else the English one, else the key."""
        return next((self.names[x][0] for x in (language, "en", *self.names) if self.names.get(x)), self.key)


@lru_cache(maxsize=1)
def table() -> Mapping[str, Analyte]:
    """Every analyte by its key, in the order of the tables."""
    codes: dict[str, list[Code]] = {}
    for row in ucum.rows("analyte-codes.tsv"):
        made = Code(row["loinc"], row["specimen"], row["kind"], row["component"], row["unit"])
        codes.setdefault(row["analyte"], []).append(made)
    masses = {row["analyte"]: row for row in ucum.rows("molar-masses.tsv")}
    read = {lang: {row["analyte"]: row for row in rows} for lang, rows in _language_tables().items()}
    keys = dict.fromkeys(key for rows in read.values() for key in rows)
    return {key: _analyte(key, read, tuple(codes.get(key, ())), masses.get(key, {})) for key in keys}


def _language_tables() -> dict[str, tuple[dict[str, str], ...]]:
    found = {}
    for language in languages.names():
        try:
            found[language] = languages.rows(language, "analytes")
        except ConfigurationError:  # a language need not have laboratory names
            continue
    return found


def _analyte(
    key: str, read: Mapping[str, Mapping[str, dict[str, str]]], codes: tuple[Code, ...], mass: dict[str, str]
) -> Analyte:
    rows = {lang: table[key] for lang, table in read.items() if key in table}
    return Analyte(
        key=key,
        panel=next((row["panel"] for row in rows.values()), ""),
        names={lang: _listed(row["names"]) for lang, row in rows.items()},
        abbreviations=tuple(x for row in rows.values() for x in _listed(row["abbreviations"])),
        codes=codes,
        molar_mass=Decimal(mass["molar_mass"]) if mass.get("molar_mass") else None,
        valence=int(mass.get("valence") or 1),
        grams_per_unit=Decimal(mass["grams_per_unit"]) if mass.get("grams_per_unit") else None,
    )


def _listed(cell: str) -> tuple[str, ...]:
    return tuple(x.strip() for x in cell.split(";") if x.strip())


# ------------------------------------------------------------------------------------------------- printed name -> key

_GREEK = {"α": "a", "β": "b", "γ": "g", "κ": "k", "λ": "l", "ⅰ": "i", "ⅱ": "ii", "ⅲ": "iii", "ⅳ": "iv"}
_TAILS = re.compile(
    r"(?:测定|检测|检查|试验|定量|定性"
    r"|\(?(?:serum|plasma|blood|whole blood|urine|level|count|test|quantitative|total)\)?)$"
)
_HEADS = re.compile(r"^(?:血清|血浆|全血|serum|plasma|s\.|p\.|b-|s-)")


def fold(name: str) -> str:
    """A name without what differs between printers: width, case, spaces, marks, Greek letters; keeps % and #."""
    text = unicodedata.normalize("NFKC", name).casefold()
    text = "".join(_GREEK.get(c, c) for c in text)
    return re.sub(r"[^\w%#+/]|_", "", text)


def spellings(name: str) -> Iterator[str]:
    """The forms of a printed name to look up: whole, without brackets, the brackets alone, then trimmed."""
    text = unicodedata.normalize("NFKC", name).strip().strip("*★☆▲△●◆#·. ")
    plain = re.sub(r"[(\[【][^()\[\]【】]*[)\]】]", " ", text)
    inside = re.findall(r"[(\[【]([^()\[\]【】]*)[)\]】]", text)
    for form in (text, plain, *inside):
        yield fold(form)
    for form in (text, plain):
        lowered = form.casefold().strip(" ,;:-")
        shorter = _TAILS.sub("", lowered).strip(" ,;:-()")
        yield fold(shorter)
        yield fold(_HEADS.sub("", shorter))
        first, comma, rest = lowered.partition(",")
        if comma:
            yield fold(f"{rest} {first}")
            yield fold(_TAILS.sub("", f"{rest} {first}"))


@lru_cache(maxsize=1)
def _index() -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    names: dict[str, dict[str, None]] = {}
    short: dict[str, dict[str, None]] = {}
    for key, known in table().items():
        for spelled in (x for listed in known.names.values() for x in listed):
            names.setdefault(fold(spelled), {})[key] = None
        for spelled in known.abbreviations:
            short.setdefault(fold(spelled), {})[key] = None
    return {k: tuple(v) for k, v in names.items()}, {k: tuple(v) for k, v in short.items()}


@lru_cache(maxsize=8192)
def candidates(name: str, abbreviation: str = "") -> tuple[str, ...]:
    """The keys of the analytes a printed name and abbreviation can mean, () if none: where they agree, both count."""
    by_name = _keys(name, names_first=True)
    by_code = _keys(abbreviation, names_first=False) if abbreviation else ()
    both = tuple(key for key in by_name if key in by_code)
    return both or by_name or by_code


def _keys(name: str, *, names_first: bool) -> tuple[str, ...]:
    names, short = _index()
    order = (names, short) if names_first else (short, names)
    forms = [form for form in dict.fromkeys(spellings(name)) if form]
    for form, index in product(forms, order):
        if form in index:
            return tuple(dict.fromkeys((*index[form], *(short if index is names else names).get(form, ()))))
    return ()
