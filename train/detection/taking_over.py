"""Beginning a detector with what lies between body and answers of another one.

The last convolutions, the only ones with a bias, stay as they are: each detector's speak of its own labels and anchors.
"""

import re
from collections.abc import Iterable, Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from train.networks.tflite_weights import FoldedConvolution

# Keras numbers the calls of a layer.
_NORM_IN_NAME = re.compile(r"/(\w+_BN)(?:_\d+)?/")


def take_over_neck(detector: keras.Model, earlier: keras.Model) -> int:
    """Give a detector what another one's layers have learnt, by name and shape.

    Args:
        detector: From `build_detector`.
        earlier: Any model; of one that is no detector nothing is taken.

    Returns:
        How many layers were taken over.
    """
    known = {layer.name: layer for layer in earlier.layers}
    taken = 0
    for layer in detector.layers:
        other = known.get(layer.name)
        if other is None or layer.name == "body" or getattr(layer, "use_bias", False):
            continue
        shapes, others = ([weight.shape for weight in each.weights] for each in (layer, other))
        if shapes and shapes == others:
            layer.set_weights(other.get_weights())
            taken += 1
    return taken


def take_over_folded_neck(
    detector: keras.Model, convolutions: Iterable[FoldedConvolution]
) -> list[keras.layers.BatchNormalization]:
    """Give a detector what is behind the body of a converted one, by the names that its batch norms left in the file.

    A convolution that several levels share is in the file once for each, scaled by that level's batch norm. The one
    with the greatest weights, channel by channel, becomes the shared one, and the batch norms scale it.

    Args:
        detector: From `build_detector`.
        convolutions: Of any TFLite file; of one that is no detector of ours nothing is taken.

    Returns:
        The batch norms that were taken over, folded as `train.networks.weights.unfold_batch_norms` wants them.
    """
    by_norm = {name: each for each in convolutions for name in _NORM_IN_NAME.findall(each.name)}
    taken = []
    for layer, norms in _list_normalized(detector):
        found = [(norm, by_norm[norm.name]) for norm in norms if norm.name in by_norm]
        fitting = [(norm, each) for norm, each in found if each.kernel.shape == layer.kernel.shape]
        if fitting:
            kernel, scales = _share([each.kernel for _, each in fitting], _channel_axis(layer))
            layer.set_weights([kernel])
            for (norm, each), scale in zip(fitting, scales, strict=True):
                variance = np.full_like(scale, 1 - norm.epsilon)
                norm.set_weights([scale, each.bias, np.zeros_like(scale), variance])
            taken += [norm for norm, _ in fitting]
    return taken


def _list_normalized(detector: keras.Model) -> list[tuple[keras.Layer, list[keras.layers.BatchNormalization]]]:
    """Return each convolution behind the body with the batch norms that follow it, one or one for each level."""
    kinds = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
    norms = [layer for layer in detector.layers if isinstance(layer, keras.layers.BatchNormalization)]
    return [
        (layer, [norm for norm in norms if re.fullmatch(rf"{layer.name}(_\d+)?_BN", norm.name)])
        for layer in detector.layers
        if isinstance(layer, kinds)
    ]


def _channel_axis(layer: keras.Layer) -> int:
    return 2 if isinstance(layer, keras.layers.DepthwiseConv2D) else 3


def _share(kernels: Sequence[NDArray[np.float32]], axis: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the kernel that all of some are multiples of, channel by channel, and (kernels, channels) multiples."""
    rows = np.stack([np.moveaxis(kernel, axis, 0).reshape(kernel.shape[axis], -1) for kernel in kernels])
    greatest = np.square(rows).sum(-1).argmax(0)
    shared = rows[greatest, np.arange(rows.shape[1])]
    length = np.maximum(np.square(shared).sum(-1), np.finfo(np.float32).tiny)
    scales = np.einsum("kcw,cw->kc", rows, shared) / length
    moved = np.moveaxis(kernels[0], axis, 0).shape
    return np.moveaxis(shared.reshape(moved), 0, axis), scales.astype(np.float32)
