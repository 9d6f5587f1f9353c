"""A detector's outputs as TFLite Metadata describe them: told apart by the names that MediaPipe goes by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge_runtime.errors import MetadataError
from edge_runtime.flatbuffer import Table
from edge_runtime.metadata.fields import REMEDY, read_labels, read_threshold
from edge_runtime.spec import DetectionSpec
from edge_runtime.tflite_schema import AssociatedFileType, DetectorOutput, TensorMetadata


@dataclass(frozen=True, slots=True)
class Suppression:
    """What the op at a detector's end was told, as the packed extra file has it; the defaults are usual elsewhere.

    Attributes:
        iou_threshold: See `DetectionSpec`.
        labels_per_box: See `DetectionSpec`.
    """

    iou_threshold: float = 0.5
    labels_per_box: int = 1

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Suppression":
        """Read what is stated.

        Raises:
            TypeError: A value is no number.
            ValueError: There are no labels per box.
        """
        usual = cls()
        labels_per_box = int(values.get("labels_per_box", usual.labels_per_box))
        if labels_per_box < 1:
            raise ValueError(f"{labels_per_box} labels per box")
        return cls(float(values.get("iou_threshold", usual.iou_threshold)), labels_per_box)


def is_detector(outputs: Sequence[Table]) -> bool:
    """Tell from the descriptions of a model's outputs whether it is a detector."""
    return any(output.string(TensorMetadata.NAME) == DetectorOutput.BOXES for output in outputs)


def find_outputs(outputs: Sequence[Table]) -> Mapping[DetectorOutput, int]:
    """Return the position of each of a detector's outputs.

    Raises:
        MetadataError: The outputs are not exactly these four.
    """
    names = [output.string(TensorMetadata.NAME) or "" for output in outputs]
    if sorted(names) != sorted(DetectorOutput):
        raise MetadataError(
            f"A detector's outputs are {', '.join(map(repr, map(str, DetectorOutput)))}, but the model's are {names}; "
            f"{REMEDY}."
        )
    return {DetectorOutput(name): position for position, name in enumerate(names)}


def read_detection(
    model: bytes, outputs: Sequence[Table], shapes: Sequence[tuple[int, ...]], suppression: Suppression
) -> DetectionSpec:
    """Read what a detector says about its answers.

    Args:
        model: All bytes of the `.tflite` file.
        outputs: Descriptions of its outputs.
        shapes: Shapes of its outputs, in the same order.
        suppression: What the op at its end was told.

    Raises:
        MetadataError: The descriptions are incomplete or contradict the shapes.
    """
    positions = find_outputs(outputs)
    boxes, labels, scores, _ = (positions[name] for name in DetectorOutput)
    if len(shapes[boxes]) != 3 or len(shapes[positions[DetectorOutput.COUNT]]) != 1:
        raise MetadataError(f"The detector's outputs of shapes {list(shapes)} are named in the wrong order; {REMEDY}.")
    return DetectionSpec(
        labels=read_labels(model, outputs[labels], DetectorOutput.LABELS, AssociatedFileType.TENSOR_VALUE_LABELS),
        threshold=read_threshold(outputs[scores]),
        iou_threshold=suppression.iou_threshold,
        max_detections=shapes[boxes][1] // suppression.labels_per_box,
        labels_per_box=suppression.labels_per_box,
    )
