"""What a criterion's words ask about earlier treatment, where its leaves alone do not say so."""

from __future__ import annotations

from fhirbridge.eligibility.cancer_facts import GENES
from fhirbridge.eligibility.judge import AskAll, AskIf, AskNot
from fhirbridge.eligibility.questions import Question
from fhirbridge.eligibility.questions_of import Subject, asked
from fhirbridge.eligibility.questions_of_history import treatments_in
from fhirbridge.extract.understand import understand
from fhirbridge.records import Criterion, Leaf, LeafKind, Span, Trial, Truth, Understanding
from fhirbridge.terminology import lexicon

LUNG = Subject(
    frozenset({"non small cell lung cancer"}),
    frozenset({"cancer", "lung cancer"}),
    frozenset({next(g for g, mark in GENES.items() if mark.search("ALK"))}),
)


def _asked(text: str, *, exclude: bool = False) -> object:
    words = lexicon.load()
    plain = Criterion(text, Span(0, len(text)), exclude, Leaf(LeafKind.TEXT, Span(0, len(text))), Understanding.TEXT)
    return asked(understand(plain, Trial("x", "x", "x", text), words), LUNG, words)


def test_recovery_from_toxicity_asks_nothing_of_the_untreated() -> None:
    tree = _asked("Recovered from the toxicities of prior therapy to grade 1 or less")
    assert isinstance(tree, AskIf)
    assert tree.otherwise is Truth.MET
    assert isinstance(tree.condition, Question)
    assert tree.condition.kind is LeafKind.THERAPY


def test_unresolved_toxicity_excludes_only_the_treated() -> None:
    tree = _asked("Unresolved toxicities from prior anticancer therapy", exclude=True)
    assert isinstance(tree, AskAll)
    assert [q.kind for q in tree.parts if isinstance(q, Question)] == [LeafKind.THERAPY, LeafKind.TEXT]


def test_no_prior_therapy_for_the_trials_own_disease_asks_for_no_marker() -> None:
    tree = _asked("Has not received chemotherapy for ALK-positive non-small cell lung cancer")
    assert isinstance(tree, AskNot)
    kinds = {q.kind for q in treatments_in(tree)}
    assert kinds == {LeafKind.THERAPY}
    assert "BIOMARKER" not in repr(tree)
    assert "DIAGNOSIS" not in repr(tree)
