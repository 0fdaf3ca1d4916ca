"""English numbers, questions, answers, doses and times."""

# ruff: noqa: E501  (a table of cases)
from __future__ import annotations

from decimal import Decimal

import pytest

from fhirbridge.languages.en import speech


@pytest.mark.parametrize(
    ("said", "values"),
    [
        ("one twenty eight over seventy two", ["128", "72"]), ("a hundred and one point four", ["101.4"]),
        ("two hundred over ninety", ["200", "90"]), ("one fifty over ninety five", ["150", "95"]),
        ("one oh five", ["105"]), ("ninety nine", ["99"]), ("seventy-nine", ["79"]), ("8.20", ["8.20"]),
        ("1,200", ["1200"]), ("eight point two five", ["8.25"]), ("half a tablet", ["0.5"]), ("one and a half", ["1.5"]),
        ("two three", ["2", "3"]), ("nineteen eighty five", ["1985"]), ("twelve hundred", ["1200"]),
        ("a couple of beers", ["2"]), ("one thirty-eight over eighty-four", ["138", "84"]), ("five hundred", ["500"]),
        ("one hundred and five", ["105"]), ("two thousand", ["2000"]), ("nothing", []), ("oh dear", []),
    ],
)  # fmt: skip
def test_numbers_as_people_say_them(said: str, values: list[str]) -> None:
    found = speech.numbers(said)
    assert [str(n.value) for n in found] == values
    assert all(said[n.start : n.end].strip() for n in found)


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("any chest pain?", "yes-no"), ("do you have a cough ?", "yes-no"), ("how about fever?", "yes-no"),
        ("when did it start?", "open"), ("how long have you had it?", "open"), ("can you tell me where it hurts?", "open"),
        ("you've had asthma, right?", "tag"), ("you're not bringing up blood, are you?", "tag"),
        ("i'll see you in two weeks , okay ?", ""), ("okay ?", ""), ("you have asthma.", ""), ("no fever?", "yes-no"),
    ],
)  # fmt: skip
def test_what_asks(sentence: str, kind: str) -> None:
    assert speech.asks(sentence, True) == kind


@pytest.mark.parametrize(
    ("answer", "polarity"),
    [
        ("no", "no"), ("no, not really", "no"), ("nope", "no"), ("none of that", "no"), ("i don't think so", "no"),
        ("not that i've noticed", "no"), ("yes", "yes"), ("yeah, a bit", "yes"), ("i do", "yes"), ("sometimes", "yes"),
        ("mm-hmm", "yes"), ("well, i have been, yes", "yes"), ("i don't know", "unsure"), ("no. well actually yes", "yes"),
        ("the weather is nice", ""),
    ],
)  # fmt: skip
def test_what_an_answer_says(answer: str, polarity: str) -> None:
    assert speech.reply(answer, "any pain?").polarity == polarity


@pytest.mark.parametrize(
    ("words", "frequency", "period", "unit"),
    [
        ("twice a day", 2, "1", "d"), ("once daily", 1, "1", "d"), ("three times a day", 3, "1", "d"),
        ("every six hours", 1, "6", "h"), ("every other day", 1, "2", "d"), ("weekly", 1, "1", "wk"), ("bid", 2, "1", "d"),
    ],
)  # fmt: skip
def test_how_often(words: str, frequency: int, period: str, unit: str) -> None:
    timing = speech.timing(words)
    assert timing is not None
    assert (timing.frequency, timing.period, timing.unit) == (frequency, Decimal(period), unit)


def test_when_and_as_needed() -> None:
    timing = speech.timing("one at bedtime as needed")
    assert timing is not None
    assert timing.as_needed and timing.when == ("HS",)


@pytest.mark.parametrize(
    ("after", "ucum"),
    [(" milligrams", "mg"), (" mg", "mg"), (" micrograms", "ug"), (" units", "[IU]"), (" tablets", "{tablet}"),
     (" a tablet", "{tablet}"), (" puffs", "{puff}"), (" ml", "mL"), (" grams", "g"), (" milliequivalents", "meq")],
)  # fmt: skip
def test_units_of_doses(after: str, ucum: str) -> None:
    found = speech.dose_unit(after)
    assert found is not None
    assert found[1] == ucum
    assert speech.dose_unit(" days") is None


@pytest.mark.parametrize(
    ("words", "number", "unit", "kind"),
    [
        ("three days ago", "3", "d", "ago"), ("for two weeks", "2", "wk", "for"), ("over the past month or so", "1", "mo", "for"),
        ("a couple of years ago", "2", "a", "ago"), ("since yesterday", "1", "d", "on"), ("it started last week", "1", "wk", "on"),
    ],
)  # fmt: skip
def test_since_when(words: str, number: str, unit: str, kind: str) -> None:
    found = speech.since(words)
    assert [(str(s.number), s.unit, s.kind) for s in found] == [(number, unit, kind)]


@pytest.mark.parametrize(
    ("said", "clean"),
    [
        ("i- i do n't know", "i don't know"), ("it's , it's uh , hurting", "it's hurting"), ("my my chest", "my chest"),
        ("gon na", "gonna"), ("um , yes", "yes"), ("uh-huh", "uh-huh"), ("nine one one", "nine one one"),
        ("no weight loss , loss of appetite", "no weight loss, loss of appetite"),
    ],
)  # fmt: skip
def test_fillers_go_and_words_stay(said: str, clean: str) -> None:
    from fhirbridge.extract.talk import Shortened

    assert Shortened(said, speech.drop).text == clean
