"""From the best epoch of a detector to the finished run: a reporting threshold, figures, and what it finds."""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import keras

from edge_runtime.coco import LOWEST_SCORE, CocoScores, TrueBox, measure_coco
from edge_runtime.files import replacing, write_text
from edge_runtime.results import Detection
from edge_runtime.spec import DetectionSpec, InputSpec
from edge_runtime.training_run import TrainingRun
from train.data.boxes import BoxedPhoto
from train.detection.anchors import Anchors
from train.detection.dataset import SampleReader
from train.detection.judging import Counts, choose_threshold, count_outcomes, judge_photo
from train.detection.measuring import detect_photos, to_truth
from train.detection.run_files import PREDICTIONS_NAME, VALIDATION_NAME

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DetectorFinish:
    """What the finished detector came to on the validation photos.

    Attributes:
        coco: Average precisions.
        threshold: Boxes with a score below it are not reported; it has the best F1.
        reported: By label, what is found from the threshold on.
    """

    coco: CocoScores
    threshold: float
    reported: dict[str, Counts]


def finish_detector(
    detector: keras.Model,
    run: TrainingRun,
    photos: Sequence[BoxedPhoto],
    read: SampleReader,
    anchors: Anchors,
    spec: InputSpec,
    detection: DetectionSpec,
) -> DetectorFinish:
    """Write a trained detector as the run's model, and write what it finds on the validation photos.

    Args:
        detector: The best model.
        run: Gets `model.keras`, `validation.json`, `predictions.json` and `scores.json`.
        photos: To measure on.
        read: Reads them.
        anchors: (anchors, 4) float32 that it was built for.
        spec: The input contract.
        detection: Which boxes are answers; the threshold is chosen here.
    """
    low, labels = replace(detection, threshold=LOWEST_SCORE), detection.labels
    found = detect_photos(detector, photos, read, anchors, spec, low)
    truth = to_truth(photos)
    with replacing(run.model_path) as aside:
        detector.save(aside)
    finish = _measure(found, truth, labels)
    write_text(run.path / VALIDATION_NAME, json.dumps(_to_coco(photos, truth, labels)) + "\n")
    write_text(run.path / PREDICTIONS_NAME, json.dumps(_to_results(found, labels)) + "\n")
    write_text(run.path / "scores.json", json.dumps({**asdict(finish), "labels": labels}, indent=2) + "\n")
    log.info(
        "best model: validation mAP %.4f, mAP50 %.4f; below %.3f it reports nothing",
        *(finish.coco.map, finish.coco.map50, finish.threshold),
    )
    return finish


def _measure(
    found: Sequence[Sequence[Detection]], truth: Sequence[Sequence[TrueBox]], labels: Sequence[str]
) -> DetectorFinish:
    threshold = choose_threshold(found, truth)
    judged = [
        judge_photo([box for box in boxes if box.score >= threshold], true)
        for boxes, true in zip(found, truth, strict=True)
    ]
    reported = {label: count_outcomes(judged, label) for label in labels}
    return DetectorFinish(measure_coco(truth, found, labels), threshold, reported)


def _to_coco(photos: Sequence[BoxedPhoto], truth: Sequence[Sequence[TrueBox]], labels: Sequence[str]) -> dict[str, Any]:
    """Return the true boxes as a COCO file's content; photos and labels are numbered from 1 in their order."""
    boxes = [(number, box) for number, each in enumerate(truth, 1) for box in each]
    return {
        "images": [
            {"id": number, "file_name": photo.image, "width": photo.width, "height": photo.height}
            for number, photo in enumerate(photos, 1)
        ],
        "categories": [{"id": number, "name": label} for number, label in enumerate(labels, 1)],
        "annotations": [
            {**_to_annotation(photo, box, labels), "id": number, "iscrowd": 0}
            for number, (photo, box) in enumerate(boxes, 1)
        ],
    }


def _to_results(found: Sequence[Sequence[Detection]], labels: Sequence[str]) -> list[dict[str, Any]]:
    """Return boxes in COCO's format for results, numbered as in `_to_coco`."""
    return [
        {**_to_annotation(number, box, labels), "score": box.score}
        for number, boxes in enumerate(found, 1)
        for box in boxes
    ]


def _to_annotation(photo: int, box: TrueBox | Detection, labels: Sequence[str]) -> dict[str, Any]:
    x_min, y_min, x_max, y_max = (round(edge, 2) for edge in box.box)
    width, height = round(x_max - x_min, 2), round(y_max - y_min, 2)
    return {
        "image_id": photo,
        "category_id": labels.index(box.label) + 1,
        "bbox": [x_min, y_min, width, height],
        "area": round(width * height, 2),
    }
