import os
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from edge_runtime.errors import DataError  # noqa: E402
from edge_runtime.training_run import TrainingRun  # noqa: E402
from train.networks.architectures import ARCHITECTURES, build_classifier  # noqa: E402
from train.networks.weights import (  # noqa: E402
    check_weights,
    list_batch_norms,
    load_body_weights,
    unfold_batch_norms,
)

MOBILENET = ARCHITECTURES["mobilenet_v2"]


def make_folded(path: Path, body: "keras.Model") -> Path:
    """Write random folded weights that fit a MobileNetV2 body."""
    random = np.random.default_rng(0)
    arrays = {}
    for layer in body.layers:
        if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D):
            stem = {"Conv1": "stem", "Conv_1": "head"}.get(layer.name)
            name = stem or layer.name.replace("expanded_conv", "block_0").replace("_", "/", 2).replace("/", "_", 1)
            kernel = layer.get_weights()[0]
            channels = kernel.shape[2] if isinstance(layer, keras.layers.DepthwiseConv2D) else kernel.shape[3]
            arrays[f"{name}/kernel"] = kernel
            arrays[f"{name}/bias"] = random.normal(0, 0.5, channels).astype(np.float32)
    np.savez(path, **arrays)
    return path


@pytest.fixture(scope="module")
def body() -> "keras.Model":
    return MOBILENET.build_body(64, None)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(1).uniform(-1, 1, (16, 64, 64, 3)).astype(np.float32)


def test_folded_bias_reaches_the_output(body: "keras.Model", tmp_path: Path, images: np.ndarray) -> None:
    fresh = body.predict_on_batch(images)
    load_body_weights(body, str(make_folded(tmp_path / "w.npz", body)))
    assert np.abs(body.predict_on_batch(images) - fresh).max() > 0.1
    np.testing.assert_allclose(body.get_layer("bn_Conv1").get_weights()[0], 1.0)


def test_unfolding_keeps_the_function_and_gives_true_statistics(
    body: "keras.Model", tmp_path: Path, images: np.ndarray
) -> None:
    load_body_weights(body, str(make_folded(tmp_path / "w.npz", body)))
    before = body.predict_on_batch(images)
    unfold_batch_norms(body, list_batch_norms(body), images)
    np.testing.assert_allclose(body.predict_on_batch(images), before, atol=1e-3)
    # Batch statistics now stand in for the stored ones, so training mode starts from the same function.
    stem = keras.Model(body.input, body.get_layer("bn_Conv1").output)
    trained = keras.ops.convert_to_numpy(stem(images, training=True))
    np.testing.assert_allclose(trained, stem.predict_on_batch(images), atol=2e-2)


@pytest.mark.parametrize("count", [1, 6])
def test_few_photos_are_enough_for_statistics(
    body: "keras.Model", tmp_path: Path, images: np.ndarray, count: int
) -> None:
    load_body_weights(body, str(make_folded(tmp_path / "w.npz", body)))
    unfold_batch_norms(body, list_batch_norms(body), images[:count])
    inputs = keras.Model(body.input, body.get_layer("bn_Conv1").input).predict_on_batch(images[:count])
    _, _, mean, variance = body.get_layer("bn_Conv1").get_weights()
    np.testing.assert_allclose(mean, inputs.mean(axis=(0, 1, 2)), atol=1e-5)
    np.testing.assert_allclose(variance, inputs.var(axis=(0, 1, 2)), atol=1e-5)
    assert all(np.isfinite(weights).all() for weights in body.get_weights())


def test_weights_of_another_network_are_refused(body: "keras.Model", tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", **{"other/kernel": np.zeros((1, 1, 3, 3)), "other/bias": np.zeros(3)})
    with pytest.raises(DataError, match="do not load"):
        load_body_weights(body, str(tmp_path / "w.npz"))


def test_missing_weights_are_refused() -> None:
    with pytest.raises(DataError, match="do not load"):
        build_classifier(MOBILENET, 64, ("a", "b"), "nowhere.npz", 0.0)


def test_why_a_file_does_not_load_is_told_in_a_line(body: "keras.Model", tmp_path: Path) -> None:
    """Keras says of a damaged file that it is not there, and lists every layer of another network."""
    (tmp_path / "cut.keras").write_bytes(b"PK")
    other = ARCHITECTURES["mobilenet_v2_0.35"].build_body(64, None)
    other.save_weights(tmp_path / "other.weights.h5")
    for name, reason in (("none.keras", "no such file"), ("cut.keras", "damaged"), ("other.weights.h5", "do not load")):
        with pytest.raises(DataError, match=reason) as caught:
            load_body_weights(body, str(tmp_path / name))
        assert len(str(caught.value)) < 400
        assert "\n" not in str(caught.value)


@pytest.mark.skipif("EDGE_GARMENT_DATA" not in os.environ, reason="EDGE_GARMENT_DATA does not name the data")
def test_published_imagenet_weights_load(images: np.ndarray) -> None:
    file = Path(os.environ["EDGE_GARMENT_DATA"]) / "weights" / "mobilenet_v2_1.0_224_imagenet_folded.npz"
    classifier = build_classifier(MOBILENET, 64, ("a", "b"), str(file), 0.0)
    features = classifier.get_layer("body").predict_on_batch(images)
    assert features.min() >= 0
    assert features.max() <= 6
    assert 0.01 < (features > 0).mean() < 0.9


def test_the_body_of_an_earlier_run_is_taken_over(
    trained_run: TrainingRun, small_mobilenet: str, images: np.ndarray
) -> None:
    earlier = keras.models.load_model(trained_run.model_path, compile=False)
    classifier = build_classifier(ARCHITECTURES[small_mobilenet], 32, ("a", "b"), str(trained_run.model_path), 0.0)
    small = images[:2, :32, :32]
    np.testing.assert_allclose(
        classifier.get_layer("body").predict_on_batch(small),
        earlier.get_layer("body").predict_on_batch(small),
        atol=1e-5,
    )


@pytest.mark.parametrize("name", ["yolo11n-cls.pt", "resnet.PTH", "mobilenet.onnx", "model.safetensors"])
def test_weights_of_other_frameworks_are_refused_before_anything_is_read(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"PK")
    with pytest.raises(DataError, match=r"is of PyTorch or ONNX, .*; give imagenet, the name of a bundled model"):
        check_weights(str(tmp_path / name))
