"""A split that was saved, read back for the very photos it was drawn from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from edge_runtime.errors import DataError
from edge_runtime.training_run import Split, SplitRow, read_split_rows
from train.data.photos import Photo, PhotoSet, hash_files
from train.data.splits import check_sides


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
    rows = match_splits(path, photo_set.photos, hash_photos(photo_set))
    groups = [photo.group for photo in photo_set.photos]
    refuse_divided_groups(path, groups, rows, "draw a new split with edge-train split --group-column")
    check_sides(rows, photo_set.labels, retry=divide_otherwise(path))
    return rows


def hash_photos(photo_set: PhotoSet) -> dict[str, str]:
    """Return the SHA-256 of each photo's file."""
    images = [photo.image for photo in photo_set.photos]
    return dict(zip(images, hash_files(photo_set.files), strict=True))


def divide_otherwise(path: Path) -> str:
    """Return what is done about a class that a split file has on one side only, in words."""
    return f"divide them otherwise in {path}"


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
    rows = match_files(path, [photo.image for photo in photos], hashes)
    odd = {photo.image for photo, row in zip(photos, rows, strict=True) if photo.label != row.label}
    _refuse(path, "have another label in the data", odd)
    return rows


def match_files(
    path: Path, images: Sequence[str], hashes: Mapping[str, str], *, complete: bool = True
) -> tuple[SplitRow, ...]:
    """Read a split file and hold it against files, whatever their labels; arguments and errors as for `match_splits`.

    Args:
        path: As for `match_splits`.
        images: The photos that it must be about.
        hashes: As for `match_splits`.
        complete: Whether these are all photos of the data.
    """
    rows = read_rows(path)
    present = set(images)
    if complete:
        _refuse(path, "are not in the data", rows.keys() - present)
    _refuse(path, "of the data are not in it", present - rows.keys())
    changed = {image for image, sha256 in hashes.items() if rows[image].sha256 != sha256}
    _refuse(path, "have changed since (other SHA-256)", changed)
    # The column of groups may be left empty.
    return tuple(replace(rows[image], group=rows[image].group.strip() or image) for image in images)


def refuse_divided_groups(path: Path, groups: Sequence[str], rows: Sequence[SplitRow], advice: str) -> None:
    """Refuse a split that divides a group.

    Args:
        path: The split file, for the error.
        groups: Of each row.
        rows: The photos.
        advice: What to do, in words.

    Raises:
        DataError: It does.
    """
    side_of: dict[str, Split] = {}
    for group, row in zip(groups, rows, strict=True):
        if side_of.setdefault(group, row.split) is not row.split:
            raise DataError(f"{path} divides the group {group}; {advice}.")


def read_rows(path: Path) -> dict[str, SplitRow]:
    """Read the rows by image; what one row says twice is no fault.

    Raises:
        DataError: The file cannot be read, or contradicts itself.
    """
    rows: dict[str, SplitRow] = {}
    for row in _read_rows(path):
        if rows.setdefault(row.image, row) != row:
            raise DataError(f"{path} has {row.image} twice, and not alike; take one of the rows away.")
    return rows


def _read_rows(path: Path) -> tuple[SplitRow, ...]:
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
            f"{path} is a split of other data: {len(odd)} photos {what}, the first {odd[0]}; draw a new one with "
            f"edge-train split --keep {path}, which leaves the others where they are."
        )
