"""Keeping to a split that was drawn before photos came and went."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge_runtime.errors import DataError
from edge_runtime.training_run import Split, SplitRow
from train.data.photos import Photo, PhotoSet
from train.data.split_file import hash_photos, read_rows, refuse_divided_groups
from train.data.splits import TAKE_AWAY, check_apart, join_groups

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KeptSplit:
    """What an earlier split says of photos.

    Attributes:
        photo_set: The photos, those that have no group of their own under the one that the split has for them.
        sides: What each photo serves for; None where the split knows neither it, nor its group, nor a copy of it.
        hashes: SHA-256 of each.
    """

    photo_set: PhotoSet
    sides: tuple[Split | None, ...]
    hashes: tuple[str, ...]


def keep_split(path: Path, photo_set: PhotoSet) -> KeptSplit:
    """Find out what photos served for.

    A photo is known by its SHA-256, or else, as it may have been saved again, by its path.

    Args:
        path: The earlier split file.
        photo_set: The photos of now.

    Raises:
        DataError: The file cannot be read, knows none of the photos, or divides a group or copies of a photo.
    """
    rows = _read(path)
    hashes = hash_photos(photo_set)
    found = _find(rows, photo_set.photos, hashes)
    if not any(found):
        raise DataError(
            f"{path} knows none of the photos in {photo_set.images}; name the split that was drawn of them."
        )
    photos = tuple(_take_group(photo, row) for photo, row in zip(photo_set.photos, found, strict=True))
    sides = _follow(rows, photos, found, hashes)
    _refuse_divided(path, photos, sides, hashes)
    _tell(path, rows, found, sides, hashes)
    hashed = tuple(hashes[photo.image] for photo in photos)
    return KeptSplit(PhotoSet(photo_set.images, photos), sides, hashed)


def _read(path: Path) -> tuple[SplitRow, ...]:
    rows = tuple(replace(row, group=row.group.strip() or row.image) for row in read_rows(path).values())
    refuse_divided_groups(path, [row.group for row in rows], rows, _advise(path))
    # Whoever wrote the file by hand may have left the column of hashes empty.
    check_apart((row for row in rows if row.sha256), f"give both the same split in {path}")
    return rows


def _advise(path: Path) -> str:
    return f"give all of its photos the same split in {path}"


def _find(rows: Iterable[SplitRow], photos: Iterable[Photo], hashes: Mapping[str, str]) -> list[SplitRow | None]:
    """Return what the split has of each photo, None where it does not know it."""
    by_hash = {row.sha256: row for row in rows}
    present = set(hashes.values())
    # A name may have passed to another photo where the one that had it has a new name.
    by_path = {row.image: row for row in rows if row.sha256 not in present}
    return [by_hash.get(hashes[photo.image], by_path.get(photo.image)) for photo in photos]


def _take_group(photo: Photo, row: SplitRow | None) -> Photo:
    if row is None or photo.group != photo.image or row.group == row.image:
        return photo
    return replace(photo, group=row.group)


def _follow(
    rows: Iterable[SplitRow], photos: Sequence[Photo], found: Sequence[SplitRow | None], hashes: Mapping[str, str]
) -> tuple[Split | None, ...]:
    """Return what each photo serves for: as it did, or else as others of its group and its copies do or did."""
    groups = [photo.group for photo in photos]
    joined = join_groups(groups, [hashes[photo.image] for photo in photos])
    earlier = {row.group: row.split for row in rows if row.group != row.image}
    of_group, of_joined = _gather(groups, found), _gather(joined, found)
    for name, group in zip(joined, groups, strict=True):
        if group in earlier:
            of_joined.setdefault(name, earlier[group])
    return tuple(
        row.split if row else of_group.get(group, of_joined.get(name))
        for group, name, row in zip(groups, joined, found, strict=True)
    )


def _gather(groups: Iterable[str], found: Iterable[SplitRow | None]) -> dict[str, Split]:
    return {group: row.split for group, row in zip(groups, found, strict=True) if row is not None}


def _refuse_divided(
    path: Path, photos: Iterable[Photo], sides: Iterable[Split | None], hashes: Mapping[str, str]
) -> None:
    """Refuse groups and copies on two sides, as there are where groups have become others since."""
    placed = [
        SplitRow(photo.image, photo.label, photo.group, side, hashes[photo.image])
        for photo, side in zip(photos, sides, strict=True)
        if side is not None
    ]
    check_apart(placed, TAKE_AWAY)
    refuse_divided_groups(path, [row.group for row in placed], placed, _advise(path))


def _tell(
    path: Path,
    rows: Iterable[SplitRow],
    found: Sequence[SplitRow | None],
    sides: Sequence[Split | None],
    hashes: Mapping[str, str],
) -> None:
    kept, drawn = sum(row is not None for row in found), sides.count(None)
    known = {row.image for row in found if row is not None}
    present = set(hashes.values())
    gone = sum(row.image not in known and row.sha256 not in present for row in rows)
    log.info(
        "%s: %d photos keep their side, %d new ones follow their group or copies, %d are drawn, %d are gone",
        *(path, kept, len(sides) - kept - drawn, drawn, gone),
    )
