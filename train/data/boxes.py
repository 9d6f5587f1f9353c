"""Labelled boxes on photos: what every detection format is read into."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import PIL.ExifTags
import PIL.Image

from edge_runtime.errors import DataError, PictureError
from edge_runtime.pictures import read_picture
from edge_runtime.preprocess import Image

HEADER_ERRORS: Final = (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError)
"""What Pillow raises of a picture whose header it cannot read."""

# Tools round corners to whole pixels or to six digits of a share, and some count pixels from 1.
_ROUNDING = 1.0
_LYING = frozenset({5, 6, 7, 8})


@dataclass(frozen=True, slots=True)
class Box:
    """One labelled box, in pixels of the upright photo; (0, 0) is the outer corner of its first pixel.

    Attributes:
        x_min: Left edge, in [0, width).
        y_min: Upper edge, in [0, height).
        x_max: Right edge, in (x_min, width].
        y_max: Lower edge, in (y_min, height].
        label: Class name.
    """

    x_min: float
    y_min: float
    x_max: float
    y_max: float
    label: str

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """(x_min, y_min, x_max, y_max) in pixels."""
        return self.x_min, self.y_min, self.x_max, self.y_max

    @property
    def shorter_side(self) -> float:
        """Pixels."""
        return min(self.x_max - self.x_min, self.y_max - self.y_min)


@dataclass(frozen=True, slots=True)
class BoxedPhoto:
    """One photo and the boxes on it, none where it is known to show no object.

    Attributes:
        image: Path relative to the data set's image folder, with forward slashes.
        width: Pixels, turned upright.
        height: Pixels, turned upright.
        boxes: In the order of the annotation file.
        composed: Whether it is a scene of `edge-train compose` instead of a photo.
    """

    image: str
    width: int
    height: int
    boxes: tuple[Box, ...]
    composed: bool = False


@dataclass(frozen=True, slots=True)
class BoxSet:
    """Photos with boxes and the folder their paths start from."""

    images: Path
    photos: tuple[BoxedPhoto, ...]


def make_box(where: str, label: str, corners: tuple[float, float, float, float], size: tuple[int, int]) -> Box:
    """Check a box as a file has it, and clip what rounding put outside the photo.

    Args:
        where: File and box, for the error.
        label: Class name.
        corners: x_min, y_min, x_max, y_max in pixels.
        size: Width and height of the photo in pixels.

    Raises:
        DataError: A corner is no finite number, the box is empty, or it reaches over the photo by more than a pixel.
    """
    x_min, y_min, x_max, y_max = corners
    width, height = size
    if not all(map(math.isfinite, corners)):
        raise DataError(f"{where} ({label}) has a corner that is no finite number; correct it or take the box away.")
    if x_max <= x_min or y_max <= y_min:
        raise DataError(f"{where} ({label}) has no area; correct it or take the box away.")
    box = Box(max(x_min, 0.0), max(y_min, 0.0), min(x_max, float(width)), min(y_max, float(height)), label)
    overhang = max(-x_min, -y_min, x_max - width, y_max - height)
    if overhang > _ROUNDING or box.shorter_side <= 0:
        raise DataError(
            f"{where} ({label}) reaches outside its photo of {width} x {height} pixels; "
            "correct it or take the box away."
        )
    return box


def measure_photo(path: Path) -> tuple[int, int]:
    """Return width and height in pixels, turned upright by EXIF as `read_picture` does, from the file's header.

    Raises:
        DataError: There is no such photo, or it cannot be read.
    """
    try:
        with PIL.Image.open(path) as picture:
            width, height = picture.size
            lies = picture.getexif().get(PIL.ExifTags.Base.Orientation) in _LYING
            return (height, width) if lies else (width, height)
    except HEADER_ERRORS:
        # Pillow knows fewer kinds of TIFF than OpenCV, which also says best what is wrong.
        return _measure_decoded(path)


def read_boxed_photo(images: Path, photo: BoxedPhoto) -> Image:
    """Decode a photo, (height, width, 3) uint8 BGR.

    Raises:
        DataError: It cannot be read, or has another size than its boxes were checked against.
    """
    try:
        image = read_picture(images / photo.image)
    except PictureError as error:
        raise DataError(str(error)) from error
    if image.shape[:2] != (photo.height, photo.width):
        raise DataError(f"{images / photo.image} says another size than it has; save it again.")
    return image


def _measure_decoded(path: Path) -> tuple[int, int]:
    try:
        height, width = read_picture(path).shape[:2]
    except PictureError as error:
        raise DataError(str(error)) from error
    return width, height
