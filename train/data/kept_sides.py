"""Following the folders of data that lie divided, where nothing says otherwise."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from edge_runtime.errors import DataError
from edge_runtime.files import hash_file
from edge_runtime.training_run import Split, SplitRow
from train.data.photos import Photo, PhotoSet
from train.data.splits import TAKE_AWAY, check_apart, refuse_two_labels, split_photos

log = logging.getLogger(__name__)


def keep_sides(photo_set: PhotoSet, validation_share: float, seed: int) -> tuple[SplitRow, ...]:
    """Divide photos as they lie; where none are to validate on, a share of those to learn from is drawn.

    Args:
        photo_set: Labelled photos that lie divided.
        validation_share: As for `split_photos`.
        seed: As for `split_photos`.

    Raises:
        DataError: No photo is to learn from, a photo lies in no side or in two, or a class has no photos of a side.
    """
    refuse_strays(photo_set.images, photo_set.photos)
    refuse_absent(photo_set.photos, tuple(Split))
    rows = follow_sides(photo_set, lambda learnt: split_photos(learnt, validation_share, seed))
    refuse_two_labels(rows)
    check_apart(rows, TAKE_AWAY)
    return rows


def refuse_strays(images: Path, photos: Iterable[Photo]) -> None:
    """Refuse photos of which it is not known what they serve for, beside others of which it is.

    Raises:
        DataError: There are such.
    """
    strays = [photo.image for photo in photos if photo.side is None]
    if strays:
        raise DataError(
            f"{len(strays)} photos, the first {images / strays[0]}, lie in none of the folders train, valid and test "
            "that others lie in; move them there or away, or give a split of all with --splits."
        )


def refuse_absent(photos: Sequence[Photo], sides: Sequence[Split], leave_out: str = "") -> None:
    """Refuse classes that have no photo of a side.

    Args:
        photos: Photos that lie divided, each as often as it has classes.
        sides: Where each class must be, if any photo is; there must be some to learn from.
        leave_out: What else can be done, in words.

    Raises:
        DataError: There are such.
    """
    if not any(photo.side is Split.TRAIN for photo in photos):
        raise DataError(
            "The data lie divided, and no photo in a folder train shows a class; add some, or call the folder of those "
            "to learn from so."
        )
    if absent := list_absent(photos, sides):
        side, labels = next(iter(absent.items()))
        raise DataError(
            f"The data lie divided, and their {side} side has no photo of {', '.join(labels)}; add some there, or take "
            f"such photos out of the other sides{leave_out}."
        )


def take_training(photo_set: PhotoSet) -> tuple[Photo, ...]:
    """Return the photos to learn from of data that lie divided.

    Raises:
        DataError: There are none, or photos lie in no side.
    """
    refuse_strays(photo_set.images, photo_set.photos)
    photos = tuple(photo for photo in photo_set.photos if photo.side is Split.TRAIN)
    if not photos:
        raise DataError(
            f"{photo_set.images} lies divided, with no photo in a folder train; call the one to learn from so."
        )
    return photos


def list_absent(photos: Sequence[Photo], sides: Sequence[Split]) -> dict[Split, list[str]]:
    """Return the classes that have no photo of a side; arguments as for `refuse_absent`."""
    labels = {photo.label for photo in photos}
    shown = {split: {photo.label for photo in photos if photo.side is split} for split in sides}
    asked = (split for split in sides if shown[split] or split is Split.TRAIN)
    return {split: sorted(labels - shown[split]) for split in asked if labels - shown[split]}


def follow_sides(photo_set: PhotoSet, draw: Callable[[PhotoSet], Sequence[SplitRow]]) -> tuple[SplitRow, ...]:
    """Return what each photo serves for by the folder that it lies in; those of no such folder are learnt from.

    Args:
        photo_set: Photos that lie divided.
        draw: Divides the photos to learn from, where none are to validate on.
    """
    counts = Counter(photo.side or Split.TRAIN for photo in photo_set.photos)
    log.info("the data lie divided: %s", ", ".join(f"{side} {counts[side]}" for side in Split if counts[side]))
    drawn: dict[str, SplitRow] = {}
    if not counts[Split.VALIDATION]:
        learnt = tuple(photo for photo in photo_set.photos if photo.side is not Split.TEST)
        drawn = {row.image: row for row in draw(PhotoSet(photo_set.images, learnt))}
    return tuple(drawn.get(photo.image) or _follow_side(photo_set, photo) for photo in photo_set.photos)


def _follow_side(photo_set: PhotoSet, photo: Photo) -> SplitRow:
    sha256 = hash_file(photo_set.images / photo.image)
    return SplitRow(photo.image, photo.label, photo.group, photo.side or Split.TRAIN, sha256)
