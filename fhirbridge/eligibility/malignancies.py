"""All questions about another malignancy than the trial's own at once, as `judge_disease` answers each of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fhirbridge.eligibility import cancer_facts, judge_disease
from fhirbridge.eligibility.chart import Chart
from fhirbridge.eligibility.questions import Question
from fhirbridge.eligibility.spans import OUTSIDE, Windows, days_of, inside_of
from fhirbridge.records import LeafKind

__all__ = ["Malignancies"]


class Malignancies:
    """The questions with `other`, answered by the primary tumours of a chart."""

    def __init__(self, questions: Sequence[Question]) -> None:
        taken = [(n, q) for n, q in enumerate(questions) if self.takes(q)]
        self.numbers = np.array([n for n, _ in taken], dtype=np.int32)
        self.windows = Windows()
        self.window = np.array([self.windows.number(q.window) for _, q in taken], dtype=np.int32)
        self.any_time = np.array([q.window is None for _, q in taken], dtype=bool)
        self.now = np.array([judge_disease.means_now(q) for _, q in taken], dtype=bool)
        self.exempts = np.array([judge_disease.exempts_minor(q) for _, q in taken], dtype=bool)
        anchors: dict[str, list[int]] = defaultdict(list)
        for place, (_, question) in enumerate(taken):
            for key in question.anchors:
                anchors[key].append(place)
        self.anchors = {key: np.array(places, dtype=np.int32) for key, places in anchors.items()}

    @staticmethod
    def takes(question: Question) -> bool:
        """Whether a question asks for another malignancy."""
        return question.other and question.kind in (LeafKind.DIAGNOSIS, LeafKind.SYMPTOM)

    def answer(self, chart: Chart, values: NDArray[np.int8]) -> NDArray[np.int32]:
        """Write the answers for one chart into `values`; no question is left open."""
        primaries = cancer_facts.primaries(chart)
        met = np.zeros(len(self.numbers), dtype=bool)
        found = met.copy()
        kinds, limits = self.windows.limits(chart) if len(self.numbers) else (None, None)
        timed = np.flatnonzero(self.window >= 0)
        for item in primaries if len(self.numbers) else ():
            counts = ~self._own(item.keys, first_active=item is primaries[0] and item.status == "present")
            if judge_disease.is_minor(item):
                counts &= ~self.exempts
            if len(timed) and kinds is not None and limits is not None:
                told = np.broadcast_to(np.array(days_of(item, chart), dtype=np.int64), (len(timed), 4))
                window = self.window[timed]
                counts[timed] &= inside_of(kinds[window], limits[window], told) != OUTSIDE
            found |= counts
            met |= counts & (~self.any_time | ~self.now | (item.status == "present"))
        denied = bool(judge_disease.denied_malignancies(chart))
        past = any(i.status == "past" for i in primaries)
        settled = ~met & (denied | (past & ~found))
        values[self.numbers[met]] = 2
        values[self.numbers[settled]] = 0
        return self.numbers[:0]

    def _own(self, keys: frozenset[str], *, first_active: bool) -> NDArray[np.bool_]:
        """Where a tumour is the trial's own disease."""
        own = np.zeros(len(self.numbers), dtype=bool)
        for key in (*keys, *(("cancer",) if first_active else ())):
            if key in self.anchors:
                own[self.anchors[key]] = True
        return own
