"""Chinese onsets and durations."""

from datetime import date

import pytest

from fhirbridge.languages.zh import times

VISIT = date(2026, 3, 15)


@pytest.mark.parametrize(
    ("said", "words", "value", "unit"),
    [
        ("三天了", "三天了", 3, "d"), ("两个礼拜", "两个礼拜", 2, "wk"), ("七八年了", "七八年了", 7, "a"), ("10余年", "10余年", 10, "a"),
        ("一个多月了", "一个多月了", 1, "mo"), ("三个来钟头", "三个来钟头", 3, "h"), ("十来年了", "十来年了", 10, "a"), ("4天", "4天", 4, "d"),
    ],
)  # fmt: skip
def test_how_long(said: str, words: str, value: int, unit: str) -> None:
    found, quantity = times.lasting(said)
    assert found == words
    assert quantity is not None
    assert (quantity.value, quantity.ucum) == (value, unit)


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("昨天", "2026-03-14"),
        ("三天前", "2026-03-12"),
        ("两个月", "2026-01"),
        ("十年前", "2016"),
        ("两周", "2026-03-01"),
    ],
)
def test_the_date_of_the_onset(said: str, day: str) -> None:
    _, quantity = times.lasting(said)
    assert times.onset(said, quantity, VISIT) == day


def test_without_a_visit_date_an_onset_stays_words() -> None:
    assert times.onset("昨天", None, None) is None


@pytest.mark.parametrize(("said", "severity"), [("头疼得厉害", "severe"), ("有点头疼", "mild"), ("头疼", "")])
def test_how_bad(said: str, severity: str) -> None:
    place = said.index("头疼")
    assert times.severity(said, place, place + 2) == severity
