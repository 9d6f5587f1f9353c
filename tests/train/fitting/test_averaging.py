import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from train.fitting.averaging import averaged_weights  # noqa: E402


def make_fitted(ema: float) -> "keras.Model":
    """Return a model of one weight that has gone from 0 to 1 to 2."""
    inputs = keras.Input((1,))
    model = keras.Model(inputs, keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")(inputs))
    optimizer = keras.optimizers.SGD(1.0, use_ema=bool(ema), ema_momentum=ema)
    model.compile(optimizer, "mse")
    for _ in range(2):
        optimizer.apply([-np.ones((1, 1), np.float32)], model.trainable_variables)
    return model


def test_the_average_stands_in_and_leaves_again() -> None:
    model = make_fitted(ema=0.75)
    with averaged_weights(model):
        # The first step starts the average: 1. Then 0.75 * 1 + 0.25 * 2.
        np.testing.assert_allclose(model.get_weights()[0], 1.25)
    np.testing.assert_allclose(model.get_weights()[0], 2.0)


def test_without_an_average_nothing_changes() -> None:
    model = make_fitted(ema=0.0)
    with averaged_weights(model):
        np.testing.assert_allclose(model.get_weights()[0], 2.0)
