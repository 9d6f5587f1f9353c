"""Hand-worked values: training and devices rest on these numbers."""

import zlib

import cv2
import numpy as np
import pytest

from edge_runtime.preprocess import Preprocessor, normalize
from edge_runtime.spec import InputSpec

_HALF = (127.5, 127.5, 127.5)


def _preprocessor(height: int, width: int) -> Preprocessor:
    return Preprocessor(InputSpec(height, width, mean=_HALF, std=_HALF))


def _gradient(height: int, width: int) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width]
    channels = [rows * 255 // max(height - 1, 1), columns * 255 // max(width - 1, 1), (rows * 7 + columns * 13) % 256]
    return np.stack(channels, axis=-1).astype(np.uint8)


def test_bgr_becomes_rgb() -> None:
    frame = np.full((4, 4, 3), (10, 20, 30), np.uint8)
    assert (_preprocessor(4, 4)(frame) == (30, 20, 10)).all()


def test_a_frame_of_the_input_size_keeps_its_pixels() -> None:
    frame = _gradient(6, 5)
    assert (_preprocessor(6, 5)(frame) == frame[..., ::-1]).all()


def test_twice_the_size_is_averaged_two_by_two() -> None:
    grey = np.array([[0, 4, 100, 104], [8, 12, 108, 112], [200, 200, 1, 2], [200, 200, 3, 4]], np.uint8)
    frame = np.repeat(grey[..., np.newaxis], 3, axis=2)
    # (1 + 2 + 3 + 4) / 4 = 2.5, rounded up.
    assert _preprocessor(2, 2)(frame)[..., 0].tolist() == [[6, 106], [200, 3]]


def test_an_odd_last_row_and_column_are_left_out() -> None:
    frame = np.full((5, 5, 3), 50, np.uint8)
    frame[4] = frame[:, 4] = 255
    assert (_preprocessor(2, 2)(frame) == 50).all()


def test_four_times_the_size_is_halved_twice() -> None:
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (8, 8, 3), np.uint8)
    once = _preprocessor(4, 4)(frame)[..., ::-1]
    assert (_preprocessor(2, 2)(frame) == _preprocessor(2, 2)(np.ascontiguousarray(once))).all()


def test_fine_stripes_do_not_alias() -> None:
    frame = np.zeros((256, 256, 3), np.uint8)
    frame[:, ::2] = 254
    assert (_preprocessor(32, 32)(frame) == 127).all()


def test_the_output_is_written_in_place() -> None:
    out = np.empty((3, 3, 3), np.uint8)
    frame = np.full((7, 9, 3), 77, np.uint8)
    assert _preprocessor(3, 3)(frame, out=out) is out
    assert (out == 77).all()


def test_a_result_outlives_the_next_frame() -> None:
    preprocess = _preprocessor(2, 2)
    first = preprocess(np.full((8, 8, 3), 10, np.uint8))
    preprocess(np.full((8, 8, 3), 200, np.uint8))
    assert (first == 10).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 2), (63, 65), (64, 64), (479, 641)])
def test_any_frame_size_comes_out_at_the_input_size(size: tuple[int, int]) -> None:
    image = _preprocessor(32, 32)(np.full((*size, 3), (1, 2, 3), np.uint8))
    assert image.shape == (32, 32, 3)
    assert (image == (3, 2, 1)).all()


def test_frame_sizes_may_change_from_frame_to_frame() -> None:
    preprocess = _preprocessor(16, 16)
    small, large = _gradient(20, 30), _gradient(100, 90)
    expected = [_preprocessor(16, 16)(frame) for frame in (small, large, small)]
    assert all((preprocess(frame) == other).all() for frame, other in zip((small, large, small), expected, strict=True))


def test_a_gradient_gives_the_recorded_pixels() -> None:
    image = _preprocessor(32, 32)(_gradient(256, 512))
    assert zlib.crc32(image.tobytes()) == 333228353


def test_normalize_is_worked_by_hand() -> None:
    spec = InputSpec(1, 1, mean=(100.0, 50.0, 0.0), std=(50.0, 25.0, 255.0))
    image = np.array([[[200, 50, 255]]], np.uint8)
    values = normalize(image, spec)
    assert values.dtype == np.float32
    assert values.tolist() == [[[2.0, 0.0, 1.0]]]


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 1), (4, 4, 4), (0, 4, 3)])
def test_what_is_no_colour_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="height, width, 3"):
        _preprocessor(2, 2)(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("dtype", [np.float32, np.uint16, np.int8])
def test_other_numbers_than_uint8_are_refused(dtype: type) -> None:
    """OpenCV would leave the buffer as it is, and the frame before would be answered again."""
    with pytest.raises(ValueError, match="must hold uint8"):
        _preprocessor(2, 2)(np.zeros((4, 4, 3), dtype))


def test_what_opencv_could_not_read_is_told() -> None:
    with pytest.raises(TypeError, match="not NoneType; OpenCV gives None"):
        _preprocessor(2, 2)(cv2.imread("/no/such/picture.jpg"))
