"""Where print stands on a picture, found without a model: ink joined along the line, without ruled lines and specks."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Cell:
    """A stretch of print: its four corners clockwise from top left."""

    quad: NDArray[np.float32]

    @property
    def width(self) -> float:
        """Its length along the line, in pixels."""
        return float(np.linalg.norm(self.quad[1] - self.quad[0]))

    @property
    def height(self) -> float:
        """Its height across the line, in pixels."""
        return float(np.linalg.norm(self.quad[3] - self.quad[0]))


def evened(picture: NDArray[np.uint8]) -> Grey:
    """The picture in grey with the paper evenly white: each pixel by the brightness of the paper round it."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    scale = 400 / max(grey.shape)
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
    paper = cv2.medianBlur(cv2.dilate(small, np.ones((5, 5), np.uint8)), 21)
    paper = cv2.resize(paper, (grey.shape[1], grey.shape[0]), interpolation=cv2.INTER_LINEAR)
    even: Grey = np.minimum(255.0, grey.astype(np.float32) * (250.0 / np.maximum(paper, 1))).astype(np.uint8)
    return even


def text_height(even: Grey) -> float:
    """The usual height of a character in pixels; 0 when there is no print."""
    ink = _ink(even, 25)
    _count, _labels, stats, _centres = cv2.connectedComponentsWithStats(ink, connectivity=8)
    high, wide, area = stats[1:, cv2.CC_STAT_HEIGHT], stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_AREA]
    letters = (high >= 6) & (high < 0.08 * even.shape[0]) & (wide < 3 * high) & (wide > 0.15 * high) & (area > 12)
    return float(np.quantile(high[letters], 0.6)) if letters.sum() >= 10 else 0.0


def find(even: Grey, size: float) -> list[Cell]:
    """The stretches of print on an evened picture whose characters are about `size` pixels high."""
    ink = _without_rules(_ink(even, int(1.5 * size) | 1), size)
    reach = max(3, int(0.75 * size))
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((max(1, int(0.15 * size)), reach), np.uint8))
    count, labels, stats, _centres = cv2.connectedComponentsWithStats(joined, connectivity=8)
    found = []
    for k in range(1, count):
        x, y, wide, high, area = stats[k]
        if high < 0.35 * size or area < 0.25 * size * size or (high > 4 * size and high > wide):
            continue
        mask = labels[y : y + high, x : x + wide] == k
        points = np.argwhere(mask & (ink[y : y + high, x : x + wide] > 0))
        if len(points) >= 4:
            origin = np.array([x, y], np.float32)
            found.append(Cell(_quad(points[:, ::-1].astype(np.float32) + origin, size)))
    return found


def _ink(even: Grey, block: int) -> Grey:
    ink: Grey = cv2.adaptiveThreshold(
        even, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, max(11, block | 1), 18
    )
    return ink


def _without_rules(ink: Grey, size: float) -> Grey:
    """The ink without ruled lines: strokes much longer than any character."""
    long = int(3.5 * size)
    across = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, long), np.uint8))
    down = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((int(2.2 * size), 1), np.uint8))
    rules = cv2.dilate(cv2.bitwise_or(across, down), np.ones((3, 3), np.uint8))
    clean: Grey = cv2.bitwise_and(ink, cv2.bitwise_not(rules))
    return clean


def _quad(points: NDArray[np.float32], size: float) -> NDArray[np.float32]:
    """The corners round some ink: tilted for a long stretch, upright for a short one; never flatter than a line."""
    low, high = points.min(axis=0), points.max(axis=0)
    if high[0] - low[0] < 3 * size:
        middle = (low[1] + high[1]) / 2
        half = max((high[1] - low[1]) / 2, 0.5 * size)
        return np.array(
            [[low[0], middle - half], [high[0], middle - half], [high[0], middle + half], [low[0], middle + half]],
            np.float32,
        )
    slope, rise = np.polyfit(points[:, 0], points[:, 1], 1)
    slope = float(np.clip(slope, -0.2, 0.2))
    off = points[:, 1] - (slope * points[:, 0] + rise)
    top, bottom = float(np.quantile(off, 0.002)), float(np.quantile(off, 0.998))
    ends = np.array([low[0], high[0]])
    upper, lower = slope * ends + rise + top, slope * ends + rise + bottom
    return np.array([[ends[0], upper[0]], [ends[1], upper[1]], [ends[1], lower[1]], [ends[0], lower[0]]], np.float32)
