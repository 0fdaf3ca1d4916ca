"""A PDF's text layer is taken where the picture bears it out; else the page is drawn and read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fhirbridge import ocr
from fhirbridge.errors import UnreadableInput
from fhirbridge.ocr import _text_layer
from fhirbridge.records import Picture, Word

LINES = [f"Analyte{i} {i}.5{i} mmol/L {i}.0 - {i + 9}.0" for i in range(1, 9)]


def _pdf(lines: list[str], extra: str = "") -> bytes:
    """A one-page PDF by hand, 300 by 300 points, each part of a line at its own place."""
    text = []
    for row, line in enumerate(lines):
        for column, part in enumerate(line.split(" ", 2)):
            text.append(f"BT /F1 10 Tf {20 + 80 * column} {270 - 24 * row} Td ({part}) Tj ET")
    stream = "\n".join(text)
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Contents 4 0 R"
        " /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
    ]
    body, places = "%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    trailer = f"<< /Size {len(objects) + 1} /Root 1 0 R {extra} >>\nstartxref\n{len(body)}\n%%EOF"
    return f"{body}xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n{trailer}".encode()


class Echo:
    """An engine that reads what the layer of a page says, as far as the strip it is shown goes."""

    name = "echo"

    def __init__(self, words: tuple[Word, ...], change: str = "") -> None:
        self._words, self._change = words, change
        self.shown: list[int] = []

    def read(self, picture: NDArray[np.uint8]) -> tuple[Word, ...]:
        """The words, changed if so asked."""
        self.shown.append(picture.shape[0])
        return tuple(Word(w.text.replace(".", self._change or "."), w.box, 0.99) for w in self._words)


def _loaded(tmp_path: Path) -> Picture:
    path = tmp_path / "report.pdf"
    path.write_bytes(_pdf(LINES * 1))
    (picture,) = ocr.load(path)
    return picture


def test_the_text_layer_has_a_word_for_each_part_with_its_place(tmp_path: Path) -> None:
    picture = _loaded(tmp_path)
    assert picture.content_type == "application/pdf" and picture.pixels.shape[0] == 834
    first = next(w for w in picture.words if w.text == "1.51")
    ink = picture.pixels[first.box.y : first.box.y + first.box.height, first.box.x : first.box.x + first.box.width]
    assert ink.min() < 80
    assert [w.text for w in picture.words[:3]] == ["Analyte1", "1.51", "mmol/L 1.0 - 10.0"]


def test_a_sound_layer_spares_the_engine_the_page(tmp_path: Path) -> None:
    picture = _loaded(tmp_path)
    engine = Echo(picture.words)
    page = ocr.read_page(picture, engine)
    assert page.engine == "text layer" and page.words == picture.words
    assert max(engine.shown) < 0.3 * picture.pixels.shape[0]


def test_a_layer_that_says_other_numbers_than_the_picture_is_not_believed(tmp_path: Path) -> None:
    picture = _loaded(tmp_path)
    engine = Echo(picture.words, change="7")
    assert ocr.read_page(picture, engine).engine == "echo"
    assert max(engine.shown) == picture.pixels.shape[0]


def test_a_layer_without_unicode_is_not_believed(tmp_path: Path) -> None:
    picture = _loaded(tmp_path)
    odd = tuple(Word("\ufffd" * len(w.text), w.box, 1.0) for w in picture.words)
    other = Picture(picture.source, 1, picture.pixels, b"", "application/pdf", odd)
    assert not _text_layer.agrees(other, Echo(odd).read)


def test_an_encrypted_pdf_is_named(tmp_path: Path) -> None:
    key = "00" * 32
    lock = f"/Encrypt << /Filter /Standard /V 1 /R 2 /O <{key}> /U <{key}> /P -4 >> /ID [<{key[:32]}> <{key[:32]}>]"
    path = tmp_path / "locked.pdf"
    path.write_bytes(_pdf(LINES, lock))
    with pytest.raises(UnreadableInput, match=r"locked.pdf: the PDF is encrypted; save a copy without a password"):
        ocr.load(path)
