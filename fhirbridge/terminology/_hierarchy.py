"""What is a kind of what: keys up the parents of `data/concepts.tsv`, and ICD-10-CM ranges."""

from __future__ import annotations

import re
from functools import lru_cache

from fhirbridge.records import Concept
from fhirbridge.terminology import _tables

Ends = tuple[str, Concept]
_ICD = frozenset((_tables.SYSTEMS["icd10cm"], _tables.SYSTEMS["icd10"]))


def is_a(what: Ends, ancestor: Ends) -> bool:
    """Whether the first is the second or below it: by key and parents, then by the codes it covers."""
    key, concept = what
    above, group = ancestor
    if key == above or above in _above(key):
        return True
    if key in _above(above):  # "diabetes" carries the code of type 2 and is not type 2 for that
        return False
    ranges = _covers().get(above) or _ranges_of(group)
    if ranges == "-":  # the code is shared with wider concepts and proves nothing: C34 is not yet adenocarcinoma
        return False
    if not ranges:
        return any(c in concept.codings for c in group.codings)
    codes = [c.code for c in concept.codings if c.system in _ICD]
    return any(_within(code, ranges) for code in codes) or any(c in concept.codings for c in group.codings)


def above(what: Ends) -> frozenset[str]:
    """Every key that the concept is below: its parents, and the groups whose ranges its codes lie in."""
    key, concept = what
    found = set(_above(key))
    for coding in concept.codings:
        if coding.system in _ICD:
            found |= _covering(coding.code)
    return frozenset(wide for wide in found if wide != key and key not in _above(wide))


@lru_cache(maxsize=50_000)
def _covering(code: str) -> frozenset[str]:
    direct = {group for group, ranges in _covers().items() if ranges != "-" and _within(code, ranges)}
    return frozenset(direct.union(*(_above(group) for group in direct)))


@lru_cache(maxsize=1)
def _parents() -> dict[str, tuple[str, ...]]:
    rows = _tables.rows("concepts.tsv")
    return {r["key"]: tuple(p for p in (r.get("parents") or "").split(";") if p) for r in rows}


@lru_cache(maxsize=1)
def _covers() -> dict[str, str]:
    return {r["key"]: r["covers"] for r in _tables.rows("concepts.tsv") if r.get("covers")}


@lru_cache(maxsize=50_000)
def _above(key: str) -> frozenset[str]:
    seen: set[str] = set()
    waiting = list(_parents().get(key, ()))
    while waiting:
        parent = waiting.pop()
        if parent not in seen:
            seen.add(parent)
            waiting.extend(_parents().get(parent, ()))
    return frozenset(seen)


def _ranges_of(group: Concept) -> str:
    """The ICD-10 codes a concept stands for when no table says so: an unspecified code covers its category."""
    found = []
    for coding in group.codings:
        if coding.system in _ICD:
            vague = "unspecified" in coding.display.lower() and not coding.code.startswith("R")
            found.append(coding.code.split(".")[0] if vague else coding.code)
    return ";".join(found)


def _within(code: str, ranges: str) -> bool:
    """Whether an ICD-10 code lies in ranges such as "I20-I25;I63;!I63.8" ("!" takes out)."""
    inside = False
    for piece in ranges.split(";"):
        taken_out, piece = piece.startswith("!"), piece.lstrip("!").replace(".", "")
        low, _, high = piece.partition("-")
        bare = re.sub(r"\.", "", code)
        if low <= bare[: len(low)] and bare[: len(high or low)] <= (high or low):
            if taken_out:
                return False
            inside = True
    return inside
