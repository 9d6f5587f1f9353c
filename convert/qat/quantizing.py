"""A tf-keras twin of a network in which weights and feature maps are rounded as the int8 file will round them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import tensorflow as tf

from convert.layers.building import build_model
from convert.layers.network import DEPTHWISE, WEIGHTED, Layer, Network
from convert.qat.toolkit import Toolkit

_LEVELS: Final = 127
_BITS: Final = 8
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
    rounded = _find_rounded(network)
    variables: dict[str, Sequence[tf.Variable]] = {}
    config = _make_config(toolkit)

    def wrap(layer: Layer, made: Any) -> Any:
        # Taken here, because the wrapper puts rounded tensors in their place.
        variables[layer.name] = tuple(made.weights)
        return toolkit.quantization.QuantizeWrapperV2(made, config(_kernel_name(layer), layer.name in rounded))

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


def round_kernel(kernel: tf.Tensor, depthwise: bool) -> tf.Tensor:
    """Round a kernel to int8, a scale per output channel, with the gradient of not rounding it.

    Bengio et al., "Estimating or Propagating Gradients Through Stochastic Neurons", 2013, call it straight-through.
    """
    axes = (0, 1) if depthwise else tuple(range(len(kernel.shape) - 1))
    scale = tf.maximum(tf.reduce_max(tf.abs(kernel), axis=axes, keepdims=True), 1e-12) / _LEVELS
    return kernel + tf.stop_gradient(tf.round(kernel / scale) * scale - kernel)


def _make_config(toolkit: Toolkit) -> Callable[[str | None, bool], Any]:
    """Return what makes a layer's configuration of the name of its kernel and whether its output is rounded.

    The toolkit's own rounds depthwise kernels with one scale for all channels, which the converter does not.
    """
    quantizers = toolkit.quantization.quantizers

    class KernelQuantizer(quantizers.Quantizer):  # type: ignore[misc, name-defined]
        def __init__(self, depthwise: bool) -> None:
            self._depthwise = depthwise

        def build(self, tensor_shape: Any, name: str, layer: Any) -> dict[str, Any]:
            return {}

        def __call__(self, inputs: Any, training: Any, weights: Any, **_: Any) -> tf.Tensor:
            return round_kernel(inputs, self._depthwise)

        def get_config(self) -> dict[str, Any]:
            return {"depthwise": self._depthwise}

    class Config(toolkit.quantization.QuantizeConfig):  # type: ignore[misc, name-defined]
        def __init__(self, kernel: str | None, rounds_output: bool) -> None:
            self._kernel = kernel
            self._rounds_output = rounds_output

        def get_weights_and_quantizers(self, layer: Any) -> list[tuple[Any, Any]]:
            if self._kernel is None:
                return []
            return [(getattr(layer, self._kernel), KernelQuantizer(self._kernel != "kernel"))]

        def set_quantize_weights(self, layer: Any, quantize_weights: list[Any]) -> None:
            for weight in quantize_weights:
                setattr(layer, self._kernel or "", weight)

        def get_activations_and_quantizers(self, layer: Any) -> list[tuple[Any, Any]]:
            return []

        def set_quantize_activations(self, layer: Any, quantize_activations: list[Any]) -> None:
            pass

        def get_output_quantizers(self, layer: Any) -> list[Any]:
            if not self._rounds_output:
                return []
            # From the least to the largest value ever seen, as the converter takes it.
            return [quantizers.AllValuesQuantizer(_BITS, per_axis=False, symmetric=False, narrow_range=False)]

        def get_config(self) -> dict[str, Any]:
            return {"kernel": self._kernel, "rounds_output": self._rounds_output}

    return Config


def _hard_silu(values: tf.Tensor) -> tf.Tensor:
    """Return MobileNetV3's hard-swish, which tf-keras does not have."""
    return values * tf.nn.relu6(values + 3.0) / 6.0


_ACTIVATIONS: Final[Mapping[str, Callable[[tf.Tensor], tf.Tensor]]] = {"hard_silu": _hard_silu, "silu": tf.nn.silu}
