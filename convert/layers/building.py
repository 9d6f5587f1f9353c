"""From plain layers to a model of Keras 3 or tf-keras, which take the same arguments for the kinds used here."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from convert.layers.network import INPUT, Layer, Network
from edge_runtime.errors import ConversionError

Wrap = Callable[[Layer, Any], Any]
"""Takes a layer and the Keras layer made of it, weights and all, and returns what is to be applied in its place."""


def build_model(network: Network, library: ModuleType, wrap: Wrap = lambda _, made: made) -> Any:
    """Return a model of a network.

    Args:
        network: What to build.
        library: `keras` or `tf_keras`.
        wrap: Puts something around layers, say quantisation.

    Raises:
        ConversionError: The library has no such layer.
    """
    tensors: dict[str, Any] = {}
    for layer in network.layers:
        if layer.kind == INPUT:
            tensors[layer.name] = library.Input(name=layer.name, **layer.config)
            continue
        inputs = [tensors[name] for name in layer.inputs]
        made = _make(layer, library)
        if layer.weights:
            made.build(inputs[0].shape)
            made.set_weights(layer.weights)
        tensors[layer.name] = wrap(layer, made)(inputs[0] if len(inputs) == 1 else inputs)
    # A name of its own: Keras would count the models of this process, and the converter's names tell of the model's.
    outputs = [tensors[name] for name in network.outputs]
    return library.Model(tensors[network.layers[0].name], outputs, name="network")


def _make(layer: Layer, library: ModuleType) -> Any:
    kind = getattr(library.layers, layer.kind, None)
    if kind is None:
        raise ConversionError(
            f"The layer {layer.name} is of kind {layer.kind}, which this recipe does not know; take the recipe int8."
        )
    try:
        return kind(name=layer.name, **layer.config)
    except TypeError as error:
        raise ConversionError(
            f"The layer {layer.name} has settings that {library.__name__} does not know ({error}); "
            "take the recipe int8."
        ) from error
