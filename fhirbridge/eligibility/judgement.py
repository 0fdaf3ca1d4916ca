"""What was found for one question or criterion, and the three-valued logic that joins findings (Kleene, as in CQL)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fhirbridge.records import Truth

__all__ = ["Judgement", "all_of", "any_of", "at_least", "negated", "no", "unknown", "yes"]

MET, NOT_MET, UNKNOWN = Truth.MET, Truth.NOT_MET, Truth.UNKNOWN


@dataclass(frozen=True, slots=True)
class Judgement:
    """A result; its sentence is only put together when it is read. `need` is the fact that would settle an unknown."""

    truth: Truth
    template: str
    arguments: tuple[Any, ...] = ()
    evidence: tuple[str, ...] = ()
    need: str = ""
    silent: bool = False  # rests on the record's silence, not on a recorded fact
    parts: tuple[Judgement, ...] = ()

    @property
    def reason(self) -> str:
        """The sentence."""
        if self.parts:
            return "; ".join(dict.fromkeys(p.reason for p in self.parts if p.reason))
        return self.template.format(*self.arguments) if self.arguments else self.template


def yes(template: str, *arguments: Any, evidence: Sequence[str] = ()) -> Judgement:
    """It holds."""
    return Judgement(MET, template, arguments, tuple(evidence))


def no(template: str, *arguments: Any, evidence: Sequence[str] = ()) -> Judgement:
    """It does not hold, on recorded facts."""
    return Judgement(NOT_MET, template, arguments, tuple(evidence))


def unknown(need: str, template: str, *arguments: Any, evidence: Sequence[str] = ()) -> Judgement:
    """It cannot be told; `need` is the missing fact."""
    return Judgement(UNKNOWN, template, arguments, tuple(evidence), need)


def negated(found: Judgement) -> Judgement:
    """Not."""
    turned = {MET: NOT_MET, NOT_MET: MET, UNKNOWN: UNKNOWN}[found.truth]
    return Judgement(turned, found.template, found.arguments, found.evidence, found.need, found.silent, found.parts)


def all_of(found: Iterable[Judgement]) -> Judgement:
    """And: the first not met decides, then the unknown ones, else all of them together."""
    parts = tuple(found)
    return _joined(parts, decisive=NOT_MET, other=MET)


def any_of(found: Iterable[Judgement]) -> Judgement:
    """Or: the first met decides, then the unknown ones, else all of them together."""
    parts = tuple(found)
    return _joined(parts, decisive=MET, other=NOT_MET)


def _joined(parts: tuple[Judgement, ...], decisive: Truth, other: Truth) -> Judgement:
    if len(parts) == 1:
        return parts[0]
    for truth in (decisive, UNKNOWN):
        chosen = [p for p in parts if p.truth is truth]
        if truth is decisive and chosen:
            chosen = sorted(chosen, key=lambda p: p.silent)[:1]
        if chosen:
            return _together(truth, chosen[:3])
    return _together(other, list(parts[:4]))


def _together(truth: Truth, chosen: list[Judgement]) -> Judgement:
    if len(chosen) == 1:
        return chosen[0]
    evidence = tuple(dict.fromkeys(e for p in chosen for e in p.evidence))
    need = next((p.need for p in chosen if p.need), "")
    return Judgement(truth, "", (), evidence, need, all(p.silent for p in chosen), tuple(chosen))


def at_least(count: int, found: Iterable[Judgement]) -> Judgement:
    """At least `count` of them hold."""
    parts = tuple(found)
    held = [p for p in parts if p.truth is MET]
    open_ones = [p for p in parts if p.truth is UNKNOWN]
    if len(held) >= count:
        return _together(MET, held[:4])
    if len(held) + len(open_ones) >= count:
        return _together(UNKNOWN, open_ones[:3])
    return _together(NOT_MET, [p for p in parts if p.truth is NOT_MET][:4])
