"""What a language model proposes -> the few facts that the source bears out, and a count of the rest.

A proposal is a quote, a name, a kind and a status. It is taken only if the quote stands verbatim in one turn, the words
of the quote themselves name the concept (the lexicon says so and gives the codes, never the model), and the reader,
given that turn alone, states the same with the same status. What is told already or otherwise is dropped. Whatever is
taken is a doubtful fact (`certain` False). So a lying model can add nothing that nobody said.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from fhirbridge.extract import facts
from fhirbridge.extract.cues import whole
from fhirbridge.extract.mentions import Vocabulary
from fhirbridge.records import Fact, FactKind, LeftOut, Span, Status, Transcript, Turn

KINDS = (FactKind.CONDITION, FactKind.SYMPTOM, FactKind.MEDICATION, FactKind.PROCEDURE, FactKind.ALLERGY)
_PIECE = 12_000  # characters of a transcript in one question
_PIECES = 20
_MOST = 200  # proposals taken from one answer
_LONGEST = 300  # characters of a quote
# A denial has no unconfirmed form in FHIR: a doubtful one would look like a sure one.
STATUSES = (Status.PRESENT, Status.POSSIBLE, Status.PAST, Status.PLANNED)
_PROBLEMS = (FactKind.CONDITION, FactKind.SYMPTOM)


class LanguageModel(Protocol):
    """What is asked of a model: its answer as text, or the reason why there is none."""

    def answer(self, words: str) -> str | LeftOut:
        """The model's answer about a piece of a transcript."""
        ...


@dataclass(frozen=True, slots=True)
class _Proposal:
    quote: str
    name: str
    kind: FactKind
    status: Status


def add(
    transcript: Transcript, known: Sequence[Fact], lexicon: Vocabulary, model: LanguageModel
) -> tuple[tuple[Fact, ...], tuple[LeftOut, ...]]:
    """The known facts and those the model adds, in order; what of the model was dropped, counted by reason."""
    told = list(known)
    dropped: Counter[str] = Counter()
    failed: list[LeftOut] = []
    alone = _reader(transcript, lexicon)
    pieces = list(_pieces(transcript.turns))
    for turns in pieces[:_PIECES]:
        answer = model.answer("\n".join(f"{turn.speaker.value}: {turn.text}" for turn in turns))
        if isinstance(answer, LeftOut):
            failed.append(answer)
            continue
        for proposal in _proposals(answer):
            found = proposal if isinstance(proposal, str) else _checked(proposal, turns, told, alone)
            if isinstance(found, str):
                dropped[found] += 1
            else:
                told.append(found)
    if len(pieces) > _PIECES:
        failed.append(LeftOut("language model", f"{len(pieces) - _PIECES} pieces of the text were not shown to it"))
    counted = [LeftOut("language model", f"dropped {count}: {reason}") for reason, count in sorted(dropped.items())]
    told.sort(key=lambda f: min(s.offset for s in f.evidence))
    return tuple(told), (*failed, *counted)


def _pieces(turns: Sequence[Turn]) -> Iterator[list[Turn]]:
    piece: list[Turn] = []
    size = 0
    for turn in turns:
        if piece and size + len(turn.text) > _PIECE:
            yield piece
            piece, size = [], 0
        piece.append(turn)
        size += len(turn.text)
    if piece:
        yield piece


def _reader(transcript: Transcript, lexicon: Vocabulary) -> Callable[[Turn], tuple[Fact, ...]]:
    """What the reader states of one turn by itself, read once a turn."""
    read: dict[int, tuple[Fact, ...]] = {}

    def alone(turn: Turn) -> tuple[Fact, ...]:
        if turn.span.offset not in read:
            read[turn.span.offset] = facts.find(replace(transcript, turns=(turn,), left_out=()), lexicon)[0]
        return read[turn.span.offset]

    return alone


def _proposals(answer: str) -> Iterator[_Proposal | str]:
    """The proposals of an answer, or why one is none."""
    start, end = answer.find("{"), answer.rfind("}")
    try:
        parsed: Any = json.loads(answer[start : end + 1])
        listed = parsed["facts"]
    except (ValueError, RecursionError, KeyError, TypeError):  # ValueError: no JSON, or a number without end
        yield "the answer is not the JSON that was asked for"
        return
    if not isinstance(listed, list):
        yield "the answer is not the JSON that was asked for"
        return
    for one in listed[:_MOST]:
        yield _proposal(one)
    for _ in listed[_MOST:]:
        yield f"more than {_MOST} in one answer"


def _proposal(one: Any) -> _Proposal | str:
    if not isinstance(one, dict) or not all(isinstance(one.get(k), str) for k in ("quote", "name", "kind", "status")):
        return "quote, name, kind or status is missing"
    if one["kind"] not in [kind.value for kind in KINDS]:
        return "of a kind that is not asked for"
    if one["status"] not in [status.value for status in STATUSES]:
        return "of a status that is not asked for"
    if not 2 <= len(one["quote"]) <= _LONGEST:
        return "the quote is empty or too long"
    return _Proposal(one["quote"], one["name"], FactKind(one["kind"]), Status(one["status"]))


def _checked(
    proposal: _Proposal, turns: Sequence[Turn], told: Sequence[Fact], alone: Callable[[Turn], tuple[Fact, ...]]
) -> Fact | str:
    """The fact of a proposal, or why it is dropped."""
    reason = "the quote is not in the source"
    for turn in turns:
        for span in _places(proposal.quote, turn):
            fact = next((f for f in alone(turn) if _says(f, proposal, span)), None)
            if fact is None:
                reason = "the quoted words do not say it"
                continue
            if any(_same(fact, other) for other in told):
                return "told already, or told otherwise"
            return replace(fact, certain=False, note=fact.note or "proposed by a language model; to be confirmed")
    return reason


def _places(quote: str, turn: Turn) -> Iterator[Span]:
    place = turn.text.find(quote)
    while place >= 0:
        if whole(turn.text, place, place + len(quote)):
            yield Span(turn.span.offset + place, len(quote))
        place = turn.text.find(quote, place + 1)


def _says(fact: Fact, proposal: _Proposal, quoted: Span) -> bool:
    """Whether the reader's own fact is what was proposed, resting on words inside the quote."""
    problem = fact.kind in _PROBLEMS and proposal.kind in _PROBLEMS
    named = proposal.name.casefold().strip() in {
        fact.concept.name.casefold(), *(coding.display.casefold() for coding in fact.concept.codings),
    }  # fmt: skip
    inside = all(quoted.offset <= span.offset and span.end <= quoted.end for span in fact.evidence)
    return named and inside and fact.status is proposal.status and (problem or fact.kind is proposal.kind)


def _same(fact: Fact, other: Fact) -> bool:
    """Whether both are about one thing: by name, by a code, or by the words they rest on."""
    codes = {(c.system, c.code) for c in fact.concept.codings}
    return (
        fact.concept.name.casefold() == other.concept.name.casefold()
        or any((c.system, c.code) in codes for c in other.concept.codings)
        or any(a.offset < b.end and b.offset < a.end for a in fact.evidence for b in other.evidence)
    )
