"""The photos and boxes that a detector learns from: one data set or several, read as one."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge_runtime.errors import DataError
from edge_runtime.files import hash_file
from edge_runtime.training_run import BoxRow, Split, SplitRow
from train.boxes import BoxedPhoto, BoxSet
from train.data import Photo, PhotoSet, check_readable
from train.detection_formats import read_boxes
from train.splits import check_sides, divide_photos


@dataclass(frozen=True, slots=True)
class DetectionData:
    """Photos with their boxes, divided.

    Attributes:
        images: Folder that the photos' paths start from.
        labels: Class names in the order of the output.
        photos: By path.
        rows: What each photo serves for; its label is the rarest one on it, empty where it shows no object.
    """

    images: Path
    labels: tuple[str, ...]
    photos: dict[str, BoxedPhoto]
    rows: tuple[SplitRow, ...]

    def of(self, split: Split) -> list[BoxedPhoto]:
        """Return the photos that serve for training, or for validation."""
        return [self.photos[row.image] for row in self.rows if row.split is split]

    @property
    def box_rows(self) -> list[BoxRow]:
        """All boxes, photo by photo."""
        return [
            BoxRow(row.image, box.label, box.x_min, box.y_min, box.x_max, box.y_max)
            for row in self.rows
            for box in self.photos[row.image].boxes
        ]


def read_data(
    sources: Sequence[Path],
    validation: Sequence[Path],
    labels: tuple[str, ...],
    share: float,
    seed: int,
    *,
    images: Path | None = None,
    classes: Path | None = None,
) -> DetectionData:
    """Read data sets, check them, and divide their photos.

    Args:
        sources: COCO files, and YOLO and Pascal VOC folders, to learn from.
        validation: The same to measure on; without any, a share of the photos to learn from is held out.
        labels: Class names; empty for those of the first data set.
        share: Share of photos held out.
        seed: Which of the possible divisions.
        images: As for `read_boxes`, of all COCO files.
        classes: As for `read_boxes`, of all folders.

    Raises:
        DataError: A data set is missing or damaged, a photo cannot be read, a class is not one of the labels, or
            training and validation share a photo.
    """
    sets = _read_sets((*sources, *validation), images, classes)
    labels = _agree_on_labels(sources, validation, sets, labels)
    folder = Path(os.path.commonpath([box_set.images.resolve() for box_set in sets]))
    moved = [_move(box_set, folder) for box_set in sets]
    training = [photo for photos in moved[: len(sources)] for photo in photos]
    held_out = [photo for photos in moved[len(sources) :] for photo in photos]
    photo_set = _list_photos(folder, [*training, *held_out])
    check_readable(photo_set.files)
    rows = _divide_as_given(photo_set, len(training)) if held_out else _divide(photo_set, training, share, seed)
    return DetectionData(folder, labels, {photo.image: photo for photo in (*training, *held_out)}, rows)


def _read_sets(paths: Sequence[Path], images: Path | None, classes: Path | None) -> list[BoxSet]:
    """Read data sets of one kind or several; an option that serves none of them is refused by the first."""
    files = [path.is_file() for path in paths]
    return [
        read_boxes(path, images if is_file or not any(files) else None, classes if not is_file or all(files) else None)
        for path, is_file in zip(paths, files, strict=True)
    ]


def _agree_on_labels(
    sources: Sequence[Path], validation: Sequence[Path], sets: Sequence[BoxSet], labels: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the labels, sorted; a class that the first data set lacks is more often misspelt than new."""
    known = set(labels) or _labels_of(sets[0])
    for path, box_set in zip((*sources, *validation), sets, strict=True):
        unknown = sorted(_labels_of(box_set) - known)
        if unknown:
            meant = ",".join(sorted(known | set(unknown)))
            raise DataError(
                f"{path} has boxes of {', '.join(unknown)}, not one of {', '.join(sorted(known))}; rename the class in "
                f"the file, or say that all are meant with --labels '{meant}'."
            )
    learnt = {label for box_set in sets[: len(sources)] for label in _labels_of(box_set)}
    if absent := sorted(known - learnt):
        raise DataError(f"No photo to learn from has a box of {', '.join(absent)}; add some, or correct --labels.")
    return tuple(sorted(known))


def _labels_of(box_set: BoxSet) -> set[str]:
    return {box.label for photo in box_set.photos for box in photo.boxes}


def _move(box_set: BoxSet, folder: Path) -> list[BoxedPhoto]:
    """Return photos whose paths start from another folder."""
    prefix = box_set.images.resolve().relative_to(folder)
    return [replace(photo, image=(prefix / photo.image).as_posix()) for photo in box_set.photos]


def _list_photos(folder: Path, photos: Sequence[BoxedPhoto]) -> PhotoSet:
    """Return photos under the rarest label of their boxes, so that a division by label serves rare ones best."""
    twice = [image for image, count in Counter(photo.image for photo in photos).items() if count > 1]
    if twice:
        raise DataError(f"{folder / twice[0]} is in two data sets, or twice in one; keep it in one place.")
    counts = Counter(box.label for photo in photos for box in photo.boxes)
    return PhotoSet(
        folder,
        tuple(
            Photo(photo.image, min((box.label for box in photo.boxes), key=lambda label: (counts[label], label),
                                   default=""), photo.image)
            for photo in photos
        ),
    )  # fmt: skip


def _divide(photo_set: PhotoSet, photos: Sequence[BoxedPhoto], share: float, seed: int) -> tuple[SplitRow, ...]:
    """Hold out a share of the photos; those that show no object are dealt out with the commonest label."""
    commonest, _ = Counter(photo.label for photo in photo_set.photos if photo.label).most_common(1)[0]
    labelled = PhotoSet(
        photo_set.images, tuple(replace(photo, label=photo.label or commonest) for photo in photo_set.photos)
    )
    rows = divide_photos(labelled, share, seed)
    _check_apart(rows)
    # A class may be the rarest of few photos and on many.
    shown = [replace(row, label=box.label) for row, photo in zip(rows, photos, strict=True) for box in photo.boxes]
    check_sides(shown, sorted({row.label for row in shown}))
    return tuple(replace(row, label=photo.label) for row, photo in zip(rows, photo_set.photos, strict=True))


def _divide_as_given(photo_set: PhotoSet, training: int) -> tuple[SplitRow, ...]:
    rows = tuple(
        SplitRow(
            photo.image,
            photo.label,
            photo.group,
            Split.TRAIN if index < training else Split.VALIDATION,
            hash_file(photo_set.images / photo.image),
        )
        for index, photo in enumerate(photo_set.photos)
    )
    _check_apart(rows)
    return rows


def _check_apart(rows: Iterable[SplitRow]) -> None:
    """Refuse photos that would be learnt and then measured on; copies under other names are known by their hash."""
    split_of: dict[str, SplitRow] = {}
    for row in rows:
        first = split_of.setdefault(row.sha256, row)
        if first.split is not row.split:
            raise DataError(
                f"{first.image} and {row.image} are the same photo, one to learn from and one to measure on; "
                "take one of them away."
            )
