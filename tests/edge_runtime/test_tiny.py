import numpy as np
import pytest

from edge_runtime.drawing import draw_garment
from edge_runtime.tiny import has_moved, is_dark, tiny_picture


def _noisy(image: np.ndarray, seed: int, sigma: float = 5.0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, sigma, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("size", [(1, 1), (48, 64), (480, 640), (1080, 1920), (1920, 1080)])
def test_a_frame_of_any_size_becomes_sixteen_by_twelve_grey_levels(size: tuple[int, int]) -> None:
    picture = tiny_picture(np.full((*size, 3), 77, np.uint8))
    assert picture.shape == (12, 16)
    assert set(picture.ravel()) == {77}


def test_a_sensors_noise_is_no_motion() -> None:
    image = draw_garment("shirt", 1, (480, 640))
    pictures = [tiny_picture(_noisy(image, seed)) for seed in range(20)]
    assert not any(has_moved(pictures[0], picture) for picture in pictures)


def test_a_garment_that_shifts_by_a_fiftieth_of_the_frame_is() -> None:
    image = draw_garment("shirt", 1, (480, 640))
    assert has_moved(tiny_picture(image), tiny_picture(np.roll(image, 12, axis=1)))


def test_black_with_noise_is_dark_and_a_dim_shop_is_not() -> None:
    black = np.zeros((480, 640, 3), np.uint8)
    assert is_dark(tiny_picture(_noisy(black, 0, sigma=10)))
    dim = (draw_garment("shirt", 1, (480, 640)) * 0.2).astype(np.uint8)
    assert not is_dark(tiny_picture(dim))
