"""Boxes that a detector would learn wrong things from."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import PurePosixPath
from statistics import median

from edge_runtime.boxes import iou
from train.check.findings import ClassSizes, Finding, Kind, Severity
from train.data.boxes import Box, BoxedPhoto, BoxSet, list_left_out
from train.data.photos import Photo

_LEAST_SIDE = 8
"""Pixels of the model's input: the finest grid of an SSD has cells of that size or more."""
_SAME = 0.9
"""Intersection over union from which two boxes of a class are one drawn twice."""
_NO_BOX = "no box"


def as_photo(boxed: BoxedPhoto) -> Photo:
    """Return a photo labelled with its classes, so that copies whose boxes differ contradict each other."""
    labels = sorted({box.label for box in boxed.boxes})
    # Written as in a split file; annotation tools also write ./photo.jpg.
    image = PurePosixPath(boxed.image).as_posix()
    return Photo(image, " + ".join(labels) or _NO_BOX, image, boxed.side)


def list_classes(box_set: BoxSet) -> tuple[Photo, ...]:
    """Return each photo once for every class that it has boxes of."""
    return tuple(
        Photo(photo.image, label, photo.image, photo.side)
        for photo in box_set.photos
        for label in sorted({box.label for box in photo.boxes})
    )


def measure_sizes(box_set: BoxSet) -> tuple[ClassSizes, ...]:
    """Return the boxes by class, the most frequent first."""
    sizes: dict[str, list[float]] = defaultdict(list)
    images: dict[str, set[str]] = defaultdict(set)
    for photo in box_set.photos:
        for box in photo.boxes:
            share = (box.x_max - box.x_min) * (box.y_max - box.y_min) / (photo.width * photo.height)
            sizes[box.label].append(share**0.5)
            images[box.label].add(photo.image)
    ranked = sorted(sizes, key=lambda label: -len(sizes[label]))
    return tuple(
        ClassSizes(label, len(each), len(images[label]), min(each), median(each), max(each))
        for label, each in ((label, sizes[label]) for label in ranked)
    )


def find_wrong_boxes(refused: Sequence[tuple[str, str]]) -> Iterator[Finding]:
    """Name each box or photo that no training would take, given as image and sentence."""
    for image, message in refused:
        yield Finding(Kind.BOX, Severity.ERROR, message, (Photo(image, "", image),))


def find_odd_boxes(box_set: BoxSet, size: int) -> Iterator[Finding]:
    """Find boxes too small to be seen, and boxes drawn twice.

    Args:
        box_set: The photos and their boxes.
        size: Input height and width of the model in pixels.
    """
    for photo in box_set.photos:
        for box in photo.boxes:
            width = (box.x_max - box.x_min) * size / photo.width
            height = (box.y_max - box.y_min) * size / photo.height
            if min(width, height) < _LEAST_SIDE:
                message = f"{box.label} is {width:.1f} x {height:.1f} pixels of an input of {size} x {size}."
                yield _about(Kind.TINY_BOX, message, photo, box)
        yield from _find_repeated(photo)


def _find_repeated(photo: BoxedPhoto) -> Iterator[Finding]:
    for one, other in combinations(photo.boxes, 2):
        if iou(one.corners, other.corners) >= _SAME:
            if one.label == other.label:
                yield _about(Kind.REPEATED_BOX, f"{one.label} has two boxes in the same place.", photo, one, other)
            else:
                message = f"{one.label} and {other.label} have the same box; see that both are there."
                yield _about(Kind.REPEATED_BOX, message, photo, one, other)


def find_without_boxes(box_set: BoxSet) -> Iterator[Finding]:
    """Count the photos without a box, which are learnt as showing nothing."""
    photos = tuple(as_photo(photo) for photo in box_set.photos if not photo.boxes)
    if len(photos) == len(box_set.photos):
        yield Finding(Kind.NO_BOX, Severity.ERROR, "No photo has a box that can be learnt.")
    elif photos:
        message = f"{len(photos)} photos have no box, so they teach that nothing is there; see that this is so."
        yield Finding(Kind.NO_BOX, Severity.WARNING, message, photos)


def find_broken_classes(box_set: BoxSet) -> Iterator[Finding]:
    """Name the classes that training refuses for their names."""
    for label in sorted({box.label for photo in box_set.photos for box in photo.boxes}):
        if len(label.splitlines()) != 1:
            message = f"The class {label!r} has a name that is not one line, so training refuses it; rename it."
            yield Finding(Kind.CLASSES, Severity.ERROR, message, values={"label": label})


def find_left_out_of(box_set: BoxSet) -> Iterator[Finding]:
    """Count what is there and not learnt."""
    for each in list_left_out(box_set):
        photos = tuple(Photo(image, "", image) for image in each.images)
        yield Finding(Kind.LEFT_OUT, Severity.WARNING, each.sentence, photos)


def _about(kind: Kind, message: str, photo: BoxedPhoto, *boxes: Box) -> Finding:
    return Finding(kind, Severity.WARNING, message, (as_photo(photo),), boxes=boxes)
