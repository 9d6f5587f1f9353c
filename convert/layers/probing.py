"""Measuring a network while photos go through it."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from convert.layers.building import build_model
from convert.layers.network import Array, Layer, Network

_BATCH = 8


def probe(network: Network, probes: Sequence[Layer], images: Sequence[Array]) -> dict[str, Array]:
    """Return what further layers, put onto a network, answer to images.

    Args:
        network: The network itself stays as it is.
        probes: Layers whose inputs are layers of the network or earlier probes.
        images: (height, width, 3) float32 normalised images.

    Returns:
        By the name of each probe that no other probe takes, its outputs, (images, ...) float32.
    """
    taken = {name for layer in probes for name in layer.inputs}
    names = tuple(layer.name for layer in probes if layer.name not in taken)
    model = build_model(Network((*network.layers, *probes), names), keras)
    batches = [images[at : at + _BATCH] for at in range(0, len(images), _BATCH)]
    answers = [_ask(model, np.stack(batch)) for batch in batches]
    return {name: np.concatenate(each) for name, each in zip(names, zip(*answers, strict=True), strict=True)}


def as_list(outputs: Any) -> Sequence[Any]:
    """Return a model's outputs as several, be it one."""
    return outputs if isinstance(outputs, (list, tuple)) else (outputs,)


def answer(model: Any, image: Array) -> Sequence[Array]:
    """Return the outputs of a model, of either Keras, for one (height, width, 3) image."""
    return _ask(model, image[np.newaxis])


def _ask(model: Any, images: Array) -> Sequence[Array]:
    # Its method predict would trace a graph for each of ever new models, and TensorFlow warns of that.
    return [np.asarray(each) for each in as_list(model(images, training=False))]


def measure_difference(one: Sequence[Array], other: Sequence[Array]) -> float:
    """Return how far two models' outputs are apart at most."""
    return max(float(np.abs(first - second).max()) for first, second in zip(one, other, strict=True))
