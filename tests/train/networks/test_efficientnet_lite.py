import os
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from train.networks.architectures import ARCHITECTURES, build_classifier  # noqa: E402

_TOP = 1281 * 1000


@pytest.mark.parametrize(
    ("name", "millions"),
    [
        ("efficientnet_lite0", 4.7),
        ("efficientnet_lite1", 5.4),
        ("efficientnet_lite2", 6.1),
        ("efficientnet_lite3", 8.2),
    ],
)
def test_it_has_the_published_number_of_parameters(name: str, millions: float) -> None:
    body = ARCHITECTURES[name].build_body(64, None)
    assert (body.count_params() + _TOP) / 1e6 == pytest.approx(millions, abs=0.1)


def test_it_is_made_of_operations_that_int8_delegates_take() -> None:
    body = ARCHITECTURES["efficientnet_lite0"].build_body(64, None)
    kinds = {type(layer).__name__ for layer in body.layers}
    assert kinds == {"InputLayer", "Conv2D", "DepthwiseConv2D", "BatchNormalization", "ReLU", "Add"}
    assert {layer.max_value for layer in body.layers if isinstance(layer, keras.layers.ReLU)} == {6.0}
    assert body.output_shape == (None, 2, 2, 1280)


@pytest.mark.skipif("EDGE_GARMENT_DATA" not in os.environ, reason="EDGE_GARMENT_DATA does not name the data")
def test_published_imagenet_weights_fit() -> None:
    file = Path(os.environ["EDGE_GARMENT_DATA"]) / "weights" / "efficientnet_lite0_imagenet_folded.npz"
    classifier = build_classifier(ARCHITECTURES["efficientnet_lite0"], 64, ("a", "b"), str(file), 0.0)
    images = np.random.default_rng(0).uniform(-1, 1, (2, 64, 64, 3)).astype(np.float32)
    features = classifier.get_layer("body").predict_on_batch(images)
    assert (features.min(), features.max() <= 6) == (0, True)
    assert 0.01 < (features > 0).mean() < 0.9


def test_fresh_weights_keep_signals_far_above_the_epsilon_of_the_batch_norms() -> None:
    body = ARCHITECTURES["efficientnet_lite3"].build_body(64, None)
    convolutions = [
        layer for layer in body.layers if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D)
    ]
    watched = keras.Model(body.input, [layer.output for layer in convolutions])
    images = np.random.default_rng(0).uniform(-1, 1, (4, 64, 64, 3)).astype(np.float32)
    variances = [float(np.var(keras.ops.convert_to_numpy(maps))) for maps in watched(images, training=True)]
    assert min(variances) > 50 * 1e-3
