"""Labelled boxes on photos: what every detection format is read into."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import PIL.ExifTags
import PIL.Image
import PIL.TiffImagePlugin

from edge_runtime.errors import DataError, PictureError
from edge_runtime.pictures import read_picture
from edge_runtime.preprocess import Image
from edge_runtime.training_run import Split

HEADER_ERRORS: Final = (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError)
"""What Pillow raises of a picture whose header it cannot read."""

UPRIGHT: Final = 1
"""EXIF's orientation of a picture that is not turned."""

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
        crowds: Regions of many objects, which are no examples of one, nor of background.
        side: What it serves for, by the folder that it lies in; None where that is not named after a side.
        outlines: How many of the boxes are drawn around outlines that the annotations have in their place.
    """

    image: str
    width: int
    height: int
    boxes: tuple[Box, ...]
    composed: bool = False
    crowds: tuple[Box, ...] = ()
    side: Split | None = None
    outlines: int = 0


@dataclass(frozen=True, slots=True)
class BoxSet:
    """Photos with boxes.

    Attributes:
        images: Folder that paths start from.
        photos: In the order of the annotations.
        unnamed: Photos among these that no annotation is about, where that leaves them out.
        unread: Pictures among the photos that are of a format that is not read.
    """

    images: Path
    photos: tuple[BoxedPhoto, ...]
    unnamed: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One sentence about what is left out of a data set, and the photos, at least one, that it is about."""

    sentence: str
    images: tuple[str, ...]


def list_left_out(box_set: BoxSet) -> Iterator[LeftOut]:
    """Count what is there and not used, by reason."""
    if crowded := [photo for photo in box_set.photos if photo.crowds]:
        count = sum(len(photo.crowds) for photo in crowded)
        sentence = (
            f"{count} regions marked as crowds (iscrowd) are left out, and a detector takes them for background; "
            "draw each object's box."
        )
        yield LeftOut(sentence, tuple(photo.image for photo in crowded))
    if outlined := [photo for photo in box_set.photos if photo.outlines]:
        count = sum(photo.outlines for photo in outlined)
        sentence = f"{count} outlines are taken as the boxes around them, which what is turned or curved does not fill."
        yield LeftOut(sentence, tuple(photo.image for photo in outlined))
    if box_set.unnamed:
        sentence = (
            f"{len(box_set.unnamed)} photos have no annotation file and are left out; one that shows no object needs "
            "a file without a box."
        )
        yield LeftOut(sentence, box_set.unnamed)
    if box_set.unread:
        sentence = f"{len(box_set.unread)} pictures are of a format that is not read and left out; save them as JPEG."
        yield LeftOut(sentence, box_set.unread)


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
    """Return width and height in pixels, turned upright as `read_picture` does, from the file's header if that tells.

    Raises:
        DataError: There is no such photo, or it cannot be read.
    """
    try:
        with PIL.Image.open(path) as picture:
            # Pillow's version decides whether the size that it tells of a TIFF is that of the picture turned upright.
            if not isinstance(picture, PIL.TiffImagePlugin.TiffImageFile):
                width, height = picture.size
                return (height, width) if find_orientation(picture) in _LYING else (width, height)
    except HEADER_ERRORS:
        # Pillow knows fewer kinds of TIFF than OpenCV, which also says best what is wrong.
        pass
    return _measure_decoded(path)


def find_orientation(picture: PIL.Image.Image) -> int:
    """Return EXIF's orientation of an opened picture, 1 where it is upright, as OpenCV finds it.

    Pillow also looks for one in XMP, which OpenCV does not read.
    """
    if isinstance(picture, PIL.TiffImagePlugin.TiffImageFile):
        orientation = picture.tag_v2.get(PIL.ExifTags.Base.Orientation, UPRIGHT)
    else:
        # The end of some pictures is read for it.
        picture.getexif()
        exif = PIL.Image.Exif()
        exif.load(picture.info.get("exif", b""))
        orientation = exif.get(PIL.ExifTags.Base.Orientation, UPRIGHT)
    return orientation if isinstance(orientation, int) else UPRIGHT


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
