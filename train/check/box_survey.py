"""Taking all looks at a data set of boxes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from train.check.boxes import (
    as_photo,
    find_broken_classes,
    find_left_out_of,
    find_odd_boxes,
    find_without_boxes,
    find_wrong_boxes,
    list_classes,
    measure_sizes,
)
from train.check.classes import find_class_problems, find_side_faults
from train.check.duplicates import (
    NO_SPLITS,
    find_duplicates,
    find_leaks,
    find_near_duplicates,
    gather_copies,
    gather_sides,
)
from train.check.facts import Facts, gather_facts
from train.check.findings import Finding, Report, sort_findings
from train.check.readability import find_unreadable
from train.check.shapes import find_odd_modes, find_odd_shapes
from train.data.boxes import BoxSet
from train.data.detection_formats import list_boxes
from train.data.photos import PhotoSet
from train.data.split_file import match_files
from train.data.splits import LEARNT_SIDES


@dataclass(frozen=True, slots=True)
class BoxCheckOptions:
    """The arguments of a check of boxes.

    Attributes:
        data: A COCO file, or a folder in the layout of YOLO or Pascal VOC.
        images: Folder of a COCO file's photos; None finds it.
        classes: A YOLO data set's class names; None takes its own.
        splits: Split file over the same photos; None where there is none.
        image_size: Input height and width of the model in pixels.
    """

    data: Path
    images: Path | None
    classes: Path | None
    splits: Path | None
    image_size: int


def check_boxes(options: BoxCheckOptions) -> tuple[Report, BoxSet]:
    """Take every look at a data set of boxes; return also what is right of it.

    Raises:
        DataError: Nothing is there, no format fits, a file that says something about all photos is damaged, or the
            split file is of other data.
    """
    refused: list[tuple[str, str]] = []
    box_set = list_boxes(
        options.data, options.images, options.classes, lambda image, error: refused.append((image, str(error)))
    )
    photos = tuple(as_photo(photo) for photo in box_set.photos)
    photo_set = PhotoSet(box_set.images, photos)
    # A class may be missing from a side for what is wrong with its boxes, which is told already.
    follows_folders = photo_set.lies_divided and options.splits is None and not refused
    facts, unreadable = gather_facts(photo_set)
    findings = [
        *find_wrong_boxes(refused),
        *find_unreadable(unreadable),
        *_find_copies(options.splits, photo_set, facts, complete=not refused),
        *(find_side_faults(photos, list_classes(box_set), LEARNT_SIDES) if follows_folders else ()),
        *find_odd_shapes(facts, options.image_size),
        *find_odd_modes(facts),
        *_look_at_boxes(box_set, options.image_size),
    ]
    sizes = measure_sizes(box_set)
    report = Report(
        data=str(options.data),
        images=str(box_set.images),
        photos=len(photos),
        groups=len(photos),
        classes={each.label: each.boxes for each in sizes},
        findings=sort_findings(findings),
        skipped=() if options.splits or photo_set.lies_divided else (NO_SPLITS,),
        sizes=sizes,
    )
    return report, box_set


def _look_at_boxes(box_set: BoxSet, image_size: int) -> Iterator[Finding]:
    yield from find_class_problems(list_classes(box_set), alone=True)
    yield from find_broken_classes(box_set)
    yield from find_without_boxes(box_set)
    yield from find_odd_boxes(box_set, image_size)
    yield from find_left_out_of(box_set)


def _find_copies(
    splits: Path | None, photo_set: PhotoSet, facts: Sequence[Facts], *, complete: bool
) -> Iterator[Finding]:
    """Find photos that are the same, and what is on both sides of a split; its file says which photos are a group.

    Args:
        splits: The split file; None follows the folders of data that lie divided.
        photo_set: The photos that have nothing wrong.
        facts: What is known of those that can be read.
        complete: Whether these are all photos of the data.
    """
    copies, photos = gather_copies(facts, find_near_duplicates(facts)), photo_set.photos
    yield from find_duplicates(copies)
    if splits is not None:
        hashes = {each.photo.image: each.sha256 for each in facts}
        rows = match_files(splits, [photo.image for photo in photos], hashes, complete=complete)
        grouped = [replace(photo, group=row.group) for photo, row in zip(photos, rows, strict=True)]
        yield from find_leaks(copies, grouped, {row.image: row.split for row in rows})
    elif photo_set.lies_divided:
        yield from find_leaks(copies, photos, gather_sides(photos))
