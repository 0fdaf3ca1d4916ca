"""The patients' inputs of a night: listed by where they lie and a hash of their content, read again when judged."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from fhirbridge.errors import InputError
from fhirbridge.fhir import lossless, patient_bundle
from fhirbridge.fhir.patient_bundle import Place, Source
from fhirbridge.records import LeftOut


@dataclass(slots=True)
class Input:
    """One input: about a quarter of a kilobyte in memory, however large the record is.

    `content` is the hash of what was read, `place` where to read it again; `about` is known once it was read to be
    judged.
    """

    where: str
    stem: str
    content: str
    place: Place | None = None
    about: About | None = None


@dataclass(frozen=True, slots=True)
class About:
    """Whom the patients of an input belong to (references and shown names), and marks of the resources in it."""

    practitioners: tuple[str, ...]
    resources: bytes


class Inputs:
    """The inputs of some paths. What cannot be read again in place (gz, loose resources) waits in the file `aside`."""

    def __init__(self, paths: Iterable[Path], aside: Path) -> None:
        self._paths, self._aside = tuple(paths), aside
        self._open: tuple[Path, BinaryIO] | None = None

    def listed(self, known: Callable[[str, str], bool]) -> Iterator[Input | LeftOut]:
        """Every input in order, its content hashed and let go; a `known` (content, where) is not read again."""
        self._aside.unlink(missing_ok=True)
        for path in self._paths:
            try:
                for source in patient_bundle.sources(path):
                    yield source if isinstance(source, LeftOut) else self._input(source, known)
            except InputError as error:
                yield LeftOut(error.source, error.reason)

    def _input(self, source: Source, known: Callable[[str, str], bool]) -> Input:
        text = source.content if isinstance(source.content, str) else lossless.dumps(source.content)
        data = text.encode("utf-8")
        found = Input(source.where, source.stem, _hash(source.stem, data), source.place)
        if found.place is None and not known(found.content, found.where):
            self._aside.parent.mkdir(parents=True, exist_ok=True)
            with self._aside.open("ab") as file:
                found.place = Place(self._aside, file.tell(), len(data))
                file.write(data)
        return found

    def read(self, wanted: Input) -> Source | LeftOut:
        """The input with its content; one that changed since it was listed gets the hash of what it is now."""
        try:
            data = self._bytes(wanted.place)
            text = data.decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            return LeftOut(wanted.where, f"cannot be read any more ({type(error).__name__})")
        wanted.content = _hash(wanted.stem, data)
        wanted.about = about(text)
        return Source(wanted.where, wanted.stem, text)

    def _bytes(self, place: Place | None) -> bytes:
        if place is None:
            raise FileNotFoundError
        if self._open is None or self._open[0] != place.path:
            self.close()
            self._open = place.path, place.path.open("rb")
        file = self._open[1]
        if place.offset == 0 and os.fstat(file.fileno()).st_size != place.length and place.path.suffix == ".json":
            file.seek(0)
            return file.read()  # a file of one input that was written anew
        file.seek(place.offset)
        return file.read(place.length)

    def close(self) -> None:
        """Let go of the file that is open."""
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def remove(self) -> None:
        """The file `aside` is not needed any more."""
        self.close()
        self._aside.unlink(missing_ok=True)


def _hash(stem: str, data: bytes) -> str:
    found = hashlib.sha256(stem.encode() + b"\n")
    found.update(data)
    return found.hexdigest()[:40]


def about(text: str) -> About:
    """Whom an input's patients belong to, and its resources; nothing of either where it is not JSON."""
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError:
        return About((), b"")
    entries = content.get("entry") if isinstance(content, dict) else None
    found = [e.get("resource") for e in entries or () if isinstance(e, dict)]
    resources = [r for r in found if isinstance(r, dict)]
    people = dict.fromkeys(p for r in resources for p in _practitioners(r))
    return About(tuple(people), marks(f"{r.get('resourceType')}/{r.get('id')}" for r in resources if r.get("id")))


def _practitioners(resource: dict[str, Any]) -> Iterator[str]:
    """General practitioner and care team members, by reference and by shown name."""
    found: list[Any] = []
    if resource.get("resourceType") == "Patient":
        found = list(resource.get("generalPractitioner") or ())
    elif resource.get("resourceType") == "CareTeam":
        found = [p.get("member") for p in resource.get("participant") or () if isinstance(p, dict)]
    for reference in found:
        if isinstance(reference, dict):
            yield from (str(reference[k]) for k in ("reference", "display") if reference.get(k))


def marks(references: Iterable[str]) -> bytes:
    """Four bytes for each reference, sorted: enough to tell tomorrow what is new in a record."""
    return b"".join(sorted({zlib.crc32(r.encode()).to_bytes(4, "big") for r in references}))


def unmarked(references: Iterable[str], known: bytes) -> list[str]:
    """The references whose marks are not among the `known` ones."""
    there = {known[n : n + 4] for n in range(0, len(known), 4)}
    return [r for r in references if zlib.crc32(r.encode()).to_bytes(4, "big") not in there]
