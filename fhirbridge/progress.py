"""A line on standard error that tells how far a command is, when somebody is there to read it."""

from __future__ import annotations

import sys
import time
from typing import TextIO


class Progress:
    """Counts what is done. Silent unless `stream` is a terminal; names of inputs only, never their content."""

    def __init__(self, what: str, total: int | None = None, stream: TextIO | None = None) -> None:
        self.what, self.total, self.done = what, total, 0
        self._stream = stream or sys.stderr
        self._started = time.monotonic()
        self._last = 0.0
        self._shows = self._stream.isatty()

    def step(self, name: str = "") -> None:
        """One more is done."""
        self.done += 1
        now = time.monotonic()
        if self._shows and (now - self._last > 0.1 or self.done == self.total):
            self._last = now
            self._stream.write(f"\r\x1b[2K{self._line(now, name)}")
            self._stream.flush()

    def finish(self) -> None:
        """Clear the line."""
        if self._shows:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()

    def _line(self, now: float, name: str) -> str:
        spent = now - self._started
        of = f"/{self.total}" if self.total else ""
        left = f", {spent / self.done * (self.total - self.done):.0f} s left" if self.total else ""
        return f"{self.what} {self.done}{of}{left} {name[:60]}"
