"""Chinese doses: how much, how often, when, which way."""

from decimal import Decimal

import pytest

from fhirbridge.languages.zh import doses


@pytest.mark.parametrize(
    ("said", "value", "ucum"),
    [
        ("氨氯地平，一天一片，五毫克的", "5", "mg"), ("阿司匹林三片，300毫克", "300", "mg"), ("一次四毫升", "4", "mL"),
        ("六千单位，十二小时一次", "6000", "[iU]"), ("非布司他半片", "0.5", "{tbl}"), ("一次半包", "0.5", "{packet}"),
        ("0.5g 3次/日", "0.5", "g"), ("每次2片", "2", "{tbl}"), ("两片，180毫克", "180", "mg"), ("40万单位", "400000", "[iU]"),
        ("一片半", "1.5", "{tbl}"), ("滴两滴", "2", "[drp]"), ("早上十六个单位", "16", "[iU]"), ("25微克", "25", "ug"),
    ],
)  # fmt: skip
def test_the_dose(said: str, value: str, ucum: str) -> None:
    dosage = doses.read(said)
    assert dosage is not None
    assert dosage.dose is not None
    assert (dosage.dose.value, dosage.dose.ucum) == (Decimal(value), ucum)


@pytest.mark.parametrize(
    ("said", "frequency", "period", "unit"),
    [
        ("一天三次", 3, 1, "d"), ("每日2次", 2, 1, "d"), ("每天三次每次二片", 3, 1, "d"), ("十二小时一次", 1, 12, "h"), ("bid", 2, 1, "d"),
        ("tid", 3, 1, "d"), ("每周一次", 1, 1, "wk"), ("早晚各一片", 2, 1, "d"), ("每晚一片", 1, 1, "d"), ("隔天吃一片", 1, 2, "d"),
        ("3次/日", 3, 1, "d"), ("q8h", 1, 8, "h"), ("间隔六个小时以上", 1, 6, "h"), ("一天两粒", 1, 1, "d"), ("qod", 1, 2, "d"),
    ],
)  # fmt: skip
def test_the_timing(said: str, frequency: int, period: int, unit: str) -> None:
    dosage = doses.read(said)
    assert dosage is not None
    assert (dosage.frequency, dosage.period, dosage.period_unit) == (frequency, period, unit)


@pytest.mark.parametrize(
    ("said", "when"),
    [("饭前吃", ("AC",)), ("饭后，每天三次", ("PC",)), ("睡前半片", ("HS",)), ("空腹吃饭后吃都行", ())],
)
def test_the_time_of_day(said: str, when: tuple[str, ...]) -> None:
    dosage = doses.read(said + "一片")
    assert dosage is not None
    assert dosage.when == when


@pytest.mark.parametrize(
    ("said", "way"), [("皮下打", "皮下"), ("静滴", "静脉"), ("外用", "外用"), ("雾化吸入", "吸入")]
)
def test_the_route(said: str, way: str) -> None:
    dosage = doses.read(said)
    assert dosage is not None
    assert dosage.route is not None
    assert dosage.route.name == way


def test_as_needed() -> None:
    dosage = doses.read("疼的时候吃一片")
    assert dosage is not None
    assert dosage.as_needed


@pytest.mark.parametrize("said", ["吃了两年了", "效果不好", "", "三片面包店"[2:]])
def test_no_dose_is_none(said: str) -> None:
    assert doses.read(said) is None
