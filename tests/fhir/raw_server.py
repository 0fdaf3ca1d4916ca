"""A server on loopback that answers with given bytes, for faults no well-behaved server shows."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Answering = Callable[[socket.socket], None]


class Raw:
    """`base` is its URL; `requests` what came, whole; the n-th request gets the n-th answer, the last one for ever."""

    def __init__(self, *answers: bytes | Answering) -> None:
        self.answers = answers
        self.requests: list[bytes] = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self.socket.getsockname()[1]}/fhir"

    def serve(self) -> None:
        """Answer until the listening socket is closed."""
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(10)
                try:
                    self._answer(connection)
                except OSError:
                    continue

    def _answer(self, connection: socket.socket) -> None:
        self.requests.append(_request(connection))
        answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
        if callable(answer):
            answer(connection)
        else:
            connection.sendall(answer)


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(x.split(b":")[1]) for x in head.split(b"\r\n") if x.lower().startswith(b"content-length")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answer(status: int, body: str = "{}", **headers: str) -> bytes:
    """A whole HTTP answer that closes the connection."""
    lines = [f"HTTP/1.1 {status} x", "Content-Type: application/fhir+json", f"Content-Length: {len(body.encode())}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "Connection: close", "", body]).encode()


def dropped(connection: socket.socket) -> None:
    """Close without a word."""
    connection.shutdown(socket.SHUT_RDWR)


def dripping(connection: socket.socket) -> None:
    """One byte every twentieth of a second, for half a minute at most."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: 60000\r\n\r\n")
    for _ in range(600):
        connection.sendall(b" ")
        time.sleep(0.05)


@contextmanager
def raw_server(*answers: bytes | Answering) -> Iterator[Raw]:
    """A running server that gives these answers."""
    server = Raw(*answers)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.socket.shutdown(socket.SHUT_RDWR)
        server.socket.close()
        thread.join(5)
