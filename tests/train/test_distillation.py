import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from train.distillation import Distillation  # noqa: E402


def make_constant(probabilities: list[float]) -> "keras.Model":
    inputs = keras.Input((2,))
    logits = np.log(np.array(probabilities))
    layer = keras.layers.Dense(
        2, activation="softmax", kernel_initializer="zeros", bias_initializer=keras.initializers.Constant(logits)
    )
    return keras.Model(inputs, layer(inputs))


def test_the_loss_is_the_divergence_from_the_mean_of_the_teachers() -> None:
    layer = Distillation([make_constant([0.9, 0.1]), make_constant([0.7, 0.3])], weight=0.5)
    images, student = np.zeros((1, 2), np.float32), np.array([[0.5, 0.5]], np.float32)
    answers = layer([images, student], training=True)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(answers), student)
    wanted = 0.5 * (0.8 * np.log(0.8 / 0.5) + 0.2 * np.log(0.2 / 0.5))
    assert float(layer.losses[0]) == pytest.approx(wanted, rel=1e-4)


def test_teachers_never_learn_and_rest_outside_training() -> None:
    layer = Distillation([make_constant([0.9, 0.1])], weight=0.5)
    layer([np.zeros((1, 2), np.float32), np.array([[0.5, 0.5]], np.float32)], training=False)
    assert layer.losses == []
    assert layer.trainable_weights == []
