"""What is misread is not final: each check sees its own kind of error, and right rows stay final."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from numpy.typing import NDArray

from fhirbridge.errors import EngineError
from fhirbridge.extract import lab_checks, lab_relations
from fhirbridge.records import Box, LabHeader, LabReport, LabResult, Picture, Quantity, Word
from fhirbridge.terminology import loinc


def row(name: str, value: str, unit: str = "", limits: str = "", flag: str = "", **more: object) -> LabResult:
    def number(text: str) -> Quantity | None:
        try:
            return Quantity(Decimal(text), unit)
        except ArithmeticError:
            return None

    low, _, high = limits.partition("-")
    box = Box(0, 0, 10, 10)
    plain = LabResult(name, value, box, number(value), unit, number(low), number(high), limits, flag)
    return replace(plain, **more)  # type: ignore[arg-type]


BLOOD = (
    row("白细胞", "6.52", "10^9/L", "4.00-10.00"),
    row("中性粒细胞百分比", "80.2", "%", "35.0-65.0", "H"),
    row("淋巴细胞百分比", "12.1", "%", "23.0-53.0", "L"),
    row("单核细胞百分比", "7.5", "%", "3.0-10.0"),
    row("嗜酸性粒细胞百分比", "0.0", "%", "0.5-5.0", "L"),
    row("嗜碱性粒细胞百分比", "0.2", "%", "0.0-1.0"),
    row("中性粒细胞绝对值", "5.23", "10^9/L", "1.40-6.50"),
    row("淋巴细胞绝对值", "0.79", "10^9/L", "0.92-5.30", "L"),
    row("单核细胞绝对值", "0.49", "10^9/L", "0.16-1.00"),
    row("红细胞", "4.60", "10^12/L", "3.50-5.50"),
    row("血红蛋白", "128", "g/L", "110-160"),
    row("红细胞压积", "37.1", "%", "35.0-55.0"),
    row("红细胞平均体积", "80.7", "fL", "80.0-100.0"),
    row("平均血红蛋白含量", "27.8", "pg", "27.4-34.0"),
    row("平均血红蛋白浓度", "345", "g/L", "320-360"),
    row("血小板", "183", "10^9/L", "100-400"),
)


def doubts(*rows: LabResult, engine: object = None, pictures: tuple[Picture, ...] = ()) -> list[tuple[str, ...]]:
    report = loinc.code(LabReport(LabHeader(), rows, (), "zh"))
    checked = lab_checks.check(report, pictures, engine, known=loinc)  # type: ignore[arg-type]
    return [r.doubts for r in checked.results]


def changed(at: int, value: str, **more: object) -> list[tuple[str, ...]]:
    wrong = row(BLOOD[at].name, value, BLOOD[at].unit, BLOOD[at].range_text, BLOOD[at].flag)
    return doubts(*BLOOD[:at], replace(wrong, **more), *BLOOD[at + 1 :])  # type: ignore[arg-type]


def test_a_sheet_read_right_stays_final() -> None:
    assert doubts(*BLOOD) == [()] * len(BLOOD)


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (0, "8.52"),  # a digit confused: percent times WBC no longer gives the absolute numbers
        (1, "30.2"),  # flagged H, below the range
        (3, "1.5"),  # adds up to 94 %
        (9, "4.10"),  # MCV and MCH
        (10, "123"),  # MCH, MCHC
        (12, "90.7"),
        (15, "1833"),  # beyond its range, unflagged on a sheet that flags
        (10, "1280"),  # no patient
    ],
)
def test_a_wrong_value_is_doubted(at: int, value: str) -> None:
    assert changed(at, value)[at]


def test_only_the_wrong_value_is_doubted_when_the_panel_tells_which() -> None:
    wrong = changed(0, "8.52")
    assert wrong[0] and not any(wrong[at] for at in (1, 2, 3, 9, 10, 11, 12, 13, 14, 15))


def test_an_arrow_read_as_a_digit_is_doubted_though_the_panel_agrees() -> None:
    assert "its last digit may be an arrow" in changed(7, "0.791", flag="")[7]


def test_the_flag_and_the_range_must_agree() -> None:
    assert doubts(row("ALT", "30", "U/L", "9-50", "H")) == [("the printed flag and the reference range disagree",)]


def test_a_word_where_numbers_stand_is_doubted() -> None:
    assert doubts(row("ALT", "3O", "U/L", "9-50")) == [("the value is not a number, its range is",)]


def test_the_reference_read_as_the_value_is_doubted() -> None:
    assert doubts(row("尿蛋白", "阴性(-)")) == [("the value looks like a reference",)]


def test_a_unit_the_analyte_is_never_reported_in_is_doubted() -> None:
    assert doubts(row("平均红细胞体积", "38", "%", "35-50")) == [("the analyte is not reported in this unit",)]


def test_the_same_analyte_twice_with_two_values_is_doubted() -> None:
    rows = (row("ALT", "30", "U/L", "9-50"), row("谷丙转氨酶", "34", "U/L", "9-50"))
    assert all("the same analyte stands twice" in d for d in doubts(*rows))


def test_made_up_sheets_whose_panels_never_agree_are_not_doubted_for_it() -> None:
    rows = (
        row("总蛋白", "70.0", "g/L", "65.0-85.0"),
        row("白蛋白", "45.0", "g/L", "40.0-55.0"),
        row("球蛋白", "35.0", "g/L", "20.0-40.0"),
        row("白球比", "2.10", "", "1.20-2.40"),
    )
    assert doubts(*rows) == [()] * 4


def test_on_a_page_that_is_hard_to_read_what_looks_right_needs_a_confirmation() -> None:
    legible = row("ALT", "30", "U/L", "9-50")
    broken = tuple(row(name, "5", "1p8", "1-9") for name in ("钾", "钠", "氯", "钙"))
    assert doubts(legible) == [()]
    assert "much of this page could not be read" in doubts(legible, *broken)[0]
    panel = doubts(*BLOOD, *broken)
    assert panel[9] == ()  # MCV and MCH confirm it


class Reader:
    """An engine that reads every cell of the sheet as one text."""

    name = "reader"

    def __init__(self, text: str) -> None:
        self.text = text
        self.calls = 0

    def read(self, picture: NDArray[np.uint8]) -> tuple[Word, ...]:
        self.calls += 1
        if not self.text:
            raise EngineError("crashed")
        return (Word(self.text, Box(40, 40, 60, 40), 0.9),)


def second(text: str) -> tuple[list[tuple[str, ...]], Reader]:
    picture = Picture("a.png", 1, np.full((60, 200, 3), 255, np.uint8), b"", "image/png")
    one = replace(row("ALT", "30", "U/L", "9-50"), confidence=0.5, value_box=Box(50, 20, 30, 14))
    reader = Reader(text)
    return doubts(one, engine=reader, pictures=(picture,)), reader


def test_a_second_reading_that_agrees_lifts_the_doubt_about_print() -> None:
    got, reader = second("30")
    assert got == [()] and reader.calls == 1


def test_a_second_reading_that_differs_is_a_doubt() -> None:
    assert second("80")[0] == [("a second reading differs", "the print was hard to read")]


def test_an_engine_that_crashes_on_the_second_reading_leaves_the_doubt() -> None:
    assert second("")[0] == [("the print was hard to read",)]


def test_every_relation_holds_for_values_it_was_made_from() -> None:
    assert len({r.result for r in lab_relations.RELATIONS}) == len(lab_relations.RELATIONS)
    for relation in lab_relations.RELATIONS:
        operands = {name: (Decimal(40 + n), Decimal(40 + n)) for n, name in enumerate(relation.operands)}
        result = relation.formula(*(operands[name][0] for name in relation.operands))
        assert lab_relations.holds(relation, {**operands, relation.result: (result, result)})
        off = result * Decimal("1.3") + 1
        assert not lab_relations.holds(relation, {**operands, relation.result: (off, off)})


class CellReader(Reader):
    """An engine that reads numbers which are cut out already in a way of its own."""

    def read_cells(self, cells: Sequence[NDArray[np.uint8]]) -> list[str]:
        return [self.text for _cell in cells]


def test_an_engine_that_reads_cut_out_cells_is_asked_that_way() -> None:
    picture = Picture("a.png", 1, np.full((60, 200, 3), 255, np.uint8), b"", "image/png")
    one = replace(row("ALT", "30", "U/L", "9-50"), confidence=0.5, value_box=Box(50, 20, 30, 14))
    reader = CellReader("30")
    assert doubts(one, engine=reader, pictures=(picture,)) == [()] and reader.calls == 0


def test_a_name_beside_the_abbreviation_of_another_analyte_is_a_doubt() -> None:
    mixed = replace(row("乳酸", "7.368", "mmol/L", "7.35-7.45"), abbreviation="pH")
    assert "its name and abbreviation differ" in doubts(mixed)[0]


def test_an_unknown_name_that_was_hard_to_read_is_a_doubt() -> None:
    misread = replace(row("水回细乃", "7.2", "10^9/L", "3.5-9.5"), name_confidence=0.6)
    assert doubts(misread) == [("its name was hard to read",)]
    assert doubts(replace(misread, name_confidence=0.9)) == [()]
