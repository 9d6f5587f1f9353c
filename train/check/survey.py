"""Taking all looks at a data set."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime.training_run import Split
from train.check.classes import find_class_problems, find_same_groups, find_side_faults
from train.check.duplicates import (
    NO_SPLITS,
    find_copies_across_groups,
    find_duplicates,
    find_leaks,
    find_near_duplicates,
    gather_copies,
    gather_sides,
)
from train.check.facts import Facts, gather_facts, of_photos
from train.check.findings import Finding, Report, sort_findings
from train.check.readability import find_left_out, find_unreadable
from train.check.shapes import find_odd_modes, find_odd_shapes
from train.data.photos import Columns, Photo, PhotoSet, find_photos
from train.data.split_file import match_splits

_NO_MODEL = "Labels are not judged; give --model imagenet (or a file of weights) to have it done."


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """The arguments of a check.

    Attributes:
        data: Folder per class, or CSV file.
        images: Folder that the CSV file's paths start from; None finds it.
        columns: Columns of the CSV file.
        splits: Split file over the same photos; None where there is none.
        model: Where features come from, as `extract_features` takes it; None judges no labels.
        image_size: Input height and width of the model in pixels.
    """

    data: Path
    images: Path | None
    columns: Columns
    splits: Path | None
    model: str | None
    image_size: int


def check_photos(options: CheckOptions) -> Report:
    """Take every look at a data set that can be taken.

    Raises:
        DataError: The data set cannot be listed, the split file is of other data, or the model cannot be read.
    """
    photo_set = find_photos(options.data, options.columns, options.images)
    facts, unreadable = gather_facts(photo_set)
    near_pairs = find_near_duplicates(facts)
    labels, skipped = _judge_labels(options, photo_set.images, facts, near_pairs)
    findings = [
        *find_unreadable(unreadable),
        *find_left_out(options.data),
        *find_class_problems(photo_set.photos),
        *find_same_groups(photo_set.photos),
        *_find_copies(options, photo_set, facts, near_pairs),
        *find_odd_shapes(facts, options.image_size),
        *find_odd_modes(facts),
        *labels,
    ]
    return Report(
        data=str(options.data),
        images=str(photo_set.images),
        photos=len(photo_set.photos),
        groups=len({photo.group for photo in photo_set.photos}),
        classes=dict(Counter(photo.label for photo in photo_set.photos).most_common()),
        findings=sort_findings(findings),
        skipped=(*(() if options.splits or photo_set.lies_divided else (NO_SPLITS,)), *skipped),
    )


def _find_copies(
    options: CheckOptions, photo_set: PhotoSet, facts: Sequence[Facts], near_pairs: NDArray[np.int64]
) -> Iterator[Finding]:
    copies = gather_copies(facts, near_pairs)
    yield from find_duplicates(copies)
    if options.splits is not None:
        rows = match_splits(options.splits, photo_set.photos, {each.photo.image: each.sha256 for each in facts})
        grouped = options.columns.group is not None
        # Without a column of groups, those that the split was drawn by are the only ones known.
        photos = photo_set.photos if grouped else [Photo(row.image, row.label, row.group) for row in rows]
        yield from find_leaks(copies, photos, {row.image: row.split for row in rows})
    elif photo_set.lies_divided:
        yield from find_side_faults(photo_set.photos, photo_set.photos, tuple(Split))
        yield from find_leaks(copies, photo_set.photos, gather_sides(photo_set.photos))
    elif options.columns.group is not None:
        yield from find_copies_across_groups(copies)


def _judge_labels(
    options: CheckOptions, images: Path, facts: Sequence[Facts], near_pairs: NDArray[np.int64]
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    if options.model is None or not facts:
        return (), (_NO_MODEL,)
    # Keras takes seconds to import, and only this look needs it.
    from train.check.features import extract_features
    from train.check.suspicion import find_suspicious_labels

    photos = of_photos(facts)
    return find_suspicious_labels(extract_features(options.model, images, photos), photos, near_pairs)
