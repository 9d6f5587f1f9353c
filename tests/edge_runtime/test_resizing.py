import numpy as np
import pytest

from edge_runtime.resizing import resize_to


@pytest.mark.parametrize(("shape", "wanted"), [((3, 9000), (1, 100)), ((9000, 3), (100, 1)), ((20, 50), (40, 100))])
def test_a_picture_is_resized_to_no_less_than_a_pixel(shape: tuple[int, int], wanted: tuple[int, int]) -> None:
    resized = resize_to(np.full((*shape, 3), 0.5, np.float32), 100)
    assert resized.shape == (*wanted, 3)
    assert resized.dtype == np.float32
