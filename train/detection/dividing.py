"""Dividing photos with boxes: by drawing, as two data sets lie, or as a split file says."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edge_runtime.errors import DataError
from edge_runtime.training_run import Split, SplitRow
from train.data.boxes import BoxedPhoto
from train.data.kept_sides import follow_sides, refuse_absent, refuse_strays
from train.data.kept_split import keep_split
from train.data.photos import Photo, PhotoSet, hash_files
from train.data.split_file import divide_otherwise, hash_photos, match_files, refuse_divided_groups
from train.data.splits import LEARNT_SIDES, TAKE_AWAY, check_apart, check_sides, divide_photos

log = logging.getLogger(__name__)

_RETRY = "try another --validation-share or --seed"
_RETRY_KEPT = "draw a split without --keep"
_LEAVE_OUT = "name the other classes with --labels"
_RETRY_TEST = "take another --test-share, or none"


def draw_sides(
    photo_set: PhotoSet,
    photos: Sequence[BoxedPhoto],
    share: float,
    seed: int,
    test_share: float,
    keep: Path | None = None,
) -> tuple[SplitRow, ...]:
    """Hold out shares of the photos; those that show no object are dealt out with the commonest label.

    Composed scenes are learnt from only, but for those of a class that fewer than two photos show, copies not counted,
    and for those that keep another side.

    Args:
        photo_set: The photos by the rarest label of their boxes.
        photos: The same with their boxes.
        share: Share of photos to measure on, in (0, 0.5].
        seed: Which of the possible divisions.
        test_share: Share of photos for a last test, in [0, 0.5].
        keep: Split file whose photos keep their side and group; None draws all.

    Raises:
        DataError: A class would not be on both sides of the training, the test would show no object, or the file is as
            `keep_split` refuses it.
    """
    sides: Sequence[Split | None] = [None] * len(photos)
    hashes: Sequence[str] | None = None
    if keep is not None:
        kept = keep_split(keep, photo_set)
        photo_set, sides, hashes = kept.photo_set, kept.sides, kept.hashes
    commonest = _find_commonest(photo_set, photos)
    labelled = PhotoSet(
        photo_set.images, tuple(replace(photo, label=photo.label or commonest) for photo in photo_set.photos)
    )
    drawn = _divide(labelled, photos, share, seed, test_share, sides, hashes or hash_files(labelled.files))
    rows = tuple(replace(row, label=photo.label) for row, photo in zip(drawn, photo_set.photos, strict=True))
    check_apart(rows, TAKE_AWAY)
    retry = _RETRY_KEPT if keep is not None else _RETRY_TEST if test_share else _RETRY
    _check_shown(rows, photos, retry, test=bool(test_share) or Split.TEST in sides)
    return rows


def _find_commonest(photo_set: PhotoSet, photos: Sequence[BoxedPhoto]) -> str:
    """Return the commonest label of photos, of scenes only where no photo has one: scenes move no photo."""
    labelled = [(photo.label, boxed) for photo, boxed in zip(photo_set.photos, photos, strict=True) if photo.label]
    counted = [label for label, boxed in labelled if not boxed.composed] or [label for label, _ in labelled]
    return Counter(counted).most_common(1)[0][0]


def _divide(
    labelled: PhotoSet,
    photos: Sequence[BoxedPhoto],
    share: float,
    seed: int,
    test_share: float,
    sides: Sequence[Split | None],
    hashes: Sequence[str],
) -> list[SplitRow]:
    # A class may be the rarest of few photos and on many.
    classes = [frozenset(box.label for box in photo.boxes) for photo in photos]
    divided = _choose_divided(photos, classes, hashes)
    chosen = PhotoSet(labelled.images, tuple(labelled.photos[index] for index in divided))
    shown, kept, hashed = zip(*((classes[index], sides[index], hashes[index]) for index in divided), strict=True)
    drawn = divide_photos(chosen, share, seed, test_share, shown, kept, hashed)
    rows = dict(zip(divided, drawn, strict=True))
    return [
        rows.get(index) or SplitRow(photo.image, photo.label, photo.group, sides[index] or Split.TRAIN, hashes[index])
        for index, photo in enumerate(labelled.photos)
    ]


def _choose_divided(
    photos: Sequence[BoxedPhoto], classes: Sequence[frozenset[str]], hashes: Sequence[str]
) -> list[int]:
    """Return the places of what is divided: the photos, and scenes of classes that too few photos show."""
    real = [index for index, photo in enumerate(photos) if not photo.composed]
    if len(real) == len(photos):
        return real
    rare = _list_rare(real, classes, hashes)
    joining = [index for index, photo in enumerate(photos) if photo.composed and classes[index] & rare]
    if joining:
        log.info(
            "fewer than %d photos show %s, so %d composed scenes that do are divided as photos are: add photos",
            *(len(LEARNT_SIDES), ", ".join(sorted(rare)), len(joining)),
        )
    return sorted((*real, *joining))


def _list_rare(real: Sequence[int], classes: Sequence[frozenset[str]], hashes: Sequence[str]) -> frozenset[str]:
    """Return the classes that cannot be on both sides of the training, where copies of a photo stay together."""
    shown = {(label, hashes[index]) for index in real for label in classes[index]}
    counts = Counter(label for label, _ in shown)
    return frozenset(label for label in frozenset().union(*classes) if counts[label] < len(LEARNT_SIDES))


def keep_sides(photo_set: PhotoSet, photos: Sequence[BoxedPhoto], share: float, seed: int) -> tuple[SplitRow, ...]:
    """Divide photos as they lie; where none are to validate on, a share of those to learn from is drawn.

    Args:
        photo_set: As for `draw_sides`, lying divided.
        photos: As for `draw_sides`.
        share: As for `draw_sides`.
        seed: As for `draw_sides`.

    Raises:
        DataError: No photo is to learn from, a photo that is no composed scene lies in no side or in two, or a class
            would not be on both sides of the training.
    """
    by_image = {photo.image: photo for photo in photos}
    refuse_strays(photo_set.images, (photo for photo in photo_set.photos if not by_image[photo.image].composed))
    refuse_absent(_list_shown(photos), LEARNT_SIDES, f", or {_LEAVE_OUT}")

    def draw(learnt: PhotoSet) -> tuple[SplitRow, ...]:
        return draw_sides(learnt, [by_image[photo.image] for photo in learnt.photos], share, seed, 0.0)

    rows = follow_sides(photo_set, draw)
    check_apart(rows, TAKE_AWAY)
    return rows


def _list_shown(photos: Sequence[BoxedPhoto]) -> list[Photo]:
    """Return photos that lie divided once for each class that they show; composed scenes are learnt from."""
    return [
        Photo(photo.image, label, photo.image, photo.side or Split.TRAIN)
        for photo in photos
        for label in {box.label for box in photo.boxes}
    ]


def divide_as_given(photo_set: PhotoSet, training: int) -> tuple[SplitRow, ...]:
    """Learn from the first photos and measure on the others.

    Raises:
        DataError: A photo is among both.
    """
    hashes = hash_photos(photo_set)
    rows = tuple(
        SplitRow(
            photo.image,
            photo.label,
            photo.group,
            Split.TRAIN if index < training else Split.VALIDATION,
            hashes[photo.image],
        )
        for index, photo in enumerate(photo_set.photos)
    )
    check_apart(rows, TAKE_AWAY)
    return rows


def read_sides(path: Path, photo_set: PhotoSet, photos: Sequence[BoxedPhoto]) -> tuple[SplitRow, ...]:
    """Divide photos as a split file says; its labels are not asked, since they follow from boxes, and its groups are.

    Args:
        path: The split file.
        photo_set: The photos that it must be about, by the rarest label of their boxes.
        photos: The same with their boxes.

    Raises:
        DataError: The file cannot be read, is about other data, divides a group or copies of a photo, leaves a class
            without boxes to learn from or to measure on, or holds back photos that show no object.
    """
    found = match_files(path, [photo.image for photo in photos], hash_photos(photo_set))
    rows = tuple(replace(row, label=photo.label) for row, photo in zip(found, photo_set.photos, strict=True))
    refuse_divided_groups(path, [row.group for row in rows], rows, "give all of its photos there the same split")
    check_apart(rows, f"give both the same split in {path}")
    _check_shown(rows, photos, divide_otherwise(path), test=any(row.split is Split.TEST for row in rows))
    return rows


def _check_shown(rows: Sequence[SplitRow], photos: Sequence[BoxedPhoto], retry: str, *, test: bool) -> None:
    """Check that what is learnt is measured and the reverse, and that a test shows anything at all."""
    shown = [
        replace(row, label=label)
        for row, photo in zip(rows, photos, strict=True)
        for label in {box.label for box in photo.boxes}
    ]
    labels = sorted({row.label for row in shown})
    check_sides(shown, labels, LEARNT_SIDES, leave_out=_LEAVE_OUT, retry=retry)
    if test and not any(row.split is Split.TEST for row in shown):
        raise DataError(f"No photo of the test split has a box; add photos, or {retry}.")
