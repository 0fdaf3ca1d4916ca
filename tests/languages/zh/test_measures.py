"""Values said aloud in Chinese, with their units."""

import pytest

from fhirbridge.languages.zh import measures
from fhirbridge.records import Quantity


def read(text: str, asked: str = "") -> dict[str, str]:
    """Name -> value of the measures in a text."""
    out = {}
    for m in measures.find(text, 0, asked):
        value = m.value
        shown = f"{value.value} {value.ucum}" if isinstance(value, Quantity) else str(value or "")
        out[m.concept.name] = shown or "/".join(str(q.value) for _, q in m.components)
    return out


@pytest.mark.parametrize(
    ("said", "name", "value"),
    [
        ("高压一百五，低压九十", "血压", "150/90"), ("血压100和60", "血压", "100/60"), ("bp 142/88mmhg", "血压", "142/88"),
        ("白细胞一万二", "白细胞计数", "12 10*9/L"), ("wbc 13.5×10^9/l", "白细胞计数", "13.5 10*9/L"), ("血小板80", "血小板计数", "80 10*9/L"),
        ("血小板十二万", "血小板计数", "120 10*9/L"), ("中性粒百分之七十二", "中性粒细胞百分比", "72 %"), ("三十八度五", "体温", "38.5 Cel"),
        ("38度2", "体温", "38.2 Cel"), ("1米65", "身高", "165 cm"), ("一米七五", "身高", "175 cm"), ("130斤", "体重", "65 kg"),
        ("空腹血糖七点八", "空腹血糖", "7.8 mmol/L"), ("肌酐1.2mg/dl", "肌酐", "1.2 mg/dL"), ("spo2 90%", "血氧饱和度", "90 %"),
        ("转氨酶正常", "转氨酶", "正常"), ("ecog算1分", "ECOG评分", "1 {score}"), ("足月顺产，六斤八两", "出生体重", "3.4 kg"),
    ],
)  # fmt: skip
def test_a_value(said: str, name: str, value: str) -> None:
    assert read(said)[name] == value


@pytest.mark.parametrize(
    ("asked", "answer", "name", "value"),
    [
        ("心率多少？", "90", "心率", "90 /min"),
        ("血氧多少？", "九十七", "血氧饱和度", "97 %"),
        ("体温多少？", "37.8", "体温", "37.8 Cel"),
    ],
)
def test_a_bare_number_answers_the_question(asked: str, answer: str, name: str, value: str) -> None:
    assert read(answer, asked)[name] == value


@pytest.mark.parametrize(
    "said",
    [
        "血压控制在130/80以下",
        "体温超过39度",
        "正常不到零点零四",
        "喝了二两酒",
        "瘦了八斤",
        "心率三天了",
        "2023/11/05复查",
        "每公斤5毫克",
    ],
)
def test_what_is_no_result(said: str) -> None:
    assert read(said) == {}


def test_a_weight_of_before_is_past() -> None:
    before, now = measures.find("原来一百四十斤，前两天称才一百二十八斤", 0)
    assert (before.status, now.status) == ("past", "present")
