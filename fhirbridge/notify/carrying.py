"""Last night's rows taken on: who has not changed is judged against the trials that changed, with the same result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from fhirbridge import pipeline
from fhirbridge.notify.inputs import About, Input, Inputs
from fhirbridge.notify.settings import Run
from fhirbridge.notify.state import Kept, State
from fhirbridge.records import LeftOut

_MANY = 4  # when more than one trial in so many changed, everybody is judged anew
_RESERVE = 100  # studies remembered behind the list, for when some of it go


class Carrying:
    """The judging of a night: from nothing, or from the rows of nights before that were judged in the same way."""

    def __init__(self, state: State, compiled: Any, judged: str, way: str) -> None:
        self.state, self.compiled, self.judged = state, compiled, judged
        now = {study.id: study.fingerprint for study in compiled.studies}
        earlier = state.trials(way)
        self.before = {name: told for name, told in earlier.items() if name != judged and _few(told, now)}
        state.keep_trials(judged, way, now)
        state.commit()

    def rows(self, inputs: Inputs, waiting: list[Input], as_of: date, run: Run) -> Iterator[list[Kept | LeftOut]]:
        """For each input in order its rows, or why there are none."""
        return pipeline.match_carried(
            self._inputs(inputs, waiting),
            self.compiled,
            self.before,
            Kept.of,
            as_of=as_of,
            top=run.top,
            reserve=_RESERVE,
            workers=run.workers,
        )

    def _inputs(self, inputs: Inputs, waiting: list[Input]) -> Iterator[Any]:
        """The inputs, asked for in a thread that feeds the processes: it has a connection of its own."""
        state = State.reading(self.state.path)
        try:
            for one in waiting:
                yield self._one(state, inputs, one)
        finally:
            state.close()

    def _one(self, state: State, inputs: Inputs, one: Input) -> Any:
        """An input as it was judged before, or else read again."""
        found = state.carried(one.content, one.where) if self.before else []
        if not found or any(judged not in self.before for *_, judged in found):
            return inputs.read(one)
        brief = state.brief(one.content, found[0][-1])
        if brief is None or brief.left_out:
            return inputs.read(one)
        one.about = About(brief.practitioners, brief.resources)
        return found


def _few(told: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Whether few enough trials changed that judging these alone is worth it."""
    return len(set(told.items()) ^ set(now.items())) * _MANY <= 2 * len(now)
