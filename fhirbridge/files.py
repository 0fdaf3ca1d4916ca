"""Which files a PATH on the command line means, and where results are written."""

from __future__ import annotations

import glob
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

from fhirbridge.errors import ConfigurationError, MissingInput
from fhirbridge.fhir import lossless

_PATTERN = frozenset("*?[")


def expand(paths: Iterable[str], suffixes: tuple[str, ...] = ()) -> Iterator[Path | MissingInput]:
    """The files behind files, directories and glob patterns, each once, sorted within a directory or pattern.

    A directory gives its files (not its subdirectories') whose name ends in one of `suffixes`; all when there are
    none. What is not there comes back as the MissingInput it would raise.
    """
    seen: set[Path] = set()
    for text in paths:
        for found in _behind(text, suffixes):
            if isinstance(found, MissingInput):
                yield found
            elif found not in seen:
                seen.add(found)
                yield found


def _behind(text: str, suffixes: tuple[str, ...]) -> Iterator[Path | MissingInput]:
    path = Path(text)
    if path.is_dir():
        inside = [p for p in sorted(path.iterdir()) if p.is_file() and not p.name.startswith(".")]
        wanted = [p for p in inside if not suffixes or p.name.lower().endswith(suffixes)]
        yield from wanted
        if not wanted:
            yield MissingInput(text, "the directory holds no file of the kind asked for", _wanted(suffixes))
    elif path.exists():
        yield path
    elif _PATTERN & set(text) and (found := sorted(glob.glob(text))):  # noqa: PTH207 - takes absolute patterns too
        yield from (Path(p) for p in found)
    else:
        yield MissingInput(text, "no such file", "check the path")


def _wanted(suffixes: tuple[str, ...]) -> str:
    return f"expected {', '.join(suffixes)}" if suffixes else "it is empty"


def stem(path: Path) -> str:
    """A file's name without its endings: `a.ndjson.gz` is `a`."""
    name = path.name.removesuffix(".gz")
    return name.rsplit(".", 1)[0] if "." in name[1:] else name


def folder(out: str | None) -> Path:
    """The directory an `-o` value writes into: itself if it is one, else the file's; the current one without it."""
    if not out:
        return Path()
    target = Path(out)
    return target if out.endswith("/") or target.is_dir() else target.parent


class Sink:
    """Where a command's results go: a directory, one `.ndjson`, one `.json`, or standard output.

    A file is written beside its place and renamed when the command ends well enough to keep it, so that nothing
    half-written stands under the name asked for.
    """

    def __init__(self, out: str | None) -> None:
        self.directory: Path | None = None
        self.target: Path | None = None
        self.written = 0
        self._stream: IO[str] | None = None
        self._names: set[str] = set()
        if out is None:
            return
        if out.endswith(("/", "\\")) or Path(out).is_dir():
            self.directory = Path(out)
        elif out.endswith((".ndjson", ".json")):
            self.target = Path(out)
        else:
            raise ConfigurationError(f"-o {out}: end it in / for a directory, or in .ndjson or .json for one file")

    def __enter__(self) -> Sink:
        place = self.directory or (self.target.parent if self.target else None)
        if place is not None:
            try:
                place.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ConfigurationError(f"-o: cannot make the directory {place}: {error.strerror}") from error
        if self.target is not None:
            self._beside = self.target.with_name(f".{self.target.name}.part")
            self._stream = self._beside.open("w", encoding="utf-8")
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: BaseException | TracebackType | None) -> None:
        if self._stream is not None and self.target is not None:
            self._stream.close()
            if kind is None and self.written:
                self._beside.replace(self.target)
            else:
                self._beside.unlink(missing_ok=True)

    def write(self, name: str, text: str) -> None:
        """One result: `text` is JSON on one line; `name` the file stem it has in a directory."""
        self.written += 1
        if self.directory is not None:
            lossless.write_text(self.directory / f"{self._free(name)}.json", text + "\n")
        elif self._stream is not None:
            if self.target is not None and self.target.suffix == ".json" and self.written > 1:
                raise ConfigurationError(f"-o {self.target}: one .json takes one result; use .ndjson or a directory")
            self._stream.write(text + "\n")
        else:
            sys.stdout.write(text + "\n")

    def _free(self, name: str) -> str:
        candidate, number = name, 1
        while candidate in self._names:
            number += 1
            candidate = f"{name}-{number}"
        self._names.add(candidate)
        return candidate
