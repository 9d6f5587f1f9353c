"""The networks that can be trained, and what each expects of its input."""

import contextlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import keras

from edge_runtime.errors import DataError
from edge_runtime.spec import InputSpec
from train.networks.efficientnet_lite import Scaling, build_efficientnet_lite
from train.networks.growing import grow
from train.networks.lite_weights import PACKAGED, load_packaged_weights
from train.networks.weights import load_body_weights


class WeightsSource(StrEnum):
    """Where the ImageNet weights of a network come from."""

    KERAS = "keras"
    """Keras fetches them."""
    PACKAGE = "package"
    """A Python package carries them."""
    GROWN = "grown"
    """Those of a smaller network of the family are grown to its size."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """A body that turns normalised images into feature maps.

    Attributes:
        name: Registry key.
        size: Default input height and width in pixels.
        mean: Per RGB channel, of pixel values in [0, 255].
        std: Per RGB channel, of pixel values in [0, 255].
        build_body: Takes the input size and a Keras weights argument (`imagenet` or None).
        imagenet: Where its ImageNet weights come from.
        int8: How it fares as int8 on a CPU.
        weights_license: Terms of the ImageNet weights.
    """

    name: str
    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    build_body: Callable[[int, str | None], keras.Model]
    imagenet: WeightsSource
    int8: str
    weights_license: str = "Apache-2.0"

    def input_spec(self, size: int) -> InputSpec:
        """Return the input contract at a square size in pixels."""
        return InputSpec(height=size, width=size, mean=self.mean, std=self.std)


_TO_ONE = ((127.5, 127.5, 127.5), (127.5, 127.5, 127.5))
_AS_IS = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
_RELU6 = "well: ReLU6, one delegate partition"
_RELU = "well: ReLU, one delegate partition"
_HARD_SWISH = "slowly: hard-swish and squeeze-and-excitation break the graph into partitions"
_SWISH = "with care: swish and squeeze-and-excitation cost accuracy and time"

_NORM_MOMENTUM = 0.97
"""Keras's 0.999 is for ImageNet's million steps; over a thousand steps its averages would lag behind the weights."""


def _mobilenet_v2(width: float) -> Architecture:
    def build(size: int, weights: str | None) -> keras.Model:
        return keras.applications.MobileNetV2((size, size, 3), alpha=width, include_top=False, weights=weights)

    name = "mobilenet_v2" if width == 1.0 else f"mobilenet_v2_{width}"
    return Architecture(name, 224, *_TO_ONE, build, WeightsSource.KERAS, int8=_RELU6)


def _mobilenet_v3(kind: str, *, minimalistic: bool) -> Architecture:
    application = getattr(keras.applications, f"MobileNetV3{kind.title()}")

    def build(size: int, weights: str | None) -> keras.Model:
        return application(
            (size, size, 3), minimalistic=minimalistic, include_top=False, weights=weights, include_preprocessing=False
        )

    name = f"mobilenet_v3_{kind}" + ("_minimalistic" if minimalistic else "")
    return Architecture(name, 224, *_TO_ONE, build, WeightsSource.KERAS, int8=_RELU if minimalistic else _HARD_SWISH)


_LITE_SCALINGS = {
    "efficientnet_lite0": Scaling(width=1.0, depth=1.0),
    "efficientnet_lite1": Scaling(width=1.0, depth=1.1),
    "efficientnet_lite2": Scaling(width=1.1, depth=1.2),
    "efficientnet_lite3": Scaling(width=1.2, depth=1.4),
    "efficientnet_lite4": Scaling(width=1.4, depth=1.8),
}
_LARGEST_PACKAGED = "efficientnet_lite2"


def _efficientnet_lite(name: str, size: int) -> Architecture:
    def build(size: int, _weights: str | None) -> keras.Model:
        return build_efficientnet_lite(size, _LITE_SCALINGS[name])

    imagenet = WeightsSource.PACKAGE if name in PACKAGED else WeightsSource.GROWN
    return Architecture(name, size, *_TO_ONE, build, imagenet, int8=_RELU6)


def _efficientnet_b0(size: int, weights: str | None) -> keras.Model:
    return keras.applications.EfficientNetB0(input_shape=(size, size, 3), include_top=False, weights=weights)


def _efficientnet_v2_b0(size: int, weights: str | None) -> keras.Model:
    return keras.applications.EfficientNetV2B0(
        input_shape=(size, size, 3), include_top=False, weights=weights, include_preprocessing=False
    )


ARCHITECTURES: Mapping[str, Architecture] = {
    architecture.name: architecture
    for architecture in (
        *(_mobilenet_v2(width) for width in (0.35, 0.5, 0.75, 1.0, 1.4)),
        *(_mobilenet_v3(kind, minimalistic=plain) for kind in ("small", "large") for plain in (False, True)),
        *map(_efficientnet_lite, _LITE_SCALINGS, (224, 240, 260, 280, 300)),
        # Keras keeps the normalisation of these weights inside the body.
        Architecture("efficientnet_b0", 224, *_AS_IS, _efficientnet_b0, WeightsSource.KERAS, int8=_SWISH),
        Architecture("efficientnet_v2_b0", 224, *_TO_ONE, _efficientnet_v2_b0, WeightsSource.KERAS, int8=_SWISH),
    )
}


def build_classifier(
    architecture: Architecture, size: int, labels: tuple[str, ...], weights: str, dropout: float
) -> keras.Model:
    """Build a classifier on a pretrained or fresh body.

    Args:
        architecture: Which body.
        size: Input height and width in pixels.
        labels: Class names; their count is the width of the output.
        weights: `imagenet` (fetched by Keras or from an installed package), `none`, or the path of a weights file.
        dropout: Share of pooled features dropped in training, in [0, 1).

    Returns:
        A model from (batch, size, size, 3) normalised float32 RGB to (batch, labels) probabilities. The body is its
        layer `body`.

    Raises:
        DataError: The weights cannot be fetched, read, or do not fit.
    """
    body = build_body(architecture, size, weights)
    inputs = keras.Input((size, size, 3), name="image")
    features = keras.layers.GlobalAveragePooling2D(name="pool")(body(inputs))
    # Softmax stays float32 where the body computes in less. Zeros let runs of any seed start from one point, without
    # which an average of their weights means nothing.
    outputs = keras.layers.Dense(
        len(labels), activation="softmax", kernel_initializer="zeros", name="garment", dtype="float32"
    )(keras.layers.Dropout(dropout, name="dropout")(features))
    return keras.Model(inputs, outputs, name=architecture.name)


def build_body(architecture: Architecture, size: int, weights: str) -> keras.Model:
    """Build a body with its weights; arguments and errors as for `build_classifier`."""
    body = _fetch_body(architecture, size) if weights == "imagenet" else architecture.build_body(size, None)
    if weights not in ("imagenet", "none"):
        load_body_weights(body, weights)
    for layer in body.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = _NORM_MOMENTUM
    body.name = "body"
    return body


def _fetch_body(architecture: Architecture, size: int) -> keras.Model:
    if architecture.imagenet is WeightsSource.KERAS:
        return _fetch_from_keras(architecture, size)
    body = architecture.build_body(size, None)
    if architecture.imagenet is WeightsSource.PACKAGE:
        load_packaged_weights(body, architecture.name)
    else:
        _grow_from_packaged(body, architecture.name, size)
    return body


def _grow_from_packaged(body: keras.Model, name: str, size: int) -> None:
    smaller = ARCHITECTURES[_LARGEST_PACKAGED].build_body(size, None)
    load_packaged_weights(smaller, _LARGEST_PACKAGED)
    grow(smaller, body, (_LITE_SCALINGS[_LARGEST_PACKAGED], _LITE_SCALINGS[name]))


def _fetch_from_keras(architecture: Architecture, size: int) -> keras.Model:
    try:
        # Keras tells of downloads on stdout, which is for results.
        with contextlib.redirect_stdout(sys.stderr):
            return architecture.build_body(size, "imagenet")
    except Exception as error:  # Keras raises a bare Exception when a download fails.
        raise DataError(
            f"The ImageNet weights of {architecture.name} cannot be fetched ({error}); "
            "download them elsewhere and name the file in the place of imagenet."
        ) from error
