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
    r"|\(?(?:serum|plasma|blood|whole blood|urine|level|count|test|total|quantitative|quant|qnt|qn|qual|qualitative"
    r"|tumou?r marker)\)?)$"
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
        shorter = lowered
        for _ in range(2):  # AFP, serum, tumor marker
            shorter = _TAILS.sub("", shorter).strip(" ,;:-()")
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
    """The keys of the analytes a printed name and abbreviation can mean, () if none.

    Where both are known both count; where they contradict each other ("Cholesterol", "HDL") neither does, unless the
    two together are a name.
    """
    if abbreviation:
        names = _index()[0]
        for whole in (f"{abbreviation} {name}", f"{name} {abbreviation}"):
            if fold(whole) in names:
                return names[fold(whole)]
    by_name = _keys(name, names_first=True)
    by_code = _keys(abbreviation, names_first=False) if abbreviation else ()
    if by_name and by_code:
        return tuple(key for key in by_name if key in by_code)
    return by_name or by_code or _misread(name)


def _keys(name: str, *, names_first: bool) -> tuple[str, ...]:
    names, short = _index()
    order = (names, short) if names_first else (short, names)
    forms = [form for form in dict.fromkeys(spellings(name)) if form]
    for form, index in product(forms, order):
        if form in index:  # a full name says more than an abbreviation; what stands as abbreviation may be a name
            return index[form] if names_first else tuple(dict.fromkeys((*index[form], *names.get(form, ()))))
    return ()


# ------------------------------------------------------------------------------------------ names misread by one letter

_LIKE = str.maketrans({"l": "1", "i": "1", "|": "1", "o": "0", "y": "g", "r": "g"})  # O and 0, γ read as Y or r
_LEAST = {"han": 6, "latin": 10}


def _misread(name: str) -> tuple[str, ...]:
    """The analytes of the only known name that is one misread character away; () where two analytes are so near."""
    form = next((f for f in spellings(name) if f), "")
    alike = _look_alikes().get(form.translate(_LIKE), ())
    if alike:
        return alike
    if len(form) < _LEAST["han" if re.search("[㐀-鿿]", form) else "latin"]:
        return ()
    digits = re.sub(r"\D", "", form)
    near = [
        keys
        for known, keys in _index()[0].items()
        if abs(len(known) - len(form)) <= 1 and re.sub(r"\D", "", known) == digits and _one_apart(form, known)
    ]
    found = {key for keys in near for key in keys}
    return near[0] if len(found) == len(near[0] if near else ()) and near else ()


@lru_cache(maxsize=1)
def _look_alikes() -> dict[str, tuple[str, ...]]:
    """Names and abbreviations of four characters or more by their shape, where one shape is one analyte."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for index in _index():
        for form, keys in index.items():
            if len(form) >= 4:
                found.setdefault(form.translate(_LIKE), set()).add(keys)
    return {shape: next(iter(keys)) for shape, keys in found.items() if len(keys) == 1}


def _one_apart(a: str, b: str) -> bool:
    """Whether one character replaced, lost or added turns one text into the other."""
    start = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    rest = (a[start:], b[start:])
    if len(a) == len(b):
        return rest[0][1:] == rest[1][1:]
    longer, shorter = (rest[0], rest[1]) if len(a) > len(b) else (rest[1], rest[0])
    return longer[1:] == shorter
