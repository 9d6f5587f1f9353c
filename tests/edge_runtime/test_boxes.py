import pytest

from edge_runtime.boxes import Box, iou


@pytest.mark.parametrize(
    ("second", "overlap"),
    [
        ((0, 0, 10, 10), 1.0),
        ((5, 0, 15, 10), 1 / 3),
        ((0, 0, 5, 5), 0.25),
        ((10, 0, 20, 10), 0.0),
        ((20, 20, 30, 30), 0.0),
        ((3, 3, 3, 9), 0.0),
    ],
)
def test_overlap_is_intersection_over_union(second: Box, overlap: float) -> None:
    assert iou((0, 0, 10, 10), second) == pytest.approx(overlap)
    assert iou(second, (0, 0, 10, 10)) == pytest.approx(overlap)
