"""Cutting boxes out of photos, so that a classifier can learn from a detector's data."""

import logging
import os
import re
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
from tqdm import tqdm

from edge_runtime.errors import DataError
from edge_runtime.files import check_fresh, write_bytes, write_text
from edge_runtime.refining import cut
from edge_runtime.tables import format_csv
from train.data.boxes import BoxedPhoto, BoxSet, read_boxed_photo

log = logging.getLogger(__name__)
_SHORTEST_SIDE = 16


def write_crops(box_set: BoxSet, output: Path) -> Mapping[str, int]:
    """Write each box's part of its photo as a PNG file, a folder per class, and `labels.csv` about them.

    The columns of `labels.csv` are image, label, and group, which is the photo a crop comes from: crops of one photo
    look alike, so no split may divide them. Boxes with a side below 16 pixels are left out, and counted in the log.

    Returns:
        Number of crops by class.

    Raises:
        DataError: A photo cannot be read, with or without a box, or no box is large enough; nothing has been written.
        OutputError: The folder is not empty, or a file cannot be written.
    """
    check_fresh(output, "crops of two data sets")
    photos = _leave_out_tiny(box_set)
    _check_photos(box_set)
    rows: list[tuple[str, str, str]] = []
    for photo in tqdm(photos, desc="cutting", unit="photo", disable=None):
        image = read_boxed_photo(box_set.images, photo)
        for box in photo.boxes:
            # The running number keeps names apart, whatever the photos and classes are called.
            crop = f"{_name_folder(box.label)}/{Path(photo.image).stem}-{len(rows)}.png"
            write_bytes(output / crop, cv2.imencode(".png", cut(image, box.corners))[1].tobytes(), durable=False)
            rows.append((crop, box.label, photo.image))
    write_text(output / "labels.csv", format_csv(("image", "label", "group"), rows))
    return Counter(label for _, label, _ in rows)


def _check_photos(box_set: BoxSet) -> None:
    """Decode every photo once, so that a bad one ends the command before crops or backgrounds are written."""

    def check(photo: BoxedPhoto) -> None:
        read_boxed_photo(box_set.images, photo)

    photos = box_set.photos
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(tqdm(pool.map(check, photos), total=len(photos), desc="checking", unit="photo", disable=None))


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


def _name_folder(label: str) -> str:
    """Return a class name without what folder names must not have or what would lead elsewhere, as `top/t-shirt`."""
    return re.sub(r"[^\w ,&()+-]", "_", label)
