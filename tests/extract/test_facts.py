"""What the facts of whole texts hold: spans, bounds, bad input."""

from __future__ import annotations

import time
from datetime import date

import pytest

from fhirbridge.extract import facts, turns
from fhirbridge.records import Fact, Status
from fhirbridge.terminology import lexicon


def _read(text: str, **options: object) -> tuple[Fact, ...]:
    return facts.find(turns.read(text, **options), lexicon.load())[0]  # type: ignore[arg-type]


def test_evidence_is_the_words_in_the_source() -> None:
    text = "Doctor: um , any , uh , chest chest pain ?\nPatient: no , i- i do n't\n"
    fact = next(f for f in _read(text) if f.concept.name == "chest pain")
    words = [text[s.offset : s.end] for s in fact.evidence]
    assert words[0] == "chest pain"
    assert words[1] == "no , i- i do n't"


@pytest.mark.parametrize(
    "words", ["👍🏽 i have a cough", "İ have ﬁ a cough", "שלום i have a cough שלום", "我 i have a cough"]
)
def test_evidence_stands_in_any_script(words: str) -> None:
    text = f"Doctor: hello there my friend\nPatient: {words}\n"
    fact = next(f for f in _read(text, language="en") if f.concept.name == "cough")
    span = fact.evidence[0]
    assert text[span.offset : span.end] == "cough"


def test_a_turn_of_five_thousand_words() -> None:
    text = "Patient: " + "well you know i was going to the shops and then " * 500 + "i had a headache\nDoctor: okay\n"
    begin = time.process_time()
    found = _read(text)
    assert [f.concept.name for f in found] == ["headache"]
    assert time.process_time() - begin < 10


def test_a_very_long_visit_is_read_in_stretches() -> None:
    text = "Doctor: any chest pain?\nPatient: no , but i have a cough\n" * 12_000
    found = _read(text)
    assert {(f.concept.name, f.status) for f in found} == {
        ("chest pain", Status.ABSENT),
        ("cough", Status.PRESENT),
    }


def test_onset_counts_from_the_visit() -> None:
    text = "Patient: the cough started three days ago\nDoctor: okay\n"
    assert _read(text, visit_date=date(2026, 3, 10))[0].onset == "2026-03-07"
    fact = _read(text)[0]
    assert (fact.onset, fact.onset_text) == (None, "three days ago")


def test_the_same_text_gives_the_same_facts() -> None:
    text = "Doctor: any nausea or vomiting?\nPatient: just nausea , and i take lisinopril 10 milligrams a day\n"
    assert _read(text) == _read(text)


def test_a_visit_in_two_languages() -> None:
    text = "Doctor: do you have a cough?\nPatient: yes i do , and a headache\n家属：他发烧三天了\n医生：好的\n"
    names = {f.concept.name for f in _read(text)}
    assert {"cough", "headache"} <= names
    assert any("发热" in name or "发烧" in name for name in names)
