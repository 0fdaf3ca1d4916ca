"""One night: fetch what changed, judge every patient against every trial, write the lists, tell the right people."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from fhirbridge import choices, pipeline
from fhirbridge.errors import FhirbridgeError, FinalServerError, InputError, TemporaryServerError
from fhirbridge.fhir import lossless, match_bundle, patient_bundle
from fhirbridge.fhir.patient_bundle import Source
from fhirbridge.fhir.server import FHIRServer
from fhirbridge.notify import changes, digest, lock, settings
from fhirbridge.notify.channels import Channel
from fhirbridge.notify.report import Report
from fhirbridge.notify.settings import Recipient, Settings
from fhirbridge.notify.state import State
from fhirbridge.progress import Progress
from fhirbridge.records import LeftOut

_COMMIT = 200  # rows between two commits: a killed run judges at most so many again
_TRIES = 4


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
    """The parts of one night, in the order they run."""

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
        self.channels, self.dry_run = channels, dry_run
        unfinished = state.open_night()
        started = clock().isoformat(timespec="seconds")
        self.id, self.started = unfinished or (started, started)
        begun = datetime.fromisoformat(self.started)
        self.as_of = chosen.run.as_of or begun.date()
        self.deadline = _next(begun, chosen)
        self.report = Report(self.as_of.isoformat(), self.started)
        if state.lost:
            self.report.notes.append("the memory of earlier nights was lost; everything is judged again")
        if unfinished:
            self.report.notes.append("the run before was interrupted; this one goes on with it")
        self.people: dict[str, set[str]] = {}  # practitioner -> patients

    def run(self) -> Report:
        """Fetch, judge, write, tell."""
        self.state.begin(self.id, self.started)
        compiled, judge = self._timed("trials", self._trials)
        self.report.trials = len(compiled)
        sources = self._timed("patients", self._sources)
        contacts = {s.id: s.contacts for s in compiled.studies}
        rows = self._timed("judging", lambda: self._judged(sources, compiled, judge, contacts))
        self._timed("writing", lambda: self._written(rows))
        self._timed("telling", lambda: self._told(rows, contacts))
        self._remember(rows)
        self.state.finish(self.id, self.clock().isoformat(timespec="seconds"))
        self.state.forget(judge)
        self._pages()
        return self.report

    def _timed(self, part: str, work: Callable[[], Any]) -> Any:
        started = time.monotonic()
        try:
            return work()
        finally:
            self.report.seconds[part] = self.report.seconds.get(part, 0.0) + time.monotonic() - started

    # ------------------------------------------------------------------------------------------------------- trials

    def _trials(self) -> tuple[Any, str]:
        """The compiled trials and a name for how patients are judged tonight.

        Where the trial files are missing, empty or half-written, the last good ones are used and the page says so.
        """
        saved, key = self.out / "trials.compiled", self.out / "trials.key"
        paths = [self.chosen.path(p) for p in self.chosen.trials.paths]
        fingerprint = _fingerprint(paths, self.chosen.trials.statuses)
        if not (saved.exists() and key.exists() and key.read_text("utf-8") == fingerprint):
            try:
                self._compile(paths, saved)
                lossless.write_text(key, fingerprint)
            except InputError as error:
                if not saved.exists():
                    raise
                self.report.failures.append(LeftOut("trials", f"{error}; the last good ones are used"))
        compiled = pipeline.compile_studies(saved)
        judged = hashlib.sha256(f"{saved.stat().st_size}{_digest(saved)}{self.as_of}{self.chosen.run.top}".encode())
        return compiled, judged.hexdigest()

    def _compile(self, paths: list[Path], saved: Path) -> None:
        beside = saved.with_name(f".{saved.name}.new")
        files = [f for p in paths for f in _inside(p)]
        statuses = self.chosen.trials.statuses
        compiled = pipeline.compile_studies(files, statuses=statuses, save=beside, workers=self.chosen.run.workers)
        if not len(compiled):
            beside.unlink(missing_ok=True)
            raise InputError("trials", "no trial in the files named", "check trials.paths")
        self.report.failures.extend(compiled.left_out)
        beside.replace(saved)

    # ----------------------------------------------------------------------------------------------------- patients

    def _sources(self) -> list[tuple[str, Source]]:
        """Every patient's unread input with the hash of its content; a server's through its last good export."""
        paths = [self.chosen.path(p) for p in self.chosen.patients.paths]
        if self.chosen.patients.server:
            paths.append(self._pulled())
        found = []
        for path in paths:
            try:
                for source in patient_bundle.sources(path):
                    if isinstance(source, LeftOut):
                        self.report.failures.append(source)
                    else:
                        found.append((_hash(source), source))
            except InputError as error:
                self.report.failures.append(LeftOut(error.source, error.reason))
        self.report.patients = len(found)
        return found

    def _pulled(self) -> Path:
        chosen, target = self.chosen.patients, self.out / "pulled"
        fresh = self.out / ".pulling"
        try:
            server = FHIRServer(
                str(chosen.server),
                token=_environment("FHIRBRIDGE_TOKEN"),
                client_id=chosen.client_id,
                key=self.chosen.path(chosen.key) if chosen.key else None,
            )
            _, left_out = server.export(fresh, group=chosen.group)
            self.report.failures.extend(left_out)
            _swapped(fresh, target)
        except FhirbridgeError as error:
            if not target.exists():
                raise
            self.report.failures.append(LeftOut("patients.server", f"{error}; the last export is used"))
        return target

    # ------------------------------------------------------------------------------------------------------- judging

    def _judged(
        self, sources: list[tuple[str, Source]], compiled: Any, judge: str, contacts: dict[str, Any]
    ) -> dict[str, list[dict[str, Any]]]:
        """content -> rows, in the order of the sources. What the deadline cuts off is told of and then finished."""
        rows: dict[str, list[dict[str, Any]]] = {}
        for content, source in sources:
            kept = self.state.rows(content, judge)
            if kept is not None:
                rows[content] = kept
                self._belong(kept, source)
        self.report.reused = len(rows)
        waiting = [(c, s) for c, s in sources if c not in rows]
        run, progress, told = self.chosen.run, Progress("night", len(waiting)), False
        fresh = pipeline.match_each(
            (s for _, s in waiting), compiled, as_of=self.as_of, top=run.top, workers=run.workers
        )
        for (content, source), found in zip(waiting, fresh, strict=True):
            if not told and self.clock() >= self.deadline:
                told = True
                self.report.unfinished = len(waiting) - self.report.judged
                self._told(rows, contacts)
            self.report.failures.extend(LeftOut(source.where, f.reason) for f in found if isinstance(f, LeftOut))
            done = [row for row in found if not isinstance(row, LeftOut)]
            if done:
                self.state.keep(content, judge, done)
                rows[content] = done
                self._belong(done, source)
            self.report.judged += 1
            if self.report.judged % _COMMIT == 0:
                self.state.commit()
            progress.step()
        progress.finish()
        self.state.commit()
        self.report.unfinished = 0
        return {content: rows[content] for content, _ in sources if content in rows}

    def _belong(self, rows: list[dict[str, Any]], source: Source) -> None:
        for practitioner in _practitioners(source):
            self.people.setdefault(practitioner, set()).update(row["patient"] for row in rows)

    # ------------------------------------------------------------------------------------------------ writing, telling

    def _written(self, rows: dict[str, list[dict[str, Any]]]) -> None:
        lines = []
        for row in _flat(rows):
            self.report.count(row)
            lines.append(orjson.dumps(row).decode() + "\n")
        lossless.write_text(self.out / "matches.ndjson", "".join(lines))
        if self.chosen.output.research_subjects:
            subjects = (
                lossless.dumps(match_bundle.research_subject(row["patient"], m["study"], row["as_of"], m["score"]))
                + "\n"
                for row in _flat(rows)
                for m in digest.options(row, self.chosen.tell)
            )
            lossless.write_text(self.out / "research-subjects.ndjson", "".join(subjects))

    def _told(self, rows: dict[str, list[dict[str, Any]]], contacts: dict[str, Any]) -> None:
        """One message a recipient, each once; it says how many patients the deadline cut off, if any."""
        tell = self.chosen.tell
        open_ = (self.report.unfinished, f"{self.chosen.run.deadline:%H:%M}")
        for recipient in tell.recipients:
            entries = list(self._entries(recipient, rows, contacts))
            if not entries and tell.quiet_when_unchanged and not open_[0]:
                continue
            channel = self.channels[recipient.channel]
            told = digest.message(recipient, entries, tell, self.as_of.isoformat(), open_, leaves=channel.leaves_house)
            if self.dry_run or self.state.was_sent(told.id):
                continue
            self._sent(recipient, channel, told)

    def _entries(
        self, recipient: Recipient, rows: dict[str, list[dict[str, Any]]], contacts: dict[str, Any]
    ) -> Iterator[digest.Entry]:
        mine = self.people.get(recipient.practitioner or "", set())
        for row in _flat(rows):
            id = str(row["patient"]).rsplit("/", 1)[-1]
            if not (recipient.everyone or row["patient"] in mine or id in recipient.patients):
                continue
            before = self.state.told(row["patient"])
            found = changes.changes(row, before)
            quiet = self.chosen.tell.quiet_when_unchanged and before and not found
            if not quiet and (digest.options(row, self.chosen.tell) or found):
                yield digest.Entry(row, found, contacts)

    def _sent(self, recipient: Recipient, channel: Channel, told: Any) -> None:
        for attempt in range(_TRIES):
            try:
                channel.send(told)
            except TemporaryServerError as error:
                if attempt == _TRIES - 1:
                    self.report.failures.append(LeftOut(f"recipient {recipient.name}", str(error)))
                else:
                    time.sleep(0.2 * 2**attempt)
                continue
            except FinalServerError as error:
                self.report.failures.append(LeftOut(f"recipient {recipient.name}", str(error)))
            else:
                self.state.sent(told.id, recipient.name, self.clock().isoformat(timespec="seconds"))
                self.report.sent += 1
            return

    def _remember(self, rows: dict[str, list[dict[str, Any]]]) -> None:
        if not self.dry_run:
            for row in _flat(rows):
                self.state.tell(row["patient"], changes.standing(row))

    def _pages(self) -> None:
        lossless.write_text(self.out / "index.html", self.report.html(self.chosen.tell.language))
        if self.chosen.output.metrics:
            lossless.write_text(self.chosen.path(self.chosen.output.metrics), self.report.metrics())


# ------------------------------------------------------------------------------------------------------------ details


def _flat(rows: dict[str, list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    for found in rows.values():
        yield from found


def _next(started: datetime, chosen: Settings) -> datetime:
    """The deadline after the start, on the wall clock of the place: a clock change in the night does not move it."""
    day = started.date() if started.time() < chosen.run.deadline else started.date() + timedelta(days=1)
    return datetime.combine(day, chosen.run.deadline).astimezone()


def _inside(path: Path) -> list[Path]:
    if path.is_dir():
        return [p for p in sorted(path.iterdir()) if p.is_file() and not p.name.startswith(".")]
    return [path]


def _fingerprint(paths: list[Path], statuses: list[str]) -> str:
    """What the trial files are: names, sizes and times of change; content is read only when these differ."""
    parts = [",".join(statuses)]
    for path in paths:
        for file in _inside(path):
            with suppress(OSError):
                told = file.stat()
                parts.append(f"{file}|{told.st_size}|{told.st_mtime_ns}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hash(source: Source) -> str:
    content = source.content if isinstance(source.content, str) else lossless.dumps(source.content)
    return hashlib.sha256(f"{source.stem}\n{content}".encode()).hexdigest()


def _practitioners(source: Source) -> Iterator[str]:
    """Whom a patient belongs to: general practitioner and care team members, by reference and by shown name."""
    try:
        content = orjson.loads(source.content) if isinstance(source.content, str) else source.content
    except orjson.JSONDecodeError:
        return
    resources = [e.get("resource", {}) for e in content.get("entry", [])] if isinstance(content, dict) else []
    for resource in resources:
        found = list(resource.get("generalPractitioner", [])) if resource.get("resourceType") == "Patient" else []
        if resource.get("resourceType") == "CareTeam":
            found += [p.get("member", {}) for p in resource.get("participant", [])]
        for reference in found:
            yield from (str(reference[k]) for k in ("reference", "display") if reference.get(k))


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
