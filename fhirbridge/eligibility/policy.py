"""What the record's silence means: one table a clinician can review, `data/policy.tsv`, or the user's own."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

from fhirbridge.errors import ConfigurationError
from fhirbridge.records import LeafKind, Truth

__all__ = ["Policy", "load"]

Row = tuple[str, str, str, str, str, str]
_COLUMNS = ("kind", "record", "narrative", "required", "index", "known")
_WORDS = frozenset({"absent", "unknown", "assumed", ""})


@dataclass(frozen=True)
class Policy:
    """The table by kind of leaf; `name` is named in reasons."""

    rows: tuple[Row, ...]  # kind, record, narrative, required, index, known
    name: str = "default policy"

    def silence(
        self,
        kind: LeafKind,
        *,
        narrative: bool = False,
        required: bool = False,
        index: bool = False,
        known: bool = False,
    ) -> Truth:
        """What an unrecorded fact of this kind counts as: NOT_MET (taken as absent) or UNKNOWN."""
        _, record, told, asked, disease, named = self._row(kind)
        if narrative and required:
            words = [asked]
        else:
            words = [told if narrative else record, disease if index else "", named if known else ""]
        return Truth.NOT_MET if "absent" in words else Truth.UNKNOWN

    def assumes(self, kind: LeafKind) -> bool:
        """Whether criteria of this kind are taken as fulfilled (administrative ones)."""
        return self._row(kind)[1] == "assumed"

    def _row(self, kind: LeafKind) -> Row:
        return _by_kind(self)[kind.value]


@lru_cache(maxsize=16)
def _by_kind(policy: Policy) -> dict[str, Row]:
    return {row[0]: row for row in policy.rows}


def load(source: str | Path | Policy | None = None) -> Policy:
    """The policy of a TSV file laid out as `data/policy.tsv`; the one shipped when there is no source."""
    if isinstance(source, Policy):
        return source
    return _shipped() if source is None else _read(Path(source).read_text("utf-8"), str(source))


@lru_cache(maxsize=1)
def _shipped() -> Policy:
    file = resources.files("fhirbridge.eligibility") / "data" / "policy.tsv"
    return _read(file.read_text("utf-8"), "default policy")


def _read(text: str, name: str) -> Policy:
    kept = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    rows: dict[str, Row] = {}
    for row in csv.DictReader(kept, delimiter="\t", quoting=csv.QUOTE_NONE):
        kind, record, told, asked, disease, named = ((row.get(c) or "").strip() for c in _COLUMNS)
        cells = (kind, record, told, asked, disease, named)
        wrong = [c for c in cells[1:] if c not in _WORDS]
        if wrong:
            raise ConfigurationError(f"{name}: {cells[0]}: '{wrong[0]}' is none of absent, unknown, assumed")
        rows[cells[0]] = cells
    missing = [k.value for k in LeafKind if k.value not in rows]
    if missing:
        raise ConfigurationError(f"{name}: no row for {', '.join(missing)}; add one each")
    return Policy(tuple(rows[k.value] for k in LeafKind), name)
