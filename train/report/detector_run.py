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
from train.report.runs import check_finished, find_best, flatten, is_detector, read_history


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
        return sum(record.seconds for record in self.history) / 60


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
        validation, results, scores = (
            json.loads((path / name).read_text(encoding="utf-8"))
            for name in (VALIDATION_NAME, PREDICTIONS_NAME, "scores.json")
        )
        labels = {each["id"]: each["name"] for each in validation["categories"]}
        photos = {each["id"]: each["file_name"] for each in validation["images"]}
        truth: dict[int, list[TrueBox]] = {photo: [] for photo in photos}
        found: dict[int, list[Detection]] = {photo: [] for photo in photos}
        for each in validation["annotations"]:
            truth[each["image_id"]].append(TrueBox(labels[each["category_id"]], _corners(each)))
        for each in results:
            found[each["image_id"]].append(Detection(labels[each["category_id"]], each["score"], _corners(each)))
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
        photos=tuple(photos.values()),
        truth=tuple(map(tuple, truth.values())),
        found=tuple(map(tuple, found.values())),
    )


def _corners(annotation: dict[str, Any]) -> tuple[float, float, float, float]:
    x, y, width, height = map(float, annotation["bbox"])
    return x, y, x + width, y + height
