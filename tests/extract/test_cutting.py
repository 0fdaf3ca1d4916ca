"""Eligibility text is cut into atomic criteria, and nothing of it is lost."""

from __future__ import annotations

from fhirbridge.extract.cutting import cut
from fhirbridge.records import Any, Criterion, Trial


def _cut(text: str) -> tuple[Criterion, ...]:
    found = cut(Trial(id="T1", registry="test", title="", eligibility_text=text))
    assert all(text[c.span.offset : c.span.end] == c.text for c in found)
    return found


def _told(text: str) -> list[str]:
    return [("- " if c.exclude else "+ ") + " ".join(c.text.split()) for c in _cut(text)]


def test_bullets_under_two_headings() -> None:
    text = "Inclusion Criteria:\n\n* Age over 18\n* Asthma\n\nExclusion Criteria:\n\n* Pregnancy\n"
    assert _told(text) == ["+ Age over 18", "+ Asthma", "- Pregnancy"]


def test_hard_wrapped_lines_are_joined() -> None:
    text = (
        "        Inclusion Criteria:\n\n          -  Good communication with the investigator, understanding and the\n"
        "             requirements of the study\n\n          -  Adults\n"
    )
    assert _told(text) == [
        "+ Good communication with the investigator, understanding and the requirements of the study",
        "+ Adults",
    ]


def test_numbers_run_together_as_chinese_registries_print_them() -> None:
    text = "入选标准：1签署知情同意书2年龄18-75周岁3ECOG评分为0或14预期生存期≥12周5至少有一个可测量病灶"
    assert _told(text) == [
        "+ 签署知情同意书",
        "+ 年龄18-75周岁",
        "+ ECOG评分为0或1",
        "+ 预期生存期≥12周",
        "+ 至少有一个可测量病灶",
    ]


def test_any_of_the_following_stays_one_inclusion_criterion() -> None:
    text = "Inclusion Criteria:\n* One of the following:\n  * Asthma\n  * COPD\n* Adults\n"
    first, second = _cut(text)
    assert isinstance(first.tree, Any) and len(first.tree.children) == 2
    assert second.text == "Adults"


def test_any_of_the_following_is_opened_on_the_excluding_side() -> None:
    text = "Exclusion Criteria:\n* Any of the following within 6 months:\n  * Stroke\n  * Infarction\n"
    lead, *lines = _cut(text)
    assert lead.tree == Any(())
    assert [(c.text, c.context) for c in lines] == [
        ("Stroke", "Any of the following within 6 months:"),
        ("Infarction", "Any of the following within 6 months:"),
    ]
