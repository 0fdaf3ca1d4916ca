"""What must hold between the results of one panel: sums, products and ratios, told from rounding by intervals.

Each relation gives the result it foretells from the others' printed digits. It *holds* when the printed result can be
what the printed operands give, every number being good to half a unit of its last digit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

Interval = tuple[Decimal, Decimal]
Formula = Callable[..., Decimal]


@dataclass(frozen=True, slots=True)
class Relation:
    """`result` = `formula`(operands), each named "analyte kind" of the analyte table and counted in its UCUM unit."""

    result: str
    operands: tuple[str, ...]
    formula: Formula
    slack: Decimal = Decimal("0.015")  # relative: analysers compute from more digits than they print
    least: Decimal = Decimal(0)  # absolute


UNITS = {
    "wbc number": "10*9/L", "rbc number": "10*12/L", "plt number": "10*9/L", "hgb mass": "g/L", "hct fraction": "%",
    "mcv volume": "fL", "mch mass-per-cell": "pg", "mchc mass": "g/L", "mpv volume": "fL", "pct fraction": "%",
    "neut fraction": "%", "lymph fraction": "%", "mono fraction": "%", "eos fraction": "%", "baso fraction": "%",
    "neut number": "10*9/L", "lymph number": "10*9/L", "mono number": "10*9/L", "eos number": "10*9/L",
    "baso number": "10*9/L", "tp mass": "g/L", "alb mass": "g/L", "glb mass": "g/L", "ag none": "",
    "tbil": "umol/L", "dbil": "umol/L", "ibil": "umol/L", "tc": "mmol/L", "hdl": "mmol/L", "ldl": "mmol/L",
    "nonhdl": "mmol/L", "vldl mass": "mg/dL", "tg mass": "mg/dL", "tc-hdl none": "", "ldl-hdl none": "",
    "psa mass": "ng/mL", "fpsa mass": "ng/mL", "psa-ratio fraction": "%", "ast catalytic": "U/L",
    "alt catalytic": "U/L", "ast-alt none": "", "hba1c fraction": "%", "eag mass": "mg/dL", "na molar": "mmol/L",
    "cl molar": "mmol/L", "co2 molar": "mmol/L", "fe": "umol/L", "tibc": "umol/L", "uibc": "umol/L",
    "tsat fraction": "%", "urea mass": "mg/dL", "bun mass": "mg/dL", "bun-crea none": "", "crea mass": "mg/dL",
}  # fmt: skip
_CELLS = ("neut", "lymph", "mono", "eos", "baso")
_HUNDRED = Decimal(100)


def _of_wbc(name: str) -> Relation:
    parts = ("wbc number", f"{name} fraction")
    return Relation(f"{name} number", parts, lambda wbc, share: wbc * share / 100, Decimal("0.02"), Decimal("0.015"))


RELATIONS = (
    *map(_of_wbc, _CELLS),
    Relation("mcv volume", ("hct fraction", "rbc number"), lambda hct, rbc: hct / rbc * 10),
    Relation("mch mass-per-cell", ("hgb mass", "rbc number"), lambda hgb, rbc: hgb / rbc),
    Relation("mchc mass", ("hgb mass", "hct fraction"), lambda hgb, hct: hgb / hct * 100),
    Relation("pct fraction", ("plt number", "mpv volume"), lambda plt, mpv: plt * mpv / 10_000, Decimal("0.03")),
    Relation("tp mass", ("alb mass", "glb mass"), lambda alb, glb: alb + glb, Decimal("0.003")),
    Relation("ag none", ("alb mass", "glb mass"), lambda alb, glb: alb / glb),
    Relation("tbil", ("dbil", "ibil"), lambda direct, rest: direct + rest, Decimal("0.005"), Decimal("0.1")),
    Relation("nonhdl", ("tc", "hdl"), lambda tc, hdl: tc - hdl, Decimal("0.005"), Decimal("0.01")),
    Relation("vldl mass", ("tg mass",), lambda tg: tg / 5, Decimal("0.03")),
    Relation("tc-hdl none", ("tc", "hdl"), lambda tc, hdl: tc / hdl),
    Relation("ldl-hdl none", ("ldl", "hdl"), lambda ldl, hdl: ldl / hdl),
    Relation("psa-ratio fraction", ("fpsa mass", "psa mass"), lambda free, total: free / total * 100, Decimal("0.03")),
    Relation("ast-alt none", ("ast catalytic", "alt catalytic"), lambda ast, alt: ast / alt),
    Relation("eag mass", ("hba1c fraction",), lambda a1c: a1c * Decimal("28.7") - Decimal("46.7")),
    Relation("tsat fraction", ("fe", "tibc"), lambda fe, tibc: fe / tibc * 100),
    Relation("tibc", ("fe", "uibc"), lambda fe, uibc: fe + uibc, Decimal("0.005"), Decimal("0.1")),
    Relation("urea mass", ("bun mass",), lambda bun: bun * Decimal("2.14")),
    Relation("bun-crea none", ("bun mass", "crea mass"), lambda bun, crea: bun / crea, Decimal("0.05")),
)
DIFFERENTIAL = tuple(f"{name} fraction" for name in _CELLS)


@dataclass(frozen=True, slots=True)
class Tested:
    """A relation that could be tested on a report: the names of all that take part, and whether it holds."""

    members: tuple[str, ...]
    holds: bool
    relation: Relation | None = None  # None: the differential that adds up to 100 %


def tested(values: Mapping[str, Interval]) -> list[Tested]:
    """Every relation whose members are all there, tested."""
    found = []
    for relation in RELATIONS:
        members = (relation.result, *relation.operands)
        if all(name in values for name in members):
            found.append(Tested(members, holds(relation, values), relation))
    if all(name in values for name in DIFFERENTIAL[:4]):
        present = [name for name in DIFFERENTIAL if name in values]
        found.append(Tested(tuple(present), adds_up([values[name] for name in present], len(present) == 5)))
    return found


def holds(relation: Relation, values: Mapping[str, Interval]) -> bool:
    """Whether the printed result can be what the printed operands give."""
    try:
        foretold = [relation.formula(*ends) for ends in product(*(values[name] for name in relation.operands))]
    except ArithmeticError:  # division by a printed zero
        return True
    low, high = values[relation.result]
    room = max(abs(max(foretold)) * relation.slack, relation.least)
    return low <= max(foretold) + room and high >= min(foretold) - room


def adds_up(parts: Sequence[Interval], complete: bool) -> bool:
    """Whether shares add up to 100 %: five kinds of cells leave little for the rest, four leave the basophils out."""
    low, high = sum(p[0] for p in parts), sum(p[1] for p in parts)
    least = Decimal("98.9") if complete else Decimal("96.5")
    return low <= Decimal("100.6") and high >= least
