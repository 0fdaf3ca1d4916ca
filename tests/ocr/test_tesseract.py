"""Tesseract: two models that agree on a number are believed more, and cut-out numbers are read a second time."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from fhirbridge.ocr import tesseract


def test_a_number_that_both_models_read_alike_is_surer_than_either() -> None:
    both = tesseract._agreed(tesseract._Read("6.30", 0.82), tesseract._Read("6.30", 0.8))
    assert both.text == "6.30" and both.sure > 0.95


@pytest.mark.parametrize("other", ["6.80", "630"])
def test_a_number_that_they_read_differently_is_not(other: str) -> None:
    assert tesseract._agreed(tesseract._Read("6.30", 0.82), tesseract._Read(other, 0.8)).sure == 0.82


def test_words_that_both_read_alike_stay_as_sure_as_they_were() -> None:
    assert tesseract._agreed(tesseract._Read("mg", 0.82), tesseract._Read("mg", 0.8)).sure == 0.82


def _printed(text: str) -> NDArray[np.uint8]:
    """A number on grey paper in a shadow, as it is cut from a photo."""
    image = Image.new("RGB", (150, 48), (150, 145, 140))
    ImageDraw.Draw(image).text((20, 8), text, font=ImageFont.load_default(30), fill=(60, 60, 60))
    return np.asarray(image, dtype=np.uint8)


@pytest.mark.skipif(tesseract.available() is not None, reason="tesseract is not installed")
def test_cut_out_numbers_are_read_from_grey_paper() -> None:
    values = ["6.30", "287.0", "0.20", "13.1"]
    assert tesseract.create().read_cells([_printed(value) for value in values]) == values
