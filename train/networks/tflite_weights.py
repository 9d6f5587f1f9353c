"""Reading the layers of a TFLite file, to begin a training with where the run behind the file is not at hand.

TFLite has no batch norms: the converter folds each into the convolution before it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import MetadataError, ModelError
from edge_runtime.flatbuffer import FlatBufferError, Table, root_table
from edge_runtime.graph_check import read_builtin_code
from edge_runtime.metadata.reading import read_spec
from edge_runtime.spec import ModelSpec
from edge_runtime.tflite_schema import (
    MODEL_IDENTIFIER,
    Buffer,
    Model,
    Operator,
    Quantization,
    SubGraph,
    Tensor,
)
from train.networks.catalogue import read_catalogue

# numpy's names of the schema's tensor types that weights may have.
_TYPES: Final = {0: "<f4", 1: "<f2", 2: "<i4", 3: "u1", 4: "<i8", 9: "i1"}
_FLOATS: Final = (0, 1)
_NO_TENSOR: Final = -1

_Layer = TypeVar("_Layer")


class _Builtin(IntEnum):
    CONV_2D = 3
    DEPTHWISE_CONV_2D = 4
    DEQUANTIZE = 6
    FULLY_CONNECTED = 9


class _Stride(IntEnum):
    """Slots that the options of both kinds of convolutions share."""

    WIDTH = 1
    HEIGHT = 2


@dataclass(frozen=True, slots=True)
class FoldedConvolution:
    """A convolution with its batch norm folded in.

    Attributes:
        kernel: Float32, (height, width, input channels, output channels), or (height, width, channels, 1) depthwise.
        bias: Float32, one number per output channel.
        strides: Along the height and the width.
        depthwise: Whether each channel is filtered on its own.
        name: Of its output; the converter joins there the names of all layers that it made one.
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    strides: tuple[int, int]
    depthwise: bool
    name: str


@dataclass(frozen=True, slots=True)
class DenseLayer:
    """A dense layer.

    Attributes:
        kernel: Float32, (inputs, outputs).
        bias: Float32, one number per output.
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]


def read_own_spec(model: bytes) -> ModelSpec | None:
    """Return what a TFLite file says about itself; None where it is of another maker, whose weights serve all the same.

    Args:
        model: All bytes of the file.
    """
    try:
        return read_spec(model)
    except (ModelError, MetadataError):
        return None


def find_architecture(spec: ModelSpec) -> str | None:
    """Return the catalogue's name of the network that a model of ours is of, which is in the model's own name."""
    names = sorted((row.name for row in read_catalogue()), key=len, reverse=True)
    return next((name for name in names if name in spec.name), None)


def read_convolutions(model: bytes) -> list[FoldedConvolution]:
    """Return the convolutions of a model's graph in the order in which they run, int8 weights as the floats they mean.

    Args:
        model: All bytes of a `.tflite` file of any maker, with weights as float32, float16 or int8.

    Raises:
        ValueError: The bytes are no TFLite file, or are damaged.
    """
    return _read(model, lambda weights: weights.convolutions())


def read_dense_layers(model: bytes) -> list[DenseLayer]:
    """Return the dense layers of a model's graph; arguments and errors as for `read_convolutions`."""
    return _read(model, lambda weights: weights.dense_layers())


def _read(model: bytes, layers: "Callable[[_Weights], Iterable[_Layer]]") -> list[_Layer]:
    if model[4:8] != MODEL_IDENTIFIER:
        raise ValueError("it is not a TFLite file")
    try:
        return list(layers(_Weights(model)))
    except FlatBufferError as error:
        raise ValueError(f"it is damaged or cut short: {error}") from error


class _Weights:
    def __init__(self, model: bytes) -> None:
        self._root = root_table(model)
        self._graph = self._root.table_at(Model.SUBGRAPHS, 0)
        self._operators = [(self._code(each), each) for each in self._graph.tables(SubGraph.OPERATORS)]
        # Float16 files widen each weight by an operation of its own.
        self._narrow = {
            output: narrow
            for code, operator in self._operators
            if code == _Builtin.DEQUANTIZE
            for narrow, output in zip(operator.int32s(Operator.INPUTS), operator.int32s(Operator.OUTPUTS), strict=False)
        }

    def convolutions(self) -> Iterator[FoldedConvolution]:
        for code, operator in self._operators:
            if code in (_Builtin.CONV_2D, _Builtin.DEPTHWISE_CONV_2D):
                yield self._convolution(operator, depthwise=code == _Builtin.DEPTHWISE_CONV_2D)

    def dense_layers(self) -> Iterator[DenseLayer]:
        for code, operator in self._operators:
            if code == _Builtin.FULLY_CONNECTED:
                # From (outputs, inputs).
                kernel = self._values(self._weights_of(operator)[1], rank=2).T
                yield DenseLayer(kernel, self._bias(operator, kernel.shape[1]))

    def _convolution(self, operator: Table, *, depthwise: bool) -> FoldedConvolution:
        options = operator.table(Operator.OPTIONS)
        if options is None:
            raise FlatBufferError("a convolution has no options")
        # From (output channels, height, width, input channels), or (1, height, width, channels) depthwise.
        kernel = np.transpose(self._values(self._weights_of(operator)[1], rank=4), (1, 2, 3, 0))
        return FoldedConvolution(
            kernel=kernel,
            bias=self._bias(operator, kernel.shape[2 if depthwise else 3]),
            strides=(options.int32(_Stride.HEIGHT), options.int32(_Stride.WIDTH)),
            depthwise=depthwise,
            name=self._name(operator),
        )

    def _weights_of(self, operator: Table) -> tuple[int, ...]:
        """Return a layer's inputs: its maps, its kernel and, where it has one, its bias."""
        inputs = operator.int32s(Operator.INPUTS)
        if len(inputs) < 2:
            raise FlatBufferError("a layer has no weights")
        return inputs

    def _bias(self, operator: Table, outputs: int) -> NDArray[np.float32]:
        inputs = self._weights_of(operator)
        if len(inputs) == 2 or inputs[2] == _NO_TENSOR:
            return np.zeros(outputs, np.float32)
        bias = self._values(inputs[2], rank=1)
        if len(bias) != outputs:
            raise FlatBufferError("a bias is of another length than its layer")
        return bias

    def _name(self, operator: Table) -> str:
        outputs = operator.int32s(Operator.OUTPUTS)
        return (self._graph.table_at(SubGraph.TENSORS, outputs[0]).string(Tensor.NAME) if outputs else None) or ""

    def _values(self, index: int, rank: int) -> NDArray[np.float32]:
        """Return what a constant tensor means."""
        tensor = self._graph.table_at(SubGraph.TENSORS, self._narrow.get(index, index))
        shape, code = tensor.int32s(Tensor.SHAPE), tensor.int8(Tensor.TYPE)
        if len(shape) != rank or code not in _TYPES:
            raise FlatBufferError("weights are of an unusual shape or type")
        stored = self._root.table_at(Model.BUFFERS, tensor.uint32(Tensor.BUFFER)).array(Buffer.DATA, "u1")
        if len(stored) != np.prod(shape, dtype=np.int64) * np.dtype(_TYPES[code]).itemsize:
            raise FlatBufferError("weights are computed by the model, or of another size than their shape")
        values = stored.view(_TYPES[code]).reshape(shape).astype(np.float32)
        return values if code in _FLOATS else _dequantize(values, tensor.table(Tensor.QUANTIZATION))

    def _code(self, operator: Table) -> int:
        return read_builtin_code(self._root.table_at(Model.OPERATOR_CODES, operator.uint32(Operator.CODE_INDEX)))


def _dequantize(values: NDArray[np.float32], quantization: Table | None) -> NDArray[np.float32]:
    """Return scale * (value - zero point), with one of each per tensor or per index of one dimension."""
    scales = np.empty(0) if quantization is None else quantization.array(Quantization.SCALE, "<f4")
    if quantization is None or not len(scales):
        raise FlatBufferError("quantised weights have no scale")
    zero_points = quantization.array(Quantization.ZERO_POINT, "<i8")
    axis = quantization.int32(Quantization.DIMENSION) if len(scales) > 1 else 0
    if not 0 <= axis < values.ndim or len(scales) not in (1, values.shape[axis]) or len(zero_points) != len(scales):
        raise FlatBufferError("weights have scales for another number of channels")
    along = [-1 if dimension == axis else 1 for dimension in range(values.ndim)]
    meant: NDArray[np.float32] = (values - zero_points.reshape(along)).astype(np.float32) * scales.reshape(along)
    return meant
