"""Try what the night needs, without judging or sending anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fhirbridge import choices
from fhirbridge.errors import FhirbridgeError
from fhirbridge.fhir.server import FHIRServer
from fhirbridge.notify.settings import Settings


def check(chosen: Settings) -> Iterator[tuple[bool, str]]:
    """(fine, line) for each source, channel and output of a configuration."""
    for kind, paths in (("patients", chosen.patients.paths), ("trials", chosen.trials.paths)):
        for text in paths:
            path = chosen.path(text)
            inside = list(path.iterdir()) if path.is_dir() else [path] if path.exists() else []
            yield (
                bool(inside),
                f"{kind}.paths {text}: {len(inside)} files" if inside else f"{kind}.paths {text}: nothing",
            )
    if chosen.patients.server:
        yield _server(chosen)
    for name in sorted({r.channel for r in chosen.tell.recipients}):
        try:
            choices.module("notify.channels", name).create(chosen.channels.get(name, {}))
            yield True, f"channel {name}: configured"
        except FhirbridgeError as error:
            yield False, f"channel {name}: {error}"
    yield _writable(chosen.path(chosen.output.directory))


def _server(chosen: Settings) -> tuple[bool, str]:
    import os

    try:
        server = FHIRServer(str(chosen.patients.server), token=os.environ.get("FHIRBRIDGE_TOKEN"))
        answer = server.transport.send("GET", "metadata").json()
    except FhirbridgeError as error:
        return False, f"patients.server: {error}"
    return True, f"patients.server: FHIR {answer.get('fhirVersion', '?')}"


def _writable(directory: Path) -> tuple[bool, str]:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / ".probe"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        return False, f"output.directory {directory}: {error.strerror}"
    return True, f"output.directory {directory}: can be written"
