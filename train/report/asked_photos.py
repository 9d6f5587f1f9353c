"""Which photos of labelled data a file is measured on: all of them, or those of one side of a split."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TypeVar

from edge_runtime.errors import DataError
from edge_runtime.files import hash_file
from edge_runtime.training_run import Split, SplitRow
from train.data.boxes import BoxSet
from train.data.photos import PhotoSet
from train.data.sides import lie_divided
from train.data.split_file import hash_photos, match_files, read_rows
from train.data.splits import check_apart

log = logging.getLogger(__name__)

_Photo = TypeVar("_Photo")


def choose_photos(data: Path, photo_set: PhotoSet, splits: Path | None, side: Split | None) -> PhotoSet:
    """Choose among labelled photos.

    Args:
        data: Where they are from, for the errors.
        photo_set: All that the data have, labelled as there.
        splits: Split file that says what each serves for, of these photos, and maybe of others, which are not asked: a
            run over several data sets has one for all. None follows the folders that the photos lie in.
        side: What those to measure on serve for; None takes all, and says so of photos that lie divided.

    Raises:
        DataError: The split file cannot be read or does not know each photo, or no photo is of this side.
    """
    sides: list[Split | None] = [photo.side for photo in photo_set.photos]
    if splits is not None:
        rows = _find_rows(splits, [photo.image for photo in photo_set.photos], hash_photos(photo_set))
        _refuse_relabelled(splits, photo_set, rows)
        sides = [row.split for row in rows]
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
        sides = [row.split for row in _find_rows(splits, images, hashes)]
    return replace(box_set, photos=_choose(data, box_set.photos, sides, side))


def _find_rows(splits: Path, images: Sequence[str], hashes: Mapping[str, str]) -> tuple[SplitRow, ...]:
    """Return the row of each photo: of its path, or else of its SHA-256, as paths may start from another folder."""
    rows = read_rows(splits)
    moved = {hashes[image] for image in images if image not in rows or rows[image].sha256 != hashes[image]}
    found = {row.sha256: row for row in rows.values() if row.sha256 in moved}
    check_apart((row for row in rows.values() if row.sha256 in moved), f"give both the same split in {splits}")
    names = [found[hashes[image]].image if hashes[image] in found else image for image in images]
    by_name = {name: hashes[image] for name, image in zip(names, images, strict=True)}
    return match_files(splits, names, by_name, complete=False)


def _refuse_relabelled(splits: Path, photo_set: PhotoSet, rows: Sequence[SplitRow]) -> None:
    odd = [photo.image for photo, row in zip(photo_set.photos, rows, strict=True) if photo.label != row.label]
    if odd:
        raise DataError(
            f"{splits} is a split of other data: {len(odd)} photos have another label in the data, the first {odd[0]}; "
            f"draw a new one with edge-train split --keep {splits}, which leaves the others where they are."
        )


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
