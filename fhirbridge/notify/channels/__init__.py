"""Where a message goes. One file a channel; `create(options)` in it gives a `Channel`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """What one recipient is told. `id` is the same however often it is made again: a receiver can tell a repeat.

    The subject names no patient. `html` and `text` say the same; `link_only` channels get `text` without patients.
    """

    id: str
    to: str
    subject: str
    text: str
    html: str


class Channel(Protocol):
    """Carries messages. `name` is what the configuration says; `leaves_house` asks for a text without patients."""

    name: str
    leaves_house: bool

    def send(self, message: Message) -> None:
        """Send one message; TemporaryServerError is worth another try, FinalServerError is not."""
        ...
