"""What a match run gives back: Match objects, NDJSON lines, a DataFrame; and the funnel of one study."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

import orjson

from fhirbridge import frames
from fhirbridge.errors import ConfigurationError
from fhirbridge.records import LeftOut

__all__ = ["CriterionResult", "Funnel", "Match", "Matches", "Missing", "funnel", "funnels"]


@dataclass(frozen=True, slots=True)
class CriterionResult:
    """One criterion for one patient: verbatim text, result, a sentence, the resources it rests on."""

    text: str
    kind: str
    result: str
    reason: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """A fact that is not recorded; `would_settle` when it alone decides the study."""

    need: str
    criteria: tuple[int, ...]
    would_settle: bool


@dataclass(frozen=True, slots=True)
class Match:
    """One study for one patient."""

    patient: str
    study: str
    title: str
    rank: int
    score: float
    status: str
    parts: dict[str, float] = field(hash=False)
    criteria: tuple[CriterionResult, ...] = ()
    missing: tuple[Missing, ...] = ()


class FhirWriter(Protocol):
    """What writes matches as FHIR (fhir/match_bundle.py)."""

    def searchset(self, row: dict[str, Any]) -> dict[str, Any]:
        """The searchset Bundle of one patient's row."""

    def research_subject(self, patient: str, study: str, as_of: str, score: float) -> dict[str, Any]:
        """A ResearchSubject candidate."""


class Matches:
    """The matches of all patients, worked out as they are asked for; iterate for Match objects."""

    def __init__(
        self,
        make: Callable[[], Iterator[dict[str, Any] | LeftOut]],
        left_out: tuple[LeftOut, ...],
        as_of: date,
        *,
        fhir: FhirWriter | None = None,
    ) -> None:
        self._make = make
        self._fhir = fhir
        self._left_out = list(left_out)
        self._rows: list[dict[str, Any]] | None = None
        self.as_of = as_of

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What could not be read; complete once the matches were read."""
        return tuple(self._left_out)

    def rows(self) -> list[dict[str, Any]]:
        """The contract's rows, one a patient, kept after the first time."""
        if self._rows is None:
            self._rows = list(self._stream())
        return self._rows

    def _stream(self) -> Iterator[dict[str, Any]]:
        if self._rows is not None:
            yield from self._rows
            return
        for row in self._make():
            if isinstance(row, LeftOut):
                self._left_out.append(row)
            else:
                yield row

    def to_lines(self, format: str = "ndjson") -> Iterator[str]:
        """JSON text, one line a patient: the contract's row, or with "fhir" a searchset Bundle."""
        if format == "fhir":
            for row in self._stream():
                yield orjson.dumps(self._writer().searchset(row)).decode()
            return
        for row in self._stream():
            yield orjson.dumps(row).decode()

    def __iter__(self) -> Iterator[Match]:
        for row in self.rows():
            yield from _matches(row)

    def __len__(self) -> int:
        return sum(len(row["matches"]) for row in self.rows())

    def __repr__(self) -> str:
        return f"<Matches of {len(self.rows())} patients as of {self.as_of.isoformat()}>"

    def to_frame(self, *, polars: bool = False) -> Any:
        """One line a patient and study: patient, study, rank, score, status, parts, what would settle it."""
        return frames.frame([_line(m) for m in self], polars=polars)

    def candidates(self) -> list[dict[str, Any]]:
        """A ResearchSubject `candidate` for every pair that is not excluded, ready to push."""
        write, day = self._writer().research_subject, self.as_of.isoformat()
        return [write(m.patient, m.study, day, m.score) for m in self if m.status != "excluded"]

    def _writer(self) -> FhirWriter:
        if self._fhir is None:
            raise ConfigurationError("these matches were made without a FHIR writer; use fhirbridge.match")
        return self._fhir


def _matches(row: dict[str, Any]) -> Iterator[Match]:
    for m in row["matches"]:
        criteria = tuple(
            CriterionResult(c["text"], c["kind"], c["result"], c["reason"], tuple(c["evidence"]))
            for c in m.get("criteria", ())
        )
        missing = tuple(Missing(n["need"], tuple(n["criteria"]), n["would_settle"]) for n in m.get("missing", ()))
        yield Match(
            row["patient"], m["study"], m["title"], m["rank"], m["score"], m["status"], m["parts"], criteria, missing
        )


def _line(m: Match) -> dict[str, Any]:
    settle = "; ".join(n.need for n in m.missing if n.would_settle)
    head = {"patient": m.patient, "study": m.study, "title": m.title, "rank": m.rank, "score": m.score}
    return head | {"status": m.status, **m.parts, "would_settle": settle}


@dataclass(frozen=True)
class Funnel:
    """One study, criterion by criterion: how many patients are out by it, open, and how many remain."""

    study: str
    title: str
    patients: int
    steps: tuple[dict[str, Any], ...]
    ranked: tuple[Match, ...]

    def to_frame(self, *, polars: bool = False) -> Any:
        """One line a criterion: kind, text, met, not_met, unknown, remaining."""
        return frames.frame(self.steps, polars=polars)

    def to_line(self) -> str:
        """JSON on one line: the steps, and the patients ranked."""
        ranked = [{"patient": m.patient, "status": m.status, "score": m.score} for m in self.ranked]
        head = {"study": self.study, "title": self.title, "patients": self.patients}
        return orjson.dumps(head | {"steps": self.steps, "ranked": ranked}).decode()

    def to_text(self) -> str:
        """The table as text."""
        lines = [f"{self.title} ({self.study}): {self.patients} patients"]
        for step in self.steps:
            text = " ".join(step["text"].split())[:70]
            counts = f"{step['met']:>5} met {step['not_met']:>5} not met {step['unknown']:>5} unknown"
            lines.append(f"{step['remaining']:>6} remain | {counts} | {step['kind'][:2]} {text}")
        return "\n".join(lines)


def funnels(found: Matches) -> Iterator[Funnel]:
    """The funnel of every study that was matched with reasons, by id."""
    by_study: dict[str, list[Match]] = {}
    for match in found:
        by_study.setdefault(match.study, []).append(match)
    for _, matches in sorted(by_study.items()):
        yield _funnel(matches)


def funnel(found: Matches) -> Funnel:
    """The funnel of the one study that was matched (that of the best match, if there are several)."""
    ranked = sorted(found, key=_best)
    return _funnel([m for m in ranked if m.study == ranked[0].study])


def _best(match: Match) -> tuple[bool, bool, float, str]:
    return match.status == "excluded", match.status == "undetermined", -match.score, match.patient


def _funnel(matches: list[Match]) -> Funnel:
    ranked = sorted(matches, key=_best)
    steps: list[dict[str, Any]] = []
    left = set(range(len(ranked)))
    for place, criterion in enumerate(ranked[0].criteria if ranked else ()):
        results = [m.criteria[place].result for m in ranked]
        wrong = "met" if criterion.kind == "exclusion" else "not_met"
        left -= {n for n, r in enumerate(results) if r == wrong}
        counts = {r: results.count(r) for r in ("met", "not_met", "unknown")}
        steps.append({"kind": criterion.kind, "text": criterion.text, **counts, "remaining": len(left)})
    first = ranked[0] if ranked else None
    return Funnel(first.study if first else "", first.title if first else "", len(ranked), tuple(steps), tuple(ranked))
