"""What a converted network gives back; the network is a detector, whose head has convolutions like the body's."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from convert import export  # noqa: E402
from edge_runtime.bundled import BUNDLED, CLASSIFIER, DETECTOR, find_model  # noqa: E402
from edge_runtime.errors import DataError  # noqa: E402
from edge_runtime.spec import Task  # noqa: E402
from train.detection.anchors import Level  # noqa: E402
from train.detection.necks import plan_cells  # noqa: E402
from train.detection.network import Layout, build_detector  # noqa: E402
from train.networks.catalogue import read_catalogue  # noqa: E402
from train.networks.tflite_weights import find_architecture, read_convolutions, read_own_spec  # noqa: E402
from train.networks.weights import load_body_weights  # noqa: E402

SIZE = 64


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(1).uniform(-1, 1, (16, SIZE, SIZE, 3)).astype(np.float32)


def build_body(widest: int = 24) -> "keras.Model":
    """Build separable convolutions of stride 2, as MobileNets have them."""
    inputs = keras.Input((SIZE, SIZE, 3))
    maps = _follow(keras.layers.Conv2D(8, 3, 2, padding="same", use_bias=False, name="stem"), inputs)
    for block, filters in enumerate((12, 16, 20, widest)):
        depthwise = keras.layers.DepthwiseConv2D(3, 2, padding="same", use_bias=False, name=f"block_{block}_depthwise")
        maps = _follow(depthwise, maps)
        maps = _follow(keras.layers.Conv2D(filters, 1, use_bias=False, name=f"block_{block}_project"), maps)
    return keras.Model(inputs, maps)


def _follow(convolution: "keras.Layer", maps: "keras.KerasTensor") -> "keras.KerasTensor":
    norm = keras.layers.BatchNormalization(name=f"{convolution.name}_BN")
    return keras.layers.ReLU(6.0)(norm(convolution(maps)))


@pytest.fixture(scope="module")
def trained_body() -> "keras.Model":
    """A body whose batch norms do something."""
    body = build_body()
    random = np.random.default_rng(0)
    for layer in body.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            channels = layer.gamma.shape[0]
            scale, variance = random.uniform(0.5, 1.5, (2, channels))
            offset, mean = random.normal(0, 0.2, (2, channels))
            layer.set_weights([scale, offset, mean, variance])
    return body


@pytest.fixture(scope="module")
def convert_to(trained_body: "keras.Model", images: np.ndarray) -> Callable[[str], bytes]:
    """What turns the detector on the body into a TFLite file with weights of a type."""
    levels = [Level(cells, ((0.2, 0.2),)) for cells in plan_cells(SIZE, pyramid=False)]
    detector = build_detector(trained_body, 3, levels, Layout(separable=True, pyramid=False))

    def run(kind: str) -> bytes:
        if kind == "int8":
            return export.to_int8_tflite(detector, images, Task.DETECTION)
        return {"float32": export.to_float_tflite, "float16": export.to_float16_tflite}[kind](detector)

    return run


@pytest.mark.parametrize(("kind", "tolerance"), [("float32", 1e-4), ("float16", 5e-3), ("int8", 0.05)])
def test_the_body_of_a_converted_network_is_taken_over(
    trained_body: "keras.Model",
    convert_to: Callable[[str], bytes],
    images: np.ndarray,
    tmp_path: Path,
    kind: str,
    tolerance: float,
) -> None:
    (tmp_path / "found.tflite").write_bytes(convert_to(kind))
    fresh = build_body()
    load_body_weights(fresh, str(tmp_path / "found.tflite"))
    wanted = trained_body.predict_on_batch(images)
    error = np.sqrt(np.mean((fresh.predict_on_batch(images) - wanted) ** 2) / np.mean(wanted**2))
    assert error < tolerance


def test_a_file_of_another_network_is_refused(convert_to: Callable[[str], bytes], tmp_path: Path) -> None:
    (tmp_path / "found.tflite").write_bytes(convert_to("float32"))
    with pytest.raises(DataError, match="no convolution like block_3_project"):
        load_body_weights(build_body(widest=28), str(tmp_path / "found.tflite"))


@pytest.mark.parametrize("content", [b"", b"no model at all", b"\x10\0\0\0TFL3" + bytes(20)])
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "found.tflite").write_bytes(content)
    with pytest.raises(DataError, match="do not load"):
        load_body_weights(build_body(), str(tmp_path / "found.tflite"))


def test_damage_anywhere_ends_in_one_error(convert_to: Callable[[str], bytes]) -> None:
    model = convert_to("int8")
    random = np.random.default_rng(0)
    for _ in range(200):
        damaged = bytearray(model)
        # Tables lie at the end, weights before them.
        for position in random.integers(0, len(model), 40):
            damaged[position] = random.integers(256)
        try:
            read_convolutions(bytes(damaged[: random.integers(8, len(model) + 1)]))
        except ValueError:
            continue


def test_files_of_ours_tell_their_network() -> None:
    specs = [read_own_spec(find_model(name).read_bytes()) for name in (CLASSIFIER, DETECTOR)]
    assert [find_architecture(spec) for spec in specs if spec] == ["efficientnet_lite0", "mobilenet_v2"]
    for row in read_catalogue():
        named = replace(specs[0], name=f"garment-{row.name}-{row.size}")
        assert find_architecture(named) == row.name
    assert find_architecture(replace(specs[0], name="shop")) is None
    assert read_own_spec(b"no model") is None


def test_weights_of_another_network_say_which_one(trained_body: "keras.Model") -> None:
    for name, network in zip(BUNDLED, ("efficientnet_lite0", "mobilenet_v2"), strict=True):
        with pytest.raises(DataError, match=f"give --architecture {network}"):
            load_body_weights(trained_body, str(find_model(name)))
