"""Everything a model file says about itself beyond its weights.

A `ModelSpec` is written beside the Keras model by `train`, packed into the `.tflite` file by `convert`, and read back
from that file by the runtime. No label list, mean or size is stated anywhere else.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from edge_runtime.errors import MetadataError


class Task(StrEnum):
    """What a model answers."""

    CLASSIFICATION = "classification"
    DETECTION = "detection"


class ResizeRule(StrEnum):
    """How a frame of any shape becomes the model's input shape.

    `STRETCH` scales both axes independently, as MediaPipe Tasks does.
    """

    STRETCH = "stretch"


@dataclass(frozen=True, slots=True)
class InputSpec:
    """What a model's image input expects.

    Attributes:
        height: Pixels.
        width: Pixels.
        mean: Per channel in RGB order, subtracted from pixel values in [0, 255].
        std: Per channel in RGB order, divided by after `mean` is subtracted.
        resize: How a frame is brought to height x width.
    """

    height: int
    width: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    resize: ResizeRule = ResizeRule.STRETCH


@dataclass(frozen=True, slots=True)
class HeadSpec:
    """One classification output of a model.

    Attributes:
        name: What is being told apart, for example `garment`; later also `colour` or `pattern`.
        labels: Class names in the order of the output's last axis.
        threshold: Scores in [0, 1] below it are not reported.
    """

    name: str
    labels: tuple[str, ...]
    threshold: float = 0.0


@dataclass(frozen=True, slots=True)
class DetectionSpec:
    """What a detector finds, and which of its boxes are answers.

    Attributes:
        labels: Class names in the order of the scores' last axis; there is no background class.
        threshold: Scores in [0, 1] below it are not reported.
        iou_threshold: Of two boxes whose intersection over union in (0, 1] is above it only the better one is kept,
            whatever their labels. Suppression by label would tell a jacket from the shirt under it even where their
            boxes are almost the same, but TFLite's op for it loses the label whose number equals the number of
            threads (tensorflow/tensorflow#56058).
        max_detections: How many boxes of a frame are kept at most.
        labels_per_box: How many labels of each box are answers of their own, the best ones; at most as many as there
            are labels. With one, a garment whose second guess is right is never found.
    """

    labels: tuple[str, ...]
    threshold: float = 0.0
    iou_threshold: float = 0.6
    max_detections: int = 100
    labels_per_box: int = 1

    @property
    def rows(self) -> int:
        """Length of the file's outputs: the answers of all boxes."""
        return self.max_detections * self.labels_per_box


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model's contract: its input, its outputs, and where it comes from.

    Attributes:
        name: Short name, for example `garment-mobilenet_v2-224`.
        version: Version of the model, not of the package.
        input: The image input.
        heads: One entry per output tensor of a classifier, in order; empty for a detector.
        license: Terms of the weights.
        provenance: JSON-ready facts: training command, data hashes, scores.
        detection: What a detector finds; None for a classifier.
    """

    name: str
    version: str
    input: InputSpec
    heads: tuple[HeadSpec, ...]
    license: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    detection: DetectionSpec | None = None

    @property
    def task(self) -> Task:
        """Whether the model is a classifier or a detector."""
        return Task.CLASSIFICATION if self.detection is None else Task.DETECTION

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names that answers have: a detector's, or those of a classifier's first head."""
        return self.heads[0].labels if self.detection is None else self.detection.labels

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values that `from_dict` turns back into an equal spec."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "ModelSpec":
        """Build a spec from `to_dict` values, for example parsed JSON.

        Raises:
            MetadataError: A field is missing or of the wrong kind.
        """
        try:
            return cls(
                name=str(values["name"]),
                version=str(values["version"]),
                input=_input_from_dict(values["input"]),
                heads=tuple(_head_from_dict(head) for head in values["heads"]),
                license=str(values["license"]),
                provenance=dict(values["provenance"]),
                # Runs from before there were detectors do not have it.
                detection=_detection_from_dict(values.get("detection")),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise MetadataError(
                f"The model description is damaged ({error!r}); make the model again with edge-train or edge-convert."
            ) from error


def _input_from_dict(values: Mapping[str, Any]) -> InputSpec:
    return InputSpec(
        height=int(values["height"]),
        width=int(values["width"]),
        mean=_per_channel(values["mean"]),
        std=_per_channel(values["std"]),
        resize=ResizeRule(values["resize"]),
    )


def _per_channel(values: Any) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue


def _head_from_dict(values: Mapping[str, Any]) -> HeadSpec:
    return HeadSpec(
        name=str(values["name"]),
        labels=tuple(str(label) for label in values["labels"]),
        threshold=float(values["threshold"]),
    )


def _detection_from_dict(values: Mapping[str, Any] | None) -> DetectionSpec | None:
    if values is None:
        return None
    return DetectionSpec(
        labels=tuple(str(label) for label in values["labels"]),
        threshold=float(values["threshold"]),
        iou_threshold=float(values["iou_threshold"]),
        max_detections=int(values["max_detections"]),
        labels_per_box=int(values["labels_per_box"]),
    )
