"""Loading weights published in other shapes into a Keras body."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from edge_runtime.bundled import BUNDLED
from edge_runtime.errors import DataError
from edge_runtime.keras_archive import LOADING_ERRORS, MODEL_SUFFIX, explain_failure
from train.networks.efficientnet_lite import list_convolutions
from train.networks.tflite_weights import FoldedConvolution, find_architecture, read_convolutions, read_own_spec

_Folded = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Kernel and bias."""

_STATISTICS_BATCH = 4
_ARRAYS_SUFFIX = ".npz"
_TFLITE_SUFFIX = ".tflite"
_OTHER_FRAMEWORKS = frozenset({".pt", ".pth", ".onnx", ".safetensors"})


def are_folded(file: str) -> bool:
    """Tell whether a weights argument names convolutions with their batch norms folded in."""
    return Path(file).suffix in (_ARRAYS_SUFFIX, _TFLITE_SUFFIX)


def are_of_tflite(file: str) -> bool:
    """Tell whether a weights argument names a TFLite file."""
    return Path(file).suffix == _TFLITE_SUFFIX


def are_of_a_run(file: str) -> bool:
    """Tell whether a weights argument names the model of an earlier run."""
    return Path(file).suffix == MODEL_SUFFIX


def check_weights(weights: str) -> None:
    """Check that there are such weights, before anything is read that takes long.

    Args:
        weights: As for `train.networks.architectures.build_classifier`.

    Raises:
        DataError: A file is named that is not there, or is of another framework.
    """
    _refuse_other_frameworks(Path(weights))
    if weights not in ("imagenet", "none") and not Path(weights).is_file():
        raise DataError(
            f"There is no weights file {weights}; give imagenet, none, the name of a bundled model "
            f"({', '.join(BUNDLED)}), or a file such as the model.keras of a run."
        )


def _refuse_other_frameworks(file: Path) -> None:
    if file.suffix.lower() in _OTHER_FRAMEWORKS:
        raise DataError(
            f"{file} is of PyTorch or ONNX, whose networks Keras does not have; give imagenet, the name of a bundled "
            f"model ({', '.join(BUNDLED)}), or a .keras, .h5, .tflite or folded .npz file."
        )


def load_body_weights(body: keras.Model, file: str) -> None:
    """Load a weights file into a body.

    Args:
        body: A Keras application without its top.
        file: The `model.keras` of an earlier run, a Keras `.h5` or `.weights.h5` file, a `.tflite` file whose network
            has such a body, or an `.npz` of convolutions with their batch norms folded in (keys such as
            `block_1/expand/kernel`; kernels HWIO, depthwise HWC1).

    Raises:
        DataError: The file cannot be read or does not fit.
    """
    try:
        if Path(file).suffix == _ARRAYS_SUFFIX:
            with np.load(file) as arrays:
                _load_folded(body, _match_names(body, arrays))
        elif are_of_tflite(file):
            model = Path(file).read_bytes()
            _load_folded(body, _match_order(body, read_convolutions(model), _advise(model)))
        elif are_of_a_run(file):
            earlier = keras.models.load_model(file, compile=False).get_layer("body")
            body.set_weights(earlier.get_weights())
        else:
            with warnings.catch_warnings():
                # Keras warns of what it leaves as it is, which would be a body that knows a part.
                warnings.simplefilter("error", UserWarning)
                body.load_weights(file)
    except (*LOADING_ERRORS, UserWarning) as error:
        raise DataError(
            f"The weights {file} do not load into {body.name} ({explain_failure(Path(file), error)})."
        ) from error


def _match_names(body: keras.Model, arrays: Mapping[str, NDArray[np.float32]]) -> dict[str, _Folded]:
    """Return kernel and bias for each convolution of a body by the name of its layer."""
    kernels = {key.removesuffix("/kernel") for key in arrays if key.endswith("/kernel")}
    names = {_folded_name(layer): layer for layer in list_convolutions(body)}
    if kernels != set(names):
        odd = ", ".join(sorted(kernels ^ set(names))[:3])
        raise ValueError(f"layers differ: {odd}")
    return {layer: (arrays[f"{name}/kernel"], arrays[f"{name}/bias"]) for name, layer in names.items()}


def _advise(model: bytes) -> str:
    """Return what to do where a TFLite file does not fit; one of ours tells which network it is of."""
    spec = read_own_spec(model)
    architecture = find_architecture(spec) if spec else None
    return f"give --architecture {architecture}" if architecture else "give the --architecture it is of"


def _match_order(body: keras.Model, found: Sequence[FoldedConvolution], advice: str) -> dict[str, _Folded]:
    """Return kernel and bias for each convolution of a body: they run in its order, those of heads between and behind.

    Strides tell a head's separable convolution from the body's next one, which may have its shape.
    """
    matched = {}
    left = iter(found)
    for name in list_convolutions(body):
        layer = body.get_layer(name)
        wanted = (layer.kernel.shape, layer.strides, isinstance(layer, keras.layers.DepthwiseConv2D))
        fitting = next((each for each in left if (each.kernel.shape, each.strides, each.depthwise) == wanted), None)
        if fitting is None:
            raise ValueError(f"it has no convolution like {name} where one should be; {advice}")
        matched[name] = (fitting.kernel, fitting.bias)
    return matched


def _load_folded(body: keras.Model, convolutions: Mapping[str, _Folded]) -> None:
    """Put each folded convolution into its kernel, and its bias into a batch norm that does nothing else."""
    for name, (kernel, bias) in convolutions.items():
        body.get_layer(name).set_weights([kernel])
        norm = body.get_layer(_norm_name(name))
        one = np.ones_like(bias)
        norm.set_weights([one, bias, 0 * one, one - np.float32(norm.epsilon)])


def list_batch_norms(body: keras.Model) -> list[keras.layers.BatchNormalization]:
    """Return the batch norms of a body, each of which directly follows a convolution."""
    return [layer for layer in body.layers if isinstance(layer, keras.layers.BatchNormalization)]


def unfold_batch_norms(
    model: keras.Model, norms: Sequence[keras.layers.BatchNormalization], images: NDArray[np.float32]
) -> None:
    """Give batch norms that only scale and shift the statistics of their own inputs, leaving the function as it is.

    Folded weights carry no batch statistics, and fine-tuning them as they are diverges: the scale of each channel
    sits in its kernel, where a step of equal size for every weight breaks the small ones. With mean m and variance v
    of a convolution's output, `gamma = scale * sqrt(v + epsilon)` and `beta = bias + scale * m` give the same output in
    inference, and nearly the same in training mode.

    Args:
        model: From normalised photos to anything.
        norms: Those of its batch norms to change, each called once, with mean 0 and variance 1.
        images: (images, height, width, 3) float32 normalised photos to take the statistics on.
    """
    inputs = keras.Model(model.input, [norm.input for norm in norms])
    moments = [np.zeros((2, norm.gamma.shape[0])) for norm in norms]
    # All inputs of all batch norms, which are gigabytes for many photos.
    for start in range(0, len(images), _STATISTICS_BATCH):
        answers = inputs.predict_on_batch(images[start : start + _STATISTICS_BATCH])
        moments = [sums + _add_up(each) / len(images) for sums, each in zip(moments, answers, strict=True)]
    for norm, (mean, square) in zip(norms, moments, strict=True):
        scale, bias, _, _ = norm.get_weights()
        variance = np.maximum(square - mean**2, 0.0)
        norm.set_weights([scale * np.sqrt(variance + norm.epsilon), bias + scale * mean, mean, variance])


def _add_up(maps: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return per channel, (2, channels), the sums over images of the mean and of the mean square of their maps."""
    axes = (1, 2)
    means = maps.mean(axes, dtype=np.float64), np.square(maps).mean(axes, dtype=np.float64)
    return np.stack([each.sum(axis=0) for each in means])


def _folded_name(layer: str) -> str:
    """Turn a Keras MobileNetV2 layer name, say `block_3_expand`, into the key of the folded weights."""
    fixed = {"Conv1": "stem", "Conv_1": "head"}
    if layer in fixed:
        return fixed[layer]
    return "/".join(layer.replace("expanded_conv", "block_0").rsplit("_", 1))


def _norm_name(convolution: str) -> str:
    rules: dict[str, Callable[[str], str]] = {"Conv1": "bn_{}".format, "Conv_1": "{}_bn".format}
    return rules.get(convolution, "{}_BN".format)(convolution)
