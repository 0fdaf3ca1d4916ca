"""What is new, better, worse or gone in a patient's list since the recipient was last told, and what made it so."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fhirbridge.notify.inputs import unmarked

_ORDER = {"eligible": 0, "undetermined": 1, "excluded": 2}
_LETTER = {"met": "m", "not_met": "n", "unknown": "u"}
_SHOWN = 2  # reasons for a change

# study -> [status, score, a letter for each criterion, a mark of their texts]
Standing = dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Change:
    """One study whose standing changed: `kind` is new, better, worse or gone; `was` the status before, "" if new.

    `since` are the sentences of the criteria that made it so, with the value and its day: those that rest on a
    resource which the record did not hold before, else those whose result changed.
    """

    study: str
    kind: str
    was: str
    since: tuple[str, ...] = ()


def standing(row: Mapping[str, Any]) -> Standing:
    """What is remembered of a row."""
    return {m["study"]: [m["status"], m["score"], *_results(m)] for m in row["matches"]}


def _results(match: Mapping[str, Any]) -> tuple[str, int]:
    criteria = match.get("criteria", ())
    texts = "\n".join(c["text"] for c in criteria)
    return "".join(_LETTER[c["result"]] for c in criteria), zlib.crc32(texts.encode())


def changes(now: Standing, before: Standing) -> tuple[Change, ...]:
    """What changed for a patient. A status decides; a score alone is no change. Empty on the first night."""
    if not before:
        return ()
    found = []
    for study, (status, *_) in now.items():
        was = before.get(study)
        if was is None:
            if status != "excluded":
                found.append(Change(study, "new", ""))
        elif _ORDER[status] != _ORDER[was[0]]:
            found.append(Change(study, "better" if _ORDER[status] < _ORDER[was[0]] else "worse", was[0]))
    found.extend(Change(s, "gone", w[0]) for s, w in before.items() if s not in now and w[0] != "excluded")
    return tuple(found)


def explained(
    found: Iterable[Change], row: Mapping[str, Any], before: Standing, resources: bytes
) -> tuple[Change, ...]:
    """The changes with what made them so, as far as the row tells; `resources` are the marks of the record before."""
    matches = {m["study"]: m for m in row["matches"]}
    return tuple(
        Change(c.study, c.kind, c.was, _since(matches[c.study], before.get(c.study), c.kind, resources))
        if c.study in matches
        else c
        for c in found
    )


def _since(match: Mapping[str, Any], was: list[Any] | None, kind: str, resources: bytes) -> tuple[str, ...]:
    letters, mark = _results(match)
    places = range(len(letters))
    comparable = was is not None and len(was) == 4 and was[3] == mark and len(was[2]) == len(letters)
    if comparable and was is not None:
        places = [n for n in places if letters[n] != was[2][n]]  # type: ignore[assignment]
    told = [match["criteria"][n] for n in places]
    told = [c for c in told if c["reason"] and c["evidence"] and _speaks(c) == (kind != "worse")]
    fresh = [c for c in told if unmarked(c["evidence"], resources)]
    chosen = fresh or (told if comparable else [])
    return tuple(dict.fromkeys(c["reason"] for c in chosen))[:_SHOWN]


def _speaks(criterion: Mapping[str, Any]) -> bool:
    """Whether a criterion speaks for the study."""
    return bool(criterion["result"] == ("met" if criterion["kind"] == "inclusion" else "not_met"))
