"""The trials of a night, compiled when their files changed; the last good ones where the files cannot be used."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

from fhirbridge import __version__, pipeline
from fhirbridge.errors import InputError
from fhirbridge.fhir import lossless
from fhirbridge.notify.settings import Settings
from fhirbridge.records import LeftOut


def tonight(chosen: Settings, out: Path, as_of: date, failures: list[LeftOut]) -> tuple[Any, str]:
    """The compiled trials and a name for how patients are judged tonight.

    Where the trial files are missing, empty or half-written, the last good ones are used and `failures` says so.
    """
    saved, key = out / "trials.compiled", out / "trials.key"
    paths = [chosen.path(p) for p in chosen.trials.paths]
    fingerprint = _fingerprint(paths, chosen.trials.statuses)
    if not (saved.exists() and key.exists() and key.read_text("utf-8") == fingerprint):
        try:
            _compile(chosen, paths, saved, failures)
            lossless.write_text(key, fingerprint)
        except InputError as error:
            if not saved.exists():
                raise
            failures.append(LeftOut("trials", f"{error}; the last good ones are used"))
    compiled = pipeline.compile_studies(saved)
    judged = hashlib.sha256(f"{saved.stat().st_size}{_digest(saved)}{as_of}{chosen.run.top}".encode())
    return compiled, judged.hexdigest()[:40]


def way(chosen: Settings, as_of: date) -> str:
    """A name for how patients are judged tonight, whatever the trials."""
    return hashlib.sha256(f"{__version__} {as_of} {chosen.run.top}".encode()).hexdigest()[:40]


def _compile(chosen: Settings, paths: list[Path], saved: Path, failures: list[LeftOut]) -> None:
    beside = saved.with_name(f".{saved.name}.new")
    files = [f for p in paths for f in _inside(p)]
    compiled = pipeline.compile_studies(
        files, statuses=chosen.trials.statuses, save=beside, workers=chosen.run.workers, since=_last(saved)
    )
    if not len(compiled):
        beside.unlink(missing_ok=True)
        raise InputError("trials", "no trial in the files named", "check trials.paths")
    failures.extend(compiled.left_out)
    if beside.exists():
        beside.replace(saved)
    else:  # the file named was compiled before
        compiled.save(saved)


def _last(saved: Path) -> Any:
    """The trials of the night before, None where there are none that this version can read."""
    try:
        return pipeline.compile_studies(saved) if saved.exists() else None
    except InputError:
        return None


def _inside(path: Path) -> list[Path]:
    if path.is_dir():
        return [p for p in sorted(path.iterdir()) if p.is_file() and not p.name.startswith(".")]
    return [path]


def _fingerprint(paths: Sequence[Path], statuses: list[str]) -> str:
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
