"""Checks a model's graph before native code gets it.

The TFLite interpreter verifies offsets, and trusts much of the rest: a tensor that nothing computes, sizes of gigabytes
or a scale that is missing end it late, or end the whole process. A device may get its model over a bad line or from a
stranger, so what can be checked in a few milliseconds is checked here, and ends in one sentence.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge_runtime.errors import ModelError
from edge_runtime.flatbuffer import FlatBufferError, Table, root_table
from edge_runtime.tflite_schema import Buffer, Model, Operator, OperatorCode, Quantization, SubGraph, Tensor

_MAX_RANK: Final = 8
# Of all that is needed at one time: where a tensor is of no more use, the interpreter puts the next one.
_MAX_COMPUTED_BYTES: Final = 1 << 29

# Bytes of one number of each type of the schema; types of other sizes are not checked.
_ITEM_BYTES: Final = {0: 4, 1: 2, 2: 4, 3: 1, 4: 8, 6: 1, 7: 2, 9: 1, 10: 8, 15: 4, 16: 2}
_BYTE_TYPES: Final = (3, 9)
# Kernels that compute with the scale of every byte tensor, and end the process where it is missing: ADD,
# AVERAGE_POOL_2D, CONCATENATION, CONV_2D, DEPTHWISE_CONV_2D, DEQUANTIZE, FULLY_CONNECTED, LOGISTIC, MAX_POOL_2D, MUL,
# RELU, RELU6, RESIZE_BILINEAR, SOFTMAX, TANH, PAD, MEAN, SUB, QUANTIZE, HARD_SWISH.
_SCALED: Final = frozenset({0, 1, 2, 3, 4, 6, 9, 14, 17, 18, 19, 21, 23, 25, 28, 34, 40, 41, 114, 117})


@dataclass(frozen=True, slots=True)
class _Value:
    """What is checked of a tensor.

    Attributes:
        type: Number of its type.
        given: Whether it is there before the model runs, as a constant or a variable.
        scaled: Whether its quantisation can be computed with.
        computed_bytes: What it takes in memory while it is needed; 0 for a constant, which the file holds.
    """

    type: int
    given: bool
    scaled: bool
    computed_bytes: int


@dataclass(frozen=True, slots=True)
class _Operation:
    """Indices of the tensors that an operation reads and writes."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    @property
    def tensors(self) -> tuple[int, ...]:
        """Both."""
        return *self.inputs, *self.outputs


def check_graph(model: bytes) -> None:
    """Check that every operation has what it needs, and that sizes add up.

    Raises:
        ModelError: The model is damaged, has several graphs, or would take more than 512 MiB at once for what it
            computes.
    """
    try:
        root = root_table(model)
        count = root.count(Model.SUBGRAPHS)
        if count > 1:
            raise ModelError(f"The model has {count} graphs, but only one is run; convert it without control flow.")
        graph = root.table_at(Model.SUBGRAPHS, 0)
        _check_ends(graph)
        values = _check_tensors(root, graph)
        _check_memory(graph, values, _check_operators(root, graph, values))
    except FlatBufferError as error:
        raise ModelError(f"The model file is damaged ({error}); copy or convert it again.") from error


def _check_ends(graph: Table) -> None:
    """Read the names of what goes in and out, which the interpreter hands over as UTF-8 text."""
    for index in (*graph.int32s(SubGraph.INPUTS), *graph.int32s(SubGraph.OUTPUTS)):
        graph.table_at(SubGraph.TENSORS, index).string(Tensor.NAME)


def _check_tensors(root: Table, graph: Table) -> list[_Value]:
    values = []
    for index, tensor in enumerate(graph.tables(SubGraph.TENSORS)):
        shape, kind = tensor.int32s(Tensor.SHAPE), tensor.int8(Tensor.TYPE)
        if len(shape) > _MAX_RANK or min(shape, default=1) < 0:
            raise FlatBufferError(f"tensor {index} has the shape {shape[: _MAX_RANK + 1]}")
        size = math.prod(shape) * _ITEM_BYTES.get(kind, 1)
        content = root.table_at(Model.BUFFERS, tensor.uint32(Tensor.BUFFER)).array(Buffer.DATA, "u1")
        constant = len(content) > 0
        if constant and kind in _ITEM_BYTES and len(content) != size:
            raise FlatBufferError(f"tensor {index} has {len(content)} bytes instead of {size}")
        given = constant or size == 0 or bool(tensor.int8(Tensor.IS_VARIABLE))
        scaled = _is_scaled(tensor.table(Tensor.QUANTIZATION), shape)
        values.append(_Value(kind, given, scaled, 0 if constant else size))
    return values


def _is_scaled(quantization: Table | None, shape: tuple[int, ...]) -> bool:
    if quantization is None:
        return False
    scales = quantization.array(Quantization.SCALE, "<f4")
    zero_points = quantization.array(Quantization.ZERO_POINT, "<i8")
    if not len(scales) or not np.isfinite(scales).all() or scales.min() <= 0:
        return False
    if len(zero_points) and (zero_points.min() < -128 or zero_points.max() > 255):
        return False
    if len(scales) == 1:
        return True
    axis = quantization.int32(Quantization.DIMENSION)
    return 0 <= axis < len(shape) and len(scales) == len(zero_points) == shape[axis]


def _check_operators(root: Table, graph: Table, values: list[_Value]) -> list[_Operation]:
    codes = [read_builtin_code(code) for code in root.tables(Model.OPERATOR_CODES)]
    ready = {index for index, value in enumerate(values) if value.given} | set(graph.int32s(SubGraph.INPUTS))
    operations = []
    for index, operator in enumerate(graph.tables(SubGraph.OPERATORS)):
        inputs = tuple(at for at in operator.int32s(Operator.INPUTS) if at != -1)
        outputs = operator.int32s(Operator.OUTPUTS)
        code = operator.uint32(Operator.CODE_INDEX)
        if code >= len(codes) or not outputs:
            raise FlatBufferError(f"operation {index} is of no kind or has no output")
        if any(not 0 <= at < len(values) for at in (*inputs, *outputs)):
            raise FlatBufferError(f"operation {index} names a tensor that is not there")
        if not ready.issuperset(inputs):
            raise FlatBufferError(f"operation {index} needs a tensor that nothing has computed")
        used = (values[at] for at in (*inputs, *outputs))
        if codes[code] in _SCALED and any(value.type in _BYTE_TYPES and not value.scaled for value in used):
            raise FlatBufferError(f"operation {index} has a tensor without a usable scale")
        ready.update(outputs)
        operations.append(_Operation(inputs, outputs))
    if not ready.issuperset(graph.int32s(SubGraph.OUTPUTS)):
        raise FlatBufferError("an output is computed by no operation")
    return operations


def _check_memory(graph: Table, values: list[_Value], operations: list[_Operation]) -> None:
    """Add up what is needed at one time; what goes in, what comes out and variables are held from end to end."""
    ends = {*graph.int32s(SubGraph.INPUTS), *graph.int32s(SubGraph.OUTPUTS)}
    held = {at for at, value in enumerate(values) if value.given} | ends
    last_use = {at: place for place, each in enumerate(operations) for at in each.tensors if at not in held}
    needed = most = sum(values[at].computed_bytes for at in held)
    for place, operation in enumerate(operations):
        begun = set(operation.outputs) - held
        held |= begun
        needed += sum(values[at].computed_bytes for at in begun)
        most = max(most, needed)
        needed -= sum(values[at].computed_bytes for at in set(operation.tensors) if last_use.get(at) == place)
    if most > _MAX_COMPUTED_BYTES:
        raise ModelError(f"The model needs {most / 2**30:.1f} GiB at once for a frame; give one with smaller tensors.")


def read_builtin_code(code: Table) -> int:
    """Return which of the schema's operations an `OperatorCode` table names."""
    return max(code.int8(OperatorCode.DEPRECATED_BUILTIN_CODE), code.int32(OperatorCode.BUILTIN_CODE))
