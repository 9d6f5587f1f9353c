"""What a detector is worth at each stage of its way to the device, on the same photos."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from convert.detection_tail import postprocess_alone
from edge_runtime.backend import DelegateName, open_interpreter
from edge_runtime.boxes import iou
from edge_runtime.coco import LabelPrecision, TrueBox, measure_coco
from edge_runtime.metadata.schema import DetectorOutput
from edge_runtime.outputs import DetectorOutputs
from edge_runtime.preprocess import Image, Preprocessor, normalize
from edge_runtime.quiet import quiet_stderr
from edge_runtime.recognizer import Recognizer
from edge_runtime.results import Detection
from edge_runtime.spec import DetectionSpec, InputSpec
from edge_runtime.training_run import BoxRow, SplitRow

log = logging.getLogger(__name__)

Answers = Sequence[tuple[Detection, ...]]
"""The boxes of each photo, best first, down to the lowest score that the file gives."""

_SAME_BOX = 0.5
_TOLERATED_LOSS = 0.01


@dataclass(frozen=True, slots=True)
class StagePrecision:
    """Average precision of one stage, and how far its boxes are those of the first stage.

    Attributes:
        stage: `keras float32`, `tflite float32` or `tflite int8`.
        map: COCO's AP, mean over IoU thresholds 0.50 to 0.95, in [0, 1].
        low: Lower end of the 95 % bootstrap interval of `map`.
        high: Upper end.
        map50: AP at IoU 0.50.
        agreement: Share of boxes at or above the reporting threshold that both stages have: 2 pairs / (boxes of this
            stage + boxes of the first), a pair being of one label and of IoU 0.5 or more. 1 where neither has any.
        iou: Mean IoU of these pairs; None without any.
        labels: Average precision of each label that the truth has, in the order of the model's.
    """

    stage: str
    map: float
    low: float
    high: float
    map50: float
    agreement: float
    iou: float | None
    labels: tuple[LabelPrecision, ...]


@dataclass(frozen=True, slots=True)
class BoxPair:
    """One answer of two stages: boxes of one label and of an IoU of 0.5 or more.

    Attributes:
        first: The first stage's box.
        other: The other stage's.
        iou: Their intersection over union.
    """

    first: Detection
    other: Detection
    iou: float


class KerasDetector:
    """A Keras detector with the decoding and suppression of the `.tflite` file."""

    def __init__(
        self, model: keras.Model, spec: InputSpec, detection: DetectionSpec, anchors: NDArray[np.float32]
    ) -> None:
        """Open a detector.

        Args:
            model: From normalised images to encodings and scores.
            spec: The image input.
            detection: Labels and thresholds.
            anchors: (anchors, 4) float32, rows (y_centre, x_centre, height, width) as shares of the input.
        """
        self.detection = detection
        self._model = model
        self._spec = spec
        self._preprocess = Preprocessor(spec)
        with quiet_stderr():
            self._tail, _ = open_interpreter(postprocess_alone(anchors, detection), 1, DelegateName.CPU)
        positions = {name: position for position, name in enumerate(DetectorOutput)}
        self._outputs = DetectorOutputs(self._tail, detection, positions)

    def detect(self, frame: Image) -> tuple[Detection, ...]:
        """Return all boxes on a (height, width, 3) uint8 BGR frame, best first."""
        image = normalize(self._preprocess(frame), self._spec)[np.newaxis]
        answers = self._model.predict_on_batch(image)
        for tensor, values in zip(self._tail.get_input_details(), answers, strict=True):
            self._tail.set_tensor(tensor["index"], np.asarray(values, np.float32))
        self._tail.invoke()
        return self._outputs.find(frame.shape[0], frame.shape[1], threshold=0.0)


def detect_tflite(content: bytes, frames: Iterator[Image]) -> Answers:
    """Return all boxes that a `.tflite` file finds on frames, through the runtime as on a device."""
    with quiet_stderr():
        recognizer = Recognizer(content)
    return [recognizer.detect(frame, threshold=0.0) for frame in frames]


def compare_detections(
    answers: Mapping[str, Answers],
    truth: Sequence[Sequence[TrueBox]],
    detection: DetectionSpec,
    resampled: Mapping[str, NDArray[np.float64]],
) -> tuple[StagePrecision, ...]:
    """Measure each stage against the truth and against the first stage.

    Args:
        answers: Boxes of each photo by stage name, the reference first.
        truth: The true boxes of each photo.
        detection: Labels and reporting threshold.
        resampled: (draws,) mAP of other photos like these by stage name, for the intervals.
    """
    reported = {stage: report_boxes(each, detection) for stage, each in answers.items()}
    reference = next(iter(reported.values()))
    stages = []
    for stage, found in answers.items():
        scores = measure_coco(truth, found, detection.labels)
        agreement, iou = _agreement(reference, reported[stage])
        low, high = bootstrap_ends(resampled[stage])
        stages.append(StagePrecision(stage, scores.map, low, high, scores.map50, agreement, iou, scores.labels))
    return tuple(stages)


def bootstrap_ends(resampled: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % percentile interval of a quantity of (draws,) resamples (Efron and Tibshirani, 1993)."""
    low, high = np.percentile(resampled, (2.5, 97.5))
    return float(low), float(high)


def warn_of_loss(stages: Sequence[StagePrecision]) -> None:
    """Say it when a stage has lost more average precision than int8 should cost."""
    for stage in stages[1:]:
        loss = stages[0].map - stage.map
        if loss > _TOLERATED_LOSS:
            log.warning(
                "WARNING: %s loses %.3f of %.3f mAP, more than the %.2f that is usual; calibrate on more photos, if "
                "there are, with --calibration-images, or let --max-drop 0.01 try other recipes.",
                stage.stage,
                loss,
                stages[0].map,
                _TOLERATED_LOSS,
            )


def collect_truth(rows: Sequence[SplitRow], boxes: Sequence[BoxRow]) -> list[list[TrueBox]]:
    """Return the true boxes of each photo, from those of these photos and of others."""
    of_photo: dict[str, list[TrueBox]] = {row.image: [] for row in rows}
    for box in boxes:
        if box.image in of_photo:
            of_photo[box.image].append(TrueBox(box.label, (box.x_min, box.y_min, box.x_max, box.y_max)))
    return list(of_photo.values())


def report_boxes(answers: Answers, detection: DetectionSpec) -> list[list[Detection]]:
    """Return the boxes of each photo that reach the reporting threshold."""
    return [[box for box in boxes if box.score >= detection.threshold] for boxes in answers]


def pair_boxes(reference: Sequence[Detection], found: Sequence[Detection]) -> Iterator[BoxPair]:
    """Yield each box of the reference with its best partner that no surer box has taken."""
    free = list(found)
    for box in reference:
        partners = [(iou(box.box, other.box), index) for index, other in enumerate(free) if other.label == box.label]
        overlap, index = max(partners, default=(0.0, -1))
        if overlap >= _SAME_BOX:
            yield BoxPair(box, free.pop(index), overlap)


def _agreement(reference: Sequence[list[Detection]], found: Sequence[list[Detection]]) -> tuple[float, float | None]:
    pairs = [pair.iou for one, other in zip(reference, found, strict=True) for pair in pair_boxes(one, other)]
    boxes = sum(len(each) for each in (*reference, *found))
    return (2 * len(pairs) / boxes if boxes else 1.0), (float(np.mean(pairs)) if pairs else None)
