"""A laboratory page, file to FHIR, against the bare engine on the same page: processor time and peak memory.

usage: python -m benchmarks.lab_speed ENGINE PICTURE...
One line a picture: seconds of the bare engine (its own call on the decoded picture, models loaded), seconds of
`read_lab_report`, their ratio; child processes count. Then the peak memory of a fresh process that reads the largest.
The bare Tesseract is one `image_to_data` of the whole picture with the languages that the page needs.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

import fhirbridge as fb
from fhirbridge import choices


def main(arguments: list[str]) -> int:
    """Measure and print."""
    if len(arguments) < 2:
        print(__doc__)
        return 2
    name, files = arguments[0], [Path(one) for one in arguments[1:]]
    if name == "--once":
        fb.read_lab_report(files[1], ocr=choices.module("ocr", str(files[0])).create())
        return 0
    engine = choices.module("ocr", name).create()
    fb.read_lab_report(files[0], ocr=engine)  # models and tables are loaded
    ratios = []
    for file in files:
        pixels = _pixels(file)
        bare = min(_seconds(lambda pixels=pixels: _bare(engine, pixels)) for _ in range(2))  # type: ignore[misc]
        whole = min(_seconds(lambda file=file: fb.read_lab_report(file, ocr=engine)) for _ in range(2))  # type: ignore[misc]
        ratios.append(whole / bare)
        print(f"{file.stem:12} bare {bare:5.2f} s, file to FHIR {whole:5.2f} s, ratio {ratios[-1]:.2f}", flush=True)
    print(f"median ratio {statistics.median(ratios):.2f}, worst {max(ratios):.2f}")
    largest = max(files, key=lambda file: _pixels(file).size)
    print(f"peak memory {_peak(name, largest):.2f} GB ({largest.stem})")
    return 0


def _pixels(file: Path) -> NDArray[np.uint8]:
    return np.asarray(ImageOps.exif_transpose(Image.open(file)).convert("RGB"), dtype=np.uint8)


def _bare(engine: Any, pixels: NDArray[np.uint8]) -> None:
    if engine.name != "tesseract":
        engine.read(pixels)
        return
    import pytesseract

    pytesseract.image_to_data(Image.fromarray(pixels), lang="chi_sim+eng", config="--psm 6")


def _seconds(work: Callable[[], object]) -> float:
    before = _processor()
    work()
    return _processor() - before


def _processor() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _peak(engine: str, file: Path) -> float:
    """The largest resident memory of a fresh process, or of a program it starts, in GB."""
    subprocess.run([sys.executable, "-m", "benchmarks.lab_speed", "--once", engine, str(file)], check=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
