import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from train.networks.efficientnet_lite import Scaling, build_efficientnet_lite, list_convolutions, list_places  # noqa: E402
from train.networks.growing import grow  # noqa: E402

SIZE = 32
SMALL, LARGE = Scaling(width=0.2, depth=0.5), Scaling(width=0.35, depth=1.0)


def give_statistics(body: keras.Model) -> None:
    """Let batch norms have seen something, so that a norm that was left behind changes the answers."""
    random = np.random.default_rng(0)
    for name in list_convolutions(body):
        norm = body.get_layer(f"{name}_BN")
        norm.set_weights([random.uniform(0.5, 1.5, each.shape) for each in norm.get_weights()])


@pytest.fixture(scope="module")
def bodies() -> tuple[keras.Model, keras.Model]:
    smaller, larger = (build_efficientnet_lite(SIZE, scaling) for scaling in (SMALL, LARGE))
    give_statistics(smaller)
    grow(smaller, larger, (SMALL, LARGE))
    return smaller, larger


def make_images() -> np.ndarray:
    return np.random.default_rng(1).uniform(-1, 1, (4, SIZE, SIZE, 3)).astype(np.float32)


def test_a_grown_body_gives_the_maps_of_the_smaller_one(bodies: tuple[keras.Model, keras.Model]) -> None:
    smaller, larger = bodies
    assert larger.count_params() > 1.2 * smaller.count_params()
    assert len(list_places(LARGE)) > len(list_places(SMALL))
    expected = smaller.predict_on_batch(make_images())
    assert expected.std() > 0.1
    np.testing.assert_allclose(larger.predict_on_batch(make_images()), expected, atol=1e-4)


def test_all_that_is_new_can_learn(bodies: tuple[keras.Model, keras.Model]) -> None:
    """New channels are not alike, and a step moves the kernels that ignored them and the blocks that added nothing."""
    larger = keras.models.clone_model(bodies[1])
    larger.set_weights(bodies[1].get_weights())
    before = {name: larger.get_layer(f"{name}_BN").get_weights()[0] for name in list_convolutions(larger)}
    silent = [name for name, gamma in before.items() if not gamma.any()]
    assert len(silent) == len(list_places(LARGE)) - len(list_places(SMALL))
    model = keras.Sequential([larger, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=True)
    kernel = larger.get_layer("head").get_weights()[0]
    new = np.flatnonzero(~kernel[0, 0].any(axis=1))
    assert len(new)
    model.train_on_batch(make_images(), np.eye(2, dtype=np.float32)[[0, 1, 0, 1]])
    assert all(larger.get_layer(f"{name}_BN").get_weights()[0].any() for name in silent)
    moved = larger.get_layer("head").get_weights()[0][0, 0, new]
    assert np.unique(np.abs(moved).sum(axis=1)).size == len(new)
