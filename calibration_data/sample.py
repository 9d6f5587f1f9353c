"""Choosing the training photos that int8 ranges are measured on."""

import logging
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np

from edge_runtime.errors import DataError
from edge_runtime.files import hash_file
from edge_runtime.pictures import pictures_under
from edge_runtime.training_run import Split, SplitRow

_Item = TypeVar("_Item")

log = logging.getLogger(__name__)


class Source(StrEnum):
    """Where the photos come from."""

    RUN = "photos"
    FOLDER = "folder"


_RULES: Final = {
    Source.RUN: "equal shares of each class from the training split, senders in turn, drawn with the seed",
    Source.FOLDER: "equal shares of each sub-folder of a folder that the user named, drawn with the seed",
}


@dataclass(frozen=True, slots=True)
class CalibrationSample:
    """Photos chosen for calibration.

    Attributes:
        source: The run's training photos, or a folder of the user's.
        seed: Seed of the choice.
        folder: What their paths start from.
        photos: In the order they are shown to the converter; `label` is empty where it is not known.
    """

    source: Source
    seed: int
    folder: Path
    photos: tuple[SplitRow, ...]

    def to_manifest(self) -> dict[str, Any]:
        """Return JSON-ready values: the rule, the seed, and each photo's name, label and hash."""
        return {
            "rule": _RULES[self.source],
            "seed": self.seed,
            "photos": [
                {name: value for name, value in asdict(photo).items() if name in ("image", "label", "sha256")}
                for photo in self.photos
            ],
        }


def choose_photos(rows: Iterable[SplitRow], folder: Path, count: int, seed: int) -> CalibrationSample:
    """Choose a stratified sample of training photos.

    Ranges follow extremes, so rare classes count as much as common ones, and within a class one photo of each
    sender comes before a second one of any. A training photo of which a copy is held out is left out.

    Args:
        rows: A split file's rows; only training rows are used.
        folder: What the rows' paths start from.
        count: How many photos at most.
        seed: Which sample.

    Raises:
        DataError: There is no training photo, or one that was chosen is not the file it was in training any more.
    """
    rows = tuple(rows)
    held_out = _held_out(rows)
    training = [row for row in rows if row.split is Split.TRAIN]
    free = [row for row in training if row.sha256 not in held_out]
    if len(free) < len(training):
        log.warning(
            "WARNING: %d training photos are copies of validation photos and are left out of the calibration; "
            "edge-train check names such photos.",
            len(training) - len(free),
        )
    if not free:
        raise DataError("The run's split file has no training photos to calibrate on; train again.")
    random = np.random.default_rng(seed)
    shuffled = [free[index] for index in random.permutation(len(free))]
    by_sender = _take_in_turns(shuffled, lambda row: (row.label, row.group))
    chosen = tuple(_take_in_turns(by_sender, lambda row: row.label)[:count])
    check_unchanged(chosen, folder)
    return CalibrationSample(Source.RUN, seed, folder, chosen)


def choose_from_folder(folder: Path, rows: Iterable[SplitRow], count: int, seed: int) -> CalibrationSample:
    """Choose photos from a folder that the user names, in equal shares of its sub-folders.

    Args:
        folder: Holds pictures; those in sub-folders are taken as photos of the class that the sub-folder is named by.
        rows: The split file's rows of the run that is converted.
        count: How many photos at most.
        seed: Which sample.

    Raises:
        DataError: The folder has no picture, or one is a validation photo.
    """
    names = [path.relative_to(folder) for path in pictures_under(folder)]
    if not names:
        raise DataError(f"There is no picture in {folder} to calibrate on; name another folder.")
    random = np.random.default_rng(seed)
    shuffled = [names[index] for index in random.permutation(len(names))]
    chosen = tuple(_describe(folder, name) for name in _take_in_turns(shuffled, _class_of)[:count])
    held_out = _held_out(rows)
    leaking = [photo.image for photo in chosen if photo.sha256 in held_out]
    if leaking:
        raise DataError(
            f"{len(leaking)} of the {len(chosen)} calibration photos are held out, the first {leaking[0]}; "
            "what was calibrated on them cannot be judged by them, so take them out of the folder."
        )
    return CalibrationSample(Source.FOLDER, seed, folder, chosen)


def check_variety(sample: CalibrationSample, labels: Sequence[str]) -> None:
    """Refuse photos of one class alone for a model that tells several apart.

    Args:
        sample: The photos; where their classes are not known, they pass.
        labels: What the model tells apart.

    Raises:
        DataError: All photos are of one class.
    """
    present = {photo.label for photo in sample.photos}
    # A folder of the user's may be ordered by day or camera just as well.
    if len(labels) > 1 and len(present) == 1 and present <= set(labels):
        raise DataError(
            f"All {len(sample.photos)} calibration photos are of the class {present.pop()!r}, and int8 ranges would "
            f"suit no other; calibrate on photos of all {len(labels)} classes, at least one of each."
        )


def check_unchanged(photos: Sequence[SplitRow], folder: Path) -> None:
    """Refuse photos of a run that are other files than they were in training.

    Raises:
        DataError: Some are.
    """
    changed = [photo.image for photo in photos if hash_file(folder / photo.image) != photo.sha256]
    if changed:
        raise DataError(
            f"{len(changed)} of {len(photos)} photos in {folder} are not the files that the run was made with, the "
            f"first {changed[0]}; name the right folder with --images, or train again."
        )


def _held_out(rows: Iterable[SplitRow]) -> set[str]:
    return {row.sha256 for row in rows if row.split is not Split.TRAIN}


def _describe(folder: Path, name: Path) -> SplitRow:
    image = name.as_posix()
    return SplitRow(image, _class_of(name), image, Split.TRAIN, hash_file(folder / name))


def _class_of(name: Path) -> str:
    return name.parts[0] if len(name.parts) > 1 else ""


def _take_in_turns(rows: list[_Item], key: Callable[[_Item], Hashable]) -> list[_Item]:
    """Reorder rows so that each key comes once before any comes twice, and so on."""
    seen: Counter[Hashable] = Counter()
    turns = []
    for row in rows:
        turns.append(seen[key(row)])
        seen[key(row)] += 1
    return [rows[index] for index in np.argsort(turns, kind="stable")]
