"""Reading all that a finished run of a detector has left about itself."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_runtime.coco import TrueBox
from edge_runtime.errors import RunError
from edge_runtime.results import Detection
from edge_runtime.spec import DetectionSpec, ModelSpec
from edge_runtime.training_run import SplitRow, TrainingRun
from train.detection.epoch import DetectorEpoch
from train.detection.run_files import PREDICTIONS_NAME, VALIDATION_NAME
from train.report.runs import check_finished, count_minutes, find_best, flatten, is_detector, read_history


@dataclass(frozen=True, slots=True)
class FinishedDetectorRun:
    """A run directory of a detector, read.

    Attributes:
        path: The directory.
        arguments: Resolved arguments by dotted name, as text.
        images: Folder that the paths of photos start from.
        environment: Facts by dotted name, as text.
        spec: The model's contract.
        detection: The part of it that is a detector's.
        history: Its epochs, oldest first; none for an average of runs.
        splits: All photos.
        scores: The content of `scores.json`.
        photos: Paths of the validation photos.
        truth: The true boxes of each.
        found: The boxes found on each, down to low scores.
    """

    path: Path
    arguments: dict[str, str]
    images: Path
    environment: dict[str, str]
    spec: ModelSpec
    detection: DetectionSpec
    history: tuple[DetectorEpoch, ...]
    splits: tuple[SplitRow, ...]
    scores: dict[str, Any]
    photos: tuple[str, ...]
    truth: tuple[tuple[TrueBox, ...], ...]
    found: tuple[tuple[Detection, ...], ...]

    @property
    def best_epoch(self) -> int:
        """Zero-based place in the history of the epoch that became the model; an average of runs has none."""
        return find_best(self.history)

    @property
    def minutes(self) -> float:
        """Time that the epochs took."""
        return count_minutes(self.history)


@dataclass(frozen=True, slots=True)
class _Measured:
    """A validation photo's path, true boxes and found ones."""

    photo: str
    truth: list[TrueBox]
    found: list[Detection]


def read_detector_run(path: Path) -> FinishedDetectorRun:
    """Read the run directory of a detector.

    Raises:
        RunError: It is not finished, or damaged.
        MetadataError: Its `model.json` is no model description.
    """
    run = TrainingRun(path)
    if run.arguments_path.exists() and not is_detector(run):
        raise RunError(f"{path} is the run of a classifier; name runs of edge-train detect.")
    check_finished(run, PREDICTIONS_NAME)
    spec = run.read_spec()
    try:
        scores = json.loads((path / "scores.json").read_text(encoding="utf-8"))
        measured = _read_measured(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} is damaged ({error!r}); train again into a fresh directory.") from error
    arguments, history = flatten(run.read_arguments()), read_history(path / "metrics.csv", DetectorEpoch)
    if spec.detection is None or not (history or "averaged" in arguments):
        raise RunError(f"{path} is damaged, it has no epoch or no labels; train again into a fresh directory.")
    return FinishedDetectorRun(
        path=path,
        arguments=arguments,
        images=run.read_image_folder(),
        environment=flatten(run.read_environment()),
        spec=spec,
        detection=spec.detection,
        history=history,
        splits=run.read_splits(),
        scores=scores,
        photos=tuple(each.photo for each in measured),
        truth=tuple(tuple(each.truth) for each in measured),
        found=tuple(tuple(each.found) for each in measured),
    )


def _read_measured(path: Path) -> list[_Measured]:
    validation, results = (
        json.loads((path / name).read_text(encoding="utf-8")) for name in (VALIDATION_NAME, PREDICTIONS_NAME)
    )
    labels = {each["id"]: each["name"] for each in validation["categories"]}
    measured = {each["id"]: _Measured(each["file_name"], [], []) for each in validation["images"]}
    for each in validation["annotations"]:
        measured[each["image_id"]].truth.append(TrueBox(labels[each["category_id"]], _corners(each)))
    for each in results:
        label = labels[each["category_id"]]
        measured[each["image_id"]].found.append(Detection(label, each["score"], _corners(each)))
    return list(measured.values())


def _corners(annotation: dict[str, Any]) -> tuple[float, float, float, float]:
    x, y, width, height = map(float, annotation["bbox"])
    return x, y, x + width, y + height
