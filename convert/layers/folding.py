"""Folding what follows a convolution and only scales and shifts its channels into the convolution's own weights.

The converter does the same. Done before it, the weights are those that the file will have, and recipes can work on
them.
"""

import dataclasses

import numpy as np

from convert.layers.network import DEPTHWISE, RESCALING, WEIGHTED, Array, Layer, Network


def fold_rescalings(network: Network) -> Network:
    """Return a network that computes the same without the batch norms that follow a weighted layer directly."""
    consumers = network.consumers()
    makers = {
        layer.name: network[layer.inputs[0]]
        for layer in network.layers
        if layer.kind == RESCALING and _takes_alone(layer, network, consumers)
    }
    folded = {maker.name: network[name] for name, maker in makers.items()}
    renamed = {name: maker.name for name, maker in makers.items()}
    layers = [
        _fold(_redirect(layer, renamed), folded.get(layer.name)) for layer in network.layers if layer.name not in makers
    ]
    return Network(tuple(layers), tuple(renamed.get(name, name) for name in network.outputs))


def _takes_alone(layer: Layer, network: Network, consumers: dict[str, tuple[Layer, ...]]) -> bool:
    maker = layer.inputs[0]
    return network[maker].kind in WEIGHTED and consumers[maker] == (layer,) and maker not in network.outputs


def _redirect(layer: Layer, renamed: dict[str, str]) -> Layer:
    return dataclasses.replace(layer, inputs=tuple(renamed.get(name, name) for name in layer.inputs))


def _fold(layer: Layer, rescaling: Layer | None) -> Layer:
    if rescaling is None:
        return layer
    bias = layer.weights[1]
    scale = np.broadcast_to(rescaling.config["scale"], bias.shape)
    offset = rescaling.config["offset"]
    shifted = np.asarray(bias * scale + offset, np.float32)
    return dataclasses.replace(layer, weights=(scale_outputs(layer, scale), shifted))


def scale_outputs(layer: Layer, scale: Array) -> Array:
    """Return a layer's kernel with each output channel multiplied; the bias is not looked at.

    Args:
        layer: A weighted one.
        scale: (channels,) factors.
    """
    kernel = layer.weights[0]
    if layer.kind == DEPTHWISE:
        # (height, width, inputs, multiplier), whose last two axes are the channels of the output.
        return np.asarray(kernel * scale.reshape(kernel.shape[2:]), np.float32)
    return np.asarray(kernel * scale, np.float32)
