"""Garments cut out of a data set's photos, ready to be pasted."""

import logging
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_runtime.errors import DataError
from edge_runtime.preprocess import Image
from train.compositing.cutting import Doubt, Mask, cut_garment
from train.compositing.photos import read_photo
from train.compositing.wardrobe import Kind, find_kind
from train.data.photos import Photo, PhotoSet

log = logging.getLogger(__name__)
_SQUARE = np.ones((3, 3), np.uint8)
_SOFTNESS = 1.0
"""Standard deviation in pixels of the blur of the edge."""


@dataclass(frozen=True, slots=True)
class Garment:
    """A garment without its background.

    Attributes:
        label: Class name.
        photo: The photo that it comes from.
        encoded: PNG file of BGRA; a data set's worth of decoded ones would not fit into memory.
        width: Pixels.
        height: Pixels.
    """

    label: str
    photo: Path
    encoded: bytes
    width: int
    height: int

    @property
    def kind(self) -> Kind:
        """What is known of it by its name."""
        return find_kind(self.label)

    def decode(self) -> NDArray[np.uint8]:
        """Return (height, width, 4) uint8 BGRA; its colours reach beyond its edge, so that blending shows no rim."""
        return np.asarray(cv2.imdecode(np.frombuffer(self.encoded, np.uint8), cv2.IMREAD_UNCHANGED), np.uint8)


def collect_garments(photo_set: PhotoSet, size: tuple[int, int]) -> tuple[Garment, ...]:
    """Cut the garment out of every photo, and keep the cuts to be trusted.

    Args:
        photo_set: Photos of single garments.
        size: (height, width) in pixels of the scenes to show them in.

    Raises:
        DataError: A photo cannot be read, or no cut is to be trusted.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        cuts = pool.map(lambda photo: _cut(photo_set.images, photo, size), photo_set.photos)
        results = list(tqdm(cuts, total=len(photo_set.photos), desc="cutting", unit="photo", disable=None))
    garments = tuple(result for result in results if isinstance(result, Garment))
    _tell(garments, [result for result in results if isinstance(result, Doubt)])
    return garments


def _cut(images: Path, photo: Photo, size: tuple[int, int]) -> Garment | Doubt:
    path = images / photo.image
    image = read_photo(path, size)
    cut = cut_garment(image)
    if cut.doubt is not None:
        return cut.doubt
    picture = lift(image, cut.mask)
    encoded = cv2.imencode(".png", picture)[1].tobytes()
    return Garment(photo.label, path, encoded, picture.shape[1], picture.shape[0])


def lift(image: Image, mask: Mask) -> NDArray[np.uint8]:
    """Return the bounding box of a garment as (height, width, 4) uint8 BGRA with a soft edge.

    Args:
        image: (height, width, 3) uint8 BGR photo.
        mask: Where the garment is.
    """
    # The outermost pixels are mixed with the background, so their colours are taken from further inside.
    core = cv2.erode(mask, _SQUARE)
    colours = _spread(image, cv2.erode(core, _SQUARE) > 0)
    alpha = cv2.GaussianBlur(core.astype(np.float32), (0, 0), _SOFTNESS)
    picture = np.dstack([colours, np.rint(alpha * 255).astype(np.uint8)])
    left, top, width, height = cv2.boundingRect(mask)
    return np.ascontiguousarray(picture[top : top + height, left : left + width])


def _spread(image: Image, core: NDArray[np.bool_]) -> Image:
    """Return an image in which each pixel outside the core has the colour of the nearest one inside."""
    _, nearest = cv2.distanceTransformWithLabels(
        (~core).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    colour_of = np.zeros((int(nearest.max()) + 1, 3), np.uint8)
    colour_of[nearest[core]] = image[core]
    return np.asarray(colour_of[nearest], np.uint8)


def _tell(garments: Sequence[Garment], doubts: Sequence[Doubt]) -> None:
    total = len(garments) + len(doubts)
    if not garments:
        raise DataError(
            f"None of {total} photos shows a garment that can be cut out of its background; "
            "give photos of single garments on plain backgrounds that they stand out from."
        )
    log.info("Cut %d garments out of %d photos; left out are:", len(garments), total)
    for doubt, count in Counter(doubts).most_common():
        log.info("  %d where %s", count, doubt.value)
    for label, count in sorted(Counter(garment.label for garment in garments).items()):
        log.info("%s: %d garments", label, count)
