"""Engines that crash, hang, lie or are missing come in through the real door and leave as one clear line."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from numpy.typing import NDArray

from fhirbridge import ocr
from fhirbridge.errors import EngineError, MissingDependency
from fhirbridge.ocr import _pages, rapidocr, tesseract
from fhirbridge.records import Picture, Word

BLANK = Picture("blank.png", 1, np.full((200, 300, 3), 255, np.uint8), b"", "image/png")


class Crashing:
    """Fails as native code does: with anything."""

    name = "crashing"

    def read(self, picture: NDArray[np.uint8]) -> tuple[Word, ...]:
        """Nothing."""
        raise ZeroDivisionError("inside")


class Hanging:
    """Never answers."""

    name = "hanging"

    def __init__(self) -> None:
        self.free = threading.Event()

    def read(self, picture: NDArray[np.uint8]) -> tuple[Word, ...]:
        """Nothing, late."""
        self.free.wait(30)
        return ()


class Lying:
    """Gives text where words are due."""

    name = "lying"

    def read(self, picture: NDArray[np.uint8]) -> object:
        """The wrong thing."""
        return "some text"


def test_a_crash_names_the_engine_and_the_cure() -> None:
    with pytest.raises(EngineError, match=r"crashing crashed \(ZeroDivisionError\); try another one with --ocr"):
        ocr.read_page(BLANK, Crashing())


def test_a_hang_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pages, "LIMIT_SECONDS", 0.05)
    engine = Hanging()
    with pytest.raises(EngineError, match=r"hanging did not finish within 0.05 s"):
        ocr.read_page(BLANK, engine)
    engine.free.set()


def test_nonsense_is_refused() -> None:
    with pytest.raises(EngineError, match="lying gave str where words were due"):
        ocr.read_page(BLANK, Lying())  # type: ignore[arg-type]


def test_a_missing_program_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    assert "apt-get install tesseract-ocr" in str(tesseract.available())
    with pytest.raises(MissingDependency, match="tesseract is not installed"):
        tesseract.create()


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert "pip install rapidocr" in str(rapidocr.available())
    with pytest.raises(MissingDependency, match="pip install"):
        ocr.best()


def test_a_broken_rapidocr_is_an_engine_error(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = rapidocr.RapidOcr(threads=1)

    def broken(_picture: object) -> object:
        raise RuntimeError("model file damaged")

    monkeypatch.setattr(engine, "_reader", broken)
    with pytest.raises(EngineError, match=r"rapidocr failed on this picture .*try --ocr tesseract"):
        ocr.read_page(BLANK, engine)
