"""Messages as files in a folder, for a ward's own screen or another program to pick up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fhirbridge.errors import ConfigurationError, FinalServerError
from fhirbridge.fhir import lossless
from fhirbridge.notify.channels import Channel, Message


class Folder:
    """Writes `<recipient>.<id>.html` and `.txt`; the same message again overwrites itself with the same content."""

    name = "folder"
    leaves_house = False

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, message: Message) -> None:
        """Write both files whole."""
        stem = f"{re.sub(r'[^0-9A-Za-z一-鿿._-]+', '_', message.to)}.{message.id[:16]}"
        try:
            lossless.write_text(self._path / f"{stem}.html", message.html)
            lossless.write_text(self._path / f"{stem}.txt", message.text)
        except OSError as error:
            raise FinalServerError(f"folder {self._path}: {error.strerror}") from error


def create(options: Mapping[str, Any]) -> Channel:
    """`path`: the folder."""
    if not options.get("path"):
        raise ConfigurationError("channels.folder.path is missing; name the folder that messages are written to")
    return Folder(Path(str(options["path"])))
