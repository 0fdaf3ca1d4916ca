"""Values that the record can answer although nobody wrote them down.

Creatinine clearance: Cockcroft and Gault, Nephron 1976, with the recorded weight. eGFR: CKD-EPI creatinine equation of
2021 (Inker, NEJM 2021; doi 10.1056/NEJMoa2102953). BMI: kg/m2. ECOG from Karnofsky and back: Oken 1982; Verger 1992.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache

from fhirbridge.eligibility.chart import Chart
from fhirbridge.eligibility.measures import in_unit, measures
from fhirbridge.records import Item

__all__ = ["ckd_epi_2021", "cockcroft_gault", "computed"]

Made = tuple[Decimal, Decimal, str, tuple[str, ...]]  # least and most it can be, the sentence, the evidence


def cockcroft_gault(age: int, weight: Decimal, creatinine: Decimal, female: bool) -> Decimal:
    """mL/min from years, kg and mg/dL."""
    clearance = (140 - age) * weight / (72 * creatinine)
    return (clearance * Decimal("0.85") if female else clearance).quantize(Decimal("0.1"))


def ckd_epi_2021(age: int, creatinine: Decimal, female: bool) -> Decimal:
    """mL/min/1.73 m2 from years and mg/dL."""
    kappa, alpha = (0.7, -0.241) if female else (0.9, -0.302)
    ratio = float(creatinine) / kappa
    rate = 142 * math.pow(min(ratio, 1), alpha) * math.pow(max(ratio, 1), -1.2) * math.pow(0.9938, age)
    return Decimal(str(round(rate * (1.012 if female else 1), 1)))


def computed(key: str, chart: Chart) -> Made | None:
    """The value of a measure worked out from others, None where the record cannot answer."""
    maker = _makers().get(key)
    return maker(chart) if maker else None


def can_compute(key: str) -> bool:
    """Whether there is a formula for a measure."""
    return key in _makers()


@lru_cache(maxsize=1)
def _makers() -> dict[str, Callable[[Chart], Made | None]]:
    made: dict[str, Callable[[Chart], Made | None]] = {"crcl": _clearance, "egfr": _rate, "bmi": _bmi}
    return made | {"ecog": _ecog, "kps": _kps, "glucose": _fasting}


def _latest(key: str, chart: Chart) -> tuple[Decimal, Item] | None:
    measure = measures()[key]
    for item in chart.measured.get(key, []):
        value = in_unit(measure, item.quantity) if item.quantity else None
        if value is not None and value > 0:
            return value, item
    return None


def _person(chart: Chart) -> tuple[int, bool] | None:
    years = chart.age_in("a")
    if years is None or years[0] != years[1] or years[0] < 18 or chart.patient.sex not in ("male", "female"):
        return None
    return int(years[0]), chart.patient.sex == "female"


def _clearance(chart: Chart) -> Made | None:
    person, creatinine, weight = _person(chart), _latest("creatinine", chart), _latest("weight", chart)
    if person is None or creatinine is None or weight is None:
        return None
    value = cockcroft_gault(person[0], weight[0], creatinine[0], person[1])
    how = f"creatinine clearance {value} mL/min (Cockcroft-Gault: age {person[0]}, {weight[0].normalize():f} kg, "
    how += f"creatinine {creatinine[0].quantize(Decimal('0.01'))} mg/dL)"
    return value, value, how, (creatinine[1].reference, weight[1].reference)


def _rate(chart: Chart) -> Made | None:
    person, creatinine = _person(chart), _latest("creatinine", chart)
    if person is None or creatinine is None:
        return None
    value = ckd_epi_2021(person[0], creatinine[0], person[1])
    how = f"eGFR {value} mL/min/1.73 m2 (CKD-EPI 2021: age {person[0]}, "
    how += f"creatinine {creatinine[0].quantize(Decimal('0.01'))} mg/dL)"
    return value, value, how, (creatinine[1].reference,)


def _bmi(chart: Chart) -> Made | None:
    weight, height = _latest("weight", chart), _latest("height", chart)
    if weight is None or height is None:
        return None
    metres = height[0] / 100
    value = (weight[0] / (metres * metres)).quantize(Decimal("0.1"))
    how = f"BMI {value} kg/m2 (from {weight[0].normalize():f} kg and {height[0].normalize():f} cm)"
    return value, value, how, (weight[1].reference, height[1].reference)


_ECOG_OF_KPS = (
    (100, 0, 0),
    (90, 0, 1),
    (80, 1, 1),
    (70, 1, 2),
    (60, 2, 2),
    (50, 2, 3),
    (40, 3, 3),
    (30, 3, 4),
    (10, 4, 4),
)
_KPS_OF_ECOG = {0: (90, 100), 1: (70, 90), 2: (50, 70), 3: (30, 50), 4: (10, 30), 5: (0, 0)}


def _ecog(chart: Chart) -> Made | None:
    found = _latest("kps", chart)
    if found is None:
        return None
    low, high = next(((a, b) for k, a, b in _ECOG_OF_KPS if found[0] >= k), (4, 5))
    return Decimal(low), Decimal(high), f"Karnofsky {found[0]} is ECOG {low} to {high}", (found[1].reference,)


def _kps(chart: Chart) -> Made | None:
    items = [i for i in chart.measured.get("ecog", []) if i.quantity is not None]
    if not items or items[0].quantity is None:
        return None
    low, high = _KPS_OF_ECOG.get(int(items[0].quantity.value), (0, 100))
    return (
        Decimal(low),
        Decimal(high),
        f"ECOG {items[0].quantity.value} is Karnofsky {low} to {high}",
        (items[0].reference,),
    )


def _fasting(chart: Chart) -> Made | None:
    found = _latest("fasting_glucose", chart)  # and a random glucose is no fasting one
    if found is None:
        return None
    return found[0], found[0], f"fasting glucose {found[0].quantize(Decimal('0.1'))} mg/dL", (found[1].reference,)
