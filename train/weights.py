"""Loading weights published in other shapes into a Keras body."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import DataError

_FOLDED_SUFFIX = ".npz"
_MODEL_SUFFIX = ".keras"


def are_folded(file: str) -> bool:
    """Tell whether a weights argument names convolutions with their batch norms folded in."""
    return Path(file).suffix == _FOLDED_SUFFIX


def load_body_weights(body: keras.Model, file: str) -> None:
    """Load a weights file into a body.

    Args:
        body: A Keras application without its top.
        file: The `model.keras` of an earlier run, a Keras `.h5` or `.weights.h5` file, or an `.npz` of convolutions
            with their batch norms folded in (keys such as `block_1/expand/kernel`; kernels HWIO, depthwise HWC1).

    Raises:
        DataError: The file cannot be read or does not fit.
    """
    try:
        if are_folded(file):
            with np.load(file) as arrays:
                _load_folded(body, arrays)
        elif Path(file).suffix == _MODEL_SUFFIX:
            earlier = keras.models.load_model(file, compile=False).get_layer("body")
            body.set_weights(earlier.get_weights())
        else:
            body.load_weights(file)
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"The weights {file} do not load into {body.name} ({error}); take others.") from error


def _load_folded(body: keras.Model, arrays: Mapping[str, NDArray[np.float32]]) -> None:
    """Put each folded convolution into its kernel, and its bias into a batch norm that does nothing else."""
    kernels = {key.removesuffix("/kernel") for key in arrays if key.endswith("/kernel")}
    names = {_folded_name(layer.name): layer for layer in body.layers if _is_convolution(layer)}
    if kernels != set(names):
        odd = ", ".join(sorted(kernels ^ set(names))[:3])
        raise ValueError(f"layers differ: {odd}")
    for name, convolution in names.items():
        convolution.set_weights([arrays[f"{name}/kernel"]])
        norm = body.get_layer(_norm_name(convolution.name))
        bias = arrays[f"{name}/bias"]
        one = np.ones_like(bias)
        norm.set_weights([one, bias, 0 * one, one - np.float32(norm.epsilon)])


def unfold_batch_norms(body: keras.Model, images: NDArray[np.float32]) -> None:
    """Give batch norms that only add a bias the statistics of their own inputs, leaving the function as it is.

    Folded weights carry no batch statistics, and fine-tuning them as they are diverges: the scale of each channel
    sits in its kernel, where a step of equal size for every weight breaks the small ones. With mean m and variance v
    of a convolution's output, `gamma = sqrt(v + epsilon)` and `beta = bias + m` give the same output in inference,
    and nearly the same in training mode.

    Args:
        body: A body whose batch norms directly follow their convolutions.
        images: (images, height, width, 3) float32 normalised photos to take the statistics on.
    """
    pairs = [(layer, body.get_layer(_norm_name(layer.name))) for layer in body.layers if _is_convolution(layer)]
    outputs = keras.Model(body.input, [convolution.output for convolution, _ in pairs])
    totals = [_moments(batch) for batch in zip(*map(outputs.predict_on_batch, np.array_split(images, 8)), strict=True)]
    for (_, norm), (mean, variance) in zip(pairs, totals, strict=True):
        _, bias, _, _ = norm.get_weights()
        norm.set_weights([np.sqrt(variance + norm.epsilon), bias + mean, mean, variance])


def _moments(batches: tuple[NDArray[np.float32], ...]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return per-channel mean and variance over equal (images, height, width, channels) batches."""
    axes = (0, 1, 2)
    mean = np.mean([batch.mean(axes, dtype=np.float64) for batch in batches], axis=0)
    square = np.mean([np.square(batch).mean(axes, dtype=np.float64) for batch in batches], axis=0)
    return mean.astype(np.float32), np.maximum(square - mean**2, 0.0).astype(np.float32)


def _is_convolution(layer: Any) -> bool:
    return isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D)


def _folded_name(layer: str) -> str:
    """Turn a Keras MobileNetV2 layer name, say `block_3_expand`, into the key of the folded weights."""
    fixed = {"Conv1": "stem", "Conv_1": "head"}
    if layer in fixed:
        return fixed[layer]
    return "/".join(layer.replace("expanded_conv", "block_0").rsplit("_", 1))


def _norm_name(convolution: str) -> str:
    rules: dict[str, Callable[[str], str]] = {"Conv1": "bn_{}".format, "Conv_1": "{}_bn".format}
    return rules.get(convolution, "{}_BN".format)(convolution)
