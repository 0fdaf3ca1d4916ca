"""A proxy on loopback in front of a FHIR server that answers some requests badly, by a seed."""

from __future__ import annotations

import contextlib
import http.client
import random
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

# Where "after" is in the name the server has done what it was asked for and only its answer is lost.
FAULTS = ("429", "503", "503 after", "dropped", "dropped after", "half-sent after")


class FaultProxy:
    """`base` is its URL. Each request meets one of FAULTS with probability `rate`; `seen` counts all, `injected` each.

    `arrived` is set at every request, for whoever wants to do something in the middle of one.
    """

    def __init__(self, upstream: str, rate: float, seed: int) -> None:
        self.upstream = urlsplit(upstream)
        self.rate = rate
        self.seen = 0
        self.injected: Counter[str] = Counter()
        self.arrived = threading.Event()
        self._dice = random.Random(seed)
        self._lock = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                proxy.answer(self)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815

            def handle(self) -> None:
                with contextlib.suppress(OSError):  # the client was killed
                    super().handle()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}{self.upstream.path}"

    def fault(self) -> str:
        """The fault of the next request, or "" for none."""
        with self._lock:
            self.seen += 1
            chosen = self._dice.choice(FAULTS) if self._dice.random() < self.rate else ""
            if chosen:
                self.injected[chosen] += 1
        self.arrived.set()
        return chosen

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Pass a request on, or not, and its answer, whole or not."""
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        fault = self.fault()
        try:
            if fault in ("", "503 after", "dropped after", "half-sent after"):
                status, headers, content = self._passed_on(request, body)
            if fault.startswith("dropped"):
                request.close_connection = True
                request.connection.shutdown(socket.SHUT_RDWR)
            elif fault in ("429", "503", "503 after"):
                _write(request, int(fault[:3]), {"Retry-After": "0"}, b"", 0)
            else:
                _write(request, status, headers, content, len(content) // 2 if fault else len(content))
        except OSError:
            request.close_connection = True  # the client was killed, or the server is gone

    def _passed_on(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(str(self.upstream.hostname), self.upstream.port, timeout=120)
        try:
            headers = {k: v for k, v in request.headers.items() if k.lower() not in ("host", "connection")}
            connection.request(request.command, request.path, body or None, headers)
            answer = connection.getresponse()
            kept = {k: v for k, v in answer.getheaders() if k.lower() in ("content-type", "location", "etag")}
            return answer.status, kept, answer.read()
        finally:
            connection.close()


def _write(request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes, sent: int) -> None:
    request.send_response_only(status)
    for name, value in headers.items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body[:sent])
    if sent < len(body):
        request.close_connection = True
        request.wfile.flush()
        request.connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def fault_proxy(upstream: str, *, rate: float, seed: int) -> Iterator[FaultProxy]:
    """A running proxy in front of the server at `upstream`."""
    proxy = FaultProxy(upstream, rate, seed)
    thread = threading.Thread(target=proxy.server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.server.shutdown()
        proxy.server.server_close()
        thread.join(5)
