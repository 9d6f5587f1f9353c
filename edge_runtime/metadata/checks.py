"""Whether a model's description fits the tensors it describes."""

import math

from edge_runtime.errors import MetadataError
from edge_runtime.metadata.fields import REMEDY
from edge_runtime.model_file import Graph
from edge_runtime.spec import DetectionSpec, HeadSpec, InputSpec, ModelSpec


def check_spec(spec: ModelSpec, graph: Graph) -> None:
    """Check that a description fits the tensors it describes.

    Raises:
        MetadataError: The input size, the number of heads, a label count, the normalisation or a threshold does not.
    """
    height, width = graph.input_shape[1:3]
    if (spec.input.height, spec.input.width) != (height, width):
        stated = f"{spec.input.height} x {spec.input.width}"
        raise MetadataError(f"The model's input is {height} x {width} but is described as {stated}; {REMEDY}.")
    _check_normalisation(spec.input)
    if spec.detection is not None:
        _check_detection(spec.detection, graph.output_shapes)
        return
    check_output_count(len(spec.heads), graph)
    _check_head_names([head.name for head in spec.heads])
    for head, shape in zip(spec.heads, graph.output_shapes, strict=True):
        _check_head(head, shape)


def check_output_count(described: int, graph: Graph) -> None:
    """Check that each output has a description.

    Raises:
        MetadataError: Their numbers differ.
    """
    outputs = len(graph.output_shapes)
    if described != outputs:
        raise MetadataError(f"The model has {outputs} outputs but {described} are described; {REMEDY}.")


def _check_head_names(names: list[str]) -> None:
    if not all(names) or len(set(names)) != len(names):
        raise MetadataError(f"The model's outputs need a name each, none used twice, but are {names}; {REMEDY}.")


def _check_normalisation(input_spec: InputSpec) -> None:
    finite = all(math.isfinite(value) for value in (*input_spec.mean, *input_spec.std))
    if not finite or min(input_spec.std) <= 0:
        raise MetadataError(
            f"The model's normalisation is unusable (mean {input_spec.mean}, std {input_spec.std}): means must be "
            f"finite and deviations positive; {REMEDY}."
        )


def _check_head(head: HeadSpec, shape: tuple[int, ...]) -> None:
    size = shape[-1] if shape else 0
    if len(head.labels) != size:
        raise MetadataError(
            f"The model's output {head.name!r} has {size} values but {len(head.labels)} labels; {REMEDY}."
        )
    if shape != (1, size):
        raise MetadataError(
            f"The model's output {head.name!r} is of shape {shape}, where (1, {size}) is wanted; {REMEDY}."
        )
    if not 0.0 <= head.threshold <= 1.0:
        raise MetadataError(
            f"The score threshold of output {head.name!r} is {head.threshold}, not a number from 0 to 1; {REMEDY}."
        )


def _check_detection(detection: DetectionSpec, shapes: tuple[tuple[int, ...], ...]) -> None:
    count = detection.rows
    # In whatever order: which output is which is told by their names alone.
    if count < 1 or sorted(shapes) != [(1,), (1, count), (1, count), (1, count, 4)]:
        raise MetadataError(
            f"The model is described as a detector of {count} boxes, but its outputs are of shapes {shapes}; {REMEDY}."
        )
    if not detection.labels or not all(detection.labels):
        raise MetadataError(
            f"The detector's labels are {detection.labels}, but there must be some and none may be empty; {REMEDY}."
        )
    if not 0.0 <= detection.threshold <= 1.0 or not 0.0 < detection.iou_threshold <= 1.0:
        raise MetadataError(
            f"The detector's thresholds are {detection.threshold} (score) and {detection.iou_threshold} (IoU), "
            f"not numbers from 0 to 1; {REMEDY}."
        )
