"""Eligibility text is cut into atomic criteria, and nothing of it is lost."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhirbridge import registries
from fhirbridge.extract.cutting import cut, cut_text
from fhirbridge.extract.plain_text import plain
from fhirbridge.records import All, Any, AtLeast, Criterion, Trial


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


def test_a_lead_that_denies_is_opened_so_that_each_line_is_denied() -> None:
    text = "Inclusion Criteria:\n* No history of any of the following:\n  * Stroke\n  * Diabetes\n"
    assert [c.text for c in _cut(text)] == ["No history of any of the following:", "Stroke", "Diabetes"]


def test_all_of_the_following_excludes_as_one() -> None:
    (one,) = _cut("Exclusion Criteria:\n* All of the following:\n  * Stroke\n  * Diabetes\n")
    assert isinstance(one.tree, All) and len(one.tree.children) == 2


def test_at_least_two_of_three_is_one_criterion() -> None:
    (one,) = _cut("Inclusion Criteria:\n* At least two of the following:\n  * A1 pain\n  * B1 cough\n  * C1 fever\n")
    assert isinstance(one.tree, AtLeast) and one.tree.count == 2


def test_alternatives_joined_by_or_are_one_criterion() -> None:
    (one,) = _cut("Inclusion Criteria:\n* Disease defined as:\n  * Lesion over 2 cm, or\n  * Two lesions\n")
    assert isinstance(one.tree, All | Any)


def test_headings_in_the_middle_and_in_one_paragraph() -> None:
    text = "Inclusion Criteria: Adults with asthma. Exclusion Criteria: Pregnancy; current smoking."
    assert _told(text) == ["+ Adults with asthma.", "- Pregnancy;", "- current smoking."]


def test_a_note_belongs_to_the_criterion_above_it() -> None:
    text = "Inclusion Criteria:\n* Brain MRI\n* Note: a CT scan will do\n* Adults"
    assert _told(text) == ["+ Brain MRI * Note: a CT scan will do", "+ Adults"]


def test_parts_and_cohorts_become_sections() -> None:
    text = "Inclusion Criteria:\n\nPart A:\n\n* Healthy\n\nPart B:\n\n* Asthma\n\nExclusion Criteria:\n\n* Pregnancy"
    assert [(c.text, c.section) for c in _cut(text)] == [("Healthy", "Part A"), ("Asthma", "Part B"), ("Pregnancy", "")]


def test_old_nci_records_with_labels_in_one_paragraph() -> None:
    text = (
        "DISEASE CHARACTERISTICS: Histologically proven glioma No brain metastases\n\n"
        "        PATIENT CHARACTERISTICS: Age: 18 and over Hepatic: Not specified Other: Not pregnant\n"
        "        No active infection"
    )
    assert [(c.text, c.context) for c in _cut(text)] == [
        ("Histologically proven glioma", ""),
        ("No brain metastases", ""),
        ("18 and over", "Age:"),
        ("Not pregnant", ""),
        ("No active infection", ""),
    ]


def test_decimals_units_and_dates_are_no_numbering() -> None:
    text = "入选标准：1年龄18.5岁以上2体重≥45.0kg，3个月内未用药3ECOG 0-1"
    assert _told(text) == ["+ 年龄18.5岁以上", "+ 体重≥45.0kg，3个月内未用药", "+ ECOG 0-1"]


def test_html_entities_and_tags_are_read_in_place() -> None:
    text = "Inclusion Criteria:<br><ul><li>Age &gt;= 18</li><li>Asthma</li></ul>"
    assert _told(text) == ["+ Age &gt;= 18", "+ Asthma"]


def test_a_criterion_of_200_kb_is_kept_whole_and_fast() -> None:
    text = "Inclusion Criteria:\n* " + "asthma and cough " * 12_000
    assert sum(len(c.text) for c in _cut(text)) > 200_000


_LINES = """Inclusion Criteria:
Exclusion Criteria:
* asthma
  * any of the following:
1. Age 18-75;
   - ANC ≥ 1.5; PLT ≥ 100
Part B only:
Note: see protocol
2) 年龄≥18岁；3) ECOG 0-1

1签署同意书2年龄18-75周岁3ECOG评分为0或14预期生存期≥12周
除外标准：
None
(a) cough (b) fever
或以下情况：
Age: 18 to 65 Sex: Female
&lt;b&gt; 5
<li>x
OR
•stroke
    wrapped and more text
?
12""".splitlines()


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(_LINES), max_size=14))
def test_every_character_is_in_one_criterion_or_is_heading_or_decoration(lines: list[str]) -> None:
    text = "\n".join(lines)
    found = cut_text(Trial(id="T1", registry="test", title="", eligibility_text=text))
    seen = [0] * len(text)
    for criterion in found.criteria:
        for at in range(criterion.span.offset, criterion.span.end):
            seen[at] += 1
    assert max(seen, default=0) <= 1
    for span in found.decoration:
        for at in range(span.offset, span.end):
            seen[at] = 1
    left = "".join(sign if not n else " " for sign, n in zip(plain(text), seen, strict=True))
    for words in left.split():
        assert not re.search(r"[^\W\d_]{3,}|[㐀-鿿]", words), (words, text)


SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "trials"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the trials of ../shared are not here")
def test_chinese_trials_are_cut_as_a_reader_cuts_them() -> None:
    """zh_cut_gold.json: offset and length of 294 criteria of ten trials, as I read them."""
    gold = json.loads((Path(__file__).parent / "zh_cut_gold.json").read_text("utf-8"))
    trials = {t.id: t for t in registries.read(SHARED / "zh-cde-dev" / "studies.csv") if isinstance(t, Trial)}
    right = total = 0
    for number, wanted in gold.items():
        found = {(c.span.offset, c.span.length) for c in cut(trials[number])}
        right += sum(tuple(span) in found for span in wanted)
        total += len(wanted)
    assert total > 280 and right / total >= 0.97


@pytest.mark.skipif(not SHARED.is_dir(), reason="the trials of ../shared are not here")
def test_no_words_of_a_sample_of_the_registry_are_lost() -> None:
    for number, record in enumerate(registries.read(SHARED / "ctgov-35k.ndjson.gz")):
        if number >= 200:
            break
        assert isinstance(record, Trial)
        found = cut_text(record)
        inside = sum(s.length for s in found.decoration) + sum(c.span.length for c in found.criteria)
        words = sum(not sign.isspace() for sign in plain(record.eligibility_text))
        assert inside >= 0.9 * words
