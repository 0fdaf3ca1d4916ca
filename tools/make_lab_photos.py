#!/usr/bin/env python3
"""Pictures of flat laboratory reports -> photos of bent and creased sheets, with their truth.

    python tools/make_lab_photos.py CLEAN_DIR OUT_DIR [--seed 7] [--amount 1.0] [--harder 0.0]

CLEAN_DIR holds <id>.png beside <id>.json. Each becomes OUT_DIR/<id>.jpg, and the .json is copied: what is printed does
not change. The sheet is bent along a smooth wave and folded along one or two creases (the print is displaced, and
squeezed where the paper turns away), lit from one side, seen at a slant, blurred, noisy, compressed. `--amount 1`
moves print by up to about one and a half lines. `--harder` is the share of photos that also have a hand's shadow, the
moire of a screen, a low resolution, motion blur, or lie sideways.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def photo(
    sheet: NDArray[np.uint8], rng: np.random.Generator, amount: float, *, harder: float = 0.0
) -> NDArray[np.uint8]:
    """A flat BGR sheet as a phone sees it: bent, creased, slanted, unevenly lit."""
    height, width = sheet.shape[:2]
    margin = int(0.06 * width)
    drop, slope = _bend(width, rng, amount)
    x, y = np.meshgrid(np.arange(width + 2 * margin) - margin, np.arange(height + 2 * margin) - margin)
    along = np.clip(x, 0, width - 1).astype(int)
    growing = 0.7 + 0.6 * np.clip(y / height, 0, 1)  # paper bends more at its free end
    from_y = (y - drop[along] * growing).astype(np.float32)
    squeezed = np.cumsum(np.sqrt(1 + slope**2))
    squeezed *= (width - 1) / squeezed[-1]
    from_x = np.where((x < 0) | (x >= width), x, squeezed[along]).astype(np.float32)
    bent = cv2.remap(sheet, from_x, from_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT, borderValue=_table(rng))
    light = 1 - 0.5 * np.clip(slope[along] * rng.choice([-1, 1]) * 4, -0.35, 0.6) - rng.uniform(0.0, 0.25) * x / width
    lit = bent.astype(np.float64) * np.clip(light, 0.35, 1.1)[..., None]
    scene = _slanted(lit, rng)
    return _camera(_harder(scene, rng) if rng.random() < harder else scene, rng)


def _bend(width: int, rng: np.random.Generator, amount: float) -> tuple[Floats, Floats]:
    """How far each column of the sheet is moved down, and the paper's slope there."""
    x = np.linspace(0, 1, width)
    drop = amount * rng.uniform(12, 26) * np.sin(np.pi * x * rng.uniform(0.7, 1.6) + rng.uniform(0, np.pi))
    for _ in range(int(rng.integers(1, 3))):
        fold = rng.uniform(0.2, 0.8)
        drop += amount * rng.uniform(-30, 30) * np.maximum(0, x - fold)
    drop -= drop.mean()
    return drop, np.gradient(drop)


def _table(rng: np.random.Generator) -> tuple[float, float, float]:
    base = float(rng.uniform(60, 160))
    return base, base + float(rng.uniform(-20, 20)), base + float(rng.uniform(-30, 30))


def _slanted(sheet: Floats, rng: np.random.Generator) -> Floats:
    height, width = sheet.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + rng.uniform(-0.025, 0.025, (4, 2)).astype(np.float32) * np.array([width, height], np.float32)
    warp = cv2.getPerspectiveTransform(corners, moved)
    slanted: Floats = cv2.warpPerspective(sheet, warp, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return slanted


def _harder(scene: Floats, rng: np.random.Generator) -> Floats:
    """The scene with one more of what phones do to a page."""
    height, width = scene.shape[:2]
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    turn = rng.uniform(0, np.pi)
    across = x * np.cos(turn) + y * np.sin(turn)
    match rng.integers(0, 5):
        case 0:  # the shadow of a hand
            edge = 1 / (1 + np.exp(-(across / width - rng.uniform(0.2, 0.8)) * rng.uniform(15, 60)))
            return np.asarray(scene * (1 - 0.45 * edge)[..., None])
        case 1:  # a screen, photographed
            stripes = np.sin(across * rng.uniform(0.4, 1.0) + 3 * np.sin(y / 90))
            return np.asarray(scene + stripes[..., None] * rng.uniform(8, 16) * np.array([1, 0.7, 0.9]))
        case 2:  # a picture sent through a messenger
            return np.asarray(cv2.resize(scene, None, fx=0.66, fy=0.66, interpolation=cv2.INTER_AREA))
        case 3:  # a moved phone
            return np.asarray(cv2.filter2D(scene, -1, _motion(rng)))
        case _:  # a page lying on its side
            return np.asarray(np.rot90(scene, int(rng.choice([1, 2, 3]))))


def _motion(rng: np.random.Generator) -> Floats:
    size = int(rng.integers(3, 6))
    return np.full((1, size), 1.0 / size)


def _camera(scene: Floats, rng: np.random.Generator) -> NDArray[np.uint8]:
    blurred = cv2.GaussianBlur(scene, (0, 0), float(rng.uniform(0.5, 0.9)))
    noisy = blurred + rng.normal(0, 4, blurred.shape)
    _done, data = cv2.imencode(
        ".jpg", np.clip(noisy, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 88))]
    )
    taken: NDArray[np.uint8] = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return taken


def main() -> None:
    """Read the arguments and write the photos."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clean", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--harder", type=float, default=0.0)
    parser.add_argument("--amount", type=float, default=1.0)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(sorted(args.clean.glob("*.png"))):
        rng = np.random.default_rng(args.seed + number)
        taken = photo(np.asarray(cv2.imread(str(picture)), dtype=np.uint8), rng, args.amount, harder=args.harder)
        cv2.imwrite(str(args.out / f"{picture.stem}.jpg"), taken, [cv2.IMWRITE_JPEG_QUALITY, 90])
        shutil.copy(picture.with_suffix(".json"), args.out / f"{picture.stem}.json")


if __name__ == "__main__":
    main()
