"""What is new, better, worse or gone in a patient's list since the night before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ORDER = {"eligible": 0, "undetermined": 1, "excluded": 2}


@dataclass(frozen=True, slots=True)
class Change:
    """One study whose standing changed: `kind` is new, better, worse or gone; `was` the status before, "" if new."""

    study: str
    kind: str
    was: str


def standing(row: Mapping[str, Any]) -> dict[str, list[Any]]:
    """study -> [status, score] of a row."""
    return {m["study"]: [m["status"], m["score"]] for m in row["matches"]}


def changes(row: Mapping[str, Any], before: Mapping[str, list[Any]]) -> tuple[Change, ...]:
    """What changed for a patient. A status decides; a score alone is no change. Empty on the first night."""
    if not before:
        return ()
    now = standing(row)
    found = []
    for study, (status, _) in now.items():
        was = before.get(study)
        if was is None:
            if status != "excluded":
                found.append(Change(study, "new", ""))
        elif _ORDER[status] != _ORDER[was[0]]:
            found.append(Change(study, "better" if _ORDER[status] < _ORDER[was[0]] else "worse", was[0]))
    found.extend(Change(s, "gone", w[0]) for s, w in before.items() if s not in now and w[0] != "excluded")
    return tuple(found)
