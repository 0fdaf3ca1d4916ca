"""Criterion text -> tree: golden cases in both languages, and what holds for any text."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhirbridge.extract import criterion_nodes
from fhirbridge.extract.understand import understand
from fhirbridge.records import Criterion, Leaf, LeafKind, Span, Trial, Understanding
from fhirbridge.terminology import lexicon
from tests.extract.tree_notation import written

CASES = Path(__file__).with_name("criteria_cases.tsv")


def cases() -> list[dict[str, str]]:
    lines = [line for line in CASES.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def read(text: str, *, exclude: bool = False, language: str = "en", before: str = "") -> Criterion:
    whole = before + text
    trial = Trial("NCT00000000", "clinicaltrials_gov", "A trial", whole, language=language)
    span = Span(len(before), len(text))
    empty = Criterion(text, span, exclude, Leaf(LeafKind.TEXT, span), Understanding.TEXT)
    return understand(empty, trial, lexicon.load())


@pytest.mark.parametrize("case", cases(), ids=lambda c: c["text"][:60])
def test_the_tree_says_what_the_criterion_says(case: dict[str, str]) -> None:
    found = read(case["text"], exclude=case["side"] == "-", language=case["language"])

    assert written(found.tree, case["text"]) == case["tree"]


def test_there_are_cases_of_every_kind_of_leaf_and_connective() -> None:
    trees = " ".join(case["tree"] for case in cases())

    missing = [kind.value for kind in LeafKind if f"({kind.value}" not in trees]
    assert missing in ([], ["imaging"])
    assert all(f"({word} " in trees for word in ("all", "any", "not", "if", "at-least"))
    assert len(cases()) >= 250


@pytest.mark.parametrize(
    ("text", "language", "understanding"),
    [
        ("Histologically confirmed melanoma", "en", Understanding.COMPUTABLE),
        ("Signed informed consent", "en", Understanding.ADMINISTRATIVE),
        ("Xyzzyosis of the frobnicator", "en", Understanding.TEXT),
        ("签署知情同意书", "zh", Understanding.ADMINISTRATIVE),
        ("高血压患者", "zh", Understanding.COMPUTABLE),
    ],
)
def test_what_became_of_a_criterion(text: str, language: str, understanding: Understanding) -> None:
    assert read(text, language=language).understanding is understanding


def test_spans_point_into_the_eligibility_text() -> None:
    before = "Inclusion Criteria:\n\n* "
    text = "Hemoglobin ≥ 9.0 g/dL and platelets ≥ 100,000/mm3"

    leaves = criterion_nodes.leaves_of(read(text, before=before).tree)

    shown = [(before + text)[leaf.span.offset : leaf.span.end] for leaf in leaves]
    assert shown == ["Hemoglobin ≥ 9.0 g/dL", "platelets ≥ 100,000/mm3"]


def test_the_printed_number_is_kept() -> None:
    (leaf,) = criterion_nodes.leaves_of(read("Hemoglobin ≥ 9.00 g/dL").tree)

    assert leaf.low is not None
    assert str(leaf.low.quantity.value) == "9.00"
    assert (leaf.low.quantity.unit, leaf.low.quantity.ucum) == ("g/dl", "g/dL")


def test_markup_and_escapes_do_not_change_the_meaning() -> None:
    plain = written(read("BMI >= 25 kg/m2").tree, "")

    assert written(read(r"BMI \>= 25 kg/m2").tree, "") == plain
    assert written(read("BMI &gt;= 25 kg/m2").tree, "") == plain
    assert written(read("ＢＭＩ≥25kg/m2", language="zh").tree, "") == plain


def test_a_document_in_the_place_of_a_criterion_stays_text() -> None:
    assert read("No prior chemotherapy. " * 9_000).understanding is Understanding.TEXT


WORDS = st.sampled_from(
    """
    no not or and , ; : ( ) [ unless except if without > < ≥ ≤ = x ULN 10^9/L 1.5 100,000 18 75 years weeks within
    before since EGFR HER2 ALT AST platelets hypertension stage IIIB IV NYHA class ECOG 0-1 pregnant women consent
    such as e.g. hypersensitivity to paclitaxel prior lines 2 at least one of the following 无 或 和 、 年龄 岁 以上
    除外 （ ） 糖尿病 过敏 周内 近 个月 血小板 HBsAg 阳性 期 级 化疗
    """.split()  # noqa: SIM905 - a table of words reads better than 80 quoted strings
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(WORDS, max_size=25), st.sampled_from(["", " "]), st.booleans())
def test_any_words_give_a_tree_whose_spans_lie_in_the_text(words: list[str], gap: str, exclude: bool) -> None:
    text = gap.join(words)

    first = read(text, exclude=exclude, before="Criteria: ")

    for leaf in criterion_nodes.leaves_of(first.tree):
        assert leaf.span.offset >= 10
        assert leaf.span.end <= 10 + len(text)
    assert read(text, exclude=exclude, before="Criteria: ") == first


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=80), st.sampled_from(["en", "zh"]))
def test_no_text_at_all_makes_it_fail(text: str, language: str) -> None:
    found = read(text, language=language)

    assert found.text == text
    assert criterion_nodes.leaves_of(found.tree)


def test_two_inclusive_ends_that_cross_are_left_as_text() -> None:
    from decimal import Decimal

    from fhirbridge.extract.criterion_outside import apart
    from fhirbridge.records import Bound, Quantity

    low, high = (Bound(Quantity(Decimal(n), "C", "Cel")) for n in (38, 36))
    assert apart(Leaf(LeafKind.VITAL_SIGN, Span(3, 9), low=low, high=high)) == Leaf(LeafKind.TEXT, Span(3, 9))
    kept = Leaf(LeafKind.VITAL_SIGN, Span(3, 9), low=high, high=low)
    assert apart(kept) == kept


def test_a_name_that_a_registry_wrapped_and_indented_is_one_name() -> None:
    text = "alanine aminotransferase and aspartate\n             aminotransferase < 2 x ULN"
    found = read(text)
    names = [leaf.concepts[0].name for leaf in criterion_nodes.leaves_of(found.tree)]
    assert names == ["Alanine aminotransferase", "Aspartate aminotransferase"]
    assert criterion_nodes.leaves_of(found.tree)[-1].span.end == len(text)
