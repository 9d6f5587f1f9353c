"""Reading all that a finished run has left about itself."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import RunError
from edge_runtime.estimates import Flags
from edge_runtime.spec import ModelSpec
from edge_runtime.training_run import Split, SplitRow, TrainingRun
from train.classification.epoch import EpochRecord
from train.evaluation.predictions import Predictions
from train.evaluation.statistics import Floats
from train.fitting.checkpoint import Epoch, Record


@dataclass(frozen=True, slots=True, eq=False)
class FinishedRun:
    """A run directory, read.

    Attributes:
        path: The directory.
        arguments: Resolved arguments by dotted name, as text.
        images: Folder that the paths of the splits start from.
        environment: Facts by dotted name, as text.
        spec: The model's contract.
        history: Its epochs, oldest first; none for an average of runs.
        splits: All photos.
        predictions: What the model says of the validation photos, in the order of `validation`.
    """

    path: Path
    arguments: dict[str, str]
    images: Path
    environment: dict[str, str]
    spec: ModelSpec
    history: tuple[EpochRecord, ...]
    splits: tuple[SplitRow, ...]
    predictions: Predictions

    @property
    def validation(self) -> tuple[SplitRow, ...]:
        """The validation photos."""
        return tuple(row for row in self.splits if row.split is Split.VALIDATION)

    @property
    def right(self) -> Flags:
        """(photos,) whether the model answers each validation photo rightly."""
        return self.predictions.right

    @property
    def confidence(self) -> Floats:
        """(photos,) best score of each validation photo, in [0, 1]."""
        return self.predictions.confidence

    @property
    def best_epoch(self) -> int:
        """Zero-based place in the history of the epoch that became the model; an average of runs has none."""
        return find_best(self.history)

    @property
    def minutes(self) -> float:
        """Time that the epochs took."""
        return count_minutes(self.history)


def read_run(path: Path) -> FinishedRun:
    """Read a run directory and check that its files belong together.

    Raises:
        RunError: It is no run directory, not finished, or damaged.
        MetadataError: Its `model.json` is no model description.
    """
    run = TrainingRun(path)
    if is_detector(run):
        raise RunError(f"{path} is the run of a detector; name runs of edge-train classify.")
    check_finished(run, "predictions.csv")
    finished = FinishedRun(
        path=path,
        arguments=flatten(run.read_arguments()),
        images=run.read_image_folder(),
        environment=flatten(run.read_environment()),
        spec=run.read_spec(),
        history=read_history(path / "metrics.csv", EpochRecord),
        splits=run.read_splits(),
        predictions=Predictions.read(path / "predictions.csv"),
    )
    _check_consistent(finished)
    return finished


def is_detector(run: TrainingRun) -> bool:
    """Tell whether a run, finished or not, is one of `edge-train detect`.

    Its arguments say so: other files may be left over from a start that failed.
    """
    return run.arguments_path.exists() and "layout" in run.read_arguments()


def check_finished(run: TrainingRun, predictions: str) -> None:
    """Check that a directory holds a finished run.

    Args:
        run: The directory.
        predictions: Name of the file that has what the model says of the validation photos.

    Raises:
        RunError: It is no run directory, or its training has not ended.
    """
    if not run.path.is_dir():
        raise RunError(f"{run.path} is no directory; name a run directory that edge-train has finished.")
    if not run.arguments_path.exists():
        raise RunError(
            f"{run.path} is no run directory, it has no {run.arguments_path.name}; "
            "name one that edge-train classify or edge-train detect has made."
        )
    absent = [path.name for path in (run.path / predictions, run.spec_path) if not path.exists()]
    if absent:
        raise RunError(
            f"{run.path} is not finished, it has no {' and no '.join(absent)}; "
            "repeat its edge-train command to finish it."
        )


def read_history(path: Path, record: type[Record]) -> tuple[Record, ...]:
    """Read the table of epochs.

    Raises:
        RunError: It is missing or damaged.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return tuple(_parse_epoch(row, record) for row in csv.DictReader(file))
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise RunError(f"{path} cannot be read ({error!r}); train again into a fresh directory.") from error


def find_best(history: Sequence[Epoch]) -> int:
    """Return the zero-based place of the epoch that became the model, the first of equals; there is one at least."""
    return max(range(len(history)), key=lambda index: history[index].score)


def count_minutes(history: Sequence[Epoch]) -> float:
    """Return how long the epochs of a run took together."""
    return sum(record.seconds for record in history) / 60


def describe_epochs(history: Sequence[Epoch]) -> str:
    """Return in words how long the epochs of a run took and which one became the model."""
    if not history:
        return "the average of other runs"
    return f"{count_minutes(history):.1f} minutes; kept: epoch {find_best(history) + 1}"


def _parse_epoch(row: dict[str, str], record: type[Record]) -> Record:
    values: dict[str, Any] = {
        field.name: field.type(row[field.name]) for field in fields(record) if callable(field.type)
    }
    return record(**values)


def _check_consistent(run: FinishedRun) -> None:
    predictions = run.predictions
    answered = [
        (image, predictions.labels[target])
        for image, target in zip(predictions.images, predictions.targets, strict=True)
    ]
    complaints = {
        "metrics.csv has no epoch": not run.history and "averaged" not in run.arguments,
        "there is no validation photo": not run.validation,
        "predictions.csv and splits.csv name different photos or labels": answered
        != [(row.image, row.label) for row in run.validation],
        "predictions.csv and model.json name different classes": [predictions.labels]
        != [head.labels for head in run.spec.heads],
        "predictions.csv holds what is no score": not _are_scores(predictions.scores),
    }
    for complaint, holds in complaints.items():
        if holds:
            raise RunError(
                f"{run.path} is damaged: {complaint}; repeat its edge-train classify command, or train again into a "
                "fresh directory."
            )


def _are_scores(scores: NDArray[np.float32]) -> bool:
    return bool(np.all((scores >= 0) & (scores <= 1)))


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Return nested values by dotted name, as text."""
    flat: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat.update(flatten(value, f"{prefix}{name}."))
        else:
            flat[prefix + name] = "none" if value is None else str(value)
    return flat
