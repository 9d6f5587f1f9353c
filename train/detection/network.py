"""Single-shot detectors on the bodies of `train.networks`: SSD, SSDLite, and both on a feature pyramid."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import keras

from edge_runtime.spec import InputSpec
from train.detection.anchors import Level
from train.detection.layers import make_convolutions, normalize_and_activate
from train.detection.necks import (
    BODY_STRIDES,
    PYRAMID_BODY_STRIDES,
    PYRAMID_CHANNELS,
    add_extra_maps,
    build_pyramid,
)

_TOWER_DEPTH = 2
_PRIOR = 0.01
_ENCODING = 4


@dataclass(frozen=True, slots=True)
class Layout:
    """Which kind of detector.

    Attributes:
        separable: SSDLite's separable convolutions instead of SSD's plain ones.
        pyramid: A feature pyramid, whose levels share one head, instead of maps of their own with a head each.
    """

    separable: bool
    pyramid: bool


def build_detector(body: keras.Model, labels: int, levels: Sequence[Level], layout: Layout) -> keras.Model:
    """Put a detector's head on a body.

    Args:
        body: From (batch, size, size, 3) to feature maps; its weights are shared with the result.
        labels: Number of labels; there is no background.
        levels: Anchors of each feature map, see `plan_cells`.
        layout: Which kind.

    Returns:
        A model from (batch, size, size, 3) normalised float32 RGB to `encodings`, (batch, anchors, 4) float32 rows
        (ty, tx, th, tw), and `scores`, (batch, anchors, labels) float32 probabilities. Its layer `body` is the body,
        and `logits` gives the scores before the sigmoid.
    """
    tapped = tap_body(body, PYRAMID_BODY_STRIDES if layout.pyramid else BODY_STRIDES)
    inputs = keras.Input(body.input_shape[1:], name="image")
    merge = build_pyramid if layout.pyramid else add_extra_maps
    maps = merge(tapped(inputs), [level.cells for level in levels], separable=layout.separable)
    encodings = _predict("encodings", maps, levels, _ENCODING, layout, bias=0.0)
    # With all scores at the prior, the many background anchors do not swamp the first steps (Lin et al., "Focal
    # Loss", ICCV 2017, section 3.3).
    logits = _predict("logits", maps, levels, labels, layout, bias=-math.log((1 - _PRIOR) / _PRIOR))
    scores = keras.layers.Activation("sigmoid", name="scores")(logits)
    return keras.Model(inputs, [encodings, scores], name="detector")


def tap_body(body: keras.Model, strides: Sequence[int]) -> keras.Model:
    """Return a body that gives the last feature map of each stride, finest first, as its layer outputs.

    In inverted residual networks that is the expansion before the next stride, which SSDLite taps (Sandler et al.,
    "MobileNetV2", CVPR 2018, section 6.2).
    """
    size = body.input_shape[1]
    of_stride = {
        stride: [layer.output for layer in body.layers if layer.output.shape[1:3] == (size // stride, size // stride)]
        for stride in strides
    }
    return keras.Model(body.input, [outputs[-1] for outputs in of_stride.values()], name="body")


def build_training_detector(detector: keras.Model, spec: InputSpec) -> keras.Model:
    """Put normalisation before a detector and leave its sigmoid away, sharing its weights.

    Returns:
        A model from (batch, height, width, 3) RGB in [0, 255] to (batch, anchors, 4 + labels) encodings and logits
        side by side.
    """
    answers = [detector.get_layer(name).output for name in ("encodings", "logits")]
    raw = keras.Model(detector.input, keras.layers.Concatenate(name="answers")(answers))
    pixels = keras.Input((spec.height, spec.width, 3), name="pixels")
    normalization = keras.layers.Normalization(mean=spec.mean, variance=[value**2 for value in spec.std])
    return keras.Model(pixels, raw(normalization(pixels)), name="training")


class _Branch:
    """A few convolutions and a last one, for one map or, sharing the kernels but not the batch norms, for several."""

    def __init__(self, name: str, channels: int, outputs: int, layout: Layout, bias: float) -> None:
        self._tower = _make_tower(name, channels, layout)
        kernel = 1 if layout.separable else 3
        self._last = keras.layers.Conv2D(
            outputs,
            kernel,
            padding="same",
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
            bias_initializer=keras.initializers.Constant(bias),
            name=name,
        )

    def __call__(self, maps: keras.KerasTensor, level: int) -> keras.KerasTensor:
        for layer in self._tower:
            maps = normalize_and_activate(layer(maps), f"{layer.name}_{level}")
        return self._last(maps)


def _make_tower(name: str, channels: int, layout: Layout) -> list[keras.Layer]:
    """Return SSD's none, SSDLite's one depthwise convolution, or a pyramid's few of either kind."""
    if layout.pyramid:
        each = (make_convolutions(f"{name}_{index}", channels, 3, separable=layout.separable)
                for index in range(_TOWER_DEPTH))  # fmt: skip
        return [layer for layers in each for layer in layers]
    return list(make_convolutions(f"{name}_tower", channels, 3, separable=True)[:1]) if layout.separable else []


def _predict(
    name: str, maps: Sequence[keras.KerasTensor], levels: Sequence[Level], width: int, layout: Layout, bias: float
) -> keras.KerasTensor:
    """Return (batch, anchors, width) outputs, anchors in the order of `make_anchors`."""
    shared = _Branch(name + "_head", PYRAMID_CHANNELS, len(levels[0].shapes) * width, layout, bias)
    outputs = []
    for index, (each, level) in enumerate(zip(maps, levels, strict=True)):
        own = f"{name}_head_{index}"
        branch = shared if layout.pyramid else _Branch(own, each.shape[-1], len(level.shapes) * width, layout, bias)
        outputs.append(keras.layers.Reshape((-1, width), name=f"{own}_rows")(branch(each, index)))
    return keras.layers.Concatenate(axis=1, name=name)(outputs)
