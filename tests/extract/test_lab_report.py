"""Word lists made by hand -> rows: each class of layout, both languages."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fhirbridge.errors import EmptyInput
from fhirbridge.extract import lab_report
from fhirbridge.records import Box, LabReport, LabResult, Page, Word

HEIGHT = 20


def sheet(*lines: str, step: int = 32, tilt: float = 0.0) -> Page:
    """A page from lines of `x:text | x:text`; `tilt` in pixels down for each pixel to the right."""
    words = []
    for number, line in enumerate(lines):
        for part in line.split(" | "):
            at, text = part.split(":", 1)
            words.append(_word(int(at), 40 + number * step, text, tilt))
    return Page(1, 1000, 60 + step * len(lines), tuple(words), "by hand")


def _word(x: int, y: int, text: str, tilt: float) -> Word:
    width = sum(HEIGHT if ord(c) > 0x2E80 else HEIGHT // 2 for c in text)
    left, right = y + tilt * x, y + tilt * (x + width)
    quad = ((x, left), (x + width, right), (x + width, right + HEIGHT), (x, left + HEIGHT))
    top = round(min(left, right))
    return Word(text, Box(x, top, width, HEIGHT + round(abs(left - right))), 0.99, quad)


def read(*lines: str, **how: float) -> LabReport:
    """The report on one page of hand-made lines."""
    return lab_report.read([sheet(*lines, **how)])  # type: ignore[arg-type]


def row(report: LabReport, name: str) -> LabResult:
    """The one row of that name."""
    (found,) = [r for r in report.results if r.name == name]
    return found


CHINESE = (
    "20:序号 | 100:项目名称 | 330:结果 | 430:单位 | 560:参考范围",
    "20:1 | 100:白细胞计数 | 330:6.30 | 430:10^9/L | 560:3.5-9.5",
    "20:2 | 100:红细胞计数 | 330:5.90 | 400:↑ | 430:10^12/L | 560:4.3～5.8",
    "20:3 | 100:血红蛋白 | 330:150 | 430:g/L | 560:130--175",
)


def test_a_chinese_table_gives_name_value_unit_and_range() -> None:
    report = read(*CHINESE)
    assert report.language == "zh"
    assert [r.name for r in report.results] == ["白细胞计数", "红细胞计数", "血红蛋白"]
    wbc = row(report, "白细胞计数")
    assert (wbc.value_text, wbc.unit, wbc.flag) == ("6.30", "10^9/L", "")
    assert wbc.quantity is not None and str(wbc.quantity.value) == "6.30"
    assert wbc.low is not None and wbc.high is not None
    assert (wbc.low.value, wbc.high.value) == (Decimal("3.5"), Decimal("9.5"))


def test_an_arrow_between_value_and_unit_is_the_flag() -> None:
    assert row(read(*CHINESE), "红细胞计数").flag == "H"


def test_no_table_is_said_in_one_line() -> None:
    with pytest.raises(EmptyInput, match="no table of results"):
        read("20:今天天气很好 | 300:我们去公园")


def test_a_slanted_page_keeps_its_rows() -> None:
    report = read(*CHINESE, tilt=0.06)
    assert [(r.name, r.value_text) for r in report.results] == [
        ("白细胞计数", "6.30"),
        ("红细胞计数", "5.90"),
        ("血红蛋白", "150"),
    ]
