"""A night of many patients against many trials, and the next one: time, memory, and the same bytes as a full run.

    python -m benchmarks.night_load POPULATION.ndjson TRIALS [--patients 1000] [--trials N] [--workers 2]
        [--changed 0.02] [--trials-changed 0.01] [--next-day] [--recipients 100] [--keep FOLDER] [--csv FILE]

POPULATION: patient Bundles, one a line; if it holds fewer than asked for, they come again with new ids. TRIALS:
compiled studies (a file that `compile_studies(save=...)` wrote; used whole), or registry NDJSON, of which the first
--trials are compiled by the night and timed apart. Every patient belongs to one of --recipients, told by files.

The night runs in a process of its own. Memory is the sum over it and its workers of what each holds alone and its part
of what they share (PSS), the highest of samples taken every half second; processor time is that of all of them. The
second night changes a share of the patients (one resource less) and of the trials (the title); its matches.ndjson is
compared with that of a full run from an empty state. `--csv` appends a line a night for the plots.
"""

from __future__ import annotations

import argparse
import filecmp
import gzip
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import fhirbridge as fb
from fhirbridge.eligibility import compiled as files

_CONFIGURATION = """
[patients]
paths = ["{population}"]
[trials]
paths = ["{trials}"]
[tell]
top = 5
{recipients}
[channels.folder]
path = "digests-{number}"
[output]
directory = "{out}"
metrics = "night.prom"
[run]
as_of = {as_of}
workers = {workers}
deadline = "23:59"
"""
_COLUMNS = "night,patients,trials,workers,wall,processor,peak_gb,judged,judging,state_gb"


@dataclass(frozen=True)
class Night:
    """What one night took: seconds of wall and processor, gigabytes at its highest, seconds by part, and its counts."""

    wall: float
    processor: float
    peak: float
    figures: dict[str, float]
    state: float

    @property
    def judging(self) -> float:
        """Seconds of judging."""
        return self.figures['seconds{part="judging"}']


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures; 1 if the second night's list differs from a full run's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("population", type=Path)
    parser.add_argument("studies", type=Path)
    parser.add_argument("--patients", type=int, default=1000)
    parser.add_argument("--trials", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--changed", type=float, default=0.02)
    parser.add_argument("--trials-changed", type=float, default=0.0)
    parser.add_argument("--next-day", action="store_true")
    parser.add_argument("--first-only", action="store_true")
    parser.add_argument("--recipients", type=int, default=100)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--csv", type=Path)
    a = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        home = a.keep or Path(folder)
        home.mkdir(parents=True, exist_ok=True)
        return _nights(a, home)


def _nights(a: argparse.Namespace, home: Path) -> int:
    count = _population(a.population, home / "patients.ndjson", a.patients)
    trials = _trials(a.studies, home, a.trials)
    first = _night(a, home, "first", "2026-11-22", trials)
    _told(a, "first", count, first)
    if a.first_only:
        return 0
    _changed(home / "patients.ndjson", a.changed)
    if a.trials_changed:
        _amended(home / "first" / "trials.compiled", trials := home / "amended.compiled", a.trials_changed)
    day = "2026-11-23" if a.next_day else "2026-11-22"
    _told(a, "second", count, _night(a, home, "first", day, trials))
    _told(a, "full", count, _night(a, home, "full", day, trials))
    same = filecmp.cmp(home / "first" / "matches.ndjson", home / "full" / "matches.ndjson", shallow=False)
    print("second night and full run: the same bytes" if same else "second night and full run DIFFER")
    return 0 if same else 1


def _population(source: Path, target: Path, count: int) -> int:
    """Write that many patients; each line once more, under new ids, when the source is used up."""
    with target.open("w", encoding="utf-8") as out:
        for number, line in enumerate(itertools.islice(_again(source), count)):
            if f'"p{number:06d}"' not in line:
                old = next(e["resource"]["id"] for e in json.loads(line)["entry"] if _is_patient(e))
                line = line.replace(old, f"p{number:06d}")
            out.write(line)
    return count


def _again(source: Path) -> Iterator[str]:
    while True:
        with source.open(encoding="utf-8") as lines:
            yield from lines


def _is_patient(entry: dict[str, Any]) -> bool:
    return bool(entry["resource"]["resourceType"] == "Patient")


def _trials(source: Path, home: Path, count: int) -> Path:
    """The compiled studies; compiled here, and timed, where the source is a registry's."""
    if files.is_compiled(source):
        return source.resolve()
    opener = gzip.open if source.suffix == ".gz" else open
    with opener(source, "rt", encoding="utf-8") as lines:
        (home / "trials.ndjson").write_text("".join(itertools.islice(lines, count or None)), "utf-8")
    start = time.perf_counter()
    made = fb.compile_studies(home / "trials.ndjson", save=home / "trials.compiled", workers=2)
    print(f"{len(made)} trials compiled in {time.perf_counter() - start:.0f} s")
    return home / "trials.compiled"


def _changed(population: Path, share: float) -> None:
    """Take the last resource from a share of the patients."""
    dice, beside = random.Random(7), population.with_suffix(".new")
    with population.open(encoding="utf-8") as lines, beside.open("w", encoding="utf-8") as out:
        for line in lines:
            if dice.random() < share:
                bundle = json.loads(line)
                bundle["entry"].pop()
                line = json.dumps(bundle, ensure_ascii=False, separators=(",", ":")) + "\n"
            out.write(line)
    beside.replace(population)


def _amended(source: Path, target: Path, share: float) -> None:
    """Change the title of a share of the compiled trials."""
    made, dice = files.read(source), random.Random(7)
    made.studies = [
        replace(s, title=f"{s.title} (amended)", fingerprint=s.fingerprint[::-1]) if dice.random() < share else s
        for s in made.studies
    ]
    made.save(target)


# -------------------------------------------------------------------------------------------------------- measuring


def _night(a: argparse.Namespace, home: Path, out: str, as_of: str, trials: Path) -> Night:
    size = -(-a.patients // a.recipients)
    lists = [[f"p{n:06d}" for n in range(start, min(start + size, a.patients))] for start in range(0, a.patients, size)]
    recipients = "".join(
        f'[[tell.recipients]]\nname = "Doctor {n}"\nchannel = "folder"\npatients = {json.dumps(ids)}\n'
        for n, ids in enumerate(lists)
    )
    made = _CONFIGURATION.format(
        population=home / "patients.ndjson",
        trials=trials,
        recipients=recipients,
        number=out,
        out=out,
        as_of=as_of,
        workers=a.workers,
    )
    (home / "night.toml").write_text(made)
    if out == "full":
        shutil.rmtree(home / out, ignore_errors=True)
    return measured([sys.executable, "-m", "fhirbridge.cli", "night", str(home / "night.toml")], home, home / out)


def measured(command: Sequence[str], home: Path, out: Path) -> Night:
    """Run a night and measure it."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak, over = [0.0], threading.Event()
    watch = threading.Thread(target=_watch, args=(process.pid, peak, over), daemon=True)
    watch.start()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    over.set()
    watch.join()
    if process.returncode not in (0, 1):
        raise SystemExit(f"the night ended with {process.returncode}")
    figures = {}
    for line in (home / "night.prom").read_text().splitlines():
        name, value = line.removeprefix("fhirbridge_night_").split(" ")
        figures[name] = float(value)
    return Night(wall, usage.ru_utime + usage.ru_stime, peak[0], figures, (out / "state.sqlite").stat().st_size / 1e9)


def _watch(process: int, peak: list[float], over: threading.Event) -> None:
    while not over.wait(0.5):
        peak[0] = max(peak[0], sum(map(_pss, _family(process))) / 1e6)


def _family(process: int) -> Iterator[int]:
    yield process
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from _family(int(child))


def _pss(process: int) -> int:
    """Kilobytes."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _told(a: argparse.Namespace, name: str, count: int, night: Night) -> None:
    f = night.figures
    parts = ", ".join(f"{k[14:-2]} {v:.1f}" for k, v in f.items() if k.startswith("seconds"))
    print(
        f"{name} night: {count} patients x {f['trials']:.0f} trials, {f['judged']:.0f} judged, "
        f"{f['messages_sent']:.0f} messages: wall {night.wall:.1f} s, processor {night.processor:.1f} s, "
        f"peak {night.peak:.2f} GB, state {night.state:.2f} GB ({parts} s); {count / night.wall:.1f} patients/s",
        flush=True,
    )
    if a.csv:
        if not a.csv.exists():
            a.csv.write_text(_COLUMNS + "\n")
        values = (name, count, int(f["trials"]), a.workers, f"{night.wall:.1f}", f"{night.processor:.1f}")
        more = (f"{night.peak:.3f}", int(f["judged"]), f"{night.judging:.1f}", f"{night.state:.3f}")
        with a.csv.open("a") as file:
            file.write(",".join(map(str, (*values, *more))) + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
