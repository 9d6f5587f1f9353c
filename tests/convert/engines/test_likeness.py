from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from convert.engines.likeness import Likeness, compare_boxes, compare_scores, cut_to_pixels
from convert.inspection.contents import Quantization
from edge_runtime.spec import DetectionSpec

STEP = Quantization(1, 0, 1 / 256, 1 / 256, 0, 0)
SPEC = DetectionSpec(("red", "green", "blue"), threshold=0.3)
Detections = tuple[NDArray[np.float32], ...]


def test_heads_are_judged_together() -> None:
    one = [np.array([[9, 1], [9, 1]], np.uint8), np.array([[5, 6], [5, 6]], np.uint8)]
    other = [np.array([[9, 1], [9, 1]], np.uint8), np.array([[5, 6], [8, 6]], np.uint8)]
    assert compare_scores(one, other, [STEP, STEP]) == Likeness(identical=1, largest=3.0, same=0.5)


def test_scores_that_are_real_in_the_model_are_compared_as_they_are() -> None:
    one, other = np.array([[0.25, 0.75]], np.float32), np.array([[0.5, 0.75]], np.float32)
    assert compare_scores([one], [other], [None]).largest == 0.25


def detections(*rows: tuple[int, float, float], length: int = 4) -> Detections:
    """Return the outputs of one picture; a row is a label, a score, and where its box of half the picture starts."""
    boxes, labels, scores = np.zeros((1, length, 4)), np.zeros((1, length)), np.zeros((1, length))
    for at, (label, score, start) in enumerate(rows):
        boxes[0, at], labels[0, at], scores[0, at] = (start, 0, start + 0.5, 0.5), label, score
    return tuple(part.astype(np.float32) for part in (boxes, labels, scores, np.array([len(rows)])))


def test_the_order_of_boxes_does_not_count() -> None:
    one, other = detections((1, 0.5, 0.0), (2, 0.5, 0.25)), detections((2, 0.5, 0.25), (1, 0.5, 0.0))
    assert compare_boxes(one, other, SPEC) == Likeness(identical=1, largest=0.0, same=1.0)


def test_boxes_lose_the_fractions_of_their_corner_and_of_their_size() -> None:
    """Of a box from 2.6 to 5.4 pixels the corner is 2 and the size of 2.8 is 2, so it ends at 4 and not at 5."""
    box = np.array([[[2.6 / 8, 1 / 16, 5.4 / 8, 3.5 / 16]]], np.float32)
    np.testing.assert_array_equal(cut_to_pixels(box, 8, 16), np.array([[[2 / 8, 1 / 16, 4 / 8, 3 / 16]]], np.float32))


def test_boxes_below_the_threshold_do_not_count() -> None:
    assert compare_boxes(detections((1, 0.5, 0.0), (2, 0.25, 0.1)), detections((1, 0.5, 0.0)), SPEC).identical == 1


def test_a_box_that_moves_a_little_is_the_same_answer_and_not_the_same_bits() -> None:
    found = compare_boxes(detections((1, 0.5, 0.0)), detections((1, 0.625, 0.0078125)), SPEC)
    assert (found.identical, found.largest, found.same) == (0, 0.125, 1.0)


@pytest.mark.parametrize("row", [(2, 0.5, 0.0), (1, 0.5, 0.1)])
def test_another_label_or_place_is_another_answer(row: tuple[int, float, float]) -> None:
    assert compare_boxes(detections((1, 0.5, 0.0)), detections(row), SPEC).same == 0.0


def test_each_box_is_matched_once() -> None:
    found = compare_boxes(detections((1, 0.5, 0.0), (1, 0.5, 0.0)), detections((1, 0.5, 0.0)), SPEC)
    assert found.same == pytest.approx(2 / 3)


def test_nothing_found_by_both_is_the_same_answer() -> None:
    assert compare_boxes(detections(), detections(), SPEC) == Likeness(identical=1, largest=0.0, same=1.0)


def test_a_box_without_area_matches_nothing_and_ends_in_no_error() -> None:
    empty = detections((1, 0.5, 0.0))
    empty[0][:] = 0
    assert compare_boxes(empty, empty, SPEC).same == 0.0


def test_rows_behind_the_count_do_not_count() -> None:
    """The op counts boxes, each with as many rows as it has labels."""
    one, other = (detections((1, 0.5, 0.0), (2, 0.4, 0.0), (label, 0.9, 0.5)) for label in (0, 1))
    one[3][:], other[3][:] = 1, 1
    two_labels = replace(SPEC, labels_per_box=2)
    assert compare_boxes(one, other, two_labels) == Likeness(identical=1, largest=0.0, same=1.0)
    assert compare_boxes(one, detections((1, 0.5, 0.0)), SPEC).identical == 1
    assert compare_boxes(one, detections((1, 0.5, 0.0)), two_labels).identical == 0
