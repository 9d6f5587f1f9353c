import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from train.classification.distillation import DistillationLoss, Teaching  # noqa: E402

IMAGES = np.zeros((1, 3), np.float32)
STUDENT = np.array([[0.5, 0.3, 0.2]], np.float32)


def make_constant(*probabilities: float) -> "keras.Model":
    inputs = keras.Input((3,))
    logits = np.log(np.array(probabilities))
    layer = keras.layers.Dense(
        3, activation="softmax", kernel_initializer="zeros", bias_initializer=keras.initializers.Constant(logits)
    )
    return keras.Model(inputs, layer(inputs))


def measure(target: list[float], taught: list[float], *, smoothing: float = 0.0) -> float:
    """Return the loss of the student's answer with half the weight on the teachers'."""
    answers = np.concatenate([STUDENT, np.array([taught], np.float32)], axis=1)
    return float(DistillationLoss(smoothing, 0.5)(np.array([target], np.float32), answers))


def test_the_mean_of_the_teachers_stands_beside_the_student() -> None:
    layer = Teaching([make_constant(0.8, 0.1, 0.1), make_constant(0.6, 0.3, 0.1)])
    both = keras.ops.convert_to_numpy(layer([IMAGES, STUDENT], training=True))
    np.testing.assert_allclose(both, [[0.5, 0.3, 0.2, 0.7, 0.2, 0.1]], rtol=1e-5)


def test_teachers_never_learn_and_rest_outside_training() -> None:
    layer = Teaching([make_constant(0.8, 0.1, 0.1)])
    both = keras.ops.convert_to_numpy(layer([IMAGES, STUDENT], training=False))
    np.testing.assert_array_equal(both, np.concatenate([STUDENT, STUDENT], axis=1))
    assert layer.trainable_weights == []


def test_label_and_teachers_weigh_as_asked() -> None:
    divergence = 0.7 * np.log(0.7 / 0.5) + 0.2 * np.log(0.2 / 0.3) + 0.1 * np.log(0.1 / 0.2)
    assert measure([1, 0, 0], [0.7, 0.2, 0.1]) == pytest.approx(0.5 * -np.log(0.5) + 0.5 * divergence, rel=1e-4)
    smoothed = -(0.8 * np.log(0.5) + 0.1 * np.log(0.3) + 0.1 * np.log(0.2))
    wanted = 0.5 * smoothed + 0.5 * divergence
    assert measure([1, 0, 0], [0.7, 0.2, 0.1], smoothing=0.3) == pytest.approx(wanted, rel=1e-4)


def test_a_teacher_has_no_say_where_a_picture_shows_none_of_the_classes() -> None:
    none = [1 / 3, 1 / 3, 1 / 3]
    alone = -np.log(STUDENT).mean()
    assert measure(none, [0.98, 0.01, 0.01]) == pytest.approx(alone, rel=1e-4)
    # Half of the blended image is a picture without any, so a teacher has half its say.
    blended, taught = [0.5 + 1 / 6, 1 / 6, 1 / 6], np.array([0.7, 0.2, 0.1])
    told = -(np.array(blended) * np.log(STUDENT[0])).sum()
    divergence = (taught * np.log(taught / STUDENT[0])).sum()
    assert measure(blended, taught.tolist()) == pytest.approx(0.75 * told + 0.25 * divergence, rel=1e-4)
