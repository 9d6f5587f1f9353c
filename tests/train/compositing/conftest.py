"""Plain photos: one coloured thing, a hue for each class, on a grey background with some noise."""

import colorsys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.preprocess import Image

_OUTLINES = {
    "hat": [(20, 90), (20, 60), (48, 40), (76, 60), (76, 90)],
    "shirt": [(8, 30), (35, 20), (61, 20), (88, 30), (88, 55), (70, 50), (70, 105), (26, 105), (26, 50), (8, 55)],
    "pants": [(28, 12), (68, 12), (74, 116), (52, 116), (48, 50), (44, 116), (22, 116)],
    "shoe": [(14, 80), (14, 55), (40, 55), (82, 70), (82, 80)],
}


@pytest.fixture(scope="session")
def hues() -> dict[str, float]:
    """Hue of each class, in [0, 1)."""
    return {label: number / len(_OUTLINES) for number, label in enumerate(_OUTLINES)}


@pytest.fixture(scope="session")
def draw_mask() -> Callable[[str], NDArray[np.uint8]]:
    """Return the (128, 96) mask of a class."""

    def draw(label: str) -> NDArray[np.uint8]:
        mask = np.zeros((128, 96), np.uint8)
        cv2.fillPoly(mask, [np.array(_OUTLINES[label], np.int32)], 1)
        return mask

    return draw


@pytest.fixture(scope="session")
def draw_photo(hues: dict[str, float], draw_mask: Callable[[str], NDArray[np.uint8]]) -> Callable[[str, int], Image]:
    """Return a (128, 96, 3) BGR photo of a class; each seed has other noise."""

    def draw(label: str, seed: int) -> Image:
        red, green, blue = colorsys.hsv_to_rgb(hues[label], 0.85, 0.8)
        mask = draw_mask(label)[..., None]
        image = np.where(mask > 0, np.array([blue, green, red]) * 255, 150.0)
        noise = np.random.default_rng(seed).normal(0, 3, image.shape)
        return np.clip(image + noise, 0, 255).astype(np.uint8)

    return draw


@pytest.fixture
def plain_photos(draw_photo: Callable[[str, int], Image], tmp_path: Path) -> Path:
    """A folder per class with four photos each."""
    for label in _OUTLINES:
        (tmp_path / "photos" / label).mkdir(parents=True)
        for seed in range(4):
            cv2.imwrite(str(tmp_path / "photos" / label / f"{seed}.png"), draw_photo(label, seed))
    return tmp_path / "photos"
