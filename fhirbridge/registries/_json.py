"""Records out of JSON files of any size: one value, a list, a page with a list in it, or one record a line."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import orjson

from fhirbridge.errors import InputTooLarge, UnreadableInput
from fhirbridge.records import LeftOut

_CHUNK = 1 << 19
_STRUCTURE = re.compile(rb'["{}\[\]]')
LARGEST_RECORD = 200_000_000  # bytes of one record; more means the file is no list of records


def records(path: Path, keys: tuple[str, ...] = ("studies",)) -> Iterator[tuple[str, dict[str, Any]] | LeftOut]:
    """The JSON objects of a file one by one with their place; a line or element that is no object as LeftOut.

    Memory holds one record, whatever the size of the file. `keys` name the members of a page that hold its records.
    """
    for place, raw in _values(path, keys):
        try:
            value = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            yield LeftOut(place, f"not valid JSON ({error.msg} at character {error.pos}); the record is cut or damaged")
            continue
        for record in value if isinstance(value, list) else [value]:
            if isinstance(record, dict):
                yield place, record
            else:
                yield LeftOut(place, "no JSON object where a record should be")


def _values(path: Path, keys: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    try:
        with _open(path) as file:
            start = file.read(_CHUNK)
            if start[:3] == b"\xef\xbb\xbf":
                start = start[3:]
            if _is_lines(start):
                yield from _lines(path, file, start)
            else:
                yield from _elements(path, file, start, keys)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnreadableInput(path, "the compressed file ends too early or is damaged", "fetch it again") from error


def _open(path: Path) -> IO[bytes]:
    file = path.open("rb")
    if file.read(2) == b"\x1f\x8b":
        file.close()
        return cast("IO[bytes]", gzip.open(path, "rb"))
    file.seek(0)
    return file


def _is_lines(start: bytes) -> bool:
    """Whether each line is one record: the first line is a whole object and something follows it, or nothing else."""
    line = start.lstrip().split(b"\n", 1)[0].strip()
    if not line.startswith(b"{"):
        return False
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return "studies" not in value


def _lines(path: Path, file: IO[bytes], start: bytes) -> Iterator[tuple[str, bytes]]:
    number, rest = 0, start
    while True:
        *whole, rest = rest.split(b"\n")
        for line in whole:
            number += 1
            if line.strip():
                yield f"{path}, line {number}", line
        if len(rest) > LARGEST_RECORD:
            raise InputTooLarge(path, f"line {number + 1} is longer than {LARGEST_RECORD:,} bytes", "split the file")
        more = file.read(_CHUNK)
        if not more:
            break
        rest += more
    if rest.strip():
        yield f"{path}, line {number + 1}", rest


class _Scanner:
    """Finds where JSON values end without parsing them; keeps what is not yet given away."""

    def __init__(self, path: Path, file: IO[bytes], start: bytes) -> None:
        self.path, self.file, self.buffer, self.at = path, file, start, 0

    def more(self) -> bool:
        chunk = self.file.read(_CHUNK)
        if not chunk:
            return False
        self.buffer = self.buffer[self.at :] + chunk
        self.at = 0
        if len(self.buffer) > LARGEST_RECORD:
            raise InputTooLarge(self.path, f"one record is larger than {LARGEST_RECORD:,} bytes", "is it a list?")
        return True

    def next_sign(self) -> int:
        """The next sign that is not white space, not consumed; -1 at the end."""
        while True:
            while self.at < len(self.buffer):
                if self.buffer[self.at] not in b" \t\r\n":
                    return self.buffer[self.at]
                self.at += 1
            if not self.more():
                return -1

    def value(self) -> bytes:
        """The value that starts here, consumed; UnreadableInput when the file ends inside it."""
        self.next_sign()
        end = self._end(0)
        raw = self.buffer[self.at : self.at + end]
        self.at += end
        return raw

    def _end(self, length: int) -> int:
        depth, in_text, i = 0, False, length
        while True:
            while self.at + i >= len(self.buffer):
                if not self.more():
                    if depth == 0 and not in_text and i:
                        return i
                    raise UnreadableInput(self.path, "the JSON ends in the middle", "is the file complete?")
            sign = self.buffer[self.at + i]
            if in_text:
                i, in_text = self._text_end(i)
                if not in_text and depth == 0:
                    return i
                continue
            if depth:  # nothing but strings and brackets matters inside
                found = _STRUCTURE.search(self.buffer, self.at + i)
                i = (found.start() if found else len(self.buffer)) - self.at
                if not found:
                    continue
                sign = self.buffer[self.at + i]
            if sign == 0x22:
                in_text = True
            elif sign in b"{[":
                depth += 1
            elif sign in b"}]":
                if depth == 0:
                    return i
                depth -= 1
                if depth == 0:
                    return i + 1
            elif depth == 0 and sign in b",: \t\r\n":
                return i
            i += 1

    def _text_end(self, i: int) -> tuple[int, bool]:
        """Where a string that is open at i ends: (place after it, False), or (end of the buffer, True)."""
        while True:
            quote = self.buffer.find(b'"', self.at + i)
            if quote < 0:
                return len(self.buffer) - self.at, True
            slashes, k = 0, quote - 1
            while k >= self.at and self.buffer[k] == 0x5C:
                slashes, k = slashes + 1, k - 1
            i = quote + 1 - self.at
            if slashes % 2 == 0:
                return i, False


def _elements(path: Path, file: IO[bytes], start: bytes, keys: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    scanner = _Scanner(path, file, start)
    sign = scanner.next_sign()
    if sign == 0x5B:
        yield from _array(path, scanner)
    elif sign == 0x7B:
        yield from _page(path, scanner, keys)
    else:
        raise UnreadableInput(path, "not JSON", "give a JSON or NDJSON file")
    while (sign := scanner.next_sign()) != -1:  # pretty-printed records one after another
        if sign == 0x7B:
            yield str(path), scanner.value()
        else:
            raise UnreadableInput(path, "something follows the JSON value", "one value a file, or one a line")


def _array(path: Path, scanner: _Scanner) -> Iterator[tuple[str, bytes]]:
    scanner.at += 1
    number = 0
    while True:
        sign = scanner.next_sign()
        if sign == -1:
            raise UnreadableInput(path, "the JSON list ends in the middle", "is the file complete?")
        if sign == 0x5D:
            scanner.at += 1
            return
        if sign == 0x2C:
            scanner.at += 1
            continue
        number += 1
        raw = scanner.value()
        if not raw:
            raise UnreadableInput(path, f"not valid JSON at element {number}", "is the file complete?")
        yield f"{path}, record {number}", raw


def _page(path: Path, scanner: _Scanner, keys: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """An object: its own record, or the records of the list it holds under one of `keys`."""
    scanner.at += 1
    members: list[bytes] = []
    listed = False
    while True:
        sign = scanner.next_sign()
        if sign == -1:
            raise UnreadableInput(path, "the JSON ends in the middle", "is the file complete?")
        if sign == 0x7D:
            scanner.at += 1
            break
        if sign in b",:":
            scanner.at += 1
            continue
        key = scanner.value()
        if scanner.next_sign() != 0x3A:
            raise UnreadableInput(path, "not valid JSON: a member without value", "is the file complete?")
        scanner.at += 1
        if key.strip(b'"').decode("utf-8", "replace") in keys and scanner.next_sign() == 0x5B:
            listed = True
            yield from _array(path, scanner)
        else:
            members.append(key + b":" + scanner.value())
    if not listed:
        yield str(path), b"{" + b",".join(members) + b"}"
