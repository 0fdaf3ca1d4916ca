"""Pictures in, upright RGB out; what cannot be read is refused in one line that names file, reason and cure."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fhirbridge import ocr
from fhirbridge.errors import EmptyInput, InputError, InputTooLarge, MissingInput, UnreadableInput


def _save(path: Path, image: Image.Image, **how: object) -> Path:
    image.save(path, **how)  # type: ignore[arg-type]
    return path


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    image = Image.new("RGB", (300, 200), "white")
    image.paste((255, 0, 0), (0, 0, 50, 50))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to show
    (picture,) = ocr.load(_save(tmp_path / "phone.jpg", image, exif=exif))
    assert picture.pixels.shape == (300, 200, 3)
    assert picture.pixels[10, 190, 0] > 200 and picture.pixels[10, 190, 1] < 60  # the red corner is now top right


def test_every_way_of_giving_a_picture_gives_the_same(tmp_path: Path) -> None:
    image = Image.new("RGB", (200, 150), "white")
    path = _save(tmp_path / "a.png", image)
    for source in (path, str(path), path.read_bytes(), image, np.asarray(image)):
        (picture,) = ocr.load(source)
        assert picture.pixels.shape == (150, 200, 3) and picture.content_type == "image/png"


def test_pages_are_counted_across_files(tmp_path: Path) -> None:
    one = _save(tmp_path / "a.png", Image.new("L", (200, 150), 255))
    two = _save(
        tmp_path / "b.tiff",
        Image.new("L", (200, 150), 255),
        save_all=True,
        append_images=[Image.new("L", (200, 150), 9)],
    )
    assert [p.page for p in ocr.load([one, two])] == [1, 2, 3]


def test_transparent_ground_is_white() -> None:
    (picture,) = ocr.load(Image.new("RGBA", (200, 200), (0, 0, 0, 0)))
    assert picture.pixels.min() == 255


def test_a_heic_photo_is_read(tmp_path: Path) -> None:
    import pillow_heif

    path = tmp_path / "iphone.heic"
    pillow_heif.from_pillow(Image.new("RGB", (240, 160), (200, 30, 30))).save(path)
    (picture,) = ocr.load(path)
    assert picture.pixels.shape == (160, 240, 3) and picture.content_type == "image/heic"


def test_a_hundred_megapixels_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    path = _save(tmp_path / "huge.png", Image.new("1", (10_000, 10_000)))
    with pytest.raises(InputTooLarge, match=r"huge.png: more than 80 megapixels; scale"):
        ocr.load(path)


def test_a_decompression_bomb_is_refused(tmp_path: Path) -> None:
    path = _save(tmp_path / "bomb.png", Image.new("1", (30_000, 30_000)))
    with pytest.raises(InputTooLarge, match=r"bomb.png: more than 80 megapixels"):
        ocr.load(path)


@pytest.mark.parametrize(
    ("name", "data", "error", "words"),
    [
        ("note.txt", b"hello, this is no picture", UnreadableInput, "not a picture that can be read; give a JPEG"),
        ("empty.jpg", b"", EmptyInput, "the file is empty"),
        ("broken.pdf", b"%PDF-1.7 nothing", UnreadableInput, "the PDF is damaged"),
    ],
)
def test_what_is_no_picture(tmp_path: Path, name: str, data: bytes, error: type[InputError], words: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(error, match=words):
        ocr.load(path)


def test_a_cut_off_jpeg_is_damaged(tmp_path: Path) -> None:
    store = io.BytesIO()
    Image.effect_noise((400, 400), 80).convert("RGB").save(store, "JPEG")
    path = tmp_path / "cut.jpg"
    path.write_bytes(store.getvalue()[:4000])
    with pytest.raises(UnreadableInput, match=r"cut.jpg: the picture is damaged"):
        ocr.load(path)


def test_a_thumbnail_is_too_small(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match="50 x 50 pixels are too few to read"):
        ocr.load(_save(tmp_path / "thumb.jpg", Image.new("RGB", (50, 50))))


def test_no_such_file() -> None:
    with pytest.raises(MissingInput, match="no such file"):
        ocr.load("nowhere.jpg")


def test_an_array_that_is_no_picture() -> None:
    with pytest.raises(UnreadableInput, match="is not a picture"):
        ocr.load(np.zeros((10, 10), np.float32))
