"""A running review page on loopback for the tests."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from fhirbridge.review.page import Gate, create
from fhirbridge.review.session import Session

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


@contextmanager
def running(out: Path, server: str | None = None, studies: Sequence[Path] = ()) -> Iterator[tuple[str, Gate, Session]]:
    """The base URL, the gate with its token, and the session of a page that runs until the block ends."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = int(listener.getsockname()[1])
    gate, session = Gate(port), Session(out, lambda: NOW, server, studies)
    web = uvicorn.Server(uvicorn.Config(create(session, gate), log_level="error", ws="none"))
    thread = threading.Thread(target=web.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not web.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}", gate, session
    finally:
        web.should_exit = True
        thread.join(10)
        listener.close()
