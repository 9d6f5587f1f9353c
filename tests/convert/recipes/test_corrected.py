"""Recipes that change a network's weights before they are rounded."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")
pytest.importorskip("tensorflow", reason="needs the train extra")

from ai_edge_litert.interpreter import Interpreter  # noqa: E402

from convert.evaluation import score_tflite  # noqa: E402
from convert.export import load_keras_model, to_int8_tflite  # noqa: E402
from convert.layers.bias_correction import correct_biases, round_weights  # noqa: E402
from convert.layers.building import build_model  # noqa: E402
from convert.layers.equalization import equalize  # noqa: E402
from convert.layers.folding import fold_rescalings  # noqa: E402
from convert.layers.network import Network  # noqa: E402
from convert.layers.probing import probe  # noqa: E402
from convert.layers.reading import read_network  # noqa: E402
from convert.metadata_writer import add_metadata  # noqa: E402
from convert.recipe import RECIPES  # noqa: E402
from convert.recipes.building import Material, build_network  # noqa: E402
from edge_runtime.errors import ConversionError  # noqa: E402
from edge_runtime.pictures import read_picture  # noqa: E402
from edge_runtime.preprocess import Preprocessor, normalize  # noqa: E402
from edge_runtime.spec import Task  # noqa: E402
from edge_runtime.training_run import TrainingRun  # noqa: E402

Drift = Callable[[Any, str], float]


@pytest.fixture(scope="module")
def model(small_run: TrainingRun) -> Any:
    return load_keras_model(small_run.model_path)


@pytest.fixture(scope="module")
def lopsided(small_run: TrainingRun) -> Any:
    """The same function, with one channel 100 times as large in the expansion as in the convolution that takes it."""
    made = load_keras_model(small_run.model_path)
    norm, taker = made.get_layer("expand_BN"), made.get_layer("depthwise")
    gamma, beta, *moving = norm.get_weights()
    # Those two that are used most, so that what they lose is seen.
    for channel in np.argsort(-np.abs(beta))[:2]:
        gamma[channel], beta[channel] = 100 * gamma[channel], 100 * beta[channel]
        (kernel,) = taker.get_weights()
        kernel[:, :, channel] /= 100
        taker.set_weights([kernel])
    norm.set_weights([gamma, beta, *moving])
    return made


@pytest.fixture(scope="module")
def images(small_run: TrainingRun) -> list[np.ndarray]:
    spec = small_run.read_spec().input
    preprocess = Preprocessor(spec)
    folder = Path(small_run.read_arguments()["images"])
    return [normalize(preprocess(read_picture(folder / row.image)), spec) for row in small_run.read_splits()]


@pytest.fixture(scope="module")
def drift(small_run: TrainingRun, images: list[np.ndarray]) -> Drift:
    """Return the mean difference of the scores of a recipe's file from the Keras model's."""
    spec = small_run.read_spec()
    folder = Path(small_run.read_arguments()["images"])
    frames = [read_picture(folder / row.image) for row in small_run.read_splits()]

    def measure(model: Any, recipe: str) -> float:
        network = build_network(RECIPES[recipe], Material(model, Task.CLASSIFICATION, images, pytest.fail))
        scores = score_tflite(add_metadata(network, spec), iter(frames))
        return float(np.abs(scores - model.predict_on_batch(np.stack(images))).mean())

    return measure


def folded(model: Any) -> Network:
    return fold_rescalings(read_network(model))


def test_a_lopsided_network_is_put_right(drift: Drift, lopsided: Any) -> None:
    plain, corrected = drift(lopsided, "int8"), drift(lopsided, "int8-corrected")
    assert plain > 0.01
    assert corrected < 0.25 * plain


def test_a_good_network_is_not_harmed(drift: Drift, model: Any) -> None:
    # A score has steps of 1 / 256.
    assert drift(model, "int8-corrected") < drift(model, "int8") + 0.001


def test_equalising_changes_no_answer(lopsided: Any, images: list[np.ndarray]) -> None:
    before, after = folded(lopsided), equalize(folded(lopsided), images)
    answers = [build_model(network, keras).predict_on_batch(np.stack(images)) for network in (before, after)]
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-4)
    largest = [
        np.abs(network["expand"].weights[0]).max(axis=(0, 1, 2)).max() / np.median(np.abs(network["expand"].weights[0]))
        for network in (before, after)
    ]
    assert largest[1] < largest[0] / 10


def test_corrected_biases_give_the_means_of_exact_weights(model: Any, images: list[np.ndarray]) -> None:
    network = folded(model)
    corrected = correct_biases(network, images)
    for name in ("expand", "depthwise", "project"):
        exact = replace(network[name], name="exact")
        rounded = replace(exact, name="rounded", weights=(round_weights(exact), exact.weights[1]))
        shifted = replace(rounded, name="shifted", weights=(rounded.weights[0], corrected[name].weights[1]))
        means = probe(network, [exact, rounded, shifted], images)
        mean = {key: value.mean(axis=(0, 1, 2)) for key, value in means.items()}
        np.testing.assert_allclose(mean["shifted"], mean["exact"], atol=1e-4)
        assert np.abs(mean["rounded"] - mean["exact"]).max() > 1e-3


def test_weights_are_rounded_as_the_converter_does(model: Any, images: list[np.ndarray]) -> None:
    network = folded(model)
    content = to_int8_tflite(build_model(network, keras), images, Task.CLASSIFICATION)
    interpreter = Interpreter(model_content=content)
    (kernel,) = [each for each in interpreter.get_tensor_details() if each["shape"].tolist() == [64, 1, 1, 24]]
    scales = kernel["quantization_parameters"]["scales"].reshape(-1, 1, 1, 1)
    stored = interpreter.get_tensor(kernel["index"]) * scales
    expected = np.moveaxis(round_weights(network["expand"]), -1, 0)
    # Where a weight lies half-way between two levels, either is right.
    assert np.isclose(stored, expected, atol=1e-6).mean() > 0.99


def build(*layers: Any) -> Any:
    """Return a network of four scores of an 8 x 8 picture, with fresh weights."""
    keras.utils.set_random_seed(0)
    maps = image = keras.Input((8, 8, 3))
    for layer in (*layers, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(4, activation="softmax")):
        maps = layer(maps)
    return keras.Model(image, maps)


def correct(made: Any) -> np.ndarray:
    """Return how far the scores of the corrected int8 network are from the model's, at most."""
    pictures = np.random.default_rng(0).uniform(-1, 1, (8, 8, 8, 3)).astype(np.float32)
    content = build_network(RECIPES["int8-corrected"], Material(made, Task.CLASSIFICATION, list(pictures), pytest.fail))
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    entry, answer = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero_point = entry["quantization"]
    differences = []
    for picture, wanted in zip(pictures, made.predict_on_batch(pictures), strict=True):
        steps = np.clip(np.rint(picture / scale) + zero_point, 0, 255)
        interpreter.set_tensor(entry["index"], steps[np.newaxis].astype(np.uint8))
        interpreter.invoke()
        differences.append(np.abs(interpreter.get_tensor(answer["index"])[0] / 256 - wanted).max())
    return np.max(differences)


@pytest.mark.parametrize(
    "layers",
    [
        lambda: (keras.layers.Flatten(), keras.layers.Dense(8), keras.layers.ReLU(), keras.layers.Reshape((1, 1, 8))),
        lambda: (keras.layers.Conv2D(8, 3), keras.layers.ReLU(), keras.layers.Conv2D(8, 3, groups=4)),
        lambda: (keras.layers.Conv2D(8, 3), keras.layers.ReLU(), keras.layers.Dense(8)),
    ],
    ids=["dense before dense", "groups", "dense on maps"],
)
def test_networks_of_other_makers_are_corrected(layers: Callable[[], tuple[Any, ...]]) -> None:
    assert correct(build(*layers())) < 0.03


@pytest.mark.parametrize(
    "layers",
    [
        lambda: (keras.layers.Normalization(mean=0.5, variance=4.0, invert=True), keras.layers.Conv2D(8, 3)),
        lambda: (keras.layers.Conv2D(8, 3, activation=keras.layers.ReLU(6.0)),),
        lambda: (keras.Sequential([keras.layers.Conv2D(8, 3)]),),
    ],
    ids=["inverted", "layer as activation", "sequential"],
)
def test_what_is_not_read_rightly_is_left_to_plain_int8(layers: Callable[[], tuple[Any, ...]]) -> None:
    with pytest.raises(ConversionError, match="take the recipe int8"):
        correct(build(*layers()))


def test_a_batch_norm_of_rows_is_left_to_plain_int8() -> None:
    made = build(keras.layers.Conv2D(8, 3, padding="same"), keras.layers.BatchNormalization(axis=1))
    norm = made.layers[2]
    norm.set_weights([np.linspace(0.1, 3, 8), np.linspace(-2, 2, 8), np.zeros(8), np.ones(8)])
    with pytest.raises(ConversionError, match=r"answers differently .* take the recipe int8"):
        correct(made)
