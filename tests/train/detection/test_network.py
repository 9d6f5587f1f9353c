from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from edge_runtime.spec import InputSpec  # noqa: E402
from train.detection.anchors import choose_pyramid_levels, choose_ssd_levels, make_anchors  # noqa: E402
from train.detection.necks import plan_cells  # noqa: E402
from train.detection.network import (  # noqa: E402
    Layout,
    build_detector,
    build_training_detector,
    tap_body,
)

SIZE = 64
SmallBody = Callable[[int, str | None], Any]
SPEC = InputSpec(SIZE, SIZE, (127.5,) * 3, (127.5,) * 3)
LAYOUTS = [Layout(separable, pyramid) for separable in (True, False) for pyramid in (True, False)]


def build(layout: Layout, small_body: SmallBody) -> tuple["keras.Model", np.ndarray]:
    cells = plan_cells(SIZE, pyramid=layout.pyramid)
    levels = (choose_pyramid_levels if layout.pyramid else choose_ssd_levels)(cells)
    return build_detector(small_body(SIZE, None), 3, levels, layout), make_anchors(levels)


def test_cells_halve_until_one_is_left() -> None:
    assert plan_cells(320, pyramid=False) == (20, 10, 5, 3, 2, 1)
    assert plan_cells(256, pyramid=False) == (16, 8, 4, 2, 1)
    assert plan_cells(320, pyramid=True) == (40, 20, 10, 5, 3)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_outputs_fit_the_anchors_and_start_at_the_prior(layout: Layout, small_body: SmallBody) -> None:
    detector, anchors = build(layout, small_body)
    encodings, scores = detector(np.zeros((2, SIZE, SIZE, 3), np.float32), training=False)
    assert encodings.shape == (2, len(anchors), 4)
    assert scores.shape == (2, len(anchors), 3)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(scores), 0.01, atol=5e-3)


@pytest.mark.parametrize("pyramid", [True, False])
def test_an_output_sees_its_anchors_place(pyramid: bool, small_body: SmallBody) -> None:
    detector, anchors = build(Layout(separable=True, pyramid=pyramid), small_body)
    images = np.zeros((2, SIZE, SIZE, 3), np.float32)
    images[1, :8, -8:] = 1.0
    encodings = keras.ops.convert_to_numpy(detector(images, training=False)[0])
    finest = slice(0, plan_cells(SIZE, pyramid=pyramid)[0] ** 2 * 6)
    change = np.abs(encodings[1] - encodings[0]).sum(axis=1)[finest]
    nearest = anchors[finest][change.argmax()]
    # y towards the top, x towards the right, where the picture has changed.
    assert nearest[0] < 0.4
    assert nearest[1] > 0.6


def test_the_training_model_says_the_same_without_the_sigmoid(small_body: SmallBody) -> None:
    detector, _ = build(Layout(separable=True, pyramid=True), small_body)
    pixels = np.random.default_rng(0).integers(0, 256, (1, SIZE, SIZE, 3)).astype(np.uint8)
    answers = build_training_detector(detector, SPEC)(pixels, training=False)
    normalised = (pixels.astype(np.float32) - 127.5) / 127.5
    expected, scores = detector(normalised, training=False)
    np.testing.assert_allclose(answers[..., :4], expected, atol=1e-5)
    np.testing.assert_allclose(keras.ops.sigmoid(answers[..., 4:]), scores, atol=1e-5)


def test_a_pyramids_levels_share_their_kernels(small_body: SmallBody) -> None:
    alone, shared = (build(Layout(separable=True, pyramid=pyramid), small_body)[0] for pyramid in (False, True))
    assert sum(layer.name.startswith("logits_head") and "rows" in layer.name for layer in shared.layers) == 4
    assert [layer.name for layer in shared.layers if layer.name == "logits_head"] == ["logits_head"]
    assert {"logits_head_0", "logits_head_1"} <= {layer.name for layer in alone.layers}


def test_taps_are_the_last_maps_of_their_stride() -> None:
    from train.networks.architectures import ARCHITECTURES

    body = ARCHITECTURES["mobilenet_v2_0.5"].build_body(SIZE, None)
    taps = tap_body(body, (8, 16, 32))
    # The order of weights, by which those of one are loaded into the other.
    assert [layer.name for layer in taps.layers] == [layer.name for layer in body.layers]
    producers = [next(layer.name for layer in body.layers if layer.output is tap) for tap in taps.outputs]
    assert producers == ["block_6_expand_relu", "block_13_expand_relu", "out_relu"]


def test_only_layers_of_keras_itself_are_saved(small_body: SmallBody) -> None:
    detector, _ = build(Layout(separable=True, pyramid=True), small_body)
    assert {type(layer).__module__.split(".")[0] for layer in detector._flatten_layers()} == {"keras"}


def test_a_detector_that_is_merely_called_does_not_train(small_body: SmallBody) -> None:
    detector, _ = build(Layout(separable=True, pyramid=True), small_body)
    pixels = np.random.default_rng(0).normal(size=(1, SIZE, SIZE, 3)).astype(np.float32)
    for called, asked in zip(detector(pixels), detector(pixels, training=False), strict=True):
        np.testing.assert_array_equal(called, asked)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="looks into TensorFlow's graph")
def test_no_tensor_has_more_dimensions_than_an_edge_tpu_takes(small_body: SmallBody) -> None:
    import tensorflow as tf

    detector, _ = build(Layout(separable=True, pyramid=True), small_body)
    image = tf.TensorSpec((1, SIZE, SIZE, 3), tf.float32)
    graph = tf.function(lambda images: detector(images, training=False)).get_concrete_function(image).graph
    ranks = [output.shape.rank for operation in graph.get_operations() for output in operation.outputs]
    assert max(rank for rank in ranks if rank is not None) <= 4
