"""All questions about what is on record under their keys at once: diseases, treatments, procedures, allergies.

Each item of a chart is put to the questions that name one of its keys (or its kind of therapy). Every such pair has a
mark, by the item's status and whether its time fits, and the strongest mark of a question is its answer. The marks are
the ranks in which `judge_disease` and `judge_therapy` look at items; a test holds both to the same answers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fhirbridge.eligibility import cancer_facts, judge_disease, judge_therapy, refutations, serology
from fhirbridge.eligibility.chart import Chart
from fhirbridge.eligibility.questions import Question
from fhirbridge.eligibility.spans import DATELESS, INSIDE, OUTSIDE, Windows, days_of, inside_of
from fhirbridge.eligibility.therapies import kinds_asked, kinds_of
from fhirbridge.records import Item, ItemKind, LeafKind, Truth

__all__ = ["Recorded"]

_T = TypeVar("_T")
Ints = NDArray[np.int32]
Values = NDArray[np.int8]
_DISEASE, _IMAGING, _MEDICATION, _THERAPY, _PROCEDURE, _ALLERGY = range(1, 7)
_FAMILIES = {
    LeafKind.DIAGNOSIS: _DISEASE,
    LeafKind.SYMPTOM: _DISEASE,
    LeafKind.INFECTION: _DISEASE,
    LeafKind.IMAGING: _IMAGING,
    LeafKind.MEDICATION: _MEDICATION,
    LeafKind.THERAPY: _THERAPY,
    LeafKind.PROCEDURE: _PROCEDURE,
    LeafKind.ALLERGY: _ALLERGY,
}
_FINDINGS = (ItemKind.CONDITION, ItemKind.OBSERVATION, ItemKind.PROCEDURE)
_BY_KEY = {
    _DISEASE: _FINDINGS,
    _IMAGING: _FINDINGS,
    _PROCEDURE: _FINDINGS,
    _MEDICATION: (ItemKind.MEDICATION, ItemKind.IMMUNIZATION),
    _THERAPY: (ItemKind.MEDICATION, ItemKind.PROCEDURE),
    _ALLERGY: (ItemKind.ALLERGY,),
}
_BY_THERAPY = {
    _MEDICATION: (ItemKind.MEDICATION, ItemKind.IMMUNIZATION),
    _THERAPY: (ItemKind.MEDICATION, ItemKind.PROCEDURE, ItemKind.IMMUNIZATION),
    _PROCEDURE: (ItemKind.PROCEDURE,),
}
# How the items of a question count: a disease now or ever, a treatment, one going on, one to be over, an allergy.
_NOW, _EVER, _GIVEN, _GOING_ON, _OVER, _REACTED = range(1, 7)
_TREATMENTS = (ItemKind.MEDICATION, ItemKind.PROCEDURE, ItemKind.IMMUNIZATION)
_NONE: frozenset[str] = frozenset()
_ABSENT = 2
_STATUS = {"present": 0, "past": 1, "absent": 2, "possible": 3, "pending": 4}
# Marks, the strongest decides: nothing, only suspected, denied, at another time, at a time unknown, as asked.
_NOTHING, _SUSPECTED, _DENIED, _ANOTHER_TIME, _UNDATED, _HELD = range(6)


def _marks() -> Values:
    """Mark by mode, status and time."""
    table = np.zeros((7, 5, 3), dtype=np.int8)
    by_time = np.zeros(3, dtype=np.int8)
    by_time[[OUTSIDE, INSIDE, DATELESS]] = _ANOTHER_TIME, _HELD, _UNDATED
    present, past, absent, possible, pending = range(5)
    for mode in (_NOW, _EVER, _GIVEN, _GOING_ON):
        table[mode, present] = by_time
        table[mode, past] = _ANOTHER_TIME if mode in (_NOW, _GOING_ON) else by_time
        table[mode, absent] = _DENIED
    table[_GOING_ON, present] = _HELD
    table[_NOW : _EVER + 1, possible : pending + 1] = _SUSPECTED
    table[_OVER, : past + 1, OUTSIDE] = _HELD  # too recent is the strongest
    table[_OVER, : past + 1, INSIDE] = _ANOTHER_TIME
    table[_OVER, : past + 1, DATELESS] = _UNDATED
    table[_REACTED, present] = _HELD
    return table


def _answers() -> Values:
    """Answer by mode and mark."""
    table = np.ones((7, 6), dtype=np.int8)
    table[_NOW : _GOING_ON + 1, _DENIED : _ANOTHER_TIME + 1] = 0
    table[_NOW : _GOING_ON + 1, _HELD] = 2
    table[_OVER, _HELD] = 0
    table[_OVER, _ANOTHER_TIME] = 2
    table[_REACTED, _HELD] = 2
    return table


_MARK, _ANSWER = _marks(), _answers()
_OPEN = np.isin(np.arange(6), (_NOTHING, _SUSPECTED, _UNDATED))


def _mode(question: Question) -> int:
    """How items count for a question, 0 when it must be judged by itself."""
    family = _FAMILIES.get(question.kind, 0)
    wanted, window = set(question.qualifiers), question.window
    if not family or question.other:
        return 0
    if family == _ALLERGY:
        return _REACTED
    if family in (_DISEASE, _IMAGING):
        ever = "history" in wanted or "prior" in wanted or bool(window is not None and window.within)
        return _EVER if ever else _NOW
    if question.count_low is not None or question.count_high is not None:
        return 0
    if family == _PROCEDURE and judge_therapy.waits(question):
        return 0
    if judge_therapy.is_washout(question):
        return _OVER
    return _GOING_ON if window is None and judge_therapy.is_current(question) else _GIVEN


class Recorded:
    """The questions that items answer by key or kind of therapy; the rest are judged one by one."""

    def __init__(self, questions: Sequence[Question]) -> None:
        count = len(questions)
        self.mode = np.array([_mode(q) for q in questions], dtype=np.int8)
        self.family = np.array([_FAMILIES.get(q.kind, 0) for q in questions], dtype=np.int8)
        self.windows = Windows()
        self.window = np.full(count, -1, dtype=np.int32)
        self.degrees = np.zeros(count, dtype=bool)  # asks how bad it is
        self.adjuvant = np.zeros(count, dtype=bool)  # does not mean adjuvant treatment
        self.systemic = np.zeros(count, dtype=bool)  # a medicine only counts against cancer
        self.rival = np.zeros(count, dtype=bool)  # another cancer on record is a no
        self.types = np.zeros(count, dtype=np.int32)  # types of tumour asked for, a bit each
        by_key: dict[str, list[int]] = defaultdict(list)
        by_therapy: dict[str, list[int]] = defaultdict(list)
        by_anchor: dict[str, list[int]] = defaultdict(list)
        refutable: dict[tuple[str, int], list[int]] = defaultdict(list)
        agents: dict[str, list[int]] = defaultdict(list)
        for number in np.flatnonzero(self.mode).tolist():
            question = questions[number]
            family = int(self.family[number])
            self.window[number] = self.windows.number(question.window) if family != _ALLERGY else -1
            for key in question.keys:
                by_key[key].append(number)
            if family == _DISEASE:
                for key in question.anchors:
                    by_anchor[key].append(number)
                self.degrees[number] = judge_disease.asks_degree(question)
                self.rival[number] = question.index and cancer_facts.is_cancer_question(question)
                self.types[number] = _bits(question.name)
                for row in refutations.rows_for(question):
                    refutable[row].append(number)
                agent = serology.agent_of(question) if question.kind is LeafKind.INFECTION else None
                if agent:
                    agents[agent].append(number)
            elif family == _IMAGING:
                self.degrees[number] = judge_disease.asks_degree(question)
            elif family != _ALLERGY:
                kinds = kinds_asked(" ".join((question.name, *question.values)))
                self.adjuvant[number] = judge_therapy.excludes_adjuvant(question)
                self.systemic[number] = family == _THERAPY and not {"systemic", "chemotherapy"}.isdisjoint(kinds)
                if family != _PROCEDURE or judge_therapy.is_kind_of_procedure(question):
                    for kind in kinds:
                        by_therapy[kind].append(number)
        self.by_key, self.by_therapy = _arrays(by_key), _arrays(by_therapy)
        self.by_anchor = _arrays(by_anchor)
        self.refutable, self.agents = _arrays(refutable), _arrays(agents)
        self.typed = np.flatnonzero(self.types).astype(np.int32)
        self.rivals = np.flatnonzero(self.rival).astype(np.int32)
        self.allergies = np.flatnonzero(self.mode == _REACTED).astype(np.int32)
        self.keyless = np.array([n for n in self.allergies.tolist() if not questions[n].keys], dtype=np.int32)
        self.treatments = np.flatnonzero((self.mode >= _GIVEN) & (self.mode <= _OVER)).astype(np.int32)
        self._lookup = lru_cache(maxsize=20_000)(self._looked_up)

    @staticmethod
    def takes(question: Question) -> bool:
        """Whether the items under a question's keys answer it."""
        return bool(_mode(question))

    def answer(self, chart: Chart, values: Values) -> Ints:
        """Write the answers for one chart into `values`; the questions left, to be judged one by one."""
        best = np.zeros(len(self.mode), dtype=np.int8)
        for numbers, marks in self._marked(chart):
            for mark in range(_SUSPECTED, _HELD + 1):
                chosen = numbers[marks == mark]
                best[chosen] = np.maximum(best[chosen], mark)
        touched = np.flatnonzero(best)
        marks = best[touched]
        values[touched] = _ANSWER[self.mode[touched], marks]
        self._without(chart, best, values)
        found: Ints = touched[(marks == _HELD) & self.degrees[touched]].astype(np.int32)
        return found

    # -------------------------------------------------------------------------------------------- pairs with items

    def _looked_up(
        self,
        kind: ItemKind,
        keys: frozenset[str],
        whole: frozenset[str],
        kinds: frozenset[str],
        adjuvant: bool,
        against_cancer: bool,
    ) -> tuple[Ints, Ints]:
        """The questions that an item of these keys and kinds of therapy can answer: at any time, and in a window.

        `whole`: all its keys, by which it may be the trial's own disease, so that it does not count as another.
        """
        named = _joined(self.by_key[k] for k in keys if k in self.by_key)
        of_kind = _joined(self.by_therapy[k] for k in kinds if k in self.by_therapy)
        named = named[_ACCEPTED[0, self.family[named], _KINDS[kind]]]
        of_kind = of_kind[_ACCEPTED[1, self.family[of_kind], _KINDS[kind]]]
        found = np.unique(np.concatenate((named, of_kind))).astype(np.int32)
        if adjuvant:
            found = found[~self.adjuvant[found]]
        if not against_cancer:
            found = found[~self.systemic[found]]
        own = [self.by_anchor[k] for k in whole if k in self.by_anchor]
        if own:
            found = found[~np.isin(found, np.concatenate(own))]
        timed = self.window[found] >= 0
        return found[~timed], found[timed]

    def _pairs(self, chart: Chart) -> Iterator[tuple[Item, int, Ints, Ints]]:
        """Items with their status and the questions each can answer, at any time and in a window."""
        cancer = bool(cancer_facts.primaries(chart)) or chart.patient.narrative
        for item in chart.items:
            status = _STATUS.get(item.status)
            if status is None or item.kind not in _KINDS:
                continue
            treatment = item.kind in _TREATMENTS
            kinds = kinds_of(item) if treatment else _NONE
            adjuvant = treatment and status < _ABSENT and judge_therapy.is_adjuvant(item)
            counts = cancer or item.kind is not ItemKind.MEDICATION
            timeless, timed = self._lookup(item.kind, item.keys, item.keys, kinds, adjuvant, counts)
            if status == _ABSENT:  # no HIV is not no infection: a denied disease answers for itself alone
                own = self._lookup(item.kind, item.own, item.keys, _NONE, False, True)
                timeless, timed = self._denied(timeless, own[0]), self._denied(timed, own[1])
            yield item, status, timeless, timed

    def _denied(self, found: Ints, own: Ints) -> Ints:
        return np.concatenate((found[self.mode[found] > _EVER], own[self.mode[own] <= _EVER]))

    def _marked(self, chart: Chart) -> Iterator[tuple[Ints, Values]]:
        """Questions with the mark of an item, those at any time and those in a window."""
        timeless: dict[tuple[int, ...], Ints] = {}  # the same questions and status once
        timed: dict[tuple[int, ...], Ints] = {}
        for item, status, at_any_time, in_window in self._pairs(chart):
            if len(at_any_time):
                timeless.setdefault((status, id(at_any_time)), at_any_time)
            if len(in_window):
                timed.setdefault((status, *days_of(item, chart), id(in_window)), in_window)
        if timeless:
            numbers, told = _repeated(timeless)
            yield numbers, _MARK[self.mode[numbers], told[:, 0], np.full(len(numbers), INSIDE)]
        if timed:
            numbers, told = _repeated(timed)
            kinds, limits = self.windows.limits(chart)
            window = self.window[numbers]
            inside = inside_of(kinds[window], limits[window], told[:, 1:])
            yield numbers, _MARK[self.mode[numbers], told[:, 0], inside]

    # ------------------------------------------------------------------------------- questions that no item answers

    def _without(self, chart: Chart, best: Values, values: Values) -> None:
        """What else settles questions: treatment elsewhere, values that rule out, another tumour, serology."""
        if judge_therapy.outside(chart) is not None:
            values[self.treatments[best[self.treatments] == _NOTHING]] = 1
        settled = np.zeros(len(best), dtype=bool)
        for row, numbers in self.refutable.items():
            if refutations.holds(row, chart):
                open_ones = numbers[_OPEN[best[numbers]]]
                values[open_ones] = 0
                settled[open_ones] = True
        active = [i for i in cancer_facts.primaries(chart) if i.status == "present"]
        if active:
            recorded = _bits(active[0].concept.name)
            other = self.typed[(best[self.typed] == _NOTHING) & ((self.types[self.typed] & recorded) == 0)]
            other = other if recorded else other[:0]
            rival = self.rivals[best[self.rivals] == _NOTHING]
            for numbers in (other, rival):
                values[numbers] = 0
                settled[numbers] = True
        for agent, numbers in self.agents.items():
            tested = serology.serology(agent, chart)
            if tested is not None:
                values[numbers[(best[numbers] == _NOTHING) & ~settled[numbers]]] = _VALUE[tested.truth]
        self._allergies(chart, best, values)

    def _allergies(self, chart: Chart, best: Values, values: Values) -> None:
        recorded = chart.kind(ItemKind.ALLERGY)
        if not recorded:
            return
        if any(judge_disease.no_allergy(item) for item in recorded):
            values[self.allergies[best[self.allergies] == _NOTHING]] = 0
        else:
            values[self.keyless] = 2


_VALUE = {Truth.NOT_MET: 0, Truth.UNKNOWN: 1, Truth.MET: 2}
_KINDS = {kind: n for n, kind in enumerate(dict.fromkeys(k for kinds in _BY_KEY.values() for k in kinds))}


def _accepted() -> NDArray[np.bool_]:
    table = np.zeros((2, 7, len(_KINDS)), dtype=bool)
    for link, by_family in enumerate((_BY_KEY, _BY_THERAPY)):
        for family, kinds in by_family.items():
            for kind in kinds:
                table[link, family, _KINDS[kind]] = True
    return table


_ACCEPTED = _accepted()


def _repeated(found: dict[tuple[int, ...], Ints]) -> tuple[Ints, NDArray[np.int64]]:
    """All the questions of a table, and for each of them the numbers it stands under."""
    rows = np.array([key[:-1] for key in found], dtype=np.int64)
    return np.concatenate(list(found.values())), np.repeat(rows, [len(a) for a in found.values()], axis=0)


def _arrays(lists: dict[_T, list[int]]) -> dict[_T, Ints]:
    return {key: np.array(numbers, dtype=np.int32) for key, numbers in lists.items()}


def _joined(arrays: Iterable[Ints]) -> Ints:
    found = list(arrays)
    return np.concatenate(found) if found else np.zeros(0, dtype=np.int32)


@lru_cache(maxsize=50_000)
def _bits(name: str) -> int:
    return sum(1 << place for place, mark in enumerate(judge_disease.TYPES.values()) if mark.search(name))
