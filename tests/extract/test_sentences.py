"""The marked sentences of each language, one test a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhirbridge.extract import facts, turns
from fhirbridge.terminology import lexicon
from tests.extract import marked

FOLDER = Path(__file__).parent / "sentences"
CASES = [(path.stem, case) for path in sorted(FOLDER.glob("*.txt")) for case in marked.cases(path)]


@pytest.mark.parametrize(("language", "case"), CASES, ids=[f"{lang}-{case.line}" for lang, case in CASES])
def test_a_marked_sentence_is_read_as_marked(language: str, case: marked.Case) -> None:
    found, _ = facts.find(turns.read(case.text, language=language), lexicon.load())
    assert marked.faults(case, found) == [], case.text


def test_there_are_three_hundred_sentences_in_english() -> None:
    assert sum(len(case.marks) for language, case in CASES if language == "en") >= 300


def test_there_are_three_hundred_sentences_in_chinese() -> None:
    assert sum(language == "zh" for language, _ in CASES) >= 300


@pytest.mark.parametrize(
    "bad",
    [
        "denies <refute>chest pain</refute>",
        "denies <refuted>chest pain",
        "denies chest pain</refuted>",
        "denies <refuted>chest <present>pain</present></refuted>",
        "denies <refuted></refuted> chest pain",
        "denies <refuted>chest pain</present>",
        'denies <refuted colour="red">chest pain</refuted>',
        "denies chest pain",
        "denies < refuted>chest pain</refuted>",
    ],
)
def test_a_bad_mark_is_an_error(bad: str) -> None:
    with pytest.raises(marked.BadMark):
        marked.parse(bad)


def test_a_wrong_status_is_a_fault() -> None:
    case = marked.parse("denies <present>chest pain</present>")
    found, _ = facts.find(turns.read(case.text), lexicon.load())
    assert marked.faults(case, found)
