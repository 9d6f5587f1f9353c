import logging

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")
pytest.importorskip("tensorflow", reason="needs the train extra")

from convert.layers.network import Layer, Network  # noqa: E402
from convert.layers.probing import answer, probe  # noqa: E402

NETWORK = Network((Layer("image", "InputLayer", {"shape": (4, 4, 3)}, ()),), ("image",))
POOL = Layer("pool", "GlobalAveragePooling2D", {}, ("image",))
IMAGES = list(np.random.default_rng(0).normal(size=(10, 4, 4, 3)).astype(np.float32))


def test_a_probe_answers_all_images_in_order() -> None:
    np.testing.assert_allclose(probe(NETWORK, [POOL], IMAGES)["pool"], np.mean(IMAGES, axis=(1, 2)), atol=1e-6)


def test_ever_new_models_are_asked_without_tensorflows_complaints(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="tensorflow"):
        for _ in range(8):
            probe(NETWORK, [POOL], IMAGES[:1])
            image = keras.Input((4, 4, 3))
            answer(keras.Model(image, keras.layers.Flatten()(image)), IMAGES[0])
    assert "retracing" not in caplog.text
