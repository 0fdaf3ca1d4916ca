"""Registry file -> `Trial`. One file a registry; `create()` in it gives a `TrialRegistry`."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from fhirbridge import choices
from fhirbridge.errors import EmptyInput, FhirbridgeError, InputError, MissingInput, UnreadableInput
from fhirbridge.records import LeftOut, Trial

HEAD = 65_536  # bytes a registry sees of a file to recognise it


class TrialRegistry(Protocol):
    """Reads one registry's records. `name` is what the user types after `--registry`."""

    name: str

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether the file looks like this registry's: `head` is its first 64 kB, decompressed."""
        ...

    def read(self, path: Path) -> Iterator[Trial | LeftOut]:
        """The trials of a file one by one, in bounded memory; what cannot be used as LeftOut with its place."""
        ...

    def read_record(self, record: dict[str, Any]) -> Trial:
        """One record already parsed; InputError if it is not this registry's."""
        ...


def read(source: str | Path | dict[str, Any], name: str = "auto") -> Iterator[Trial | LeftOut]:
    """The trials of a file (or the one of a parsed record) one by one; what cannot be used as LeftOut.

    The registry is recognised by content unless named. Raises InputError when nothing of the file can be read.
    """
    if isinstance(source, dict):
        yield one(source, name)
        return
    path = Path(source)
    yield from _registry(path, name).read(path)


def one(source: str | Path | dict[str, Any], name: str = "auto") -> Trial:
    """The one trial of a file or parsed record; InputError if there is none, or more than one."""
    if isinstance(source, dict):
        return _one_record(source, name)
    found: list[Trial] = []
    reasons: list[str] = []
    for trial in read(source, name):
        if isinstance(trial, LeftOut):
            reasons.append(trial.reason)
        else:
            found.append(trial)
        if len(found) > 1:
            raise InputError(source, "holds more than one trial", "use read_studies for many")
    if not found:
        raise EmptyInput(source, f"no trial in it ({reasons[0]})" if reasons else "no trial in it")
    return found[0]


def _one_record(record: dict[str, Any], name: str) -> Trial:
    if name != "auto":
        return create(name).read_record(record)
    for known in choices.names("registries"):
        try:
            return create(known).read_record(record)
        except InputError:
            continue
    raise InputError("record", "no registry knows this kind of record", "give a ClinicalTrials.gov or FHIR record")


def create(name: str) -> TrialRegistry:
    """The registry of a name; ConfigurationError lists the names there are."""
    registry: TrialRegistry = choices.module("registries", name).create()
    return registry


def _registry(path: Path, name: str) -> TrialRegistry:
    if not path.is_file():
        raise MissingInput(path, "no such file", "check the path")
    if name != "auto":
        return create(name)
    head = _head(path)
    if not head.strip():
        raise EmptyInput(path, "the file is empty")
    for known in choices.names("registries"):
        registry = create(known)
        if registry.recognises(path, head):
            return registry
    raise UnreadableInput(
        path, "no registry recognises it", f"name one with --registry: {', '.join(choices.names('registries'))}"
    )


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            start = file.read(HEAD)
        if start[:2] == b"\x1f\x8b":
            with gzip.open(path, "rb") as file:
                return file.read(HEAD)
        return start
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableInput(path, f"cannot be read ({error.__class__.__name__})", "is the file complete?") from error


__all__ = ["FhirbridgeError", "TrialRegistry", "create", "one", "read"]
