"""XML records of any number, one at a time: no external entity is ever resolved, nothing is fetched."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from fhirbridge.errors import UnreadableInput


def records(path: Path, tag: str) -> Iterator[tuple[str, Element]]:
    """The elements named `tag` with their place, each freed when the next is asked for.

    Raises UnreadableInput for broken XML (naming the line) and for XML that declares entities.
    """
    number = 0
    try:
        with _open(path) as file:
            root: Element | None = None
            for event, element in ElementTree.iterparse(file, events=("start", "end"), forbid_dtd=False):
                if root is None:
                    root = element
                if event == "end" and element.tag.rpartition("}")[2] == tag:
                    number += 1
                    yield f"{path}, record {number}", element
                    root.clear()
    except DefusedXmlException as error:
        raise UnreadableInput(
            path, "the XML declares entities, which are never resolved", "remove the DOCTYPE and its entities"
        ) from error
    except ParseError as error:
        line, column = error.position
        where = f"not valid XML at line {line}, column {column}"
        raise UnreadableInput(path, where, "is the file complete, and its encoding as declared?") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnreadableInput(path, "the compressed file ends too early or is damaged", "fetch it again") from error


def _open(path: Path) -> IO[bytes]:
    file = path.open("rb")
    magic = file.read(2)
    file.seek(0)
    if magic == b"\x1f\x8b":
        file.close()
        return cast("IO[bytes]", gzip.open(path, "rb"))
    return file


def text(element: Element, path: str) -> str:
    """The text at a path below the element, "" where there is none."""
    found = element.find(path)
    return (found.text or "").strip() if found is not None else ""


def texts(element: Element, path: str) -> tuple[str, ...]:
    """The texts of all elements at a path, empty ones left out, each once."""
    found = ((e.text or "").strip() for e in element.iterfind(path))
    return tuple(dict.fromkeys(t for t in found if t))
