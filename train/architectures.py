"""The networks that can be trained, and what each expects of its input."""

from collections.abc import Callable
from dataclasses import dataclass

import keras

from edge_runtime.errors import DataError
from edge_runtime.spec import InputSpec
from train.weights import load_body_weights


@dataclass(frozen=True, slots=True)
class Architecture:
    """A body that turns normalised images into feature maps.

    Attributes:
        name: Registry key.
        size: Default input height and width in pixels.
        mean: Per RGB channel, of pixel values in [0, 255].
        std: Per RGB channel, of pixel values in [0, 255].
        build_body: Takes the input size and a Keras weights argument (`imagenet` or None).
        weights_license: Terms of the ImageNet weights.
    """

    name: str
    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    build_body: Callable[[int, str | None], keras.Model]
    weights_license: str

    def input_spec(self, size: int) -> InputSpec:
        """Return the input contract at a square size in pixels."""
        return InputSpec(height=size, width=size, mean=self.mean, std=self.std)


def _mobilenet_v2(size: int, weights: str | None) -> keras.Model:
    return keras.applications.MobileNetV2(input_shape=(size, size, 3), include_top=False, weights=weights)


_NORM_MOMENTUM = 0.97
"""Keras's 0.999 is for ImageNet's million steps; over a thousand steps its averages would lag behind the weights."""

ARCHITECTURES = {
    architecture.name: architecture
    for architecture in (
        Architecture(
            name="mobilenet_v2",
            size=224,
            mean=(127.5, 127.5, 127.5),
            std=(127.5, 127.5, 127.5),
            build_body=_mobilenet_v2,
            weights_license="Apache-2.0",
        ),
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
        weights: `imagenet` (fetched by Keras), `none`, or the path of a weights file.
        dropout: Share of pooled features dropped in training, in [0, 1).

    Returns:
        A model from (batch, size, size, 3) normalised float32 RGB to (batch, labels) probabilities. The body is its
        layer `body`.

    Raises:
        DataError: The weights cannot be fetched, read, or do not fit.
    """
    body = _build_body(architecture, size, weights)
    inputs = keras.Input((size, size, 3), name="image")
    features = keras.layers.GlobalAveragePooling2D(name="pool")(body(inputs))
    outputs = keras.layers.Dense(len(labels), activation="softmax", name="garment")(
        keras.layers.Dropout(dropout, name="dropout")(features)
    )
    return keras.Model(inputs, outputs, name=architecture.name)


def _build_body(architecture: Architecture, size: int, weights: str) -> keras.Model:
    if weights == "imagenet":
        try:
            body = architecture.build_body(size, "imagenet")
        except Exception as error:  # Keras raises a bare Exception when a download fails.
            raise DataError(
                f"The ImageNet weights of {architecture.name} cannot be fetched ({error}); "
                "download them elsewhere and name the file with --weights FILE."
            ) from error
    else:
        body = architecture.build_body(size, None)
        if weights != "none":
            load_body_weights(body, weights)
    for layer in body.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = _NORM_MOMENTUM
    body.name = "body"
    return body
