import numpy as np
import pytest

from train.classification.mixing import mix


def make_batch() -> tuple[np.ndarray, np.ndarray]:
    levels = np.array([0, 80, 160, 240], np.uint8)
    pixels = np.broadcast_to(levels[:, None, None, None], (4, 20, 30, 3)).copy()
    return pixels, np.eye(4, dtype=np.float32)


@pytest.mark.parametrize("seed", range(20))
def test_targets_say_how_much_of_each_image_there_is(seed: int) -> None:
    """With images of one level each, the mean level of a blend must be the mean that its target promises."""
    pixels, targets = make_batch()
    blended, mixed = mix(pixels, targets, np.random.default_rng(seed))
    assert blended.dtype == np.uint8
    assert mixed.dtype == np.float32
    np.testing.assert_allclose(mixed.sum(axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(blended.mean(axis=(1, 2, 3)), mixed @ [0, 80, 160, 240], atol=0.51)


def test_both_ways_of_blending_occur_and_the_input_stays() -> None:
    pixels, targets = make_batch()
    kinds = set()
    for seed in range(20):
        blended, _ = mix(pixels, targets, np.random.default_rng(seed))
        kinds.add(bool(np.isin(blended, pixels).all()))
    assert kinds == {True, False}
    np.testing.assert_array_equal(pixels, make_batch()[0])
