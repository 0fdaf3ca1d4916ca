"""A Bundle's resources as entries of a conditional transaction: each with its identity, in the order of its references.

An entry is written to JSON text once. References are exchanged in that text, which is exact: in compact JSON the
letters `"reference":"` can only be a member's name, since a quote inside a string is escaped.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fhirbridge.fhir import lossless
from fhirbridge.records import LeftOut

TAG = "urn:fhirbridge:content-sha256"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:fhirbridge:push")
# Identifiers of these kinds of resource name the thing itself; an Observation's may name the order it answers.
_BY_IDENTIFIER = {"Patient", "Practitioner", "Organization", "Location", "ResearchStudy", "Group", "Device"}
_REFERENCE = re.compile(r'"reference":"([^"\\]*(?:\\.[^"\\]*)*)"')
_UUID = re.compile(r"urn:uuid:[\w.-]+")
_APART = ("resourceType", "id", "meta")
_SERVERS_OWN = ("versionId", "lastUpdated", "source")


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource on its way: `key` is its urn:uuid in the transaction, `condition` the search that finds its like.

    `text` is the resource as JSON, `needs` the keys of the entries it refers to.
    """

    key: str
    kind: str
    text: str
    condition: str
    needs: frozenset[str]
    where: str

    @property
    def resource(self) -> dict[str, Any]:
        """The resource as it would be sent now."""
        read: dict[str, Any] = lossless.loads(self.text)
        return read

    @property
    def identity(self) -> str:
        """What makes it the same resource wherever it is met: its kind and the search that finds it."""
        return f"{self.kind}?{self.condition}"

    def request(self, known: Mapping[str, str]) -> str:
        """Its entry in a transaction as JSON text, with the references that are `known` turned to the server's."""
        condition = lossless.dumps(self.condition)
        return (
            f'{{"fullUrl":"{self.key}","resource":{resolved(self.text, known)},'
            f'"request":{{"method":"POST","url":"{self.kind}","ifNoneExist":{condition}}}}}'
        )


@dataclass(frozen=True, slots=True)
class _Found:
    """A resource as it came: `url` names it in its Bundle, `body` is its content without type, id and meta."""

    number: int
    url: str
    literal: str
    kind: str
    meta: Mapping[str, Any]
    body: str
    by_identifier: str

    @property
    def where(self) -> str:
        return f"entry[{self.number}] {self.literal or self.kind}"


def entries(bundle: Mapping[str, Any]) -> tuple[list[Entry], list[LeftOut]]:
    """A Bundle's resources ready for a conditional transaction, references inside it turned to urn:uuid.

    What is in it twice is sent once. That, and what holds no resource, comes back as left out.
    """
    found, left_out = _found(bundle)
    by_name: dict[str, _Found] = {}
    for item in found:
        by_name[item.url] = item
        if item.literal:
            by_name.setdefault(item.literal, item)
    conditions = _conditions(found, by_name)
    first: dict[str, _Found] = {}
    same = {i.url: first.setdefault(f"{i.kind}?{conditions[i.url]}", i) for i in found}
    keys = {name: _key(same[item.url].url) for name, item in by_name.items()}
    made = []
    for item in found:
        if same[item.url] is item:
            made.append(_entry(item, keys, conditions[item.url]))
        else:
            left_out.append(LeftOut(item.where, f"the same as entry[{same[item.url].number}], which is sent"))
    return made, left_out


def _key(url: str) -> str:
    return url if _UUID.fullmatch(url) else f"urn:uuid:{uuid.uuid5(_NAMESPACE, url)}"


def _found(bundle: Mapping[str, Any]) -> tuple[list[_Found], list[LeftOut]]:
    found: list[_Found] = []
    left_out: list[LeftOut] = []
    seen: set[str] = set()
    for number, entry in enumerate(bundle.get("entry", [])):
        resource = entry.get("resource")
        if not isinstance(resource, dict) or not str(resource.get("resourceType", "")).isalpha():
            reason = "no resourceType" if isinstance(resource, dict) else "no resource; push writes, it deletes nothing"
            left_out.append(LeftOut(f"entry[{number}]", reason))
            continue
        kind = str(resource["resourceType"])
        literal = f"{kind}/{resource['id']}" if resource.get("id") else ""
        url = str(entry.get("fullUrl") or literal)
        if not url or url in seen:
            url = f"entry {number}"
        seen.add(url)
        body = lossless.dumps(_without(resource, *_APART))
        found.append(_Found(number, url, literal, kind, resource.get("meta", {}), body, by_identifier(resource)))
    return found, left_out


def _entry(item: _Found, keys: Mapping[str, str], condition: str) -> Entry:
    meta = dict(item.meta)
    if not item.by_identifier:
        meta["tag"] = [*meta.get("tag", []), {"system": TAG, "code": condition.rpartition("%7C")[2]}]
    head = f'{{"resourceType":"{item.kind}"' + (f',"meta":{lossless.dumps(meta)}' if meta else "")
    needs: set[str] = set()

    def keyed(reference: str) -> str:
        key = keys.get(reference)
        if key is None:
            return reference
        needs.add(key)
        return key

    text = exchanged(head + ("}" if item.body == "{}" else f",{item.body[1:]}"), keyed)
    key = keys[item.url]
    return Entry(key, item.kind, text, condition, frozenset(needs - {key}), item.where)


def _without(value: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {k: v for k, v in value.items() if k not in names}


# --------------------------------------------------------------------------------------------------------- identity


def _conditions(found: Sequence[_Found], by_name: Mapping[str, _Found]) -> dict[str, str]:
    """The search that finds each resource, by its URL: a business identifier, or a tag made of the content.

    `Patient/1` means another patient in another Bundle. So where the content refers to a resource of the same Bundle
    in that way, what counts is the identity of that resource, not its name.
    """
    known = {item.url: item.by_identifier for item in found}
    needs = {
        item.url: {by_name[r].url for r in _REFERENCE.findall(item.body) if r in by_name and ":" not in r}
        for item in found
        if not item.by_identifier
    }

    def meant(reference: str) -> str:
        here = by_name.get(reference) if ":" not in reference else None
        return (here and known[here.url]) or reference

    items = {item.url: item for item in found}
    for url in (url for knot in knots(needs) for url in knot):
        item = items[url]
        body = exchanged(item.body, meant) if needs[url] else item.body
        meta = lossless.dumps(_without(item.meta, *_SERVERS_OWN))
        digest = hashlib.sha256(f"{item.literal or item.kind} {meta} {body}".encode()).hexdigest()
        known[url] = f"_tag={quote(f'{TAG}|{digest}', safe='')}"
    return known


def by_identifier(resource: Mapping[str, Any], *, any_kind: bool = False) -> str:
    """The search for a resource's business identifier; "" where it has none, or its kind is not named by one."""
    if not any_kind and resource["resourceType"] not in _BY_IDENTIFIER:
        return ""
    identifiers = resource.get("identifier", [])
    for item in identifiers if isinstance(identifiers, list) else [identifiers]:
        if isinstance(item, dict) and item.get("system") and item.get("value"):
            return f"identifier={quote(str(item['system']) + '|' + str(item['value']), safe='')}"
    return ""


# -------------------------------------------------------------------------------------------------------- references


def exchanged(text: str, reference: Callable[[str], str]) -> str:
    """JSON text with each reference turned to what the function says."""

    def one(match: re.Match[str]) -> str:
        written = match[1]
        was = lossless.loads(f'"{written}"') if "\\" in written else written
        now = reference(was)
        return match[0] if now == was else f'"reference":{lossless.dumps(now)}'

    return _REFERENCE.sub(one, text)


def resolved(text: str, known: Mapping[str, str]) -> str:
    """JSON text with the references that are known by now turned to the server's."""
    return exchanged(text, lambda reference: known.get(reference, reference)) if known else text


# ------------------------------------------------------------------------------------------------------------- order


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


def in_order(waiting: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Entries by knots, what is referred to first."""
    by_key = {e.key: e for e in waiting}
    for knot in knots({key: e.needs for key, e in by_key.items()}):
        yield [by_key[key] for key in knot if key in by_key]


def knots(needs: Mapping[str, Iterable[str]]) -> Iterator[list[str]]:
    """Names that need each other (strongly connected, Tarjan), what is needed first; a need without a row is none."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    for start in needs:
        if start in index:
            continue
        work: list[tuple[str, Iterator[str]]] = []

        def enter(name: str, work: list[tuple[str, Iterator[str]]] = work) -> None:
            index[name] = low[name] = len(index)
            stack.append(name)
            on_stack.add(name)
            work.append((name, iter(sorted(n for n in needs[name] if n in needs))))

        enter(start)
        while work:
            name, rest = work[-1]
            for need in rest:
                if need not in index:
                    enter(need)
                    break
                if need in on_stack:
                    low[name] = min(low[name], index[need])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == index[name]:
                    yield _off(stack, on_stack, name)


def _off(stack: list[str], on_stack: set[str], last: str) -> list[str]:
    knot = []
    while True:
        member = stack.pop()
        on_stack.discard(member)
        knot.append(member)
        if member == last:
            return knot[::-1]
