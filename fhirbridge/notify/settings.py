"""The configuration of the night run: a TOML file checked whole before anything starts."""

from __future__ import annotations

import tomllib
from datetime import date, time
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fhirbridge.errors import ConfigurationError


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Patients(_Part):
    """Where patients come from."""

    paths: list[str] = []
    server: str | None = None
    group: str | None = None
    client_id: str | None = None
    key: str | None = None

    @model_validator(mode="after")
    def _somewhere(self) -> Patients:
        if not self.paths and not self.server:
            raise ValueError("name paths or a server")
        return self


class Trials(_Part):
    """Where trials come from, and which statuses count (all when empty)."""

    paths: list[str] = Field(min_length=1)
    statuses: list[str] = []


class Recipient(_Part):
    """Who is told about which patients, and how."""

    name: str
    channel: str
    to: str = ""
    everyone: bool = False
    practitioner: str | None = None
    patients: list[str] = []

    @model_validator(mode="after")
    def _about_someone(self) -> Recipient:
        if not (self.everyone or self.practitioner or self.patients):
            raise ValueError("say everyone = true, a practitioner, or a list of patients")
        return self


class Tell(_Part):
    """What is told."""

    language: Literal["en", "zh"] = "en"
    top: int = Field(default=5, ge=1, le=100)
    from_score: float = Field(default=0.0, ge=0, le=1)
    statuses: list[Literal["eligible", "undetermined", "excluded"]] = ["eligible", "undetermined"]
    quiet_when_unchanged: bool = True
    link: str | None = None
    recipients: list[Recipient] = Field(min_length=1)


class Output(_Part):
    """What is written."""

    directory: str = "night/"
    research_subjects: bool = False
    metrics: str | None = None


class Run(_Part):
    """How it runs. `as_of` fixes the day of judgement (default: the day the run starts)."""

    deadline: time = time(7, 0)
    workers: int = Field(default=2, ge=1, le=64)
    top: int = Field(default=20, ge=1)
    as_of: date | None = None


class Settings(_Part):
    """The whole configuration; `home` is the folder its paths are relative to."""

    patients: Patients
    trials: Trials
    tell: Tell
    channels: dict[str, dict[str, Any]] = {}
    output: Output = Output()
    run: Run = Run()
    home: Path = Path()

    def path(self, text: str) -> Path:
        """A path of the file, absolute."""
        return (self.home / Path(text).expanduser()).resolve()


def load(file: Path) -> Settings:
    """The configuration in a file; ConfigurationError names key, value and cure for everything that is wrong."""
    try:
        content = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}; `fhirbridge night --init {file}` writes one") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: not valid TOML: {error}") from error
    try:
        return Settings.model_validate({**content, "home": file.resolve().parent})
    except ValidationError as error:
        wrong = "; ".join(_told(e) for e in error.errors())
        raise ConfigurationError(f"{file}: {wrong}") from error


def _told(error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"])
    given = error.get("input")
    shown = f" ({given!r})" if isinstance(given, (str, int, float, bool)) else ""
    return f"{key}{shown}: {error['msg'].removeprefix('Value error, ')}"


def template() -> str:
    """A commented configuration to start from."""
    return resources.files(__package__).joinpath("night.toml").read_text("utf-8")
