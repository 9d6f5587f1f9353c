import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")
pytest.importorskip("tensorflow", reason="needs the train extra")

from convert.export import to_float_tflite, to_int8_tflite  # noqa: E402
from convert.parity.layers import measure_layers  # noqa: E402
from convert.parity.page import find_worst, shorten  # noqa: E402
from convert.parity.report import Cause  # noqa: E402
from edge_runtime.spec import Task  # noqa: E402

PHOTOS = list(np.random.default_rng(0).uniform(-1, 1, (8, 8, 8, 3)).astype(np.float32))


@pytest.fixture(scope="module")
def network():  # noqa: ANN201
    """Two convolutions and a classifier."""
    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 3))
    hidden = keras.layers.Conv2D(8, 3, name="first")(image)
    hidden = keras.layers.Conv2D(8, 3, name="second")(hidden)
    pooled = keras.layers.GlobalAveragePooling2D()(hidden)
    return keras.Model(image, keras.layers.Dense(3, activation="softmax", name="answer")(pooled))


@pytest.fixture(scope="module")
def float_model(network) -> bytes:  # noqa: ANN001
    return to_float_tflite(network)


def test_layers_of_a_sound_file_are_as_exact_as_eight_bits_are(network, float_model: bytes) -> None:  # noqa: ANN001
    """Eight bits over a range that the values fill are 40 to 50 dB; what gathers is never less noise."""
    layers = measure_layers(float_model, to_int8_tflite(network, PHOTOS, Task.CLASSIFICATION), PHOTOS)
    assert [layer.kind for layer in layers] == ["CONV_2D", "CONV_2D", "MEAN", "FULLY_CONNECTED"]
    assert [shorten(layer.name) for layer in layers[:2]] == ["first", "second"]
    for layer in layers[:2]:
        assert layer.own is not None
        assert layer.sqnr is not None
        assert 30 < layer.own < 60
        assert layer.sqnr < layer.own + 3


def test_values_beyond_the_calibrated_range_are_named_clipping(network, float_model: bytes) -> None:  # noqa: ANN001
    dim = [photo / 10 for photo in PHOTOS]
    layers = measure_layers(float_model, to_int8_tflite(network, dim, Task.CLASSIFICATION), PHOTOS)
    convolutions = [layer for layer in layers if layer.kind == "CONV_2D"]
    assert {layer.cause for layer in convolutions} == {Cause.CLIPPING}
    assert all(layer.own is not None and layer.own < 10 for layer in convolutions)


def test_a_file_of_other_weights_is_named_by_its_weights(network, float_model: bytes) -> None:  # noqa: ANN001
    other = keras.models.clone_model(network)
    other.get_layer("second").set_weights([-values for values in network.get_layer("second").get_weights()])
    other.get_layer("first").set_weights(network.get_layer("first").get_weights())
    layers = measure_layers(float_model, to_int8_tflite(other, PHOTOS, Task.CLASSIFICATION), PHOTOS)
    worst = find_worst(layers)[0]
    assert (shorten(worst.name), worst.cause) == ("second", Cause.WEIGHTS)


def test_graphs_without_a_name_in_common_have_no_layers(float_model: bytes, tiny_model_bytes: bytes) -> None:
    assert measure_layers(float_model, tiny_model_bytes, PHOTOS) == ()
