"""A split that was saved, read back for the very photos it was drawn from."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from edge_runtime.errors import DataError
from edge_runtime.files import hash_file
from edge_runtime.training_run import Split, SplitRow, read_split_rows
from train.data import Photo, PhotoSet
from train.splits import check_sides


def read_splits(path: Path, photo_set: PhotoSet) -> tuple[SplitRow, ...]:
    """Read a split file for a data set.

    Args:
        path: The split file.
        photo_set: The photos that it must be about, all of them and no others, unchanged.

    Returns:
        One row per photo, in the order of `photo_set.photos`.

    Raises:
        DataError: The file cannot be read, is about other data, or leaves a class without photos of a split.
    """
    hashes = {photo.image: hash_file(photo_set.images / photo.image) for photo in photo_set.photos}
    rows = match_splits(path, photo_set.photos, hashes)
    _refuse_divided_groups(path, photo_set.photos, rows)
    check_sides(rows, photo_set.labels)
    return rows


def match_splits(path: Path, photos: Iterable[Photo], hashes: Mapping[str, str]) -> tuple[SplitRow, ...]:
    """Read a split file and hold it against photos.

    Args:
        path: The split file.
        photos: The photos that it must be about.
        hashes: SHA-256 by image; images that are not there are not compared.

    Returns:
        One row per photo, in their order.

    Raises:
        DataError: The file cannot be read or is about other data.
    """
    photos = tuple(photos)
    rows = {row.image: row for row in _read(path)}
    present = {photo.image for photo in photos}
    _refuse(path, "are not in the data", rows.keys() - present)
    _refuse(path, "of the data are not in it", present - rows.keys())
    _refuse(
        path, "have another label in the data", {each.image for each in photos if rows[each.image].label != each.label}
    )
    changed = {image for image, sha256 in hashes.items() if rows[image].sha256 != sha256}
    _refuse(path, "have changed since (other SHA-256)", changed)
    return tuple(rows[photo.image] for photo in photos)


def _refuse_divided_groups(path: Path, photos: Sequence[Photo], rows: Sequence[SplitRow]) -> None:
    """Refuse a split that was drawn without the groups that are asked for now."""
    side_of: dict[str, Split] = {}
    for photo, row in zip(photos, rows, strict=True):
        if side_of.setdefault(photo.group, row.split) is not row.split:
            raise DataError(
                f"{path} divides the group {photo.group}; draw a new split with edge-train split --group-column."
            )


def _read(path: Path) -> tuple[SplitRow, ...]:
    try:
        return read_split_rows(path)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path} cannot be read as a split file ({error}); make one with edge-train split, "
            "or take the splits.csv of a run."
        ) from error


def _refuse(path: Path, what: str, images: Iterable[str]) -> None:
    odd = sorted(images)
    if odd:
        raise DataError(
            f"{path} is a split of other data: {len(odd)} photos {what}, the first {odd[0]}; "
            "draw a new one with edge-train split."
        )
