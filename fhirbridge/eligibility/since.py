"""Only what changed is judged again: yesterday's row of a patient brought up to date with the trials that changed.

A pair's result depends on the patient, the day, the policy and the trial alone, never on the other trials, so a row
put together from old and new results is the row a full run makes, byte for byte. Where the old row was cut too short
to tell, None says that the patient has to be judged in full.
"""

from __future__ import annotations

import gzip
import heapq
import pickle
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import orjson

from fhirbridge.eligibility import batch
from fhirbridge.eligibility.batch import Settings
from fhirbridge.eligibility.chart import Chart
from fhirbridge.eligibility.compiled import CompiledStudies
from fhirbridge.eligibility.explain import explained, reasons_of, row_of
from fhirbridge.eligibility.score import STATUS
from fhirbridge.eligibility.subset import only
from fhirbridge.errors import MissingInput, UnreadableInput
from fhirbridge.records import Patient

__all__ = [
    "Carried",
    "Changes",
    "Previous",
    "changes_since",
    "fingerprints",
    "judge_carried",
    "judge_since",
    "pack",
    "unchanged",
    "unpack",
    "updated",
]


Place = tuple[int, float, str]


@dataclass(frozen=True)
class Changes:
    """What became of the trials: `fresh` those new or changed, compiled; `gone` their ids and those dropped."""

    compiled: CompiledStudies
    fresh: CompiledStudies
    gone: frozenset[str]

    def __len__(self) -> int:
        return len(self.gone)


def changes_since(compiled: CompiledStudies, before: Mapping[str, str]) -> Changes:
    """The changes against `before`: study id -> fingerprint as of then."""
    now = fingerprints(compiled)
    fresh = [id for id, fingerprint in now.items() if before.get(id) != fingerprint]
    gone = frozenset({*(id for id in before if id not in now), *fresh})
    return Changes(compiled, only(compiled, fresh), gone)


def fingerprints(compiled: CompiledStudies) -> dict[str, str]:
    """Study id -> what changes when anything changes that is judged or shown of it."""
    return {study.id: study.fingerprint for study in compiled.studies}


def updated(
    patient: Patient, row: Mapping[str, Any], changes: Changes, settings: Settings, *, whole: bool
) -> dict[str, Any] | None:
    """A patient's row as a full run would make it tonight, None where the old one cannot tell.

    `whole`: the old row listed every study; else it was cut at `settings.top`, with `settings.reserve` more to go on.
    """
    listed = [*row["matches"], *row.get("reserve", ())]
    whole = whole or len(listed) < (settings.top or 0) + settings.reserve  # fewer than were asked for are all
    last = None if whole else _place(listed[-1])
    chart = Chart(patient, settings.as_of, settings.policy)
    fresh = list(_fresh(changes.fresh, chart, last))
    merged = list(heapq.merge([m for m in listed if _id(m) not in changes.gone], fresh, key=_place))
    if last is not None and len(merged) < (settings.top or 0) + settings.reserve // 2:
        return None  # studies that were cut off may have moved up
    top = len(merged) if settings.top is None else settings.top
    reasons = batch.reasons_wanted(settings, min(top, len(merged)))
    matches = [_ranked(m, n, n <= reasons, chart, changes.compiled) for n, m in enumerate(merged[:top], 1)]
    rest = [m | {"rank": n} for n, m in enumerate(merged[top : top + settings.reserve], top + 1)]
    rest = [{name: m[name] for name in m if name not in ("criteria", "missing")} for m in rest]
    row_now = row_of(chart, matches, rest if settings.reserve else None)
    return batch.marked(row_now, changes.compiled, settings)


def _fresh(studies: CompiledStudies, chart: Chart, last: Place | None) -> Iterator[dict[str, Any]]:
    """The matches of these studies without reasons, by rank, as far as the place `last`."""
    if not len(studies):
        return
    result, order = batch.ranked(studies, chart)
    for study in order.tolist():
        place = int(result.status[study]), -float(result.score[study]), studies.studies[study].id
        if last is not None and place > last:
            return
        yield explained(studies, chart, result, study, 0, with_reasons=False)


def _ranked(
    match: dict[str, Any], rank: int, with_reasons: bool, chart: Chart, compiled: CompiledStudies
) -> dict[str, Any]:
    """A match at its new rank, with reasons or without."""
    kept = {name: value for name, value in match.items() if name not in ("criteria", "missing")} | {"rank": rank}
    if not with_reasons:
        return kept
    if "criteria" in match:
        return kept | {"criteria": match["criteria"], "missing": match["missing"]}
    criteria, missing = reasons_of(compiled, chart, _number(compiled, _id(match)), match["status"])
    return kept | {"criteria": criteria, "missing": missing}


def _number(compiled: CompiledStudies, id: str) -> int:
    if "numbers" not in compiled.cache:
        compiled.cache["numbers"] = {study.id: n for n, study in enumerate(compiled.studies)}
    found: int = compiled.cache["numbers"][id]
    return found


def _id(match: Mapping[str, Any]) -> str:
    return str(match["study"]).removeprefix("ResearchStudy/")


def _place(match: Mapping[str, Any]) -> Place:
    return STATUS.index(match["status"]), -match["score"], _id(match)


def unchanged(row: Mapping[str, Any], patient: Patient, settings: Settings) -> bool:
    """Whether a row is of this patient as he is now, of the same day and judged in the same way."""
    same = row.get("fingerprint") == patient.fingerprint and row.get("as_of") == settings.as_of.isoformat()
    return same and row.get("settings") == settings.fingerprint


@dataclass(frozen=True)
class Carried:
    """What an earlier run left of a patient, as bytes, since it is only opened where it is judged.

    `packed` is the patient; `lines` are the rows of his input as NDJSON, of which `number` is his; `reserve` is what
    stood behind that row, as JSON (both compressed by zlib); `trials` names the trials that it was made for.
    """

    packed: bytes
    lines: bytes
    number: int
    reserve: bytes
    trials: str

    def row(self) -> dict[str, Any]:
        """The row with its reserve."""
        line = zlib.decompress(self.lines).split(b"\n")[self.number]
        row: dict[str, Any] = orjson.loads(line)
        return row | {"reserve": orjson.loads(zlib.decompress(self.reserve))}


def pack(patient: Patient) -> bytes:
    """A patient as bytes, read again by `unpack` in a tenth of the time that his Bundle takes."""
    return zlib.compress(pickle.dumps(patient, protocol=5), 1)


def unpack(packed: bytes) -> Patient:
    """The patient that was packed."""
    found = _Safe(BytesIO(zlib.decompress(packed))).load()
    assert isinstance(found, Patient)
    return found


class _Safe(pickle.Unpickler):
    """Only what a patient is made of comes out."""

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("fhirbridge.records.") or (module, name) in _PLAIN:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} does not belong in a patient")


_PLAIN = {("decimal", "Decimal"), ("datetime", "date"), ("builtins", "frozenset")}


def judge_carried(
    compiled: CompiledStudies,
    changes: Mapping[str, Changes],
    settings: Settings,
    finish: Callable[[dict[str, Any], bytes], Any],
) -> Callable[[Patient | Carried], Any]:
    """A judge of patients and of carried ones; `finish` gets the row and the patient packed."""

    def judge(one: Patient | Carried) -> Any:
        if isinstance(one, Patient):
            return finish(batch.judged(one, compiled, settings), pack(one))
        patient = unpack(one.packed)
        row = updated(patient, one.row(), changes[one.trials], settings, whole=False)
        return finish(row or batch.judged(patient, compiled, settings), one.packed)

    return judge


class Previous:
    """The rows of an earlier run's NDJSON by patient, read when asked for; the last one where a patient comes twice."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[str, tuple[int, int]] = {}
        place = 0
        with _opened(path) as file:
            for line in file:
                if line.strip():
                    self._places[_patient(line, path)] = (place, len(line))
                place += len(line)

    def row(self, patient: str) -> dict[str, Any] | None:
        """The row of a patient by id, None if there is none."""
        place = self._places.get(patient)
        if place is None:
            return None
        with _opened(self.path) as file:
            file.seek(place[0])
            found: dict[str, Any] = orjson.loads(file.read(place[1]))
        return found

    def first(self) -> dict[str, Any] | None:
        """Any row, to tell which trials there were."""
        return self.row(next(iter(self._places))) if self._places else None


def _opened(path: Path) -> IO[bytes]:
    try:
        return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]
    except OSError as error:
        raise MissingInput(path, "no such file", "name the NDJSON that an earlier match wrote") from error


def _patient(line: bytes, path: Path) -> str:
    """The patient of a row, which a row begins with."""
    found = _HEAD.match(line)
    if found is None:
        raise UnreadableInput(path, "not the rows of fhirbridge match", "name the NDJSON that an earlier match wrote")
    return str(orjson.loads(found[1])).removeprefix("Patient/")


_HEAD = re.compile(rb'\{"patient":("(?:[^"\\]|\\.)*")')


def judge_since(previous: Path, compiled: CompiledStudies, settings: Settings) -> Callable[[Patient], dict[str, Any]]:
    """A judge that takes over what an earlier run found and judges what changed since."""
    earlier = Previous(previous)
    first = earlier.first() or {}
    listed = {_id(m): str(m.get("fingerprint")) for m in first.get("matches", ())}
    changes = changes_since(compiled, listed) if settings.top is None and listed else None

    def judge(patient: Patient) -> dict[str, Any]:
        row = earlier.row(patient.id)
        if row is not None and unchanged(row, patient, settings):
            if row.get("studies") == compiled.fingerprint:
                return row
            if changes is not None and row.get("studies") == first.get("studies"):
                return updated(patient, row, changes, settings, whole=True) or batch.judged(patient, compiled, settings)
        return batch.judged(patient, compiled, settings)

    return judge
