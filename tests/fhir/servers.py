"""Two real FHIR servers on loopback, neither written here, for the tests that need one."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

LAUNCH = """
import json, sys, uvicorn
from sekmet.config import Settings
from sekmet.main import create_app
port, data = int(sys.argv[1]), sys.argv[2]
settings = Settings(base_url=f"http://127.0.0.1:{port}/fhir", host="127.0.0.1", port=port, data_dir=data,
                    simulator={"enabled": False}, server_auth=json.loads(sys.argv[3]))
uvicorn.run(create_app(settings), host="127.0.0.1", port=port, log_level="error")
"""


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def sekmet(directory: Path, authorization: Mapping[str, Any] | None = None) -> Iterator[str]:
    """The base URL of a running SEKMET whose data lie in `directory`; skips where it is not installed."""
    pytest.importorskip("sekmet", reason="sekmet-fhir is not installed; pip install '.[dev]'")
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", LAUNCH, str(port), str(directory), json.dumps(authorization or {})],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        base = f"http://127.0.0.1:{port}/fhir"
        until_it_answers(f"{base}/metadata", process)
        yield base
    finally:
        process.kill()
        process.wait()


def until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait for a server that was just started; fails the test when it stops or is silent for a minute."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if process.poll() is not None:
            pytest.fail(f"the server stopped with {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    pytest.fail("the server did not answer within a minute")
