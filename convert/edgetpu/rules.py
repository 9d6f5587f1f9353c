"""Which operations the Edge TPU takes, by Coral's published table.

Source: "TensorFlow models on the Edge TPU", supported operations and model requirements, as of runtime 14 and compiler
16 (https://coral.ai/docs/edgetpu/models-intro/#supported-operations). The compiler has unpublished limits as well, so
what passes here is likely to be mapped, not sure to be; what fails here will not be.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import dropwhile
from typing import Final

import numpy as np

from convert.inspection.contents import GraphFacts, OperatorFacts, TensorFacts

_BYTES: Final = frozenset({"INT8", "UINT8"})
_SOFTMAX_LIMIT: Final = 16_000
_SEPARATE: Final = "make the activation a layer of its own"
_FIXED: Final = "leave the batch axis alone; a model for a device has a batch of one"


class Placement(StrEnum):
    """Where an operation will run."""

    EDGE_TPU = "edge tpu"
    UNSURE = "unsure"
    CPU = "cpu"


@dataclass(frozen=True, slots=True)
class Objection:
    """Why an operation may not run on the Edge TPU.

    Attributes:
        reason: What is wrong.
        remedy: What to change.
        placement: `CPU`, or `UNSURE` where the table leaves it to the compiler.
    """

    reason: str
    remedy: str
    placement: Placement = Placement.CPU


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation together with the graph it stands in."""

    facts: OperatorFacts
    graph: GraphFacts

    @property
    def inputs(self) -> tuple[TensorFacts, ...]:
        """The input tensors, without optional ones that are left out."""
        return tuple(self.graph.tensors[index] for index in self.facts.inputs if index >= 0)

    @property
    def outputs(self) -> tuple[TensorFacts, ...]:
        """The output tensors."""
        return tuple(self.graph.tensors[index] for index in self.facts.outputs)

    def option(self, name: str) -> int:
        """Return an option, 0 where the file has none."""
        return self.facts.options.get(name, 0)

    def shape(self, place: int) -> tuple[int, ...]:
        """Return the shape of an input; empty where there is none."""
        return self.inputs[place].shape if place < len(self.inputs) else ()

    def axes(self, place: int, rank: int) -> set[int]:
        """Return the axes that a constant input names, counted from the first."""
        return {axis % max(rank, 1) for axis in self.constant(place)}

    def constant(self, place: int) -> list[int]:
        """Return the whole numbers of a constant input; empty where it is no such thing."""
        tensor = self.inputs[place] if place < len(self.inputs) else None
        dtype = {"INT32": "<i4", "INT64": "<i8"}.get(tensor.type) if tensor else None
        if tensor is None or tensor.data is None or dtype is None or tensor.data.nbytes % np.dtype(dtype).itemsize:
            return []
        return [int(number) for number in tensor.data.view(dtype)]


Rule = Callable[[Operation], Objection | None]


def _no_activation(operation: Operation) -> Objection | None:
    if operation.option("fused_activation"):
        return Objection("it has a fused activation", _SEPARATE)
    return None


def _same_dilation(operation: Operation) -> Objection | None:
    if operation.option("dilation_w") != operation.option("dilation_h"):
        return Objection("its dilation differs between x and y", "use the same dilation in both directions")
    return None


def _concatenation(operation: Operation) -> Objection | None:
    constants = [tensor for tensor in operation.inputs if tensor.is_constant]
    if constants and (len(operation.inputs) != 2 or not all(map(_is_zero, constants))):
        return Objection("it joins constants other than one block of zeros", "join computed tensors only")
    return _no_activation(operation)


def _is_zero(tensor: TensorFacts) -> bool:
    zero_point = tensor.quantization.zero_point_min if tensor.quantization else 0
    return tensor.data is not None and bool((tensor.data == zero_point % 256).all())


def _fully_connected(operation: Operation) -> Objection | None:
    if operation.option("weights_format"):
        return Objection("its weights are shuffled", "convert again without optimising for a certain CPU")
    if any(not _is_flat(tensor) for tensor in operation.outputs):
        return Objection("its output has more than one dimension", "flatten before the dense layer")
    weights = operation.inputs[1] if len(operation.inputs) > 1 else None
    if weights is not None and weights.quantization is not None and weights.quantization.channels > 1:
        reason = "its weights have a scale per channel, which Coral's table does not mention for dense layers"
        return Objection(reason, "if the compiler refuses it, convert its dense layers per tensor", Placement.UNSURE)
    return None


def _softmax(operation: Operation) -> Objection | None:
    for tensor in operation.inputs[:1]:
        if not _is_flat(tensor):
            return Objection("its input has more than one dimension", "flatten before the softmax")
        if max(tensor.shape, default=0) > _SOFTMAX_LIMIT:
            return Objection(f"it has more than {_SOFTMAX_LIMIT:,} values", "have fewer labels")
    return None


def _is_flat(tensor: TensorFacts) -> bool:
    return all(size == 1 for size in tensor.shape[:-1])


def _reduction(operation: Operation) -> Objection | None:
    shape = operation.shape(0)
    axes = operation.axes(1, len(shape))
    if 0 in axes and len(shape) > 1:
        return Objection("it reduces the batch axis", _FIXED)
    if operation.facts.kind == "MEAN" and len(shape) - 1 in axes and shape and shape[-1] % 4:
        return Objection("it averages over channels that are no multiple of 4", "have a multiple of 4 channels")
    return None


def _padding(operation: Operation) -> Objection | None:
    if any(operation.constant(1)[:2]) and len(operation.shape(0)) > 3:
        return Objection("it pads the batch axis", _FIXED)
    return None


def _pack(operation: Operation) -> Objection | None:
    # What comes out has an axis more.
    axis = operation.option("axis") % (len(operation.shape(0)) + 1)
    return Objection("it packs along the batch axis", _FIXED) if axis == 0 else None


def _split(operation: Operation) -> Objection | None:
    batch = 0 in operation.axes(0, len(operation.shape(1)))
    return Objection("it splits the batch axis", _FIXED) if batch else None


def _prelu(operation: Operation) -> Objection | None:
    if len(operation.inputs) > 1 and not _is_flat(operation.inputs[1]):
        return Objection("its slopes differ between pixels", "share them: PReLU(shared_axes=[1, 2])")
    return None


def _squeeze(operation: Operation) -> Objection | None:
    for output in operation.outputs[:1]:
        if _drop_leading_ones(operation.shape(0)) != _drop_leading_ones(output.shape):
            return Objection("it drops a dimension behind a larger one", "reshape instead, or drop leading ones only")
    return None


def _drop_leading_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(dropwhile(lambda size: size == 1, shape))


def _strided_slice(operation: Operation) -> Objection | None:
    if any(stride != 1 for stride in operation.constant(3)):
        return Objection("it has strides other than 1", "slice without steps")
    if operation.option("ellipsis_mask") or operation.option("new_axis_mask"):
        return Objection("it uses an ellipsis or a new axis", "name every axis of the slice")
    return None


def _left_to_the_compiler(operation: Operation) -> Objection:
    reason = f"the compiler maps {operation.facts.kind} for some sizes only"
    return Objection(reason, "see what the compiler says", Placement.UNSURE)


def _any(_: Operation) -> None:
    return None


RULES: Final[Mapping[str, Rule]] = {
    "ADD": _any,
    "AVERAGE_POOL_2D": _no_activation,
    "CONCATENATION": _concatenation,
    "CONV_2D": _same_dilation,
    "DEPTHWISE_CONV_2D": _same_dilation,
    "EXPAND_DIMS": _any,
    "FULLY_CONNECTED": _fully_connected,
    "L2_NORMALIZATION": _any,
    "LOGISTIC": _any,
    "LSTM": _any,
    "MAXIMUM": _any,
    "MAX_POOL_2D": _no_activation,
    "MEAN": _reduction,
    "MINIMUM": _any,
    "MUL": _any,
    "PACK": _pack,
    "PAD": _padding,
    "PRELU": _prelu,
    "QUANTIZE": _any,
    "REDUCE_MAX": _reduction,
    "REDUCE_MIN": _reduction,
    "RELU": _any,
    "RELU6": _any,
    "RELU_N1_TO_1": _any,
    "RESHAPE": _any,
    "RESIZE_BILINEAR": _left_to_the_compiler,
    "RESIZE_NEAREST_NEIGHBOR": _left_to_the_compiler,
    "RSQRT": _any,
    "SLICE": _any,
    "SOFTMAX": _softmax,
    "SPACE_TO_DEPTH": _any,
    "SPLIT": _split,
    "SQUARED_DIFFERENCE": _any,
    "SQUEEZE": _squeeze,
    "STRIDED_SLICE": _strided_slice,
    "SUB": _any,
    "SUM": _reduction,
    "TANH": _any,
    "TRANSPOSE": _any,
    "TRANSPOSE_CONV": _any,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _any,
}
"""What each operation of the table has to keep to; an operation that is not here runs on the CPU."""


def object_to(operation: Operation) -> Objection | None:
    """Return the first reason why an operation may not run on the Edge TPU, None where there is none."""
    rule = RULES.get(operation.facts.kind)
    if rule is None or operation.facts.custom:
        return _unknown(operation.facts)
    return _check_tensors(operation) or rule(operation)


def _unknown(facts: OperatorFacts) -> Objection:
    if facts.kind in ("HARD_SWISH", "GELU", "LEAKY_RELU", "ELU"):
        return Objection("it is not in Coral's table", "train a network of ReLU6; `edge-train list` names some")
    return Objection("it is not in Coral's table", "replace it in the network, or let it be the last one")


def _more_than_three(tensor: TensorFacts) -> str:
    if tensor.shape[0] != 1:
        return "convert with a batch of one"
    return "build it otherwise; Keras's UpSampling2D becomes such tensors, a transposed convolution does not"


def _check_tensors(operation: Operation) -> Objection | None:
    for tensor in (*operation.inputs, *operation.outputs):
        if -1 in tensor.shape:
            return Objection(f"the size of {tensor.name!r} is not fixed", "convert with a fixed batch of one")
        if tensor.is_constant:
            continue
        if tensor.type not in _BYTES:
            return Objection(f"{tensor.name!r} is {tensor.type}", "convert to full int8, as edge-convert does")
        if any(size != 1 for size in tensor.shape[:-3]):
            return Objection(f"{tensor.name!r} has more than three dimensions", _more_than_three(tensor))
    return None
