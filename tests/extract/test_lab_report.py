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


def test_the_halves_of_a_side_by_side_form_are_read_apart() -> None:
    left = ("20:代码", "100:项目名称", "260:结果", "330:参考值", "450:单位")
    right = ("540:代码", "610:项目名称", "740:结果", "820:参考值", "940:单位")
    report = read(
        _line(left, right),
        "20:WBC | 100:白细胞 | 260:6.52 | 330:4.00~10.0 | 450:10^9/L"
        " | 540:LY# | 610:淋巴细胞 | 740:0.79 | 820:0.92~5.3 | 940:%",
        "20:RBC | 100:红细胞 | 260:4.60 | 330:3.50~5.50 | 450:10^12/L"
        " | 540:NE% | 610:中性粒 | 740:80.2 | 820:35.0~65.0 | 940:%",
        "20:HGB | 100:血红蛋白 | 260:128 | 330:110~160 | 450:g/L"
        " | 540:LY% | 610:淋巴比率 | 740:12.1 | 820:23.0~53.0 | 940:%",
    )
    assert [(r.abbreviation, r.value_text, r.unit) for r in report.results] == [
        ("WBC", "6.52", "10^9/L"),
        ("RBC", "4.60", "10^12/L"),
        ("HGB", "128", "g/L"),
        ("LY#", "0.79", "%"),
        ("NE%", "80.2", "%"),
        ("LY%", "12.1", "%"),
    ]


def _line(*halves: tuple[str, ...]) -> str:
    return " | ".join(part for half in halves for part in half)


def test_a_name_that_runs_into_its_value_is_parted_at_the_column() -> None:
    report = read(
        *CHINESE[:3],
        "20:3 | 100:红细胞体积分布宽度13.1 | 430:% | 560:0.0～15.0",
        "20:4 | 100:血红蛋白 | 330:150 | 430:g/L | 560:130--175",
    )
    assert row(report, "红细胞体积分布宽度").value_text == "13.1"


def test_an_english_table_keeps_methods_sections_and_comparators() -> None:
    report = read(
        "40:Test Name | 420:Results | 600:Units | 740:Bio. Ref. Interval",
        "40:LIPID SCREEN, SERUM",
        "40:Cholesterol, Total | 420:105.00 | 600:mg/dL | 740:<200.00",
        "40:(CHO-POD)",
        "40:HDL Cholesterol | 420:46.00 | 600:mg/dL | 740:>40.00",
        "40:(Enzymatic)",
        "40:CRP | 420:<0.50 | 600:mg/L | 740:0.00 - 5.00",
        step=26,
    )
    total, hdl, crp = report.results
    assert report.language == "en"
    assert (total.name, total.method, total.section) == ("Cholesterol, Total", "CHO-POD", "LIPID SCREEN, SERUM")
    assert total.low is None and total.high is not None and str(total.high.value) == "200.00"
    assert hdl.low is not None and hdl.high is None
    assert crp.quantity is not None and (crp.quantity.comparator, str(crp.quantity.value)) == ("<", "0.50")


def test_qualitative_results_and_titres_are_values() -> None:
    report = read(
        "20:项目名称 | 330:结果 | 560:参考值",
        "20:尿蛋白 | 330:2+ | 560:阴性(-)",
        "20:尿糖 | 330:- | 560:阴性(-)",
        "20:亚硝酸盐 | 330:弱阳性 | 560:阴性",
        "20:抗核抗体 | 330:1:160 | 560:<1:80",
    )
    assert [r.value_text for r in report.results] == ["2+", "-", "弱阳性", "1:160"]
    assert all(r.quantity is None for r in report.results)


def test_a_remark_with_numbers_is_no_row() -> None:
    report = read(
        "40:Test Name | 420:Result | 600:Units | 740:Reference Range",
        "40:HbA1c | 420:5.3 | 600:% | 740:4.00 - 5.60",
        "40:Glucose | 420:90 | 600:mg/dL | 740:70 - 100",
        "40:Interpretation",
        "40:Non diabetic adults (>=18 years) 5.7 to 6.4 are at risk of diabetes",
        "40:Page 6 of 10",
    )
    assert [r.name for r in report.results] == ["HbA1c", "Glucose"]


@pytest.mark.parametrize("bend", [0.05, -0.08, 0.12])
def test_rows_follow_a_bent_sheet(bend: float) -> None:
    """The left half of the sheet is level, the right half falls away by more than a line."""
    flat = sheet(*CHINESE, "20:4 | 100:血小板计数 | 330:365 | 430:10^9/L | 560:125-350", step=30)
    words = [_bent(word, bend) for word in flat.words]
    report = lab_report.read([Page(1, 1000, 400, tuple(words), "by hand")])
    assert [(r.name, r.value_text, r.range_text) for r in report.results] == [
        ("白细胞计数", "6.30", "3.5-9.5"),
        ("红细胞计数", "5.90", "4.3～5.8"),
        ("血红蛋白", "150", "130--175"),
        ("血小板计数", "365", "125-350"),
    ]


def _bent(word: Word, bend: float) -> Word:
    quad = tuple((x, y + bend * max(0.0, x - 250)) for x, y in word.quad)
    ys = [y for _x, y in quad]
    return Word(word.text, Box(word.box.x, round(min(ys)), word.box.width, round(max(ys) - min(ys))), 0.99, quad)


def test_a_row_repeated_on_an_overlapping_photo_is_kept_once() -> None:
    first, second = sheet(*CHINESE), sheet(*CHINESE[0:1], *CHINESE[2:])
    again = Page(2, second.width, second.height, second.words, "by hand")
    report = lab_report.read([first, again])
    assert [r.name for r in report.results] == ["白细胞计数", "红细胞计数", "血红蛋白"]


def test_every_row_has_a_box_round_its_own_words() -> None:
    boxes = [r.box for r in read(*CHINESE).results]
    assert [b.y for b in boxes] == sorted(b.y for b in boxes)
    assert all(b.width > 500 and 0 < b.height <= 2 * HEIGHT for b in boxes)


def test_the_header_is_read_with_times_as_iso_8601() -> None:
    header = read(
        "300:江畔医院检验报告单",
        "20:姓名：周明 | 300:性别：男 | 480:年龄：61岁 | 680:科室：内分泌科",
        "20:标本种类：血清 | 300:采样时间：2026-11-19 07:50 | 680:报告时间：2026.11.19 11:30",
        *CHINESE,
    ).header
    assert (header.patient_name, header.sex, header.age) == ("周明", "male", "61岁")
    assert (header.department, header.specimen, header.laboratory) == ("内分泌科", "血清", "江畔医院")
    assert (header.collected, header.reported) == ("2026-11-19T07:50", "2026-11-19T11:30")
    assert "patient_name" in dict(header.boxes)


def test_a_date_that_may_be_either_way_round_is_only_a_year() -> None:
    lines = ("40:Test Name | 420:Result | 600:Units", "40:Glucose | 420:90 | 600:mg/dL")
    assert read("40:Collected: 03/04/2026", *lines).header.collected == "2026"
    assert read("40:Collected: 03/04/2026 | 500:Reported: 16/04/2026", *lines).header.collected == "2026-04-03"


def test_ranges_by_sex_are_text_until_the_form_says_whose() -> None:
    lines = (
        "40:Investigation | 400:Observed Value | 560:Unit | 680:Reference Range",
        "40:Haemoglobin | 400:13.2 | 560:g/dL | 680:Male: 13.0 - 17.0",
        "680:Female: 12.0 - 15.0",
        "40:ESR | 400:25 H | 560:mm/1hr | 680:0 - 20",
    )
    unknown = row(read(*lines), "Haemoglobin")
    assert unknown.range_text == "Male: 13.0 - 17.0; Female: 12.0 - 15.0"
    assert unknown.low is None and unknown.high is None
    known = row(read("40:Sex: Female", *lines), "Haemoglobin")
    assert known.low is not None and known.high is not None
    assert (str(known.low.value), str(known.high.value)) == ("12.0", "15.0")
    assert row(read(*lines), "ESR").flag == "H"


def test_flag_before_the_result_and_range_in_brackets() -> None:
    report = read(
        "40:TEST | 400:RESULT | 560:UNITS | 720:EXPECTED",
        "40:WBC | 400:6.2 | 560:K/uL | 720:(4.0 - 11.0)",
        "40:RBC Count | 330:L* | 400:3.90 | 560:M/uL | 720:(4.20 - 5.80)",
        "40:CA 125 | 330:H* | 400:41 | 560:U/mL | 720:(<35)",
    )
    assert [(r.name, r.value_text, r.flag) for r in report.results] == [
        ("WBC", "6.2", ""),
        ("RBC Count", "3.90", "L"),
        ("CA 125", "41", "H"),
    ]


def test_a_previous_result_is_not_this_one() -> None:
    report = read(
        "40:Test | 300:Result | 420:Flag | 520:Units | 640:Reference Range | 850:Previous Result",
        "40:Glucose | 300:124 | 420:HIGH | 520:mg/dL | 640:65-99 | 850:110",
        "40:Creatinine | 300:0.82 | 520:mg/dL | 640:0.60-1.30 | 850:0.90",
        "40:BUN | 300:14 | 520:mg/dL | 640:7-25 | 850:15",
    )
    assert [r.value_text for r in report.results] == ["124", "0.82", "14"]


def test_a_report_without_headings_is_read_by_what_stands_in_its_columns() -> None:
    report = read(
        "40:白细胞 | 260:6.01 | 430:4.00--10.00 10^9/L",
        "40:红细胞 | 260:5.82↑ | 430:3.68--5.13 10^12/L",
        "40:血小板 | 260:156 | 430:100--300 10^9/L",
    )
    assert [(r.value_text, r.unit, r.flag) for r in report.results] == [
        ("6.01", "10^9/L", ""),
        ("5.82", "10^12/L", "H"),
        ("156", "10^9/L", ""),
    ]


def test_a_number_judged_in_brackets_is_the_number_and_its_flag() -> None:
    report = read(
        "20:项目 | 300:结果 | 500:参考值 | 680:单位",
        "20:乙肝表面抗原 | 300:0.05 (-) | 500:<0.05 | 680:IU/mL",
        "20:乙肝表面抗体 | 300:156.20(+) | 500:0-10 | 680:mIU/mL",
        "20:抗核抗体 | 300:阳性 1:320 | 500:<1:100",
    )
    assert [(r.value_text, r.flag) for r in report.results] == [("0.05", "NEG"), ("156.20", "POS"), ("阳性 1:320", "")]
    assert row(report, "抗核抗体").high is None


def test_limits_in_columns_of_their_own() -> None:
    report = read(
        "40:Test | 300:Result | 420:Units | 560:Low | 640:High | 740:Flag",
        "40:Glucose | 300:124 | 420:mg/dL | 560:65 | 640:99 | 740:H",
        "40:BUN | 300:14 | 420:mg/dL | 560:7 | 640:25",
        "40:Creatinine | 300:0.82 | 420:mg/dL | 560:0.60 | 640:1.30",
    )
    limits = [(r.low and str(r.low.value), r.high and str(r.high.value)) for r in report.results]
    assert limits == [("65", "99"), ("7", "25"), ("0.60", "1.30")]


def test_three_tables_side_by_side() -> None:
    report = read(
        "20:项目 | 120:结果 | 190:参考 | 340:项目 | 440:结果 | 510:参考 | 660:项目 | 760:结果 | 840:参考",
        "20:ALT | 120:23 | 190:9-50 | 340:ALB | 440:43.1 | 510:40-55 | 660:GLU | 760:5.60 | 840:3.9-6.1",
        "20:AST | 120:31 | 190:15-40 | 340:TBIL | 440:12.0 | 510:0-26 | 660:UA | 760:355 | 840:208-428",
        "20:GGT | 120:61↑ | 190:10-60 | 340:TP | 440:70.2 | 510:65-85 | 660:CREA | 760:77 | 840:57-97",
    )
    assert [r.name for r in report.results] == ["ALT", "AST", "GGT", "ALB", "TBIL", "TP", "GLU", "UA", "CREA"]
    assert row(report, "GGT").flag == "H"


ENGLISH = (
    "20:Test Name | 400:Results | 520:Units | 640:Bio. Ref. Interval",
    "20:Cholesterol, Total | 400:235 | 520:mg/dL | 640:<200",
    "20:Triglycerides | 400:120 | 520:mg/dL | 640:<150",
    "20:Uric Acid | 400:12.5 | 520:mg/dL | 640:3.8-8.4",
)


def test_a_table_of_interpretation_below_the_results_is_no_result() -> None:
    report = read(
        *ENGLISH,
        "20:Interpretation",
        "20:Desirable | 400:<200 | 640:<150",
        "20:Borderline High | 400:200-239 | 640:150-199",
        "20:HbA1c in % | 400:5.7-6.4 | 640:>= 6.5",
    )
    assert [r.name for r in report.results] == ["Cholesterol, Total", "Triglycerides", "Uric Acid"]


def test_ranges_by_phase_below_a_row_are_its_own() -> None:
    report = read(*CHINESE, "20:4 | 100:孕酮 | 330:5.30 | 430:ng/mL", "560:卵泡期:0.2-1.5", "560:黄体期:1.7-27")
    assert len(report.results) == 4
    progesterone = row(report, "孕酮")
    assert progesterone.range_text == "卵泡期:0.2-1.5; 黄体期:1.7-27"
    assert progesterone.low is None and progesterone.high is None


def test_a_name_is_not_cut_into_name_and_value() -> None:
    report = read(*ENGLISH, "20:Vitamin D, 25-Hydroxy | 400:68.6 | 520:ng/mL | 640:30-100", "20:Uric Acid")
    assert row(report, "Vitamin D, 25-Hydroxy").value_text == "68.6"
    assert [r.value_text for r in report.results] == ["235", "120", "12.5", "68.6"]


def test_result_and_range_may_stand_below_one_heading() -> None:
    report = read(
        "20:Test | 400:Result / Reference",
        *(
            f"20:{name} | 400:{value} ug/dL (H)"
            for name, value in (("Iron", "203"), ("Copper", "180"), ("Zinc", "150"))
        ),
    )
    assert [(r.name, r.value_text, r.unit, r.flag) for r in report.results] == [
        ("Iron", "203", "ug/dL", "H"),
        ("Copper", "180", "ug/dL", "H"),
        ("Zinc", "150", "ug/dL", "H"),
    ]


def test_ranges_that_stand_alone_on_the_right_are_no_second_half() -> None:
    lines = [f"20:{code} | 200:{value} | 320:g/L | 400:[1.0-{high}]" for code, value, high in STRIP]
    report = read("20:姓名:周明 | 300:性别:男", *lines)
    assert [(r.name, r.value_text, r.range_text) for r in report.results] == [
        (code, value, f"[1.0-{high}]") for code, value, high in STRIP
    ]


STRIP = (("PT", "11.8", "12.5"), ("FIB", "3.4", "4.9"), ("TT", "11.0", "16.6"), ("INR", "0.9", "1.2"))
