"""The pictures of a report -> attachments: the files as they came, or copies in which only the rows are left."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from fhirbridge.records import Box, LabReport, Picture

_MOST = 3 * 1024 * 1024 // 4  # bytes of a file whose base64 stays within the 1 MB that a FHIR string may have
_ROOM = 0.3  # of a row's height, left round each row so that its print is not cut


def attachments(pictures: Sequence[Picture]) -> list[dict[str, Any]]:
    """One attachment a file, in order, with its bytes, SHA-1 (as FHIR asks) and size."""
    files: dict[int, Picture] = {}
    for picture in pictures:
        files.setdefault(id(picture.data), picture)
    return [_fitting(p.data, p.content_type, p.pixels) for p in files.values()]


def _fitting(data: bytes, media: str, pixels: Any) -> dict[str, Any]:
    """The file, or, where it is too large for a FHIR element, a JPEG of the same pixels, so that boxes still fit.

    A PDF too large has its size and hash only. The hash is that of the data shown; ids come from the original file.
    """
    if len(data) <= _MOST:
        return _attachment(data, media)
    if media.startswith("image/"):
        image = Image.fromarray(pixels)
        for kind, quality in ((image, 80), (image, 60), (image.convert("L"), 50), (image.convert("L"), 25)):
            stream = io.BytesIO()
            kind.save(stream, "JPEG", quality=quality)
            if stream.tell() <= _MOST:
                return _attachment(stream.getvalue(), "image/jpeg") | {"title": "recompressed copy, same pixels"}
    return {key: value for key, value in _attachment(data, media).items() if key != "data"}


def content_of(pictures: Sequence[Picture], *, blanked: bool) -> dict[int, int]:
    """Which attachment a page lies in, by page number; a blanked copy has one attachment a page."""
    if blanked:
        return {p.page: n for n, p in enumerate(pictures)}
    order = list(dict.fromkeys(id(p.data) for p in pictures))
    return {p.page: order.index(id(p.data)) for p in pictures}


def blanked(pictures: Sequence[Picture], report: LabReport) -> list[dict[str, Any]]:
    """PNG attachments, one a page, in which everything but the rows of results is white; no metadata survives."""
    left = [_rows_only(p, report) for p in pictures]
    return [_fitting(_png(pixels), "image/png", pixels) for pixels in left]


def digest(pictures: Sequence[Picture]) -> str:
    """The SHA-256 of the files: what ids are made of."""
    total = hashlib.sha256()
    for data in dict.fromkeys(p.data for p in pictures):
        total.update(hashlib.sha256(data).digest())
    return total.hexdigest()


def _rows_only(picture: Picture, report: LabReport) -> Any:
    height, width = picture.pixels.shape[:2]
    out = np.full_like(picture.pixels, 255)
    for row in report.results:
        if row.box.page == picture.page:
            room = int(row.box.height * _ROOM)
            here = _window(row.box, room, (height, width))
            out[here] = picture.pixels[here]
    for name, box in report.header.boxes:
        if box.page == picture.page and name != "specimen":
            out[_window(box, 2, (height, width))] = 255
    for page in report.pages:  # print of a line above that a tilted row's upright box takes in
        if page.number == picture.page:
            for word in page.words:
                if not _in_rows(word.box, report):
                    out[_window(word.box, 1, (height, width))] = 255
    return out


def _in_rows(box: Box, report: LabReport) -> bool:
    x, y = box.x + box.width / 2, box.y + box.height / 2
    rows = (r.box for r in report.results if r.box.page == box.page)
    return any(r.x <= x <= r.x + r.width and r.y <= y <= r.y + r.height for r in rows)


def _window(box: Box, room: int, shape: tuple[int, int]) -> tuple[slice, slice]:
    height, width = shape
    return (
        slice(max(0, box.y - room), min(height, box.y + box.height + room)),
        slice(max(0, box.x - room), min(width, box.x + box.width + room)),
    )


def _png(pixels: Any) -> bytes:
    store = io.BytesIO()
    Image.fromarray(pixels).save(store, "PNG", optimize=False, compress_level=6)
    return store.getvalue()


def _attachment(data: bytes, media: str) -> dict[str, Any]:
    return {
        "contentType": media,
        "data": base64.b64encode(data).decode("ascii"),
        "size": len(data),
        "hash": base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode("ascii"),
    }
