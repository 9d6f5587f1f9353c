"""What a model said of each validation photo, on disk, for every later look at it."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import RunError
from edge_runtime.files import write_text
from edge_runtime.tables import format_csv

_COLUMNS = ("image", "label")
_LEAST_PROBABILITY = 1e-6
"""The last digit on disk."""


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Scores of one model on labelled photos.

    Attributes:
        labels: Class names in the order of the model's output.
        images: Path of each photo, relative to the run's image folder.
        targets: (photos,) int64 true class indices.
        scores: (photos, labels) float32 probabilities in [0, 1].
    """

    labels: tuple[str, ...]
    images: tuple[str, ...]
    targets: NDArray[np.int64]
    scores: NDArray[np.float32]

    @property
    def answers(self) -> NDArray[np.int64]:
        """The (photos,) class indices with the best scores."""
        answers: NDArray[np.int64] = self.scores.argmax(axis=1)
        return answers

    @property
    def right(self) -> NDArray[np.bool_]:
        """(photos,) whether each photo is answered rightly."""
        return np.asarray(self.answers == self.targets)

    @property
    def confidence(self) -> NDArray[np.float64]:
        """(photos,) best scores in [0, 1]."""
        return np.asarray(self.scores.max(axis=1), np.float64)

    @property
    def likelihood(self) -> float:
        """Mean negative log-likelihood of the true classes: 0 where all are sure and right."""
        chosen = self.scores[np.arange(len(self.targets)), self.targets]
        return float(-np.log(np.maximum(chosen, _LEAST_PROBABILITY)).mean())

    def write(self, path: Path) -> None:
        """Write a CSV file: `image`, `label`, then one column of scores per class."""
        rows = (
            [image, self.labels[target], *(f"{score:.6f}" for score in scores)]
            for image, target, scores in zip(self.images, self.targets, self.scores, strict=True)
        )
        write_text(path, format_csv([*_COLUMNS, *self.labels], rows))

    @classmethod
    def read(cls, path: Path) -> "Predictions":
        """Read a file that `write` has written.

        Raises:
            RunError: The file is missing or damaged.
        """
        try:
            with path.open(encoding="utf-8", newline="") as file:
                header, *rows = csv.reader(file)
            labels = tuple(header[len(_COLUMNS) :])
            return cls(
                labels,
                tuple(row[0] for row in rows),
                np.array([labels.index(row[1]) for row in rows], np.int64),
                np.array([row[len(_COLUMNS) :] for row in rows], np.float32).reshape(len(rows), len(labels)),
            )
        except (OSError, ValueError, IndexError) as error:
            raise RunError(f"{path} cannot be read ({error}); finish the run by repeating its command.") from error


def pool_predictions(predictions: Sequence[Predictions]) -> Predictions:
    """Return one answer to each photo that any of several models was measured on: the mean of theirs.

    Args:
        predictions: With the same labels.
    """
    scores: dict[str, list[NDArray[np.float32]]] = {}
    targets: dict[str, np.int64] = {}
    for each in predictions:
        for image, target, row in zip(each.images, each.targets, each.scores, strict=True):
            scores.setdefault(image, []).append(row)
            targets[image] = target
    means = np.stack([np.mean(rows, axis=0) for rows in scores.values()])
    return Predictions(predictions[0].labels, tuple(scores), np.array([*targets.values()]), means)
