"""Choosing the training photos that int8 ranges are measured on."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edge_runtime.errors import DataError
from edge_runtime.training_run import Split, SplitRow


@dataclass(frozen=True, slots=True)
class CalibrationSample:
    """Photos chosen for calibration.

    Attributes:
        seed: Seed of the choice.
        photos: In the order they are shown to the converter.
    """

    seed: int
    photos: tuple[SplitRow, ...]

    def to_manifest(self) -> dict[str, Any]:
        """Return JSON-ready values: the rule, the seed, and each photo's name, label and hash."""
        return {
            "rule": "equal shares of each class from the training split, senders in turn, drawn with the seed",
            "seed": self.seed,
            "photos": [
                {name: value for name, value in asdict(photo).items() if name in ("image", "label", "sha256")}
                for photo in self.photos
            ],
        }


def choose_photos(rows: Iterable[SplitRow], count: int, seed: int) -> CalibrationSample:
    """Choose a stratified sample of training photos.

    Ranges follow extremes, so rare classes count as much as common ones, and within a class one photo of each
    sender comes before a second one of any.

    Args:
        rows: A split file's rows; only training rows are used.
        count: How many photos at most.
        seed: Which sample.

    Raises:
        DataError: There is no training photo.
    """
    random = np.random.default_rng(seed)
    training = [row for row in rows if row.split is Split.TRAIN]
    if not training:
        raise DataError("The run's split file has no training photos to calibrate on; train again.")
    shuffled = [training[index] for index in random.permutation(len(training))]
    by_sender = _take_in_turns(shuffled, lambda row: (row.label, row.group))
    return CalibrationSample(seed, tuple(_take_in_turns(by_sender, lambda row: row.label)[:count]))


def _take_in_turns(rows: list[SplitRow], key: Callable[[SplitRow], Hashable]) -> list[SplitRow]:
    """Reorder rows so that each key comes once before any comes twice, and so on."""
    seen: Counter[Hashable] = Counter()
    turns = []
    for row in rows:
        turns.append(seen[key(row)])
        seen[key(row)] += 1
    return [rows[index] for index in np.argsort(turns, kind="stable")]
