"""What a model said of each validation photo, on disk, for every later look at it."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import RunError
from edge_runtime.files import write_text

_COLUMNS = ("image", "label")


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

    def write(self, path: Path) -> None:
        """Write a CSV file: `image`, `label`, then one column of scores per class."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*_COLUMNS, *self.labels])
        for image, target, scores in zip(self.images, self.targets, self.scores, strict=True):
            writer.writerow([image, self.labels[target], *(f"{score:.6f}" for score in scores)])
        write_text(path, text.getvalue())

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
