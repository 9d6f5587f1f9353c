"""Which photos of labelled data a file is measured on: all of them, or those of one side of a split."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TypeVar

from edge_runtime.errors import DataError
from edge_runtime.files import hash_file
from edge_runtime.training_run import Split
from train.data.boxes import BoxSet
from train.data.photos import PhotoSet
from train.data.sides import lie_divided
from train.data.split_file import hash_photos, match_files, match_splits

log = logging.getLogger(__name__)

_Photo = TypeVar("_Photo")


def choose_photos(data: Path, photo_set: PhotoSet, splits: Path | None, side: Split | None) -> PhotoSet:
    """Choose among labelled photos.

    Args:
        data: Where they are from, for the errors.
        photo_set: All that the data have, labelled as there.
        splits: Split file that says what each serves for; None follows the folders that they lie in.
        side: What those to measure on serve for; None takes all, and says so of photos that lie divided.

    Raises:
        DataError: The split file cannot be read or is about other data, or no photo is of this side.
    """
    sides: list[Split | None] = [photo.side for photo in photo_set.photos]
    if splits is not None:
        sides = [row.split for row in match_splits(splits, photo_set.photos, hash_photos(photo_set))]
    return replace(photo_set, photos=_choose(data, photo_set.photos, sides, side))


def rename_photos(data: Path, photo_set: PhotoSet, matched: Mapping[str, str]) -> PhotoSet:
    """Return photos under the labels that a model has for their classes, but for those that are left out.

    Args:
        data: Where they are from, for the error.
        photo_set: Labelled as there.
        matched: The model's label by class; empty for classes that are left out.

    Raises:
        DataError: None is left.
    """
    photos = tuple(replace(photo, label=label) for photo in photo_set.photos if (label := matched[photo.label]))
    if not photos:
        raise DataError(f"{data} has no photo left to measure on; leave out fewer classes with --rename.")
    return replace(photo_set, photos=photos)


def choose_boxed_photos(data: Path, box_set: BoxSet, splits: Path | None, side: Split | None) -> BoxSet:
    """Choose among photos with boxes; arguments and errors as for `choose_photos`."""
    sides: list[Split | None] = [photo.side for photo in box_set.photos]
    if splits is not None:
        # As a run writes them, whatever an annotation file puts around them.
        images = [PurePosixPath(photo.image).as_posix() for photo in box_set.photos]
        hashes = {image: hash_file(box_set.images / image) for image in images}
        sides = [row.split for row in match_files(splits, images, hashes)]
    return replace(box_set, photos=_choose(data, box_set.photos, sides, side))


def _choose(
    data: Path, photos: Sequence[_Photo], sides: Sequence[Split | None], side: Split | None
) -> tuple[_Photo, ...]:
    if side is None:
        if lie_divided(sides):
            log.info("%s lies divided, and all of its photos are measured; --split measures those of one side.", data)
        return tuple(photos)
    chosen = tuple(photo for photo, own in zip(photos, sides, strict=True) if own is side)
    if not chosen:
        raise DataError(f"{data} has no {side} photo; name another side with --split.")
    return chosen
