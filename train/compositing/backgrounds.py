"""What garments are pasted on: pictures of the user's, drawn surfaces, and the backgrounds of the photos themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.drawing import draw_background
from edge_runtime.errors import DataError
from edge_runtime.pictures import pictures_under
from edge_runtime.preprocess import Image
from edge_runtime.resizing import resize_to
from train.compositing.cutting import Mask, cut_garment
from train.compositing.photos import read_photo, read_whole

_PICTURE_SHARE = 0.5
"""Of all scenes, where the user gives pictures."""
_DRAWN_SHARE = 0.4
"""Of the other scenes."""
_SQUARE = np.ones((3, 3), np.uint8)
_RIM = 7
"""Pixels around a garment that its shadow falls on."""
_FADE = 20.0
"""Pixels over which a photo passes into what replaces its garment."""
_BLUR = 0.12
"""Of the longer side: standard deviation of the blur that parts light from texture."""
_LIGHT_SIDE = 128
"""Longer side in pixels at which light is blurred: it has no details, and the time grows with the side cubed."""
_LEAST_MARGIN = 12
"""Pixels."""
_PART = (0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Backgrounds:
    """Where backgrounds come from.

    Attributes:
        pictures: The user's own pictures; where there are any, half of the scenes have one.
        photos: Photos of single garments that can be cut out.
        size: (height, width) in pixels of every background.
    """

    pictures: Sequence[Path]
    photos: Sequence[Path]
    size: tuple[int, int]

    def pick(self, random: np.random.Generator) -> Image:
        """Return a (height, width, 3) uint8 BGR background.

        Raises:
            DataError: A picture cannot be read.
        """
        if self.pictures and random.random() < _PICTURE_SHARE:
            return _fit(read_whole(self.pictures[int(random.integers(len(self.pictures)))]), self.size, random)
        if random.random() < _DRAWN_SHARE:
            return draw_background(int(random.integers(2**31)), self.size)
        image = read_photo(self.photos[int(random.integers(len(self.photos)))], self.size)
        return _fit(erase(image, cut_garment(image).mask), self.size, random)


def find_pictures(folder: Path) -> tuple[Path, ...]:
    """Return the pictures in a folder and its sub-folders.

    Raises:
        DataError: There is none.
    """
    found = tuple(pictures_under(folder))
    if not found:
        raise DataError(f"{folder} holds no picture; name a folder with backgrounds, or leave --backgrounds away.")
    return found


def erase(image: Image, mask: Mask) -> Image:
    """Return a photo whose garment is replaced by what the background around it looks like.

    The light is that of the surroundings, faded in; the texture on it is that of the broadest margin beside the
    garment, mirrored over the gap.

    Args:
        image: (height, width, 3) uint8 BGR.
        mask: Where the garment is.
    """
    empty = (cv2.dilate(mask, _SQUARE, iterations=_RIM) == 0).astype(np.uint8)
    light = _spread_light(image, empty)
    filling = light + _mirror_margin(image - light, empty)
    distance = cv2.distanceTransform(empty, cv2.DIST_L2, 3)
    kept = np.clip(distance / _FADE, 0, 1)[..., None]
    faded: NDArray[np.float32] = filling + kept * (image - filling)
    return np.clip(faded, 0, 255).astype(np.uint8)


def _spread_light(image: Image, empty: Mask) -> NDArray[np.float32]:
    """Return (height, width, 3) colours of the empty pixels around each pixel, averaged."""
    height, width = empty.shape
    weight = empty.astype(np.float32)[..., None]
    small = resize_to(np.concatenate([image * weight, weight], axis=2), min(_LIGHT_SIDE, max(height, width)))
    blurred = cv2.GaussianBlur(small, (0, 0), _BLUR * max(small.shape[:2]))
    light = blurred[..., :3] / np.maximum(blurred[..., 3:], 1e-4)
    return np.asarray(cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _mirror_margin(texture: NDArray[np.float32], empty: Mask) -> NDArray[np.float32]:
    """Return the largest empty margin, on any side, mirrored again and again over the whole picture."""
    height, width = empty.shape
    x, y, across, down = cv2.boundingRect(1 - empty)
    margins = ((0, 0, x, height), (x + across, 0, width, height), (0, 0, width, y), (0, y + down, width, height))
    left, top, right, bottom = max(margins, key=lambda margin: (margin[2] - margin[0]) * (margin[3] - margin[1]))
    if min(right - left, bottom - top) < _LEAST_MARGIN:
        return np.zeros_like(texture)
    return np.asarray(
        cv2.copyMakeBorder(
            texture[top:bottom, left:right], top, height - bottom, left, width - right, cv2.BORDER_REFLECT_101
        ),
        np.float32,
    )


def _fit(image: Image, size: tuple[int, int], random: np.random.Generator) -> Image:
    """Return a random part of an image, at least half of what fits, at a size, mirrored or not."""
    height, width = size
    scale = min(image.shape[0] / height, image.shape[1] / width) * random.uniform(*_PART)
    down, across = max(int(height * scale), 1), max(int(width * scale), 1)
    top, left = int(random.integers(image.shape[0] - down + 1)), int(random.integers(image.shape[1] - across + 1))
    part = image[top : top + down, left : left + across]
    interpolation = cv2.INTER_AREA if scale > 1 else cv2.INTER_CUBIC
    resized = cv2.resize(part[:, ::-1] if random.random() < 0.5 else part, (width, height), interpolation=interpolation)
    return np.asarray(resized, np.uint8)
