"""Photos that differ enough not to be copies of one another."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime.preprocess import Image
from train.data.photos import Photo, PhotoSet


def make_image(seed: int, height: int = 64, width: int = 48) -> Image:
    """Return a coarse pattern of random colours."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


@pytest.fixture
def make_photos(tmp_path: Path) -> Callable[..., PhotoSet]:
    """Write photos given as (label, group, seed); equal seeds are the same file."""

    def make(*photos: tuple[str, str, int]) -> PhotoSet:
        listed = []
        for index, (label, group, seed) in enumerate(photos):
            image = f"{label}/{index}.png"
            (tmp_path / label).mkdir(exist_ok=True)
            cv2.imwrite(str(tmp_path / image), make_image(seed))
            listed.append(Photo(image, label, group))
        return PhotoSet(tmp_path, tuple(listed))

    return make
