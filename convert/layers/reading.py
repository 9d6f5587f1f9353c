"""From a Keras 3 model, with models inside it and layers used several times, to plain layers.

The model's own configuration is read, which is Keras's documented way to save a graph.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import keras
import numpy as np

from convert.layers.network import INPUT, RESCALING, WEIGHTED, Array, Layer, Network
from edge_runtime.errors import ConversionError

_MODEL: Final = "Functional"
# They do nothing once a network is trained.
_IDLE: Final = frozenset({"Dropout", "SpatialDropout2D", "Identity"})
_NORMALIZATION: Final = "Normalization"
_BATCH_NORM: Final = "BatchNormalization"
_ARITHMETIC: Final[Mapping[str, str]] = {"Add": "offset", "Multiply": "scale"}
# What a layer is trained with, or what is the same for all layers here.
_NOT_NEEDED: Final = ("name", "dtype", "trainable", "data_format", "activation", "quantization_config")
# Of Keras 3's Resizing, and unknown to tf-keras; only what they are by default is taken.
_RESIZING: Final = {"pad_to_aspect_ratio": False, "crop_to_aspect_ratio": False, "antialias": False}
_OF_PADDING: Final = ("fill_mode", "fill_value")
_NOT_NEEDED_ENDS: Final = ("_initializer", "_regularizer", "_constraint")


def read_network(model: keras.Model) -> Network:
    """Return the layers of a functional model.

    Args:
        model: With one input; models inside it may be functional too.

    Raises:
        ConversionError: The model has a layer that is not known here.
    """
    reader = _Reader()
    (source,) = model.inputs
    start = Layer("image", INPUT, {"shape": tuple(source.shape[1:])}, ())
    outputs = reader.read(model, [reader.add(start)])
    return Network(tuple(reader.layers), tuple(outputs))


class _Reader:
    """Collects layers, one more for each time that a layer is used."""

    def __init__(self) -> None:
        self.layers: list[Layer] = []

    def add(self, layer: Layer) -> str:
        """Take a layer over under a name that is still free, and return it."""
        taken = {each.name for each in self.layers}
        names = (layer.name, *(f"{layer.name}_{number}" for number in range(2, len(taken) + 3)))
        name = next(name for name in names if name not in taken)
        self.layers.append(Layer(name, layer.kind, layer.config, layer.inputs, layer.weights))
        return name

    def read(self, model: keras.Model, inputs: Sequence[str]) -> list[str]:
        """Take over the layers of a model applied to tensors, and return the names of its outputs."""
        config = model.get_config()
        if "input_layers" not in config:
            raise ConversionError(
                f"{model.name} is no functional model, which this recipe needs; take the recipe int8."
            )
        made = dict(zip(_histories(config["input_layers"]), inputs, strict=True))
        waiting = [(each, call) for each in config["layers"] for call in range(len(each["inbound_nodes"]))]
        while waiting:
            # Layers are listed by name, not in an order in which they can be computed where one is used twice.
            ready = [each for each in waiting if set(_arguments(*each)) <= made.keys()]
            if not ready:
                raise ConversionError("The model's layers do not follow from its input; take the recipe int8.")
            waiting = [each for each in waiting if each not in ready]
            for each, call in ready:
                tensors = [made[history] for history in _arguments(each, call)]
                for at, name in enumerate(self._apply(model, each, call, tensors)):
                    made[each["name"], call, at] = name
        return [made[history] for history in _histories(config["output_layers"])]

    def _apply(self, model: keras.Model, described: Mapping[str, Any], call: int, inputs: list[str]) -> list[str]:
        if described["class_name"] == _MODEL:
            return self.read(model.get_layer(described["name"]), inputs)
        if described["class_name"] in _IDLE:
            return inputs
        if described["module"].startswith("keras.src.ops"):
            return [self.add(_read_arithmetic(described, call, inputs))]
        layer = model.get_layer(described["name"])
        name = inputs[0]
        for each in _read_layer(layer, described, tuple(inputs)):
            name = self.add(each if each.inputs else Layer(each.name, each.kind, each.config, (name,)))
        return [name]


def _read_layer(layer: keras.Layer, described: Mapping[str, Any], inputs: tuple[str, ...]) -> Iterator[Layer]:
    """Yield a layer and, without inputs, the activation that it has inside."""
    kind, name = described["class_name"], described["name"]
    if kind in (_BATCH_NORM, _NORMALIZATION):
        scale, offset = _batch_norm(layer) if kind == _BATCH_NORM else _normalization(layer)
        yield Layer(name, RESCALING, {"scale": scale, "offset": offset}, inputs)
        return
    config = _plain(described["config"])
    activation = described["config"].get("activation", "linear")
    if not isinstance(activation, str):
        raise ConversionError(
            f"The layer {name} has another layer as its activation, which this recipe does not know; "
            "take the recipe int8."
        )
    if kind in WEIGHTED:
        yield Layer(name, kind, {**config, "use_bias": True}, inputs, _weights(layer, config))
    elif kind == "Activation":
        yield Layer(name, kind, {"activation": activation}, inputs)
        return
    elif layer.weights:
        raise ConversionError(
            f"The layer {name} is of kind {kind}, whose weights this recipe does not know; take the recipe int8."
        )
    else:
        yield Layer(name, kind, config, inputs)
    if activation != "linear":
        yield Layer(f"{name}_{activation}", "Activation", {"activation": activation}, ())


def _read_arithmetic(described: Mapping[str, Any], call: int, inputs: list[str]) -> Layer:
    """Read `x + 3` or `x * 0.5`, as Keras's MobileNetV3 has them outside any layer."""
    arguments = described["inbound_nodes"][call]["args"]
    numbers = [each for each in arguments if isinstance(each, (int, float))]
    argument = _ARITHMETIC.get(described["class_name"])
    if argument is None or len(numbers) != 1 or len(inputs) != 1:
        raise ConversionError(
            f"The model computes {described['class_name']} outside a layer, which this recipe does not know; take the "
            "recipe int8."
        )
    config = {"scale": 1.0, "offset": 0.0, argument: float(numbers[0])}
    return Layer(described["name"], RESCALING, config, tuple(inputs))


def _weights(layer: keras.Layer, config: Mapping[str, Any]) -> tuple[Array, ...]:
    kernel, *bias = (np.asarray(each, np.float32) for each in layer.get_weights())
    channels = kernel.shape[2] * kernel.shape[3] if "depth_multiplier" in config else kernel.shape[-1]
    return kernel, bias[0] if bias else np.zeros(channels, np.float32)


def _batch_norm(layer: keras.Layer) -> tuple[Array, Array]:
    mean, variance = (np.asarray(each, np.float64) for each in (layer.moving_mean, layer.moving_variance))
    scale = (np.asarray(layer.gamma) if layer.scale else 1.0) / np.sqrt(variance + layer.epsilon)
    offset = (np.asarray(layer.beta) if layer.center else 0.0) - mean * scale
    return np.asarray(scale, np.float32), np.asarray(offset, np.float32)


def _normalization(layer: keras.Layer) -> tuple[Array, Array]:
    mean, variance = (np.asarray(each, np.float64).reshape(-1) for each in (layer.mean, layer.variance))
    scale = 1 / np.maximum(np.sqrt(variance), keras.config.epsilon())
    return np.asarray(scale, np.float32), np.asarray(-mean * scale, np.float32)


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    odd = [key for key, value in _RESIZING.items() if config.get(key, value) != value]
    if odd:
        raise ConversionError(f"The layer {config['name']} sets {odd[0]}, which this recipe does not know; take int8.")
    dropped = {*_NOT_NEEDED, *_RESIZING, *_OF_PADDING}
    return {key: config[key] for key in config if key not in dropped and not key.endswith(_NOT_NEEDED_ENDS)}


def _arguments(described: Mapping[str, Any], call: int) -> list[tuple[str, int, int]]:
    """Return which tensors a layer is applied to at its given call."""
    return list(_tensors(described["inbound_nodes"][call]["args"]))


def _tensors(values: Any) -> Iterator[tuple[str, int, int]]:
    if isinstance(values, Mapping) and values.get("class_name") == "__keras_tensor__":
        name, call, at = values["config"]["keras_history"]
        yield name, call, at
    elif isinstance(values, (list, tuple)):
        for value in values:
            yield from _tensors(value)


def _histories(listed: Sequence[Any]) -> list[tuple[str, int, int]]:
    """Return a model's ends as tensors; where there is one alone, Keras lists its three parts themselves."""
    each = [listed] if isinstance(listed[0], str) else listed
    return [(name, call, at) for name, call, at in each]
