"""Bundles to a server, each resource once: conditional transactions, split where the server asks, resumable.

Every entry is created on condition that no resource of the same identity is there: its business identifier, or, where
it has none, a tag in `meta` made from its content. So the same push twice, or one killed in the middle and run again,
leaves no duplicate. The journal only saves time: it remembers which entries the server has already taken.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fhirbridge.errors import ServerError, TemporaryServerError
from fhirbridge.fhir import lossless
from fhirbridge.fhir.server_transport import Answer, Transport, asks_to_split, error_of
from fhirbridge.records import LeftOut

TAG = "urn:fhirbridge:content-sha256"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:fhirbridge:push")
# Identifiers of these kinds of resource name the thing itself; an Observation's may name the order it answers.
_BY_IDENTIFIER = {"Patient", "Practitioner", "Organization", "Location", "ResearchStudy", "Group", "Device"}


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

    def __str__(self) -> str:
        parts = [f"{self.created} created", f"{self.updated} updated", f"{self.unchanged} unchanged"]
        parts += [f"{len(self.failed)} failed", f"{len(self.left_out)} left out"]
        if self.split:
            parts.append(f"split into {self.split} more transactions, each whole or not at all")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource on its way: `key` is its urn:uuid in the transaction, `condition` the search that finds its like."""

    key: str
    resource: dict[str, Any]
    condition: str
    needs: frozenset[str]
    where: str


class Journal:
    """A file of what a server has taken, one line an entry, each on disk before the next transaction starts."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.taken: dict[str, str] = {}
        if path is not None and path.exists():
            for line in path.read_text("utf-8").splitlines():
                self._remember(line)

    def _remember(self, line: str) -> None:
        try:
            item = json.loads(line)
            self.taken[item["entry"]] = item["reference"]
        except (ValueError, KeyError, TypeError):
            return  # the last line of a run that was killed while writing it; the entry is only asked for again

    def add(self, taken: Mapping[str, str]) -> None:
        """Remember entries and where they are on the server now."""
        self.taken.update(taken)
        if self._path is None or not taken:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            for entry, reference in taken.items():
                file.write(json.dumps({"entry": entry, "reference": reference}) + "\n")
            file.flush()
            os.fsync(file.fileno())


def entries(bundle: Mapping[str, Any]) -> tuple[list[Entry], list[LeftOut]]:
    """A Bundle's resources ready for a conditional transaction, references inside it turned to urn:uuid."""
    found = [e for e in bundle.get("entry", []) if isinstance(e.get("resource"), dict)]
    keys: dict[str, str] = {}
    for number, entry in enumerate(found):
        resource = entry["resource"]
        literal = f"{resource.get('resourceType')}/{resource.get('id')}" if resource.get("id") else ""
        url = str(entry.get("fullUrl") or literal or f"entry {number}")
        key = url if url.startswith("urn:uuid:") else f"urn:uuid:{uuid.uuid5(_NAMESPACE, url)}"
        keys[url] = key
        if literal:
            keys.setdefault(literal, key)
    made, left_out = [], []
    for number, entry in enumerate(found):
        resource = entry["resource"]
        if "resourceType" not in resource:
            left_out.append(LeftOut(f"entry[{number}]", "no resourceType"))
            continue
        made.append(_entry(entry, number, keys))
    return made, left_out


def _entry(entry: Mapping[str, Any], number: int, keys: Mapping[str, str]) -> Entry:
    resource = entry["resource"]
    literal = f"{resource['resourceType']}/{resource.get('id')}"
    key = keys.get(str(entry.get("fullUrl") or ""), keys.get(literal, keys.get(f"entry {number}", "")))
    digest = hashlib.sha256(lossless.dumps(_without_server_meta(resource)).encode()).hexdigest()
    needs: set[str] = set()
    sent = {k: v for k, v in _keyed(resource, keys, needs).items() if k != "id"}
    condition = _by_identifier(resource)
    if not condition:
        meta = dict(sent.get("meta", {}))
        meta["tag"] = [*meta.get("tag", []), {"system": TAG, "code": digest}]
        sent = {"resourceType": resource["resourceType"], "meta": meta, **_without(sent, "resourceType", "meta")}
        condition = f"_tag={quote(f'{TAG}|{digest}', safe='')}"
    return Entry(key, sent, condition, frozenset(needs - {key}), f"entry[{number}] {literal}")


def _without(value: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {k: v for k, v in value.items() if k not in keys}


def _without_server_meta(resource: Mapping[str, Any]) -> dict[str, Any]:
    meta = _without(resource.get("meta", {}), "versionId", "lastUpdated", "source")
    return {**_without(resource, "meta"), **({"meta": meta} if meta else {})}


def _by_identifier(resource: Mapping[str, Any]) -> str:
    if resource["resourceType"] not in _BY_IDENTIFIER:
        return ""
    identifiers = resource.get("identifier", [])
    for item in identifiers if isinstance(identifiers, list) else [identifiers]:
        if item.get("system") and item.get("value"):
            return f"identifier={quote(str(item['system']) + '|' + str(item['value']), safe='')}"
    return ""


def _keyed(value: Any, keys: Mapping[str, str], needs: set[str]) -> Any:
    """A copy with every reference to a resource of the same Bundle turned to its key."""
    if isinstance(value, dict):
        out = {}
        for name, item in value.items():
            if name == "reference" and isinstance(item, str) and item in keys:
                needs.add(keys[item])
                out[name] = keys[item]
            else:
                out[name] = _keyed(item, keys, needs)
        return out
    if isinstance(value, list):
        return [_keyed(item, keys, needs) for item in value]
    return value


# ----------------------------------------------------------------------------------------------------------- sending


def push(transport: Transport, bundle: Mapping[str, Any], journal: Journal, *, mode: str, most: int) -> Summary:
    """Send one Bundle: `mode` "transaction" (whole or not at all) or "batch" (each entry for itself)."""
    summary = Summary()
    waiting, summary.left_out = entries(bundle)
    summary.references = {e.key: journal.taken[e.key] for e in waiting if e.key in journal.taken}
    summary.unchanged = len(summary.references)
    waiting = [e for e in waiting if e.key not in journal.taken]
    parts = list(in_parts(waiting, most))
    summary.split = max(0, len(parts) - 1)
    while parts:
        part = parts.pop(0)
        try:
            _settled(transport, part, journal, summary, mode)
        except ServerError as error:
            halves = list(in_parts(part, max(1, len(part) // 2))) if asks_to_split(error) and len(part) > 1 else []
            if len(halves) > 1:
                summary.split += len(halves) - 1
                parts = halves + parts
                continue
            summary.failed.extend(LeftOut(e.where, str(error)) for e in part)
            summary.failed.extend(
                LeftOut(e.where, "not sent: an entry it refers to was refused") for p in parts for e in p
            )
            break
    return summary


def in_parts(waiting: list[Entry], most: int) -> Iterator[list[Entry]]:
    """Entries in parts of at most `most`, each after those it refers to; a ring of references stays together."""
    if len(waiting) <= most:
        if waiting:
            yield waiting
        return
    part: list[Entry] = []
    for knot in in_order(waiting):
        if part and len(part) + len(knot) > most:
            yield part
            part = []
        part.extend(knot)
    if part:
        yield part


def in_order(waiting: list[Entry]) -> Iterator[list[Entry]]:
    """Knots of entries that refer to each other (strongly connected, Tarjan), what is referred to first."""
    by_key = {e.key: e for e in waiting}
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    for start in by_key:
        if start in index:
            continue
        work: list[tuple[str, Iterator[str]]] = [(start, iter(sorted(by_key[start].needs)))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while work:
            key, rest = work[-1]
            for need in rest:
                if need not in by_key:
                    continue
                if need not in index:
                    index[need] = low[need] = len(index)
                    stack.append(need)
                    on_stack.add(need)
                    work.append((need, iter(sorted(by_key[need].needs))))
                    break
                if need in on_stack:
                    low[key] = min(low[key], index[need])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[key])
                if low[key] == index[key]:
                    knot = []
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        knot.append(by_key[member])
                        if member == key:
                            break
                    yield knot[::-1]


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
    bundle = {
        "resourceType": "Bundle",
        "type": mode,
        "entry": [
            {
                "fullUrl": e.key,
                "resource": resolved(e.resource, known),
                "request": {"method": "POST", "url": e.resource["resourceType"], "ifNoneExist": e.condition},
            }
            for e in part
        ],
    }
    return transport.send("POST", transport.base, lossless.dumps(bundle).encode())


def resolved(value: Any, known: Mapping[str, str]) -> Any:
    """A copy with the references that are known by now turned to the server's."""
    if not known:
        return value
    if isinstance(value, dict):
        return {
            k: (known.get(v, v) if k == "reference" and isinstance(v, str) else resolved(v, known))
            for k, v in value.items()
        }
    if isinstance(value, list):
        return [resolved(item, known) for item in value]
    return value


def _taken(part: list[Entry], answer: Answer, summary: Summary, again: list[Entry] | None) -> dict[str, str]:
    """Where the server put each entry; failures go into the summary, those worth another try into `again`."""
    results = answer.json().get("entry", [])
    taken: dict[str, str] = {}
    for entry, result in zip(part, results, strict=False):
        response = result.get("response", {})
        status = int(str(response.get("status", "0"))[:3] or 0)
        if not 200 <= status < 300:
            outcome = response.get("outcome") or result.get("resource") or {}
            failed = Answer(status, {"content-type": "application/fhir+json"}, lossless.dumps(outcome).encode())
            error = error_of(failed, entry.resource["resourceType"])
            if again is not None and (isinstance(error, TemporaryServerError) or status == 409):
                again.append(entry)
            else:
                summary.failed.append(LeftOut(entry.where, str(error)))
            continue
        summary.created += status == 201
        summary.unchanged += status != 201
        reference = _reference(entry, result)
        if reference:
            taken[entry.key] = reference
    if len(results) < len(part):
        summary.failed.extend(LeftOut(e.where, "the server did not answer for it") for e in part[len(results) :])
    summary.references.update(taken)
    return taken


def _reference(entry: Entry, result: Mapping[str, Any]) -> str:
    """`Type/id` from the entry's location, or from the resource the server sent back."""
    pieces = str(result.get("response", {}).get("location", "")).split("/")
    kind = entry.resource["resourceType"]
    if kind in pieces and pieces.index(kind) + 1 < len(pieces):
        return f"{kind}/{pieces[pieces.index(kind) + 1]}"
    resource = result.get("resource") or {}
    return f"{kind}/{resource['id']}" if resource.get("resourceType") == kind and resource.get("id") else ""
