"""What a detector begins with of another one, as a Keras model and as the file that became of it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from convert import export  # noqa: E402
from edge_runtime.spec import Task  # noqa: E402
from train.detection.anchors import choose_pyramid_levels, choose_ssd_levels  # noqa: E402
from train.detection.necks import plan_cells  # noqa: E402
from train.detection.network import Layout, build_detector  # noqa: E402
from train.detection.taking_over import take_over_folded_neck, take_over_neck  # noqa: E402
from train.networks.tflite_weights import read_convolutions  # noqa: E402
from train.networks.weights import unfold_batch_norms  # noqa: E402

SIZE = 64
SmallBody = Callable[[int, str | None], Any]
LAYOUTS = [Layout(separable, pyramid) for separable in (True, False) for pyramid in (True, False)]


def build(layout: Layout, body: Any) -> "keras.Model":
    levels = (choose_pyramid_levels if layout.pyramid else choose_ssd_levels)(plan_cells(SIZE, pyramid=layout.pyramid))
    return build_detector(body, 3, levels, layout)


def list_last(detector: "keras.Model") -> list["keras.Layer"]:
    return [layer for layer in detector.layers if getattr(layer, "use_bias", False)]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_lies_between_body_and_answers_is_taken_over(layout: Layout, small_body: SmallBody) -> None:
    detector, earlier = (build(layout, small_body(SIZE, None)) for _ in range(2))
    own = {layer.name: layer.get_weights() for layer in detector.layers}
    kinds = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.BatchNormalization)
    taken = take_over_neck(detector, earlier)
    behind = [layer for layer in detector.layers if isinstance(layer, kinds)]
    last = [layer.name for layer in list_last(detector)]
    assert len(last) == (2 if layout.pyramid else 2 * len(plan_cells(SIZE, pyramid=False)))
    assert taken == len(behind) - len(last)
    for layer in behind:
        wanted = own[layer.name] if layer.name in last else earlier.get_layer(layer.name).get_weights()
        assert all(map(np.array_equal, layer.get_weights(), wanted)), layer.name


def test_of_another_layout_only_what_fits_is_taken_over(small_body: SmallBody) -> None:
    detector = build(Layout(separable=True, pyramid=True), small_body(SIZE, None))
    earlier = build(Layout(separable=True, pyramid=False), small_body(SIZE, None))
    own = detector.get_weights()
    assert take_over_neck(detector, earlier) == 0
    assert all(map(np.array_equal, detector.get_weights(), own))


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(1).uniform(-1, 1, (16, SIZE, SIZE, 3)).astype(np.float32)


def draw_batch_norms(detector: "keras.Model") -> None:
    """Have each level's batch norms do something else."""
    random = np.random.default_rng(0)
    for layer in detector.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shape = layer.gamma.shape
            scale, variance = random.uniform(0.5, 1.5, shape), random.uniform(0.2, 0.6, shape)
            layer.set_weights([scale, random.normal(0.5, 0.2, shape), random.normal(0, 0.2, shape), variance])


def convert(detector: "keras.Model", images: np.ndarray, kind: str) -> bytes:
    if kind == "int8":
        return export.to_int8_tflite(detector, images, Task.DETECTION)
    return export.to_float_tflite(detector)


@pytest.mark.parametrize(
    ("layout", "kind", "tolerance"),
    [
        (Layout(separable=True, pyramid=True), "float32", 1e-4),
        (Layout(separable=True, pyramid=True), "int8", 0.05),
        (Layout(separable=True, pyramid=False), "float32", 1e-4),
        (Layout(separable=False, pyramid=False), "float32", 1e-4),
    ],
)
def test_a_converted_detector_gives_back_what_is_behind_its_body(
    small_body: SmallBody, images: np.ndarray, layout: Layout, kind: str, tolerance: float
) -> None:
    """Statistics of the batch norms, which are not in the file, are measured anew and change no answer."""
    body = small_body(SIZE, None)
    earlier, fresh = build(layout, body), build(layout, body)
    draw_batch_norms(earlier)
    for layer in list_last(fresh):
        layer.set_weights(earlier.get_layer(layer.name).get_weights())
    wanted = earlier.predict_on_batch(images)

    norms = take_over_folded_neck(fresh, read_convolutions(convert(earlier, images, kind)))
    assert len(norms) == sum(isinstance(layer, keras.layers.BatchNormalization) for layer in fresh.layers)
    for unfold in (False, True):
        if unfold:
            unfold_batch_norms(fresh, norms, images)
        for found, true in zip(fresh.predict_on_batch(images), wanted, strict=True):
            assert np.sqrt(np.mean((found - true) ** 2) / np.var(true)) < tolerance


def test_a_file_of_another_layout_changes_nothing(small_body: SmallBody, images: np.ndarray) -> None:
    plain, pyramid = (build(Layout(separable=True, pyramid=each), small_body(SIZE, None)) for each in (False, True))
    own = pyramid.get_weights()
    assert take_over_folded_neck(pyramid, read_convolutions(convert(plain, images, "float32"))) == []
    assert all(map(np.array_equal, pyramid.get_weights(), own))
