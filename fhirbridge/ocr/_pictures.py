"""Files, bytes, PIL images and arrays -> upright RGB pictures, refused early and by name when they cannot be read."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from fhirbridge.errors import EmptyInput, InputTooLarge, MissingInput, UnreadableInput
from fhirbridge.records import Picture

MOST_PIXELS = 80_000_000  # a phone's 48 megapixels pass; 100 megapixels and decompression bombs do not
MOST_BYTES = 100_000_000
MOST_PAGES = 50
LEAST_SIDE = 100  # below this not even a row of print is legible

_MEDIA = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "TIFF": "image/tiff", "WEBP": "image/webp"}
_MEDIA |= {"BMP": "image/bmp", "GIF": "image/gif", "HEIF": "image/heic"}


def load(source: str | Path | bytes | Any | Sequence[Any]) -> tuple[Picture, ...]:
    """The pictures of a report, in order and with pages counted from 1: a path, bytes, PIL image, RGB array or a list.

    Raises MissingInput, UnreadableInput, EmptyInput or InputTooLarge, each naming the file and the cure.
    """
    sources = source if isinstance(source, (list, tuple)) else [source]
    pages = [page for one in sources for page in _pages(one)]
    if not pages:
        raise EmptyInput("lab report", "no picture given", "give at least one photo, scan or PDF")
    return tuple(
        Picture(name, number, pixels, data, media, words)
        for number, (name, pixels, data, media, words) in enumerate(pages, start=1)
    )


def _pages(source: Any) -> Iterator[tuple[Any, ...]]:
    if isinstance(source, np.ndarray):
        yield _array(source)
    elif isinstance(source, Image.Image):
        yield _checked("image", source, _png(source), "image/png")
    else:
        name, data = ("bytes", source) if isinstance(source, bytes) else _file(Path(source))
        if data[:1024].lstrip().startswith(b"%PDF"):
            from fhirbridge.ocr import _pdf

            yield from _pdf.pages(name, data)
        else:
            yield from _frames(name, data)


def _file(path: Path) -> tuple[str, bytes]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputTooLarge(path.name, f"larger than {MOST_BYTES // 1_000_000} MB", "send a smaller copy")
        data = path.read_bytes()
    except FileNotFoundError as exc:
        raise MissingInput(path, "no such file", "check the path") from exc
    except OSError as exc:
        raise UnreadableInput(path, f"cannot be opened ({exc.strerror})", "check that it is a readable file") from exc
    if not data:
        raise EmptyInput(path.name, "the file is empty", "copy it again")
    return path.name, data


def _frames(name: str, data: bytes) -> Iterator[tuple[Any, ...]]:
    try:
        image = _open(data)
    except UnidentifiedImageError as exc:
        cure = "give a JPEG, PNG, TIFF, WebP, HEIC or PDF"
        raise UnreadableInput(name, "not a picture that can be read", cure) from exc
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:
        raise _too_many(name) from exc
    except (OSError, ValueError, SyntaxError) as exc:
        raise UnreadableInput(name, "the picture is damaged", "take or copy it again") from exc
    count = getattr(image, "n_frames", 1) if image.format == "TIFF" else 1
    for index in range(min(count, MOST_PAGES)):
        image.seek(index)
        yield _checked(name, image, data, _MEDIA.get(image.format or "", "application/octet-stream"))


def _open(data: bytes) -> Image.Image:
    """The decoded picture, HEIC too. Pillow's own bomb check runs first, as an error."""
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc", b"ftypheim", b"ftypmsf1"):
        import pillow_heif

        pillow_heif.register_heif_opener()
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return Image.open(io.BytesIO(data))


def _checked(name: str, image: Image.Image, data: bytes, media: str) -> tuple[Any, ...]:
    """One page as (name, pixels, data, media type, words); decoding happens only after the size was looked at."""
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise _too_many(name)
    if min(width, height) < LEAST_SIDE:
        reason = f"{width} x {height} pixels are too few to read"
        raise UnreadableInput(name, reason, f"send the picture itself, at least {LEAST_SIDE} pixels high and wide")
    try:
        upright = ImageOps.exif_transpose(image)
        return name, np.asarray(_on_white(upright)), data, media, ()
    except (OSError, ValueError, SyntaxError, EOFError) as exc:
        raise UnreadableInput(name, "the picture is damaged or cut off", "take or copy it again") from exc


def _on_white(image: Image.Image) -> Image.Image:
    """RGB, with transparent parts white: black print on a transparent ground would vanish otherwise."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image, dtype=np.float64)
        values = 255 * (values - values.min()) / max(float(np.ptp(values)), 1.0)
        return Image.fromarray(values.astype(np.uint8)).convert("RGB")
    return image.convert("RGB")


def _array(array: NDArray[Any]) -> tuple[Any, ...]:
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        cure = "give uint8 of shape (height, width), (height, width, 3) or (height, width, 4), RGB"
        raise UnreadableInput("array", f"{array.dtype} of shape {array.shape} is not a picture", cure)
    image = Image.fromarray(array)
    return _checked("array", image, _png(image), "image/png")


def _png(image: Image.Image) -> bytes:
    if image.width * image.height > MOST_PIXELS:
        raise _too_many("image")
    store = io.BytesIO()
    _on_white(image).save(store, "PNG", compress_level=1)
    return store.getvalue()


def _too_many(name: str) -> InputTooLarge:
    limit = f"more than {MOST_PIXELS // 1_000_000} megapixels"
    return InputTooLarge(name, limit, "scale the picture down; 3000 pixels a side are plenty")
