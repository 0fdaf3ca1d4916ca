"""A trial's criteria: its fields first, then its text, read in the light of the lines above."""

from __future__ import annotations

from decimal import Decimal

from fhirbridge.extract import criteria
from fhirbridge.records import Criterion, Leaf, LeafKind, Not, Quantity, Trial, Understanding
from fhirbridge.terminology import lexicon


def _found(text: str, **fields: object) -> tuple[Criterion, ...]:
    trial = Trial(id="T1", registry="test", title="", eligibility_text=text, **fields)  # type: ignore[arg-type]
    return criteria.find(trial, lexicon.load())


def test_the_fields_come_first_and_have_no_place_in_the_text() -> None:
    adult = Quantity(Decimal(18), "Years", "a")
    found = _found("Inclusion Criteria:\n* Asthma", minimum_age=adult, sex="female", healthy_volunteers=False)
    assert [(c.source, c.exclude) for c in found] == [
        ("structured", False),
        ("structured", False),
        ("structured", True),
        ("text", False),
    ]
    assert all(c.span.length == 0 for c in found[:3])


def test_a_window_above_a_list_holds_for_every_line() -> None:
    text = "Exclusion Criteria:\n* Any of the following within 6 months prior to enrollment:\n  * Stroke\n  * Asthma\n"
    for line in _found(text)[1:]:
        assert isinstance(line.tree, Leaf) and line.tree.window is not None and line.tree.window.within is not None
        assert (line.tree.window.within.value, line.tree.window.within.ucum) == (6, "mo")


def test_a_denial_above_a_list_holds_for_every_line() -> None:
    text = "Inclusion Criteria:\n* No history of any of the following:\n  * Stroke\n  * Asthma\n"
    _, *lines = _found(text)
    assert len(lines) == 2 and all(isinstance(line.tree, Not) for line in lines)


def test_a_label_is_read_with_its_value() -> None:
    (one,) = _found("PATIENT CHARACTERISTICS: Age: 18 to 65 Hepatic: Not specified\n")
    assert isinstance(one.tree, Leaf) and one.tree.kind == LeafKind.AGE


def test_a_number_in_words_not_understood_is_kept() -> None:
    (one,) = _found("Inclusion Criteria:\n* Flurbian quotient greater than 55\n")
    bounds = [leaf.low for leaf in criteria.leaves(one.tree) if leaf.low]
    assert [b.quantity.value for b in bounds] == [55]


def test_the_text_that_contradicts_a_field_is_told() -> None:
    adult = Quantity(Decimal(18), "Years", "a")
    trial = Trial(
        id="T1",
        registry="test",
        title="",
        eligibility_text="Inclusion Criteria:\n* Age 21 to 65 years\n* Women\n",
        minimum_age=adult,
        sex="male",
    )
    reasons = [o.reason for o in criteria.disagreements(trial, criteria.find(trial, lexicon.load()))]
    assert any("minimum age 21" in r and "18 Years" in r for r in reasons)
    assert any("the sex field says male" in r for r in reasons)


def test_what_only_announces_is_not_counted() -> None:
    found = _found("Exclusion Criteria:\n* Any of the following within a year:\n  * Stroke\n  * Asthma\n")
    assert sum(criteria.counts(found).values()) == 2
    assert criteria.counts(found)[Understanding.COMPUTABLE.value] == 2


def test_a_window_above_a_list_held_together_holds_for_every_line() -> None:
    text = "Inclusion Criteria:\n* At least one of the following within 12 months:\n  * Stroke\n  * Asthma\n"
    (one,) = _found(text)
    lines = [leaf for leaf in criteria.leaves(one.tree) if leaf.kind == LeafKind.DIAGNOSIS]
    assert [leaf.window.within.value for leaf in lines if leaf.window and leaf.window.within] == [12, 12]
