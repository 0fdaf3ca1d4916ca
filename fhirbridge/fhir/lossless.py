"""JSON whose numbers keep their printed digits, and files that are never half-written.

`Decimal` in, `Decimal` out: 12.30 stays 12.30. Objects keep the order of their members.
"""

from __future__ import annotations

import gzip
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import simplejson

from fhirbridge.errors import UnreadableInput


def loads(text: str | bytes, source: object = "JSON") -> Any:
    """The value of a JSON text, numbers with a point as Decimal; UnreadableInput names the line and column."""
    try:
        return simplejson.loads(text, parse_float=Decimal)
    except simplejson.JSONDecodeError as error:
        raise UnreadableInput(
            source, f"not valid JSON at line {error.lineno}, column {error.colno}", "is the file complete?"
        ) from error
    except UnicodeDecodeError as error:
        raise UnreadableInput(source, f"not UTF-8 at byte {error.start}", "save it as UTF-8") from error


def dumps(value: Any, indent: int | None = None) -> str:
    """JSON text of a value; Decimals print as they are."""
    if indent is None:
        try:
            return orjson.dumps(value, default=_digits).decode()
        except orjson.JSONEncodeError:  # such as an integer of more than 64 bits
            pass
    separators = (",", ":") if indent is None else (",", ": ")
    return simplejson.dumps(value, use_decimal=True, ensure_ascii=False, indent=indent, separators=separators)


def _digits(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    raise TypeError(type(value).__name__)


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """The non-empty lines of an NDJSON file, gz or not, with their numbers from 1."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, line


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all: beside its place first, then renamed onto it."""
    with writing(path) as file:
        file.write(text.encode("utf-8"))


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """A file to be written piece by piece, that takes its place when the block ends and leaves nothing if it fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        Path(beside).chmod(0o644)
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
