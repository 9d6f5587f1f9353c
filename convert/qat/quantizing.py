"""A tf-keras twin of a network in which weights and feature maps are rounded as the int8 file will round them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import tensorflow as tf

from convert.layers.building import build_model
from convert.layers.network import DEPTHWISE, WEIGHTED, Layer, Network
from convert.qat.toolkit import Toolkit

# They only move values, so int8 rounds nothing anew.
_MOVING: Final = frozenset({"Reshape", "Flatten", "ZeroPadding2D", "Cropping2D", "Resizing", "MaxPooling2D"})
_RELU: Final = "ReLU"


def build_twin(network: Network, toolkit: Toolkit) -> Any:
    """Return a tf-keras model that answers as the network does."""
    with toolkit.keras.utils.custom_object_scope(_ACTIVATIONS):
        return build_model(network, toolkit.keras)


def build_quantized_twin(network: Network, toolkit: Toolkit) -> tuple[Any, Mapping[str, Sequence[tf.Variable]]]:
    """Return a tf-keras model that rounds, and the variables behind each weighted layer's kernel and bias.

    Args:
        network: Batch norms folded.
        toolkit: What builds it.
    """
    # It takes its classes from the toolkit.
    from convert.qat.configs import LayerConfig

    rounded = _find_rounded(network)
    variables: dict[str, Sequence[tf.Variable]] = {}

    def wrap(layer: Layer, made: Any) -> Any:
        # Taken here, because the wrapper puts rounded tensors in their place.
        variables[layer.name] = tuple(made.weights)
        return toolkit.quantization.QuantizeWrapperV2(made, LayerConfig(_kernel_name(layer), layer.name in rounded))

    with toolkit.keras.utils.custom_object_scope(_ACTIVATIONS):
        return build_model(network, toolkit.keras, wrap), variables


def _find_rounded(network: Network) -> frozenset[str]:
    """Return the layers whose outputs the int8 file stores: not those that it fuses with the ReLU behind them."""
    consumers = network.consumers()
    return frozenset(
        layer.name
        for layer in network.layers
        if layer.kind not in _MOVING
        and layer.name not in network.outputs
        and [each.kind for each in consumers[layer.name]] != [_RELU]
    )


def _kernel_name(layer: Layer) -> str | None:
    if layer.kind not in WEIGHTED:
        return None
    return "depthwise_kernel" if layer.kind == DEPTHWISE else "kernel"


def _hard_silu(values: tf.Tensor) -> tf.Tensor:
    """Return MobileNetV3's hard-swish, which tf-keras does not have."""
    return values * tf.nn.relu6(values + 3.0) / 6.0


_ACTIVATIONS: Final[Mapping[str, Callable[[tf.Tensor], tf.Tensor]]] = {"hard_silu": _hard_silu, "silu": tf.nn.silu}
