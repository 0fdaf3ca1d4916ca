"""The default engine on a small rendered sheet: upright, and photographed askew on its side."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from fhirbridge import ocr
from fhirbridge.extract import lab_report
from fhirbridge.ocr import rapidocr

ROWS = (
    ("Glucose", "124", "mg/dL", "65 - 99"),
    ("Sodium", "138", "mmol/L", "135 - 146"),
    ("BUN", "14.5", "mg/dL", "7 - 25"),
)

pytestmark = pytest.mark.skipif(rapidocr.available() is not None, reason="rapidocr is not installed")


@pytest.fixture(scope="module")
def engine() -> rapidocr.RapidOcr:
    """One engine for all tests: its models take a second to load."""
    return rapidocr.RapidOcr(threads=1)


def _sheet() -> Image.Image:
    image = Image.new("RGB", (640, 230), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(20)
    for line, parts in enumerate((("Test", "Result", "Units", "Reference Range"), *ROWS)):
        for x, text in zip((30, 220, 330, 460), parts, strict=True):
            draw.text((x, 25 + 45 * line), text, "black", font)
    return image


@pytest.mark.parametrize("askew", [False, True])
def test_a_sheet_is_read_however_it_lies(engine: rapidocr.RapidOcr, askew: bool) -> None:
    sheet = _sheet()
    if askew:
        wider = Image.new("RGB", (720, 330), "white")
        wider.paste(sheet, (40, 50))
        sheet = wider.rotate(3, fillcolor="white").rotate(90, expand=True)
    (picture,) = ocr.load(sheet)
    page = ocr.read_page(picture, engine)
    report = lab_report.read([page])
    assert [(r.name, r.value_text, r.unit) for r in report.results] == [row[:3] for row in ROWS]
    for result in report.results:
        b = result.box
        inside = np.asarray(sheet)[b.y : b.y + b.height, b.x : b.x + b.width]
        assert inside.size and inside.min() < 60, "the box lies on the print"
