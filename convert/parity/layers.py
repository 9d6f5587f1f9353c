"""How much exactness each layer of an int8 graph loses, and why.

Both graphs run the same photos with the interpreter's plain kernels and keep every tensor. XNNPACK, by which they run
on a device, keeps none; its int8 answers differ from the plain kernels' by some steps of the last layers.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from convert.inspection.contents import GraphFacts, OperatorFacts
from convert.inspection.reading import read_contents
from convert.parity.report import Cause, LayerNoise
from edge_runtime.errors import ModelError
from edge_runtime.quiet import quiet_stderr

# They move values, or change how they are written down, and compute none.
_MOVING: Final = frozenset(
    {"CONCATENATION", "DEQUANTIZE", "PACK", "PAD", "QUANTIZE", "RESHAPE", "SLICE", "SQUEEZE", "STRIDED_SLICE"}
    | {"TRANSPOSE", "SPLIT", "EXPAND_DIMS", "BROADCAST_TO", "GATHER", "MAX_POOL_2D", "PADV2", "MIRROR_PAD"}
)
_WEIGHTED: Final = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"})

_SHOWN_NAME: Final = 60
# Of its range; below, a layer loses more than half a bit to what its values never reach.
_FILLED: Final = 0.7

Values = NDArray[np.float64]


def measure_layers(
    float_model: bytes, int8_model: bytes, images: Iterable[NDArray[np.float32]]
) -> tuple[LayerNoise, ...]:
    """Compare the layers of a float and an int8 graph of the same network.

    Args:
        float_model: A `.tflite` file with float32 input.
        int8_model: The same network quantised.
        images: (height, width, 3) float32 normalised images to run.

    Returns:
        The layers that compute something and that both graphs have, in order.
    """
    layers = _match_layers(read_contents(float_model).graphs[0], read_contents(int8_model).graphs[0])
    exact, rounded = _open(float_model), _open(int8_model)
    for image in images if layers else ():
        _run(exact, image)
        _run(rounded, image)
        for layer in layers:
            layer.add(exact.get_tensor(layer.float_tensor), rounded.get_tensor(layer.int8_tensor))
    return tuple(layer.judge(_weight_noise(layer, exact, rounded)) for layer in layers)


@dataclass(slots=True)
class _Grid:
    """The numbers that a quantised tensor can hold."""

    scale: float
    zero_point: int
    low: int
    high: int

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the greatest number."""
        return (self.low - self.zero_point) * self.scale, (self.high - self.zero_point) * self.scale

    def restore(self, steps: NDArray[Any]) -> NDArray[np.float32]:
        """Return the real numbers that the steps stand for."""
        return (steps.astype(np.float32) - self.zero_point) * np.float32(self.scale)

    def round(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the nearest numbers on the grid."""
        steps = np.clip(np.rint(values / np.float32(self.scale)) + self.zero_point, self.low, self.high)
        return self.restore(steps)


@dataclass(slots=True)
class _Layer:
    """A layer of both graphs; powers are sums of squares over photos and places."""

    operator: OperatorFacts
    name: str
    shape: tuple[int, ...]
    float_tensor: int
    int8_tensor: int
    weights: tuple[int, int] | None
    """Of the float and the int8 graph."""
    grid: _Grid
    signal: Values = field(default_factory=lambda: np.zeros(1))
    """(channels,) power of the float output."""
    rounding: Values = field(default_factory=lambda: np.zeros(1))
    """(channels,) power of what rounding the float output to the int8 grid takes from it."""
    gathered: float = 0.0
    """Power of the difference between both graphs' outputs."""
    clipped: float = 0.0
    """Power of what lies beyond the grid's ends."""
    lowest: float = math.inf
    """Of the float output."""
    highest: float = -math.inf

    def add(self, exact: NDArray[np.float32], steps: NDArray[Any]) -> None:
        """Take in both graphs' outputs for one more photo."""
        beyond = exact - np.clip(exact, *self.grid.ends)
        self.signal = self.signal + _channel_power(exact)
        self.rounding = self.rounding + _channel_power(exact - self.grid.round(exact))
        self.gathered += float(_channel_power(exact - self.grid.restore(steps)).sum())
        self.clipped += float(_channel_power(beyond).sum())
        self.lowest = min(self.lowest, float(exact.min()))
        self.highest = max(self.highest, float(exact.max()))

    def judge(self, weights: float) -> LayerNoise:
        """Return what was found.

        Args:
            weights: Noise of the weights as a share of their power.
        """
        rounding = _median_share(self.rounding, self.signal)
        total = float(self.signal.sum())
        return LayerNoise(
            index=self.operator.index,
            name=self.name,
            kind=self.operator.kind,
            shape=self.shape,
            sqnr=_decibels(self.gathered / total if total else 0.0),
            own=_decibels(weights + rounding),
            cause=Cause.WEIGHTS if weights > rounding else self._cause_of_rounding(),
        )

    def _cause_of_rounding(self) -> Cause:
        if self.clipped > self.rounding.sum() / 2:
            return Cause.CLIPPING
        low, high = self.grid.ends
        filled = (self.highest - self.lowest) / (high - low)
        return Cause.RANGE if filled < _FILLED else Cause.RESOLUTION


def _match_layers(exact: GraphFacts, rounded: GraphFacts) -> list[_Layer]:
    """Pair operations by the names of their outputs, which the converter keeps."""
    known = {exact.tensors[each.outputs[0]].name: each for each in exact.operators}
    layers = []
    for operator in rounded.operators:
        output = rounded.tensors[operator.outputs[0]]
        partner = known.get(output.name)
        grid = _grid_of(rounded, operator.outputs[0])
        if partner is None or grid is None or partner.kind in _MOVING or partner.kind != operator.kind:
            continue
        if exact.tensors[partner.outputs[0]].shape != output.shape:
            raise ModelError(
                f"The file's layer {output.name[-_SHOWN_NAME:]} is of shape {output.shape}, the run's of "
                f"{exact.tensors[partner.outputs[0]].shape}; name the run that the file was made of."
            )
        weights = (partner.inputs[1], operator.inputs[1]) if operator.kind in _WEIGHTED else None
        layers.append(
            _Layer(operator, output.name, output.shape, partner.outputs[0], operator.outputs[0], weights, grid)
        )
    return layers


def _grid_of(graph: GraphFacts, index: int) -> _Grid | None:
    tensor = graph.tensors[index]
    if tensor.quantization is None or tensor.type not in ("INT8", "UINT8"):
        return None
    limits = np.iinfo(tensor.type.lower())
    quantization = tensor.quantization
    return _Grid(quantization.scale_min, quantization.zero_point_min, int(limits.min), int(limits.max))


def _open(model: bytes) -> Interpreter:
    with quiet_stderr():
        interpreter = Interpreter(
            model_content=model,
            experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        interpreter.allocate_tensors()
    return interpreter


def _run(interpreter: Interpreter, image: NDArray[np.float32]) -> None:
    entry = interpreter.get_input_details()[0]
    scale, zero_point = entry["quantization"]
    if scale:
        limits = np.iinfo(entry["dtype"])
        image = np.clip(np.rint(image / scale) + zero_point, limits.min, limits.max).astype(entry["dtype"])
    interpreter.set_tensor(entry["index"], image[np.newaxis])
    interpreter.invoke()


def _weight_noise(layer: _Layer, exact: Interpreter, rounded: Interpreter) -> float:
    """Return the noise of a layer's weights as a share of their power: the median over its output channels."""
    if layer.weights is None:
        return 0.0
    values = exact.get_tensor(layer.weights[0])
    (details,) = (each for each in rounded.get_tensor_details() if each["index"] == layer.weights[1])
    parameters = details["quantization_parameters"]
    axis = int(parameters["quantized_dimension"])
    along = [-1 if at == axis else 1 for at in range(values.ndim)]
    steps = rounded.get_tensor(layer.weights[1]).astype(np.float32)
    restored = (steps - parameters["zero_points"].reshape(along)) * parameters["scales"].reshape(along)
    power, noise = (_channel_power(np.moveaxis(each, axis, -1)) for each in (values, values - restored))
    return _median_share(noise, power)


def _channel_power(values: NDArray[np.float32]) -> Values:
    """Return the (channels,) sums of squares over all but the last axis."""
    flat = values.reshape(-1, values.shape[-1])
    power: Values = np.einsum("ij,ij->j", flat, flat, dtype=np.float64)
    return power


def _median_share(noise: Values, signal: Values) -> float:
    alive = signal > 0
    return float(np.median(noise[alive] / signal[alive])) if alive.any() else 0.0


def _decibels(share: float) -> float | None:
    return float(-10 * np.log10(share)) if share > 0 else None
