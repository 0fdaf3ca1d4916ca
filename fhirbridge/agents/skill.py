"""The OpenClaw skill: a folder of text that tells an agent when to use which command, and what never to do."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from fhirbridge import __version__
from fhirbridge.fhir import lossless

SLUG = "fhirbridge"


def write(directory: Path) -> Path:
    """The folder `directory/fhirbridge` with `SKILL.md` in it, written whole."""
    text = resources.files(__package__).joinpath("SKILL.md").read_text("utf-8")
    target = directory / SLUG / "SKILL.md"
    lossless.write_text(target, text.replace("{version}", __version__))
    return target.parent
