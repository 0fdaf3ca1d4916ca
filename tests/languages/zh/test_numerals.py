"""Chinese numbers as they are said."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirbridge.languages.zh import numerals


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("一百五", "150"), ("九十", "90"), ("一万二", "12000"), ("六千八", "6800"), ("七点八", "7.8"), ("两百", "200"),
        ("一百三十八", "138"), ("一百零五", "105"), ("十二", "12"), ("二十", "20"), ("百分之七十二", "72"),
        ("半", "0.5"),
        ("3000", "3000"), ("37.5", "37.5"), ("1.2万", "12000"), ("6千8", "6800"), ("零点零四", "0.04"), ("九七", "97"),
        ("一三〇", "130"), ("六千", "6000"), ("一千二百", "1200"), ("十万", "100000"), ("二十万", "200000"),
        ("三点八", "3.8"), ("2,000", "2000"), ("一百一十", "110"), ("一百一", "110"), ("四十", "40"),
        ("两千三", "2300"),
    ],
)  # fmt: skip
def test_a_number_is_read_as_it_is_said(said: str, value: str) -> None:
    number = numerals.read(said)
    assert number is not None
    assert number.value == Decimal(value)


@pytest.mark.parametrize(
    ("said", "low", "high"), [("七八", 7, 8), ("三四十", 30, 40), ("五六", 5, 6), ("十七八", 17, 18)]
)
def test_two_neighbours_are_about(said: str, low: int, high: int) -> None:
    number = numerals.read(said)
    assert number is not None
    assert (number.value, number.high) == (low, high)


def test_digits_are_kept() -> None:
    number = numerals.read("12.30")
    assert number is not None
    assert str(number.value) == "12.30"


def test_numbers_are_found_in_a_sentence() -> None:
    found = [str(n.value) for n in numerals.find("高压一百五，低压九十，白细胞一万二，体温37.5")]
    assert found == ["150", "90", "12000", "37.5"]


@pytest.mark.parametrize("said", ["百", "万", "", "点五个"])
def test_what_is_no_number_is_none(said: str) -> None:
    assert numerals.read(said) is None


_DIGITS = "零一二三四五六七八九"


def _spell(n: int) -> str:
    """A number below 10000 in full Chinese."""
    out, zero = "", False
    for place, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, n = divmod(n, place)
        if digit:
            out += ("零" if zero and out else "") + _DIGITS[digit] + name
            zero = False
        else:
            zero = True
    return out or "零"


@given(st.integers(min_value=0, max_value=9999))
def test_every_number_written_out_is_read_back(n: int) -> None:
    number = numerals.read(_spell(n))
    assert number is not None
    assert number.value == n or number.high == n
