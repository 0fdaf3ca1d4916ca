"""What is measured: every name and LOINC code of an analyte, vital sign or score -> one key, its unit, molar mass.

The table is `data/measures.tsv`. Values are compared in the table's unit; a bare number in a criterion is taken in
the usual unit that makes it plausible, a bare number in a patient's record only where the measure has no unit.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from importlib import resources

from fhirbridge.eligibility.quantities import converted, unit_of
from fhirbridge.languages import fold
from fhirbridge.records import Concept, Quantity

__all__ = ["Measure", "in_unit", "measure_of", "measures"]


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """One row of the table."""

    key: str
    label: str
    label_zh: str
    unit: str
    molar: Decimal | None
    valence: int
    low: Decimal
    high: Decimal
    others: tuple[str, ...]

    @property
    def unitless(self) -> bool:
        """Whether a number alone says it all (INR, scores)."""
        return self.unit == "1" or self.unit.startswith("{")


@lru_cache(maxsize=1)
def measures() -> dict[str, Measure]:
    """Every measure by its key."""
    return {row["key"]: _measure(row) for row in _rows()}


def _measure(row: dict[str, str]) -> Measure:
    low, _, high = row["plausible"].partition("..")
    molar = Decimal(row["molar"]) if row["molar"] else None
    others = tuple(u for u in row["other_units"].split(";") if u)
    valence = int(row["valence"] or 1)
    return Measure(
        row["key"], row["label_en"], row["label_zh"], row["unit"], molar, valence, Decimal(low), Decimal(high), others
    )


@lru_cache(maxsize=1)
def _rows() -> tuple[dict[str, str], ...]:
    file = resources.files("fhirbridge.eligibility") / "data" / "measures.tsv"
    kept = (line for line in file.read_text("utf-8").splitlines() if not line.startswith("#"))
    return tuple(csv.DictReader(kept, delimiter="\t", quoting=csv.QUOTE_NONE))


@lru_cache(maxsize=1)
def _names() -> tuple[dict[str, str], dict[str, str]]:
    names: dict[str, str] = {}
    codes: dict[str, str] = {}
    for row in _rows():
        for name in (row["label_en"], row["label_zh"], *row["names_en"].split(";"), *row["names_zh"].split(";")):
            if name:
                names.setdefault(fold(name), row["key"])
        for code in row["loinc"].split(";"):
            if code:
                codes.setdefault(code, row["key"])
    return names, codes


_TAIL = re.compile(
    r" (?:level|levels|value|values|concentration|concentrations|count|counts|result|in (?:serum|plasma|blood|urine).*|"
    r"mass volume.*|moles volume.*|volume in.*|score|measurement|status|test|ratio|class|grade|水平|浓度|计数|评分)$"
)
_HEAD = re.compile(r"^(?:serum|plasma|blood|absolute|total|baseline|mean|resting|fasting|血清|血浆|血) ?")


@lru_cache(maxsize=100_000)
def measure_of(concept: Concept) -> str:
    """The key of the measure a concept means, "" if it means none."""
    _, codes = _names()
    for coding in concept.codings:
        if coding.code in codes and "loinc" in coding.system.casefold():
            return codes[coding.code]
    return _by_name(concept.name) or next((k for c in concept.codings if (k := _by_name(c.display))), "")


@lru_cache(maxsize=100_000)
def _by_name(name: str) -> str:
    names, _ = _names()
    plain = fold(name.split("(")[0].split("（")[0].split("[")[0]) or fold(name)
    for _step in range(4):
        if plain in names:
            return names[plain]
        shorter = _TAIL.sub("", plain)
        if shorter == plain:
            break
        plain = shorter
    bare = _HEAD.sub("", plain)
    return names.get(bare) or names.get(fold(name), "")


@lru_cache(maxsize=200_000)
def in_unit(measure: Measure, quantity: Quantity, *, asked: bool = False) -> Decimal | None:
    """A quantity in the measure's unit, None if unknown. `asked`: from a criterion, so a bare number counts."""
    unit = quantity.ucum or quantity.unit
    if measure.unitless:
        return quantity.value if not unit or unit_of(unit) is None or unit_of(unit).dimension == "one" else None  # type: ignore[union-attr]
    for written in (quantity.ucum, quantity.unit):
        if written:
            value = converted(quantity.value, written, measure.unit, measure.molar, measure.valence)
            if value is not None:
                return value
    if unit and unit_of(unit) is not None and unit_of(unit).dimension != "one":  # type: ignore[union-attr]
        return None
    return _bare(measure, quantity.value) if asked or (not unit and measure.unit in ("%", "kg/m2")) else None


def _bare(measure: Measure, value: Decimal) -> Decimal | None:
    """A number without unit in the first usual unit that makes it plausible."""
    for unit in (measure.unit, *measure.others):
        found = converted(value, unit, measure.unit, measure.molar, measure.valence)
        if found is not None and measure.low <= found <= measure.high:
            return found
    return None
