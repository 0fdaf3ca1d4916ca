"""The skill folder is what OpenClaw reads."""

from __future__ import annotations

import re
from pathlib import Path

import fhirbridge
from fhirbridge.cli import main

FRONT = re.compile(r"^---\n(.*?)\n---\n", re.DOTALL)


def test_the_command_writes_the_folder(tmp_path: Path) -> None:
    assert main(["skill", "-o", str(tmp_path)]) == 0
    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()) == [
        "fhirbridge/SKILL.md"
    ]
    text = (tmp_path / "fhirbridge" / "SKILL.md").read_text("utf-8")
    front = FRONT.match(text)
    assert front
    assert "name: fhirbridge\n" in front[1]
    assert f"version: {fhirbridge.__version__}\n" in front[1]
    assert re.search(r"requires:\n +bins:\n +- fhirbridge\n", front[1])
    assert re.search(r"install:\n +- id: uv\n +kind: uv\n +package: fhirbridge\n", front[1])
    assert "{version}" not in text


def test_every_command_the_skill_names_exists() -> None:
    from fhirbridge.agents import skill

    text = (Path(skill.__file__).parent / "SKILL.md").read_text("utf-8")
    named = set(re.findall(r"`fhirbridge ([a-z]+)", text))
    assert named == {"transcript", "lab", "study", "match", "review", "push"}
    for command in named:
        try:
            main([command, "--help"])
        except SystemExit as stop:
            assert stop.code == 0
