"""Bundles to a server, each resource once: conditional transactions, split where the server asks, resumable.

Every entry is created on condition that no resource of the same identity is there (`push_entries`). So the same push
twice, or one killed in the middle and run again, leaves no duplicate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fhirbridge.errors import FinalServerError, ServerError, TemporaryServerError, UnreadableInput
from fhirbridge.fhir import lossless
from fhirbridge.fhir.push_entries import Entry, in_parts
from fhirbridge.fhir.push_journal import Journal
from fhirbridge.fhir.server_transport import Answer, Transport, asks_to_split, error_of
from fhirbridge.records import LeftOut

_MINIMAL = {"Prefer": "return=minimal"}  # the server need not send back what it was sent


@dataclass
class Summary:
    """What became of a push. `failed` names the entry and the server's reason; `split` the extra transactions."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: list[LeftOut] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    split: int = 0
    references: dict[str, str] = field(default_factory=dict)

    def add(self, other: Summary) -> None:
        """Take another summary's counts and reasons in."""
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.split += other.split
        self.failed.extend(other.failed)
        self.left_out.extend(other.left_out)
        self.references.update(other.references)

    def reasons(self, most: int = 5) -> str:
        """Why entries failed, the first ones in words; "" if none did."""
        told = [f"{item.source}: {item.reason}" for item in self.failed[:most]]
        more = len(self.failed) - len(told)
        return "; ".join([*told, *([f"and {more} more"] if more > 0 else [])])

    def __str__(self) -> str:
        parts = [f"{self.created} created", f"{self.updated} updated", f"{self.unchanged} unchanged"]
        parts += [f"{len(self.failed)} failed", f"{len(self.left_out)} left out"]
        if self.split:
            parts.append(f"split into {self.split} more transactions, each whole or not at all")
        return ", ".join(parts)


def push(
    transport: Transport, prepared: tuple[list[Entry], list[LeftOut]], journal: Journal, *, mode: str, most: int
) -> Summary:
    """Send one Bundle's entries: `mode` "transaction" (whole or not at all) or "batch" (each entry for itself)."""
    waiting, left_out = prepared
    summary = Summary(left_out=list(left_out))
    summary.references = {e.key: known for e in waiting if (known := journal.known(e))}
    summary.unchanged = len(summary.references)
    waiting = [e for e in waiting if e.key not in summary.references]
    if mode == "batch":
        for level in _levels(waiting, summary):
            _in_parts(transport, level, journal, summary, mode=mode, most=most)
    else:
        _in_parts(transport, waiting, journal, summary, mode=mode, most=most)
    return summary


def _levels(waiting: list[Entry], summary: Summary) -> Iterator[list[Entry]]:
    """Entries by levels, since in a batch no entry may refer to another: each level after what it refers to is known.

    What refers to an entry that was refused, or to itself in a ring, goes into the summary.
    """
    ours = {e.key for e in waiting}
    while waiting:
        ready = [e for e in waiting if not any(n in ours and n not in summary.references for n in e.needs)]
        if not ready:
            reason = "not sent: an entry it refers to was refused, or they refer to each other; use --mode transaction"
            summary.failed.extend(LeftOut(e.where, reason) for e in waiting)
            return
        yield ready
        sent = {e.key for e in ready}
        waiting = [e for e in waiting if e.key not in sent]


def _in_parts(
    transport: Transport, waiting: list[Entry], journal: Journal, summary: Summary, *, mode: str, most: int
) -> None:
    parts = list(in_parts(waiting, most))
    summary.split += max(0, len(parts) - 1)
    while parts:
        part = _placed(parts.pop(0), summary)
        try:
            _settled(transport, part, journal, summary, mode)
        except ServerError as error:
            halves = list(in_parts(part, max(1, len(part) // 2))) if asks_to_split(error) and len(part) > 1 else []
            if len(halves) > 1:
                summary.split += len(halves) - 1
                parts = halves + parts
                continue
            summary.failed.extend(LeftOut(e.where, str(error)) for e in part)
            if mode == "transaction":
                reason = "not sent: the part of its Bundle before it was refused"
                summary.failed.extend(LeftOut(e.where, reason) for p in parts for e in p)
                return


def _placed(part: list[Entry], summary: Summary) -> list[Entry]:
    """The entries all of whose references will have a place on the server; the others go into the summary."""
    there = {e.key for e in part} | summary.references.keys()
    lost = [e for e in part if not e.needs <= there]
    if not lost:
        return part
    summary.failed.extend(
        LeftOut(e.where, "not sent: the server did not say where it put what this refers to") for e in lost
    )
    gone = {e.key for e in lost}
    return _placed([e for e in part if e.key not in gone], summary)


def _settled(transport: Transport, part: list[Entry], journal: Journal, summary: Summary, mode: str) -> None:
    """Send a part; of a batch, only the entries that failed for now are sent again."""
    for attempt in range(1, transport.limits.tries + 1):
        answer = _sent(transport, part, summary.references, mode)
        again: list[Entry] = []
        last = mode != "batch" or attempt == transport.limits.tries
        journal.add(_taken(part, answer, summary, None if last else again))
        if not again:
            return
        transport.retried += 1
        transport.sleep(transport.wait(attempt, None))
        part = again


def _sent(transport: Transport, part: list[Entry], known: Mapping[str, str], mode: str) -> Answer:
    inside = ",".join(e.request(known) for e in part)
    body = f'{{"resourceType":"Bundle","type":"{mode}","entry":[{inside}]}}'
    return transport.send("POST", transport.base, body.encode(), headers=_MINIMAL)


def _taken(part: list[Entry], answer: Answer, summary: Summary, again: list[Entry] | None) -> dict[Entry, str]:
    """Where the server put each entry; failures go into the summary, those worth another try into `again`."""
    try:
        told = answer.json()
    except UnreadableInput as error:
        raise FinalServerError("the server's answer to a Bundle is not JSON: it is not known what it took") from error
    if not isinstance(told, dict) or told.get("resourceType") != "Bundle":
        raise FinalServerError("the server's answer to a Bundle is no Bundle: it is not known what it took")
    results = told.get("entry", [])
    taken: dict[Entry, str] = {}
    for entry, result in zip(part, results, strict=False):
        response = result.get("response", {})
        status = int(str(response.get("status", "0"))[:3] or 0)
        if not 200 <= status < 300:
            outcome = response.get("outcome") or result.get("resource") or {}
            failed = Answer(status, {"content-type": "application/fhir+json"}, lossless.dumps(outcome).encode())
            refusal = error_of(failed, entry.kind)
            if again is not None and (isinstance(refusal, TemporaryServerError) or status == 409):
                again.append(entry)
            else:
                summary.failed.append(LeftOut(entry.where, str(refusal)))
            continue
        summary.created += status == 201
        summary.unchanged += status != 201
        reference = _reference(entry, result)
        if reference:
            taken[entry] = reference
    if len(results) < len(part):
        summary.failed.extend(LeftOut(e.where, "the server did not answer for it") for e in part[len(results) :])
    summary.references.update((entry.key, reference) for entry, reference in taken.items())
    return taken


def _reference(entry: Entry, result: Mapping[str, Any]) -> str:
    """`Type/id` from the entry's location, or from the resource the server sent back."""
    found = reference_in(str(result.get("response", {}).get("location", "")), entry.kind)
    resource = result.get("resource") or {}
    return found or (
        f"{entry.kind}/{resource['id']}" if resource.get("resourceType") == entry.kind and resource.get("id") else ""
    )


def reference_in(location: str, kind: str) -> str:
    """`Type/id` in a server's location of a resource; "" if it is none of that type."""
    pieces = location.partition("/_history/")[0].split("/")
    return "/".join(pieces[-2:]) if len(pieces) > 1 and pieces[-2] == kind and pieces[-1] else ""
