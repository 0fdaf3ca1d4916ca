"""Which kind of therapy a medicine or procedure is: `data/therapies.tsv`, beside the lexicon's own classes."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from fhirbridge.records import Item, ItemKind

__all__ = ["KINDS", "Kind", "kinds_asked", "kinds_of", "of_kind"]


@dataclass(frozen=True)
class Kind:
    """One kind of therapy."""

    name: str
    asked: re.Pattern[str]
    atc: frozenset[str]
    medicines: re.Pattern[str] | None
    procedures: re.Pattern[str] | None
    parts: tuple[str, ...]


@lru_cache(maxsize=1)
def KINDS() -> dict[str, Kind]:  # noqa: N802 - a table
    """Every kind of therapy by name."""
    file = resources.files("fhirbridge.eligibility") / "data" / "therapies.tsv"
    kept = (line for line in file.read_text("utf-8").splitlines() if not line.startswith("#"))
    rows = csv.DictReader(kept, delimiter="\t", quoting=csv.QUOTE_NONE)
    return {row["kind"]: _kind(row) for row in rows}


def _kind(row: dict[str, str]) -> Kind:
    def pattern(text: str | None) -> re.Pattern[str] | None:
        return re.compile(text, re.IGNORECASE) if text else None

    atc = frozenset(f"atc|{code}" for code in (row["atc"] or "").split(";") if code)
    parts = tuple(p for p in (row.get("parts") or "").split(";") if p)
    asked = re.compile(row["asked"], re.IGNORECASE)
    return Kind(row["kind"], asked, atc, pattern(row["medicines"]), pattern(row["procedures"]), parts)


@lru_cache(maxsize=50_000)
def kinds_asked(words: str) -> tuple[str, ...]:
    """The kinds that a criterion's words ask for; the specific ones only, where there are such."""
    found = [k.name for k in KINDS().values() if k.asked.search(words)]
    narrow = {"egfr_tki", "alk_tki", "ros1_tki", "kras_g12c", "antiangiogenic", "her2", "adc", "parp", "cdk46"}
    if narrow & set(found):
        found = [n for n in found if n not in ("targeted", "immunotherapy", "systemic")]
    if len(found) > 1 and "systemic" in found:
        found = [n for n in found if n != "systemic"]
    return tuple(found)


def kinds_of(item: Item) -> frozenset[str]:
    """The kinds of therapy that an item is."""
    return _kinds(item.kind, item.concept.name, item.keys)


@lru_cache(maxsize=100_000)
def _kinds(kind: ItemKind, name: str, keys: frozenset[str]) -> frozenset[str]:
    found = set()
    for one in KINDS().values():
        names = one.procedures if kind is ItemKind.PROCEDURE else one.medicines
        if (kind in (ItemKind.MEDICATION, ItemKind.IMMUNIZATION) and one.atc & keys) or (names and names.search(name)):
            found.add(one.name)
    for one in KINDS().values():
        if set(one.parts) & found:
            found.add(one.name)
    if kind is ItemKind.IMMUNIZATION:
        found.add("vaccines")
    return frozenset(found)


def of_kind(item: Item, wanted: tuple[str, ...]) -> bool:
    """Whether an item is of any of the kinds."""
    return not kinds_of(item).isdisjoint(wanted)
