"""From an interpreter's output tensors to answers: one adapter for classifiers, one for detectors."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.results import Classification, Detection
from edge_runtime.spec import DetectionSpec, HeadSpec
from edge_runtime.tflite_schema import DetectorOutput


class ClassifierOutputs:
    """Reads the first head of a classifier."""

    def __init__(self, interpreter: Any, head: HeadSpec) -> None:
        """Read from an open interpreter, by a head's labels and threshold."""
        self._interpreter = interpreter
        self._head = head
        self._output = interpreter.get_output_details()[0]

    def scores(self) -> NDArray[np.float32]:
        """Return the (labels,) float32 scores in [0, 1] of the last invocation."""
        values: NDArray[Any] = self._interpreter.get_tensor(self._output["index"])[0]
        scale, zero_point = self._output["quantization"]
        scores: NDArray[np.float32] = values.astype(np.float32)
        return scores if scale == 0.0 else (scores - zero_point) * np.float32(scale)

    def rank(self, top_k: int, threshold: float | None) -> tuple[Classification, ...]:
        """Return at most `top_k` labels, best first, none below the threshold; None takes the model's own."""
        least = self._head.threshold if threshold is None else threshold
        scores = self.scores()
        best = np.argsort(-scores, kind="stable")[:top_k]
        return tuple(Classification(self._head.labels[i], float(scores[i])) for i in best if scores[i] >= least)


class DetectorOutputs:
    """Reads the boxes of a detector that ends in `TFLite_Detection_PostProcess`."""

    def __init__(self, interpreter: Any, spec: DetectionSpec, positions: Mapping[DetectorOutput, int]) -> None:
        """Read from an open interpreter.

        Args:
            interpreter: With tensors allocated.
            spec: Labels and threshold.
            positions: Where each output stands among the model's outputs.
        """
        self._interpreter = interpreter
        self._spec = spec
        outputs = interpreter.get_output_details()
        self._tensors = {name: outputs[position]["index"] for name, position in positions.items()}

    def find(self, height: int, width: int, threshold: float | None) -> tuple[Detection, ...]:
        """Return the boxes of the last invocation, best first.

        Args:
            height: Of the frame as it is looked at, pixels.
            width: Likewise.
            threshold: Least score in [0, 1]; None takes the model's own.

        Returns:
            Boxes in pixels of the frame, clipped to it. What lies outside it, or is no number, is left out.
        """
        # Behind the answers the op leaves whatever was in memory. It counts boxes, not their labels.
        kept = int(np.clip(np.nan_to_num(self._read(DetectorOutput.COUNT)[0]), 0, self._spec.max_detections))
        count = kept * self._spec.labels_per_box
        outputs = (DetectorOutput.BOXES, DetectorOutput.LABELS, DetectorOutput.SCORES)
        boxes, labels, scores = (self._read(name)[0, :count] for name in outputs)
        least = self._spec.threshold if threshold is None else threshold
        # NaN compares false with everything, so it never passes.
        sure = np.flatnonzero(scores >= least)
        edges = np.clip(boxes, 0.0, 1.0) * np.array([height, width, height, width], np.float32)
        named = [row for row in sure if _is_answer(edges[row], labels[row], len(self._spec.labels))]
        best = sorted(named, key=lambda row: -scores[row])
        return tuple(self._detection(edges[row], labels[row], scores[row]) for row in best)

    def _read(self, name: DetectorOutput) -> NDArray[np.float32]:
        values: NDArray[np.float32] = self._interpreter.get_tensor(self._tensors[name])
        return values

    def _detection(self, edges: NDArray[np.float32], label: np.float32, score: np.float32) -> Detection:
        y_min, x_min, y_max, x_max = map(float, edges)
        return Detection(self._spec.labels[int(label)], float(score), (x_min, y_min, x_max, y_max))


def _is_answer(edges: NDArray[np.float32], label: np.float32, labels: int) -> bool:
    y_min, x_min, y_max, x_max = edges
    return bool(y_min < y_max and x_min < x_max and 0 <= label < labels)
