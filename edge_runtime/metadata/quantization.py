"""Whether a model's whole numbers stand for what its description says: pixels that go in, scores that come out."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge_runtime.errors import MetadataError, ModelError
from edge_runtime.flatbuffer import FlatBufferError, Table, root_table
from edge_runtime.metadata.fields import REMEDY
from edge_runtime.spec import InputSpec, ModelSpec
from edge_runtime.tflite_schema import Model, Quantization, SubGraph, Tensor

# By the schema's numbers of types; all others are floats, or nothing that a picture or a score is made of.
_WHOLE_TYPES: Final = {
    2: "int32",
    3: "uint8",
    4: "int64",
    7: "int16",
    9: "int8",
    12: "uint64",
    15: "uint32",
    16: "uint16",
}
_LEAST_LEVELS: Final = 128


@dataclass(frozen=True, slots=True)
class _Numbers:
    """What the whole numbers of a tensor are.

    Attributes:
        kind: Their type's name.
        scale: Of one step; None where there is none, or not one for all.
        zero_point: The number that stands for 0.
    """

    kind: str
    scale: float | None
    zero_point: int


def check_quantization(spec: ModelSpec, model: bytes) -> None:
    """Check that whole numbers can be turned into those that a description speaks of, and back.

    Args:
        spec: The description.
        model: All bytes of the `.tflite` file, whose shapes it fits.

    Raises:
        ModelError: A tensor of whole numbers has no scale, or the file is damaged.
        MetadataError: The normalisation contradicts the input's scale.
    """
    try:
        graph = root_table(model).table_at(Model.SUBGRAPHS, 0)
        (image,) = _read_numbers(graph, SubGraph.INPUTS)
        outputs = _read_numbers(graph, SubGraph.OUTPUTS)
    except FlatBufferError as error:
        raise ModelError(f"The model file is damaged or cut short ({error}); copy or convert it again.") from error
    if image is not None:
        _check_input(spec.input, image)
    # A detector ends in an operation that computes with floats alone.
    for head, output in zip(spec.heads, outputs, strict=False):
        if output is not None and output.scale is None:
            raise ModelError(
                f"The model's output {head.name!r} is {output.kind} without a scale, so nobody can tell what scores "
                f"its numbers stand for; {REMEDY}."
            )


def _read_numbers(graph: Table, ends: SubGraph) -> list[_Numbers | None]:
    """Return what the numbers of each input or output are; None where they are not whole."""
    tensors = [graph.table_at(SubGraph.TENSORS, index) for index in graph.int32s(ends)]
    return [_numbers(tensor) for tensor in tensors]


def _numbers(tensor: Table) -> _Numbers | None:
    kind = _WHOLE_TYPES.get(tensor.int8(Tensor.TYPE))
    if kind is None:
        return None
    quantization = tensor.table(Tensor.QUANTIZATION)
    scales = () if quantization is None else quantization.float32s(Quantization.SCALE)
    if quantization is None or len(scales) != 1 or not math.isfinite(scales[0]) or scales[0] <= 0:
        return _Numbers(kind, None, 0)
    zero_points = quantization.array(Quantization.ZERO_POINT, "<i8")
    return _Numbers(kind, scales[0], int(zero_points[0]) if len(zero_points) else 0)


def _check_input(spec: InputSpec, image: _Numbers) -> None:
    stated = f"mean {spec.mean}, std {spec.std}"
    if image.scale is None:
        # Such a model computes with the pixels themselves.
        if (image.kind, {*spec.mean}, {*spec.std}) == ("uint8", {0.0}, {1.0}):
            return
        raise ModelError(
            f"The model's input is {image.kind} without a scale and is described with {stated}, where only uint8 "
            f"pixels as they are, of mean 0 and std 1, would have a meaning; {REMEDY}."
        )
    levels = _count_levels(spec, image.scale, image)
    if levels < _LEAST_LEVELS:
        raise MetadataError(
            f"The model's normalisation ({stated}) contradicts its input's scale of {image.scale:.4g}: of the 256 "
            f"values of a pixel {levels} are left; {REMEDY}."
        )


def _count_levels(spec: InputSpec, scale: float, image: _Numbers) -> int:
    """Return how many values of a pixel are told apart in the channel where they are fewest."""
    limits = np.iinfo(image.kind)
    real = (np.arange(256)[:, np.newaxis] - np.array(spec.mean)) / np.array(spec.std)
    numbers = np.clip(np.rint(real / scale + image.zero_point), limits.min, limits.max)
    return min(len(np.unique(channel)) for channel in numbers.T)
