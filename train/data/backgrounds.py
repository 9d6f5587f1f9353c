"""Cutting parts without any box out of photos: what a classifier had better say nothing of."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from tqdm import tqdm

from edge_runtime.errors import DataError
from edge_runtime.files import write_bytes
from edge_runtime.preprocess import Image
from train.data.boxes import BoxedPhoto, BoxSet, read_boxed_photo

_SIDE = 0.3
"""Of the shorter side of a photo; a larger square finds a place on few photos."""

_TRIES = 20


@dataclass(frozen=True, slots=True)
class Background:
    """A square part of a photo that touches no box and no crowd, in pixels.

    Attributes:
        photo: The photo.
        left: First column.
        top: First row.
        side: Width and height.
    """

    photo: BoxedPhoto
    left: int
    top: int
    side: int

    def cut(self, images: Path) -> Image:
        """Return the part, (side, side, 3) uint8 BGR, of the photo in this folder.

        Raises:
            DataError: The photo cannot be read.
        """
        image = read_boxed_photo(images, self.photo)
        return image[self.top : self.top + self.side, self.left : self.left + self.side]


def find_backgrounds(box_set: BoxSet) -> tuple[Background, ...]:
    """Choose a part of each photo that has room for one beside its boxes, always the same.

    Where the boxes leave a garment out, it may be on such a part.

    Raises:
        DataError: No photo has room.
    """
    random = np.random.default_rng(0)
    tried = [_find_free(photo, random) for photo in box_set.photos]
    found = tuple(each for each in tried if each is not None)
    if not found:
        raise DataError("No photo has room beside its boxes for a part without any; give photos that show more around.")
    return found


def write_backgrounds(images: Path, backgrounds: Sequence[Background], output: Path) -> None:
    """Write parts of the photos in a folder as PNG files.

    Raises:
        DataError: A photo cannot be read.
        OutputError: A file cannot be written.
    """
    for number, each in enumerate(tqdm(backgrounds, desc="cutting backgrounds", unit="photo", disable=None)):
        # The number keeps photos of the same name in several folders apart.
        name = f"{PurePosixPath(each.photo.image).stem}-{number}.png"
        write_bytes(output / name, cv2.imencode(".png", each.cut(images))[1].tobytes(), durable=False)


def _find_free(photo: BoxedPhoto, random: np.random.Generator) -> Background | None:
    """Look for a square that touches no box and no crowd, by trying at random."""
    taken = (*photo.boxes, *photo.crowds)
    side = max(round(_SIDE * min(photo.width, photo.height)), 1)
    for _ in range(_TRIES):
        left, top = (int(random.integers(max(length - side, 1))) for length in (photo.width, photo.height))
        right, bottom = left + side, top + side
        if all(right <= b.x_min or left >= b.x_max or bottom <= b.y_min or top >= b.y_max for b in taken):
            return Background(photo, left, top, side)
    return None
