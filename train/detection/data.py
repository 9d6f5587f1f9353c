"""The photos and boxes that a detector learns from: one data set or several, read as one."""

import logging
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

from edge_runtime.errors import DataError
from edge_runtime.training_run import BoxRow, Split, SplitRow
from train.data.boxes import BoxedPhoto, BoxSet
from train.data.class_names import is_data_yaml
from train.data.detection_formats import read_boxes
from train.data.photos import Photo, PhotoSet
from train.data.sides import lie_divided
from train.detection.dividing import divide_as_given, draw_sides, keep_sides, read_sides

log = logging.getLogger(__name__)


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
        """Return the photos that serve for training, for validation, or for a last test."""
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
    test_share: float = 0.0,
    splits: Path | None = None,
    redraw: bool = False,
    keep: Path | None = None,
) -> DetectionData:
    """Read data sets, check them, and divide their photos.

    Args:
        sources: COCO files, and YOLO and Pascal VOC folders, to learn from.
        validation: The same to measure on; without any, the photos to learn from are divided as they lie, or else a
            share of them is held out.
        labels: Class names, boxes of others being left out; empty for those of the first data set.
        share: Share of photos held out.
        seed: Which of the possible divisions.
        images: As for `read_boxes`, of all COCO files.
        classes: As for `read_boxes`, of all folders.
        test_share: Share of photos neither learnt from nor measured on, where a share is held out.
        splits: Split file that says what each photo serves for, in the place of `validation`, shares and folders.
        redraw: Whether shares are drawn of data that lie divided, too.
        keep: Split file whose photos keep their side where shares are drawn.

    Raises:
        DataError: A data set is missing or damaged, a class is not one of the first data set's, a label has no box,
            training and validation share a photo, the split file is of other data, or data lie divided and `validation`
            is given, too, or some photos lie in no side.
    """
    sets = _read_sets((*sources, *validation), images, classes)
    known = frozenset(labels) or _labels_of(sets[:1])
    if broken := sorted(label for label in known if len(label.splitlines()) != 1):
        raise DataError(f"{sources[0]} has the class {broken[0]!r}, which is not one line; rename it.")
    if labels:
        sets = _leave_out_others(sets, known)
    else:
        _refuse_others((*sources, *validation), sets, known)
    _refuse_unseen(known, sets[: len(sources)], sets[len(sources) :])
    if validation:
        _refuse_divided((*sources, *validation), sets, len(sources))
    folder = _common_folder(sets)
    moved = [_move(box_set, folder) for box_set in sets]
    training = [photo for photos in moved[: len(sources)] for photo in photos]
    held_out = [photo for photos in moved[len(sources) :] for photo in photos]
    photo_set = _list_photos(folder, [*training, *held_out])
    if splits is not None:
        rows = read_sides(splits, photo_set, training)
    elif held_out:
        rows = divide_as_given(photo_set, len(training))
    elif any(map(_lies_divided, sets)) and not redraw:
        rows = keep_sides(photo_set, training, share, seed)
    else:
        rows = draw_sides(photo_set, training, share, seed, test_share, keep)
    return DetectionData(folder, tuple(sorted(known)), {photo.image: photo for photo in (*training, *held_out)}, rows)


def _read_sets(paths: Sequence[Path], images: Path | None, classes: Path | None) -> list[BoxSet]:
    """Read data sets of one kind or several; an option that serves none of them is refused by the first."""
    files = [path.is_file() and not is_data_yaml(path) for path in paths]
    return [
        read_boxes(path, images if is_file or not any(files) else None, classes if not is_file or all(files) else None)
        for path, is_file in zip(paths, files, strict=True)
    ]


def _common_folder(sets: Sequence[BoxSet]) -> Path:
    folders = [box_set.images.resolve() for box_set in sets]
    try:
        return Path(os.path.commonpath(folders))
    except ValueError as error:
        raise DataError(
            f"{folders[0]} and the photos of another data set are on several drives; copy them to one."
        ) from error


def _leave_out_others(sets: Sequence[BoxSet], labels: Set[str]) -> list[BoxSet]:
    """Leave out the boxes of other classes, and say so: a class may be misspelt."""
    boxes = (box for box_set in sets for photo in box_set.photos for box in photo.boxes)
    others = Counter(box.label for box in boxes if box.label not in labels)
    if others:
        counts = ", ".join(f"{label} {others[label]}" for label in sorted(others))
        log.info("left out %d boxes of classes that --labels does not name: %s", others.total(), counts)
    return [replace(box_set, photos=tuple(_keep(photo, labels) for photo in box_set.photos)) for box_set in sets]


def _keep(photo: BoxedPhoto, labels: Set[str]) -> BoxedPhoto:
    return replace(photo, boxes=tuple(box for box in photo.boxes if box.label in labels))


def _refuse_others(paths: Sequence[Path], sets: Sequence[BoxSet], labels: Set[str]) -> None:
    """Refuse a class that the first data set lacks: it is more often misspelt than new."""
    for path, box_set in zip(paths, sets, strict=True):
        unknown = _labels_of([box_set]) - labels
        if unknown:
            first, every = (",".join(sorted(names)) for names in (labels, labels | unknown))
            raise DataError(
                f"{path} has boxes of {', '.join(sorted(unknown))}, not one of {', '.join(sorted(labels))}; rename the "
                f"class in the file, say that all are meant with --labels '{every}', or leave it out with "
                f"--labels '{first}'."
            )


def _refuse_unseen(labels: Set[str], learnt: Sequence[BoxSet], measured: Sequence[BoxSet]) -> None:
    """Refuse a class that nothing shows, and data to measure on that show none."""
    if absent := sorted(labels - _labels_of(learnt)):
        raise DataError(f"No photo to learn from has a box of {', '.join(absent)}; add some, or correct --labels.")
    if measured and not _labels_of(measured):
        raise DataError(f"No photo to measure on has a box of {', '.join(sorted(labels))}; add some to --validation.")


def _refuse_divided(paths: Sequence[Path], sets: Sequence[BoxSet], learnt: int) -> None:
    """Refuse data that lie divided where it is said of them as a whole what they serve for, the first to learn from."""
    for place, (path, box_set) in enumerate(zip(paths, sets, strict=True)):
        sides = {photo.side for photo in box_set.photos if photo.side is not None}
        if sides - {Split.TRAIN} if place < learnt else len(sides) > 1:
            raise DataError(
                f"{path} lies divided, and --validation says of data as a whole what they serve for; leave it away, or "
                "give a split of all with --splits instead."
            )


def _lies_divided(box_set: BoxSet) -> bool:
    return lie_divided(photo.side for photo in box_set.photos if not photo.composed)


def _labels_of(sets: Iterable[BoxSet]) -> frozenset[str]:
    return frozenset(box.label for box_set in sets for photo in box_set.photos for box in photo.boxes)


def _move(box_set: BoxSet, folder: Path) -> list[BoxedPhoto]:
    """Return photos whose paths start from another folder."""
    prefix = box_set.images.resolve().relative_to(folder)
    return [replace(photo, image=(prefix / photo.image).as_posix()) for photo in box_set.photos]


def _list_photos(folder: Path, photos: Sequence[BoxedPhoto]) -> PhotoSet:
    """Return photos under the rarest label of their boxes, so that a division by label serves rare ones best.

    How rare a label is on photos does not depend on composed scenes: photos are divided alike with and without these.
    """
    twice = [image for image, count in Counter(photo.image for photo in photos).items() if count > 1]
    if twice:
        raise DataError(f"{folder / twice[0]} is in two data sets, or twice in one; keep it in one place.")
    of_photos, of_all = (
        Counter(box.label for photo in counted for box in photo.boxes)
        for counted in ([photo for photo in photos if not photo.composed], photos)
    )
    return PhotoSet(
        folder,
        tuple(
            Photo(photo.image, _find_rarest(photo, of_all if photo.composed else of_photos), photo.image, photo.side)
            for photo in photos
        ),
    )


def _find_rarest(photo: BoxedPhoto, counts: Mapping[str, int]) -> str:
    return min((box.label for box in photo.boxes), key=lambda label: (counts[label], label), default="")
