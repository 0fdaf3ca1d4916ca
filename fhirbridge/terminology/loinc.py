"""Laboratory analyte, specimen and unit -> LOINC; LOINC -> analyte; and values of one analyte between its units.

    code(report)                                        every row of a report, by its unit and the page it stands on
    find("肌酐", unit="umol/L")                          Coding(14682-9); mg/dL gives 2160-0, no unit gives None
    convert(Decimal("88.4"), "umol/L", "mg/dL", "14682-9") == Decimal("0.999...")

A code is given when analyte, specimen and kind of quantity decide it, else none: never a guess. Where the method is not
printed, the code is that of the method in routine use (cell counts automated, LDL in mg/dL calculated): see decisions.
On the synthetic reports: see docs/quality.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache

from fhirbridge import languages
from fhirbridge.errors import ConfigurationError
from fhirbridge.records import Coding, LabReport, LabResult, Quantity
from fhirbridge.terminology import _analytes, ucum
from fhirbridge.terminology._analytes import Analyte, Code
from fhirbridge.terminology._loinc_table import create as create  # --terminology loinc=Loinc.csv

SYSTEM = "http://loinc.org"
BLOOD = frozenset({"blood", "serum", "plasma", "red-cells"})

_NEIGHBOURS = {"catalytic": ("units",), "units": ("catalytic",), "none": ("fraction",), "fraction": ("none",)}
_NEIGHBOURS |= {"mass-feu": ("mass",), "mass-ddu": ("mass",)}
_TITRE = re.compile(r"\s*[<>≤≥]?=?\s*1\s*[:：]\s*\d+\s*")


# -------------------------------------------------------------------------------------------------------- one analyte


def analytes(name: str, abbreviation: str = "") -> tuple[Analyte, ...]:
    """The analytes a printed or spoken name can mean, in any language; () if it is none that is known."""
    return tuple(_analytes.table()[key] for key in _analytes.candidates(name, abbreviation))


def analyte(key: str) -> Analyte | None:
    """The analyte with a key of the analyte table ("crea"); None if there is none."""
    return _analytes.table().get(key)


def find(name: str, *, unit: str = "", specimen: str = "", abbreviation: str = "", value: str = "") -> Coding | None:
    """The LOINC code of a named analyte; `unit` printed or UCUM, `specimen` as printed or a key of the code table.

    `value` tells a qualitative result from a number without unit. None where several codes remain.
    """
    kind = _kind(ucum.code(unit), unit, value)
    where = _specimens(specimen) if specimen else specimen_of_name(name)
    found = _decide(analytes(name, abbreviation), kind, where or None)
    return Coding(SYSTEM, found.loinc) if found else None


@lru_cache(maxsize=1)
def _by_loinc() -> dict[str, tuple[Analyte, Code]]:
    found: dict[str, tuple[Analyte, Code]] = {}
    for known in _analytes.table().values():
        for row in known.codes:
            found.setdefault(row.loinc, (known, row))
    return found


def of_code(loinc: str) -> tuple[Analyte, Code] | None:
    """The analyte behind a LOINC code and the row of the code table it stands in; None if it is not in the table."""
    return _by_loinc().get(loinc)


def same_analyte(loinc: str, *, same_specimen: bool = True) -> tuple[str, ...]:
    """The LOINC codes that report the same analyte (in other units), this one among them; () if it is not known."""
    known = of_code(loinc)
    if known is None:
        return ()
    rows = known[0].codes
    where = BLOOD if known[1].specimen in BLOOD else frozenset({known[1].specimen})
    return tuple(dict.fromkeys(r.loinc for r in rows if not same_specimen or r.specimen in where))


def convert(value: Decimal, source: str, target: str, analyte_or_loinc: str) -> Decimal | None:
    """A value of one analyte in another UCUM unit, mass and molar alike; None where that is not defined.

    HbA1c goes between % (NGSP) and mmol/mol (IFCC) by the master equation.
    """
    known = analyte(analyte_or_loinc) or (of_code(analyte_or_loinc) or (None,))[0]
    if known is None:
        return ucum.convert(value, source, target)
    if known.key == "hba1c" and {source, target} == {"%", "mmol/mol"}:
        ifcc = (value - Decimal("2.152")) / Decimal("0.09148")
        return ifcc if target == "mmol/mol" else value * Decimal("0.09148") + Decimal("2.152")
    plain = ucum.convert(value, source, target, molar_mass=known.molar_mass, valence=known.valence)
    if plain is not None or known.grams_per_unit is None:
        return plain
    return _through_grams(value, source, target, known)


def _through_grams(value: Decimal, source: str, target: str, known: Analyte) -> Decimal | None:
    """By the mass of an international unit: [IU] becomes grams, then the target (and back)."""
    grams, mass = known.grams_per_unit or Decimal(0), known.molar_mass
    if "[IU]" in source:
        as_grams = source.replace("[IU]", "g", 1)
        return ucum.convert(value * grams, as_grams, target, molar_mass=mass)
    if "[IU]" in target:
        got = ucum.convert(value, source, target.replace("[IU]", "g", 1), molar_mass=mass)
        return None if got is None else got / grams
    return None


# ----------------------------------------------------------------------------------------------------------- decision


def _kind(code: str | None, unit: str, value: str) -> str | None:
    """The kind of a result: its unit's; "presence" or "titer" for words; None where a unit is printed but unknown."""
    if value and _TITRE.fullmatch(value):
        return "titer"
    if value and not re.search(r"\d", value.replace("1+", "").replace("2+", "").replace("3+", "").replace("4+", "")):
        return "presence"
    if re.fullmatch(r"\s*\(?\d?\+{1,4}\)?\s*|\s*[±+-]+\d?\s*", value):
        return "presence"
    return None if unit.strip() and code is None else ucum.kind(code)


def _decide(found: Iterable[Analyte], kind: str | None, where: frozenset[str] | None) -> Code | None:
    """The one code that fits; None if none or several do. `where` None leaves each analyte its usual specimen."""
    tries = [(kind,), *((k,) for k in _NEIGHBOURS.get(kind or "", ()))]
    if kind in {"presence", "titer"}:
        tries.append(("text",) if kind == "presence" else ("presence",))
    known = tuple(found)
    for kinds in tries:
        codes = _matching(known, kinds, where)
        if codes:
            return codes[0] if len({c.loinc for c in codes}) == 1 else None
    if kind in {"none", None}:  # no unit, or one that could not be read: decided if there is only one way to report it
        codes = _only_way(known, where)
        return codes[0] if len({c.loinc for c in codes}) == 1 else None
    return None


def _matching(found: tuple[Analyte, ...], kinds: tuple[str | None, ...], where: frozenset[str] | None) -> list[Code]:
    codes = []
    for known in found:
        rows = [row for row in known.codes if row.kind in kinds and (where is None or row.specimen in where)]
        codes += rows[:1]  # the usual specimen first
    return codes


def _only_way(found: tuple[Analyte, ...], where: frozenset[str] | None) -> list[Code]:
    codes = []
    for known in found:
        rows = [row for row in known.codes if row.specimen in (where or {known.codes[0].specimen})]
        numeric = [row for row in rows if row.kind not in {"presence", "text", "titer", "hpf", "lpf"}]
        if len({row.kind for row in numeric}) != 1 or len(numeric) != len(rows):
            return []
        codes += numeric[:1]
    return codes


# ------------------------------------------------------------------------------------------------------------ specimen


@lru_cache(maxsize=1)
def _specimen_words() -> tuple[tuple[str, str], ...]:
    words: dict[str, str] = {}
    for language in languages.names():
        try:
            rows = languages.rows(language, "specimens")
        except ConfigurationError:
            continue
        words |= {row["word"].casefold(): row["specimen"] for row in rows}
    return tuple(sorted(words.items(), key=lambda pair: (-len(pair[0]), pair[0])))


@lru_cache(maxsize=2048)
def specimens_in(text: str) -> frozenset[str]:
    """The specimens of the code table that a header, heading or name speaks of; blood, serum and plasma are one."""
    lowered, found = text.casefold(), set()
    for word, specimen in _specimen_words():
        at = lowered.find(word)
        if at >= 0 and not (word.isascii() and _inside_word(lowered, at, len(word))):
            found.add(specimen)
            lowered = lowered.replace(word, " ")
    return _family(found)


@lru_cache(maxsize=2048)
def specimen_of_name(name: str) -> frozenset[str]:
    """The specimen that an analyte's name begins or ends with: urine for 尿蛋白, but not for 尿酸, which is urate."""
    found = specimens_in(name)
    if not found:
        return found
    for word, specimen in _specimen_words():
        mark = re.escape(word)
        ends = rf"^\W*{mark}|{mark}\W*$|[(（\[]{mark}[)）\]]"
        rest = re.sub(ends, "", name, count=1, flags=re.IGNORECASE).strip(" ,，-:：()（）")
        if specimen in found and rest != name and _analytes.candidates(rest):
            return found
    return frozenset()


def _specimens(text: str) -> frozenset[str]:
    keys = {row.specimen for known in _analytes.table().values() for row in known.codes}
    return _family({text}) if text in keys else specimens_in(text)


def _family(found: set[str]) -> frozenset[str]:
    return frozenset(found | BLOOD) if found & BLOOD else frozenset(found)


def _inside_word(text: str, at: int, length: int) -> bool:
    return text[max(0, at - 1) : at].isalpha() or text[at + length : at + length + 1].isalpha()


# ------------------------------------------------------------------------------------------------------- whole reports


def code(report: LabReport) -> LabReport:
    """The report with UCUM codes on its quantities and a LOINC coding on every row where one is decided."""
    named = [with_ucum(row) for row in report.results]
    header = specimens_in(" ".join(filter(None, (report.header.specimen, report.header.title))))
    found = [analytes(_bare(row.name), row.abbreviation) for row in named]
    kinds = [_row_kind(row) for row in named]
    places = [_row_specimens(row, header) for row in named]
    signs = [_sign(known, row, kind) for known, row, kind in zip(found, named, kinds, strict=True)]
    results = []
    for at, row in enumerate(named):
        where = places[at] or _company(signs, at)
        decided = _decide(found[at], kinds[at], where or None)
        codings = _codings(decided) if decided else ()
        results.append(replace(row, codings=codings or row.codings))
    return replace(report, results=tuple(results))


@lru_cache(maxsize=1)
def _broader() -> dict[str, str]:
    return {row["analyte"]: row["broader"] for row in ucum.rows("analyte-broader.tsv")}


def _codings(decided: Code) -> tuple[Coding, ...]:
    """The decided code, and for a timed measurement (fasting glucose) the plain analyte's too."""
    known = of_code(decided.loinc)
    broader = analyte(_broader().get(known[0].key, "")) if known else None
    plain = [c for c in (broader.codes if broader else ()) if (c.specimen, c.kind) == (decided.specimen, decided.kind)]
    return tuple(Coding(SYSTEM, c.loinc) for c in (decided, *plain[:1]))


def with_ucum(row: LabResult) -> LabResult:
    """The row with the UCUM code of its printed unit on value and limits, where the unit is known."""
    known = ucum.code(row.unit) if row.unit else None
    if known is None:
        return row

    def coded(quantity: Quantity | None) -> Quantity | None:
        return None if quantity is None else replace(quantity, unit=quantity.unit or row.unit, ucum=known)

    return replace(row, quantity=coded(row.quantity), low=coded(row.low), high=coded(row.high))


def _bare(name: str) -> str:
    return re.sub(r"^\s*\d{1,3}\s*[.、)]\s*(?=\D)", "", name)


def _row_kind(row: LabResult) -> str | None:
    if row.quantity is not None:
        return _kind(row.quantity.ucum, row.unit, "")
    return _kind(None, "", row.value_text or "-")


def _row_specimens(row: LabResult, header: frozenset[str]) -> frozenset[str]:
    """What the row itself says (its unit, name, section heading), else the header."""
    if row.quantity is not None and row.quantity.ucum in {"/[HPF]", "/[LPF]"} and not header & {"stool", "vagina"}:
        return frozenset({"urine"})
    return specimen_of_name(row.name) or specimens_in(row.section) or header


def _sign(found: tuple[Analyte, ...], row: LabResult, kind: str | None) -> str:
    """ "urine", "blood" or "" : the only family of specimens a row's analyte and unit leave."""
    if row.quantity is not None and row.quantity.ucum in {"/[HPF]", "/[LPF]"}:
        return "urine"
    families = {
        "blood" if c.specimen in BLOOD | {"arterial", "venous"} else c.specimen
        for known in found
        for c in known.codes
        if kind in (c.kind, None) or (kind == "none" and c.kind == "fraction")
    }
    if row.quantity is not None and (row.quantity.ucum or "").startswith("10*"):
        return "blood" if "blood" in families else ""
    return next(iter(families)) if len(families) == 1 else ""


def _company(signs: list[str], at: int) -> frozenset[str]:
    """The specimen of the rows around one that does not say: the nearest telling row above and below, if they agree."""
    telling = [s for s in signs if s]
    if not any(s == "urine" for s in telling):
        return frozenset()
    if telling.count("urine") >= 3 and telling.count("urine") >= 4 * sum(s != "urine" for s in telling):
        return frozenset({"urine"})
    above = next((s for s in reversed(signs[:at]) if s), "")
    below = next((s for s in signs[at:] if s), "")
    agreed = above if above == below or not below else below if not above else ""
    return frozenset({"urine"}) if agreed == "urine" else BLOOD if agreed == "blood" else frozenset()


# ---------------------------------------------------------------------------------------------- what a value can be


@lru_cache(maxsize=1)
def _limits() -> dict[tuple[str, str], tuple[str, Decimal, Decimal]]:
    found = {}
    for row in ucum.rows("physiological-limits.tsv"):
        kind = ucum.kind(row["unit"])
        found[row["analyte"], kind] = (row["unit"], Decimal(row["low"]), Decimal(row["high"]))
    return found


def limits(loinc: str, unit: str | None) -> tuple[Decimal, Decimal] | None:
    """The lowest and highest value a living patient has shown, in a UCUM unit; None where the table has none.

    Without a unit the usual one of the table is taken.
    """
    known = of_code(loinc)
    if known is None or (known[1].specimen not in BLOOD | {"arterial", "venous"} and not known[0].key.startswith("u-")):
        return None
    key, kind = known[0].key, ucum.kind(unit)
    for (name, _), (base, low, high) in _limits().items():
        if name != key or (unit is not None and ucum.kind(base) != kind and known[0].molar_mass is None):
            continue
        ends = [end if not base or unit is None else convert(end, base, unit, key) for end in (low, high)]
        if ends[0] is not None and ends[1] is not None:
            return ends[0], ends[1]
    return None


_TELLING = frozenset(
    {"mass", "number", "molar", "catalytic", "units", "fraction", "volume", "mass-per-cell", "time", "velocity"}
)


def fits(loinc_or_name: str, unit: str | None, abbreviation: str = "") -> bool:
    """Whether a unit is one the named analyte is reported in; True where the analyte or its codes are not known."""
    kind = ucum.kind(unit)
    known = analytes(loinc_or_name, abbreviation)
    kinds = {row.kind for one in known for row in one.codes} - {"presence", "text", "titer"}
    if unit is None:  # shares are printed without their % often enough
        return not kinds or not kinds <= _TELLING - {"fraction"}
    alike = {kind, *_NEIGHBOURS.get(kind, ())} | ({"hpf", "lpf", "copies"} if kind == "number" else set())
    return not kinds or kind not in _TELLING or bool(alike & kinds)


def knows(name: str) -> bool:
    """Whether a printed name is that of an analyte of the table."""
    return bool(analytes(name))


def contradict(name: str, abbreviation: str) -> bool:
    """Whether a name and the abbreviation beside it are known, and of different analytes."""
    if not name or len(abbreviation) < 2 or analytes(name, abbreviation):
        return False
    return bool(analytes(name)) and bool(_analytes.candidates("", abbreviation))


def term(loinc: str) -> str:
    """ "analyte kind" of a code ("hgb mass"): what the relations of a panel are written in; "" if it is not known."""
    known = of_code(loinc)
    return f"{known[0].key} {known[1].kind}" if known else ""
