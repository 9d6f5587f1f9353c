"""Cutting boxes out of photos, so that a classifier can learn from a detector's data."""

import logging
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import cv2
from tqdm import tqdm

from edge_runtime.errors import DataError, OutputError, PictureError
from edge_runtime.files import write_bytes, write_text
from edge_runtime.pictures import read_picture
from edge_runtime.preprocess import Image
from edge_runtime.tables import format_csv
from train.boxes import Box, BoxedPhoto, BoxSet

log = logging.getLogger(__name__)
_MARGIN = 0.05
_SHORTEST_SIDE = 16


def write_crops(box_set: BoxSet, output: Path) -> Mapping[str, int]:
    """Write each box's part of its photo as a PNG file, a folder per class, and `labels.csv` about them.

    The columns of `labels.csv` are image, label, and group, which is the photo a crop comes from: crops of one photo
    look alike, so no split may divide them. Boxes with a side below 16 pixels are left out, and counted in the log.

    Returns:
        Number of crops by class.

    Raises:
        DataError: A photo cannot be read, or no box is large enough.
        OutputError: The folder is not empty, or a file cannot be written.
    """
    _check_fresh(output)
    photos = _leave_out_tiny(box_set)
    rows: list[tuple[str, str, str]] = []
    for photo in tqdm(photos, desc="cutting", unit="photo", disable=None):
        image = _read(box_set.images, photo)
        for box in photo.boxes:
            # The running number keeps names apart, whatever the photos and classes are called.
            crop = f"{_name_folder(box.label)}/{Path(photo.image).stem}-{len(rows)}.png"
            write_bytes(output / crop, cv2.imencode(".png", cut(image, box))[1].tobytes())
            rows.append((crop, box.label, photo.image))
    write_text(output / "labels.csv", format_csv(("image", "label", "group"), rows))
    return Counter(label for _, label, _ in rows)


def cut(image: Image, box: Box) -> Image:
    """Return a box and 5 % of its width and height around it, as far as the photo goes, in whole pixels.

    Args:
        image: (height, width, 3) uint8 BGR photo, upright.
        box: A box on it.
    """
    across, down = (box.x_max - box.x_min) * _MARGIN, (box.y_max - box.y_min) * _MARGIN
    left, top = max(math.floor(box.x_min - across), 0), max(math.floor(box.y_min - down), 0)
    return image[top : math.ceil(box.y_max + down), left : math.ceil(box.x_max + across)]


def _check_fresh(output: Path) -> None:
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise OutputError(f"{output} is there already; name a new folder, so that crops of two data sets do not mix.")


def _leave_out_tiny(box_set: BoxSet) -> list[BoxedPhoto]:
    """Return the photos that have boxes of a useful size, with these boxes only."""
    photos = [
        replace(photo, boxes=tuple(box for box in photo.boxes if box.shorter_side >= _SHORTEST_SIDE))
        for photo in box_set.photos
    ]
    kept, found = (sum(len(photo.boxes) for photo in each) for each in (photos, box_set.photos))
    if kept < found:
        log.info("Left out %d of %d boxes: a side is below %d pixels.", found - kept, found, _SHORTEST_SIDE)
    if not kept:
        raise DataError(f"No box has sides of {_SHORTEST_SIDE} pixels or more; give photos of a higher resolution.")
    return [photo for photo in photos if photo.boxes]


def _read(images: Path, photo: BoxedPhoto) -> Image:
    try:
        image = read_picture(images / photo.image)
    except PictureError as error:
        raise DataError(str(error)) from error
    if image.shape[:2] != (photo.height, photo.width):
        raise DataError(f"{images / photo.image} says another size than it has; save it again.")
    return image


def _name_folder(label: str) -> str:
    """Return a class name without what folder names must not have or what would lead elsewhere, as `top/t-shirt`."""
    return re.sub(r"[^\w ,&()+-]", "_", label)
