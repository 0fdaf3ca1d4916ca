"""One night: fetch what changed, judge every patient against every trial, write the lists, tell the right people."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from fhirbridge import choices
from fhirbridge.errors import FhirbridgeError
from fhirbridge.fhir import export_by_patient, lossless
from fhirbridge.fhir.server import FHIRServer
from fhirbridge.notify import lock, settings, trials, writing
from fhirbridge.notify.carrying import Carrying
from fhirbridge.notify.channels import Channel
from fhirbridge.notify.inputs import Input, Inputs
from fhirbridge.notify.report import Report
from fhirbridge.notify.settings import Settings
from fhirbridge.notify.state import Brief, Kept, State
from fhirbridge.notify.telling import Night, Telling
from fhirbridge.progress import Progress
from fhirbridge.records import LeftOut

_COMMIT = 2.0  # seconds between two commits: a killed run judges again at most what it judged in that time
_SAME_NIGHT = timedelta(hours=12)  # after its deadline an interrupted night is not gone on with


def now() -> datetime:
    """The local time with its zone; the one clock of the night."""
    return datetime.now().astimezone()


def night(file: Path, *, clock: Callable[[], datetime] = now, dry_run: bool = False) -> int:
    """Run one night; 0 all done, 1 some patients, trials or messages failed, 2 nothing done."""
    chosen = settings.load(file)
    channels = _channels(chosen)
    out = chosen.path(chosen.output.directory)
    with lock.held(out / "night.lock"):
        state = State(out / "state.sqlite")
        try:
            report = _Night(chosen, state, out, clock, channels, dry_run).run()
        finally:
            state.close()
    print(f"{report.patients:,} patients, {report.trials:,} trials, {report.judged:,} judged, {report.sent:,} messages")
    for failure in report.failures:
        print(f"fhirbridge: {failure.source}: {failure.reason}")
    if not report.failures:
        return 0
    return 1 if report.judged or report.reused else 2


def _channels(chosen: Settings) -> dict[str, Channel]:
    """The channels that recipients name; ConfigurationError for one that is not configured or not known."""
    made = {}
    for recipient in chosen.tell.recipients:
        if recipient.channel not in made:
            module = choices.module("notify.channels", recipient.channel)
            options = dict(chosen.channels.get(recipient.channel, {}))
            if "path" in options:
                options["path"] = str(chosen.path(str(options["path"])))
            made[recipient.channel] = module.create(options)
    return made


class _Night:
    """The parts of one night, in the order they run. In memory are the inputs' places; rows are on disk."""

    def __init__(
        self,
        chosen: Settings,
        state: State,
        out: Path,
        clock: Callable[[], datetime],
        channels: dict[str, Channel],
        dry_run: bool,
    ) -> None:
        self.chosen, self.state, self.out, self.clock = chosen, state, out, clock
        now = clock()
        unfinished = _unfinished(state, now, chosen)
        self.id, self.started = unfinished or (now.isoformat(), now.isoformat(timespec="seconds"))
        begun = datetime.fromisoformat(self.started)
        self.as_of = chosen.run.as_of or begun.date()
        self.deadline = _next(begun, chosen)
        self.full = False  # the disk
        self.report = Report(self.as_of.isoformat(), self.started)
        self.telling = Telling(chosen, state, channels, self.report, clock, dry_run=dry_run)
        if state.lost:
            self.report.notes.append("the memory of earlier nights was lost; everything is judged again")
        if unfinished:
            self.report.notes.append("the run before was interrupted; this one goes on with it")

    def run(self) -> Report:
        """Fetch, judge, write, tell."""
        self.state.begin(self.id, self.started)
        writing.tidy(self.out)
        failures = self.report.failures
        compiled, judge = self._timed("trials", lambda: trials.tonight(self.chosen, self.out, self.as_of, failures))
        self.report.trials = len(compiled)
        night = Night(self.id, self.as_of.isoformat(), judge, {s.id: s.contacts for s in compiled.studies})
        inputs, listed = self._timed("patients", lambda: self._listed(judge))
        self._timed("judging", lambda: self._judged(inputs, listed, compiled, night))
        contents = _contents(listed)
        write = partial(writing.write, self.out, contents, self.state, night, self.report, self.chosen)
        self._timed("writing", write)
        cut_off = self.report.unfinished
        self._timed("telling", lambda: self.telling.everyone(night, contents, unfinished=cut_off))
        if not self.full:
            self.state.forget(judge)
            self.state.finish(self.id, self.clock().isoformat(timespec="seconds"))
        self._timed("pages", self._pages)
        return self.report

    def _timed(self, part: str, work: Callable[[], Any]) -> Any:
        started = time.monotonic()
        try:
            return work()
        except OSError as error:
            if part not in ("judging", "writing", "telling", "pages"):
                raise
            self.full = True
            cure = "free space and run it again: it goes on where it stopped"
            self.report.failures.append(LeftOut(f"disk, {part}", f"{error.strerror or error}; {cure}"))
        finally:
            self.report.seconds[part] = self.report.seconds.get(part, 0.0) + time.monotonic() - started

    # ----------------------------------------------------------------------------------------------------- patients

    def _listed(self, judge: str) -> tuple[Inputs, list[Input]]:
        """Where every patient's input lies, with the hash of its content; a server's through its last good export."""
        paths = [self.chosen.path(p) for p in self.chosen.patients.paths]
        if self.chosen.patients.server:
            paths += self._pulled()
        inputs = Inputs(paths, self.out / "inputs.aside")
        found = []
        for one in inputs.listed(lambda content, where: self.state.has(content, judge, where)):
            if isinstance(one, LeftOut):
                self.report.failures.append(one)
            else:
                found.append(one)
        self.report.patients = len(found)
        return inputs, found

    def _pulled(self) -> list[Path]:
        """The last good export of the server, one Bundle a patient; none yet where other patients can do without."""
        chosen, target = self.chosen.patients, self.out / "pulled"
        fresh = self.out / ".pulling"
        try:
            server = FHIRServer(
                str(chosen.server),
                token=_environment("FHIRBRIDGE_TOKEN"),
                client_id=chosen.client_id,
                key=self.chosen.path(chosen.key) if chosen.key else None,
            )
            files, left_out = server.export(fresh, group=chosen.group)
            self.report.failures.extend([*left_out, *export_by_patient.by_patient(files, fresh / "patients.ndjson")])
            for file in files:
                file.unlink()
            _swapped(fresh, target)
        except FhirbridgeError as error:
            there = (target / "patients.ndjson").exists()
            if not there and not chosen.paths:
                raise
            instead = "the last export is used" if there else "there is no earlier export"
            self.report.failures.append(LeftOut("patients.server", f"{error}; {instead}"))
        found = target / "patients.ndjson"
        return [found] if found.exists() else []

    # ------------------------------------------------------------------------------------------------------- judging

    def _judged(self, inputs: Inputs, listed: list[Input], compiled: Any, night: Night) -> None:
        """Judge all inputs that wait. The deadline's rest is told of; `unfinished` is what a full disk cuts off."""
        waiting = self._waiting(listed, night.judged)
        progress, told, committed = Progress("night", len(waiting)), False, time.monotonic()
        try:
            carrying = Carrying(self.state, compiled, night.judged, trials.way(self.chosen, self.as_of))
            fresh = carrying.rows(inputs, waiting, self.as_of, self.chosen.run)
            for one, found in zip(waiting, fresh, strict=True):
                if not told and self.clock() >= self.deadline:
                    told = True
                    self.telling.everyone(night, _contents(listed), unfinished=len(waiting) - self.report.judged)
                self._keep(night, one, found)
                if time.monotonic() - committed >= _COMMIT:
                    self.state.commit()
                    committed = time.monotonic()
                progress.step()
            self.state.commit()
        except OSError:
            self.state.rollback()
            kept = {c for c in _contents(waiting) if self.state.brief(c, night.judged) is not None}
            self.report.judged, self.report.unfinished = len(kept), len(waiting) - len(kept)
            raise
        finally:
            progress.finish()
            inputs.remove()

    def _keep(self, night: Night, one: Input, found: list[Kept | LeftOut]) -> None:
        left_out = [LeftOut(one.where, f.reason) for f in found if isinstance(f, LeftOut)]
        rows = [row for row in found if not isinstance(row, LeftOut)]
        self.report.failures.extend(left_out)
        if rows:
            self.state.keep(one.content, night.judged, one.where, rows, Brief.of(rows, one.about, left_out))
        one.about = None
        self.report.judged += 1

    def _waiting(self, listed: list[Input], judged: str) -> list[Input]:
        """The inputs that are not judged yet, each content once, those first that have most to gain.

        New and changed records, then those where one missing fact would settle an option of the last list, then those
        with an open option, then those with options, then the rest; among equals in the order given.
        """
        gains: list[tuple[int, Input]] = []
        seen: set[str] = set()
        for one in listed:
            if one.content in seen:
                continue
            seen.add(one.content)
            if self.state.has(one.content, judged, one.where):
                self.report.reused += 1
            else:
                gain = self.state.gain(one.content)
                gains.append((-1 if gain is None else gain, one))
        gains.sort(key=lambda pair: pair[0])
        return [one for _, one in gains]

    def _pages(self) -> None:
        lossless.write_text(self.out / "index.html", self.report.html(self.chosen.tell.language))
        if self.chosen.output.metrics:
            lossless.write_text(self.chosen.path(self.chosen.output.metrics), self.report.metrics())


# ------------------------------------------------------------------------------------------------------------ details


def _unfinished(state: State, now: datetime, chosen: Settings) -> tuple[str, str] | None:
    """The night that was interrupted, None if there is none or if it is long over: then tonight is a new one."""
    found = state.open_night()
    if found is None:
        return None
    if now < _next(datetime.fromisoformat(found[1]), chosen) + _SAME_NIGHT:
        return found
    state.finish(found[0], "interrupted")
    return None


def _contents(listed: list[Input]) -> list[str]:
    return list(dict.fromkeys(one.content for one in listed))


def _next(started: datetime, chosen: Settings) -> datetime:
    """The deadline after the start, on the wall clock of the place: a clock change in the night does not move it."""
    day = started.date() if started.time() < chosen.run.deadline else started.date() + timedelta(days=1)
    return datetime.combine(day, chosen.run.deadline).astimezone()


def _swapped(fresh: Path, target: Path) -> None:
    """Put a finished export in the place of the last one."""
    import shutil

    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.replace(old)
    fresh.replace(target)
    shutil.rmtree(old, ignore_errors=True)


def _environment(name: str) -> str | None:
    import os

    return os.environ.get(name)
