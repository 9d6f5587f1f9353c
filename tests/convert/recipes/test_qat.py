"""Quantisation-aware training, by the real toolkit."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

keras = pytest.importorskip("keras", reason="needs the train extra")
tf = pytest.importorskip("tensorflow", reason="needs the train extra")
# Importing it would make tf-keras the Keras of processes that other tests start.
if find_spec("tensorflow_model_optimization") is None:
    pytest.skip("needs the qat extra", allow_module_level=True)

from ai_edge_litert.interpreter import Interpreter  # noqa: E402

from convert.cli import main  # noqa: E402
from convert.export import load_keras_model  # noqa: E402
from convert.layers.building import build_model  # noqa: E402
from convert.layers.folding import fold_rescalings  # noqa: E402
from convert.layers.network import Layer, Network  # noqa: E402
from convert.layers.reading import read_network  # noqa: E402
from convert.qat import training  # noqa: E402
from convert.qat.lessons import Lessons  # noqa: E402
from convert.qat.quantizing import build_quantized_twin, build_twin  # noqa: E402
from convert.qat.rounding import round_kernel  # noqa: E402
from convert.qat.toolkit import load_toolkit  # noqa: E402
from convert.qat.training import fine_tune  # noqa: E402
from edge_runtime.errors import ConversionError, ExtraMissingError  # noqa: E402
from edge_runtime.preprocess import normalize  # noqa: E402
from edge_runtime.recognizer import Recognizer  # noqa: E402
from edge_runtime.spec import InputSpec, Task  # noqa: E402
from edge_runtime.training_run import TrainingRun  # noqa: E402


@pytest.fixture(scope="module")
def network(small_run: TrainingRun) -> Network:
    return fold_rescalings(read_network(load_keras_model(small_run.model_path)))


def noise(count: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, 32, 32, 3)).astype(np.float32)


def convert(run: TrainingRun, output: Path) -> Any:
    command = [str(run.path), "-o", str(output), "--recipe", "int8-qat", "--qat-epochs", "1"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    return Recognizer.load(output)


def test_a_classifier_stays_what_it_was_and_is_full_integer(
    small_run: TrainingRun, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recognizer = convert(small_run, tmp_path / "m.tflite")
    # Nor does TensorFlow complain of the toolkit's hooks.
    assert "AutoGraph" not in caplog.text
    tensors = Interpreter(model_path=str(tmp_path / "m.tflite")).get_tensor_details()
    assert {tensor["dtype"] for tensor in tensors} <= {np.uint8, np.int8, np.int32}
    assert recognizer.spec.provenance["measured"][-1]["stage"] == "tflite int8-qat"
    drift = json.loads((tmp_path / "m.parity" / "parity.json").read_text())["drift"][-1]
    assert drift["mean"] < 0.02


def test_a_detector_still_finds_the_known_boxes(detector_run: TrainingRun, tmp_path: Path) -> None:
    recognizer = convert(detector_run, tmp_path / "m.tflite")
    assert recognizer.spec.provenance["measured"][-1]["map"] == pytest.approx(1.0)


def test_training_brings_a_badly_rounded_network_nearer_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large weight that meets nothing but zeros leaves few levels to the small ones beside it."""
    # So small a network has far to go, and may go faster than a real one.
    monkeypatch.setattr(training, "_LEARNING_RATE", 1e-2)
    random = np.random.default_rng(4)
    kernel = random.normal(0, 0.2, (1, 1, 3, 4)).astype(np.float32)
    kernel[0, 0, 0] = 40
    dense = random.normal(0, 4, (4, 3)).astype(np.float32)
    layers = (
        Layer("image", "InputLayer", {"shape": (32, 32, 3)}, ()),
        Layer("conv", "Conv2D", {"filters": 4, "kernel_size": 1}, ("image",), (kernel, np.zeros(4, np.float32))),
        Layer("pool", "GlobalAveragePooling2D", {}, ("conv",)),
        Layer("dense", "Dense", {"units": 3}, ("pool",), (dense, np.zeros(3, np.float32))),
        Layer("scores", "Activation", {"activation": "softmax"}, ("dense",)),
    )
    network = Network(layers, ("scores",))
    # Plain colours without red.
    photos = np.broadcast_to(random.integers(0, 256, (64, 1, 1, 3), np.uint8), (64, 32, 32, 3)).copy()
    photos[..., 0] = 0
    spec = InputSpec(32, 32, (0.0, 127.5, 127.5), (127.5,) * 3)
    images = normalize(photos, spec)
    trained = fine_tune(network, network, list(images[:8]), Lessons(photos, spec, Task.CLASSIFICATION, 20))
    assert distance(network, network, images) > 0.02
    assert distance(network, trained, images) < 0.5 * distance(network, network, images)


def distance(network: Network, trained: Network, images: np.ndarray) -> float:
    """Return how far the rounded scores of a trained network are from those of the network that it was."""
    student, _ = build_quantized_twin(trained, load_toolkit())
    student(images, training=True)
    return float(np.abs(student(images, training=False) - build_model(network, keras).predict_on_batch(images)).mean())


def test_the_twin_answers_like_the_model(network: Network) -> None:
    twin = build_twin(network, load_toolkit())
    images = noise(4)
    np.testing.assert_allclose(
        twin.predict_on_batch(images), build_model(network, keras).predict_on_batch(images), atol=1e-5
    )


def test_the_twin_rounds_to_what_int8_can_hold(network: Network) -> None:
    """After rounding, each feature map that is stored has at most 256 values."""
    student, _ = build_quantized_twin(network, load_toolkit())
    student(noise(4), training=True)
    for name in ("quant_add", "quant_re_lu_1", "quant_global_average_pooling2d"):
        maps = type(student)(student.input, student.get_layer(name).output)(noise(4), training=False)
        assert 16 < len(np.unique(np.round(maps, 5))) <= 256


def test_kernels_are_rounded_by_output_channel_and_trained_as_if_not() -> None:
    kernel = tf.constant(np.random.default_rng(0).normal(size=(3, 3, 4, 1)).astype(np.float32))
    with tf.GradientTape() as tape:
        tape.watch(kernel)
        rounded = round_kernel(kernel, depthwise=True)
    scale = np.abs(kernel).max(axis=(0, 1), keepdims=True) / 127
    np.testing.assert_allclose(rounded / scale, np.rint(kernel / scale), atol=1e-4)
    np.testing.assert_allclose(tape.gradient(rounded, kernel), np.ones_like(kernel))


def test_a_layer_that_tf_keras_lacks_ends_in_a_sentence(network: Network) -> None:
    odd = Network((*network.layers, Layer("odd", "RMSNormalization", {}, (network.outputs[0],))), ("odd",))
    with pytest.raises(ConversionError, match="odd is of kind RMSNormalization"):
        build_twin(odd, load_toolkit())


def test_keras_3_stays_keras_3_in_later_processes() -> None:
    import os

    load_toolkit()
    assert "TF_USE_LEGACY_KERAS" not in os.environ


def test_a_missing_extra_is_named(small_run: TrainingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "tf_keras" else real(name))
    command = [str(small_run.path), "-o", str(tmp_path / "m.tflite"), "--recipe", "int8-qat"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == ExtraMissingError.exit_code
    assert "pip install 'edge-garment[qat]'" in result.stderr


def test_drawings_are_not_trained_on(small_run: TrainingRun, tmp_path: Path) -> None:
    command = [str(small_run.path), "-o", str(tmp_path / "m.tflite"), "--recipe", "int8-qat", "--drawn"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 2
    assert "does not go with --drawn" in result.stderr
