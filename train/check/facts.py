"""Reading each photo once, for every look at it."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageFile
from numpy.typing import NDArray
from tqdm import tqdm

from edge_runtime.errors import PictureError
from edge_runtime.files import hash_file
from edge_runtime.pictures import read_picture
from train.check.hashing import hash_image, shrink
from train.data.boxes import HEADER_ERRORS, UPRIGHT, find_orientation
from train.data.photos import Photo, PhotoSet

_OPAQUE = 255


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What is known of a photo that can be read.

    Attributes:
        photo: The photo.
        sha256: Of its file, 64 hexadecimal digits.
        height: Pixels, turned upright.
        width: Pixels, turned upright.
        mode: How the file stores colours, as Pillow names it (`RGB`, `CMYK`, `I;16`, ...); empty where it cannot tell.
        turned: Whether EXIF says to turn the stored picture.
        transparent: Whether any pixel shows what is behind it.
        hash: (64,) bits of `hash_image`.
        thumbnail: (16, 16, 3) uint8 BGR of `shrink`.
    """

    photo: Photo
    sha256: str
    height: int
    width: int
    mode: str
    turned: bool
    transparent: bool
    hash: NDArray[np.bool_]
    thumbnail: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A photo that cannot be read, and why."""

    photo: Photo
    reason: str


def gather_facts(photo_set: PhotoSet) -> tuple[tuple[Facts, ...], tuple[Unreadable, ...]]:
    """Read every photo, and tell those that can be read from those that cannot."""
    facts, unreadable = [], []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        looks = pool.map(lambda photo: _look(photo_set.images, photo), photo_set.photos)
        for look in tqdm(looks, total=len(photo_set.photos), desc="reading", unit="photo", disable=None):
            if isinstance(look, Facts):
                facts.append(look)
            else:
                unreadable.append(look)
    return tuple(facts), tuple(unreadable)


def _look(images: Path, photo: Photo) -> Facts | Unreadable:
    path = images / photo.image
    try:
        image = read_picture(path)
    except PictureError as error:
        return Unreadable(photo, str(error))
    height, width = image.shape[:2]
    return Facts(photo, hash_file(path), height, width, *_read_header(path), hash_image(image), shrink(image))


def _read_header(path: Path) -> tuple[str, bool, bool]:
    """Return mode, turned and transparent of `Facts`."""
    try:
        with PIL.Image.open(path) as picture:
            # The stored mode is known until EXIF is asked for, which loads some kinds of picture.
            mode = _stored_mode(picture)
            return mode, find_orientation(picture) != UPRIGHT, _is_transparent(picture)
    except HEADER_ERRORS:
        # Pillow knows fewer kinds of TIFF than OpenCV, which has read the photo.
        return "", False, False


def _stored_mode(picture: PIL.Image.Image) -> str:
    """Return Pillow's mode, or the raw one where Pillow itself would narrow 16-bit colours to 8 bits."""
    tiles = picture.tile if isinstance(picture, PIL.ImageFile.ImageFile) else ()
    arguments = tiles[0].args if tiles else None
    raw = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return raw if isinstance(raw, str) and ";16" in raw else picture.mode


def _is_transparent(picture: PIL.Image.Image) -> bool:
    if not picture.has_transparency_data:
        return False
    alpha = np.asarray(picture.convert("RGBA").getchannel("A"))
    return bool((alpha < _OPAQUE).any())


def of_photos(facts: Sequence[Facts]) -> tuple[Photo, ...]:
    """Return the photos that facts are about."""
    return tuple(each.photo for each in facts)
