"""One run at a time: a lock that the operating system lets go of when the process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fhirbridge.errors import ConfigurationError


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock while the block runs; ConfigurationError if another run holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigurationError(
                f"another night run holds {path}; wait for it, or give another directory"
            ) from error
        yield
    finally:
        os.close(handle)
