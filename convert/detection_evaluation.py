"""What a detector is worth at each stage of its way to the device, on the same photos."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from convert.box_pairs import Answers, PairedBoxes
from convert.detection_tail import postprocess_alone
from edge_runtime.backend import DelegateName, open_interpreter
from edge_runtime.coco import LabelPrecision, TrueBox, count_with_boxes, measure_coco
from edge_runtime.estimates import estimate_by_bootstrap
from edge_runtime.outputs import DetectorOutputs
from edge_runtime.preprocess import Image, Preprocessor, normalize
from edge_runtime.quiet import quiet_stderr
from edge_runtime.recognizer import Recognizer
from edge_runtime.results import Detection
from edge_runtime.spec import DetectionSpec, InputSpec
from edge_runtime.tflite_schema import DetectorOutput
from edge_runtime.training_run import BoxRow, SplitRow


@dataclass(frozen=True, slots=True)
class StagePrecision:
    """Average precision of one stage, and how far its boxes are those of the first stage.

    Attributes:
        stage: `keras float32`, `tflite float32` or `tflite int8`.
        map: COCO's AP, mean over IoU thresholds 0.50 to 0.95, in [0, 1].
        low: Lower end of the 95 % bootstrap interval of `map`; None where there is none.
        high: Upper end; None where there is none.
        map50: AP at IoU 0.50.
        agreement: Share of boxes at or above the reporting threshold that both stages have: 2 pairs / (boxes of this
            stage + boxes of the first), a pair being of one label and of IoU 0.5 or more. None where neither has any.
        iou: Mean IoU of these pairs; None without any.
        labels: Average precision of each label that the truth has, in the order of the model's.
    """

    stage: str
    map: float
    low: float | None
    high: float | None
    map50: float
    agreement: float | None
    iou: float | None
    labels: tuple[LabelPrecision, ...]


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
    paired: Mapping[str, PairedBoxes],
    truth: Sequence[Sequence[TrueBox]],
    labels: Sequence[str],
    resampled: Mapping[str, NDArray[np.float64]],
) -> tuple[StagePrecision, ...]:
    """Measure each stage against the truth and against the first stage.

    Args:
        answers: Boxes of each photo by stage name, the reference first.
        paired: Those at or above the reporting threshold beside the reference's, by stage name.
        truth: The true boxes of each photo.
        labels: Class names.
        resampled: (draws,) mAP of other photos like these by stage name, for the intervals.
    """
    stages, with_boxes = [], count_with_boxes(truth)
    for stage, found in answers.items():
        scores, both = measure_coco(truth, found, labels), paired[stage]
        average = estimate_by_bootstrap(scores.map, resampled[stage], with_boxes)
        iou = float(both.overlaps.mean()) if len(both.overlaps) else None
        stages.append(
            StagePrecision(
                stage, average.value, average.low, average.high, scores.map50, both.agreement, iou, scores.labels
            )
        )
    return tuple(stages)


def collect_truth(rows: Sequence[SplitRow], boxes: Sequence[BoxRow]) -> list[list[TrueBox]]:
    """Return the true boxes of each photo, from those of these photos and of others."""
    of_photo: dict[str, list[TrueBox]] = {row.image: [] for row in rows}
    for box in boxes:
        if box.image in of_photo:
            of_photo[box.image].append(TrueBox(box.label, (box.x_min, box.y_min, box.x_max, box.y_max)))
    return list(of_photo.values())
