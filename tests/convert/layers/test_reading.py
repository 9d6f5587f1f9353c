from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from convert.layers.building import build_model  # noqa: E402
from convert.layers.folding import fold_rescalings  # noqa: E402
from convert.layers.reading import read_network  # noqa: E402
from edge_runtime.errors import ConversionError  # noqa: E402

SHAPE = (16, 16, 3)


def build_branched() -> Any:
    """Return a model in a model, with a layer used twice, arithmetic outside layers, and two outputs."""
    layers = keras.layers
    inner_input = keras.Input(SHAPE)
    maps = layers.BatchNormalization(name="inner_BN")(layers.Conv2D(8, 3, padding="same", name="conv")(inner_input))
    gate = layers.Conv2D(8, 1, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(maps))
    excited = layers.Multiply()([layers.Activation("hard_silu")(maps), layers.ReLU(6.0)(gate + 3.0) * (1 / 6)])
    inner = keras.Model(inner_input, [excited, layers.MaxPooling2D()(excited)], name="body")
    image = keras.Input(SHAPE)
    # The second name is that of a layer inside.
    large, small = inner(layers.Normalization(mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 3.0])(image))
    shared = layers.Conv2D(4, 3, padding="same", name="conv")
    first = layers.Reshape((-1, 4))(layers.BatchNormalization()(shared(large)))
    second = layers.Reshape((-1, 4))(layers.BatchNormalization()(shared(small)))
    joined = layers.Dropout(0.5)(layers.Concatenate(axis=1)([first, second]))
    return keras.Model(image, [joined, layers.Activation("sigmoid")(joined)])


@pytest.fixture(scope="module")
def branched() -> Any:
    keras.utils.set_random_seed(3)
    model = build_branched()
    random = np.random.default_rng(0)
    for layer in (*model.layers, *model.get_layer("body").layers):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([random.uniform(0.5, 2, weight.shape) for weight in layer.get_weights()])
    return model


def answers(model: Any) -> list[np.ndarray]:
    images = np.random.default_rng(1).normal(size=(2, *SHAPE)).astype(np.float32)
    return model.predict_on_batch(images)


def test_the_layers_built_again_answer_alike(branched: Any) -> None:
    for network in (read_network(branched), fold_rescalings(read_network(branched))):
        for found, wanted in zip(answers(build_model(network, keras)), answers(branched), strict=True):
            np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_each_layer_is_there_once_and_used_once(branched: Any) -> None:
    network = read_network(branched)
    names = [layer.name for layer in network.layers]
    assert len(set(names)) == len(names)
    assert sum(layer.kind == "Conv2D" for layer in network.layers) == 4
    assert not [layer for layer in network.layers if layer.kind in ("BatchNormalization", "Dropout", "Functional")]


def test_batch_norms_behind_a_convolution_disappear(branched: Any) -> None:
    """What stays is the input's normalisation and what MobileNetV3 computes outside layers."""
    kinds = [layer.kind for layer in fold_rescalings(read_network(branched)).layers]
    assert kinds.count("Rescaling") == 3


def test_a_convolution_read_by_others_too_keeps_its_batch_norm() -> None:
    image = keras.Input(SHAPE)
    maps = keras.layers.Conv2D(4, 1)(image)
    model = keras.Model(image, keras.layers.Add()([keras.layers.BatchNormalization()(maps), maps]))
    assert [layer.kind for layer in fold_rescalings(read_network(model)).layers].count("Rescaling") == 1


def test_unknown_weights_end_in_a_sentence() -> None:
    image = keras.Input(SHAPE)
    model = keras.Model(image, keras.layers.Conv2DTranspose(2, 3, name="up")(image))
    with pytest.raises(ConversionError, match=r"up is of kind Conv2DTranspose.*take the recipe int8"):
        read_network(model)


def test_a_resize_that_crops_ends_in_a_sentence() -> None:
    image = keras.Input(SHAPE)
    model = keras.Model(image, keras.layers.Resizing(8, 4, crop_to_aspect_ratio=True, name="small")(image))
    with pytest.raises(ConversionError, match="small sets crop_to_aspect_ratio"):
        read_network(model)


def test_unknown_arithmetic_ends_in_a_sentence() -> None:
    image = keras.Input(SHAPE)
    with pytest.raises(ConversionError, match="Subtract outside a layer"):
        read_network(keras.Model(image, image - 1.0))
