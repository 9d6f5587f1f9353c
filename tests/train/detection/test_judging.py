import pytest

from edge_runtime.coco import TrueBox
from edge_runtime.results import Detection
from train.detection.judging import Counts, choose_threshold, count_outcomes, judge_photo

HAT = TrueBox("hat", (0, 0, 10, 10))
SHIRT = TrueBox("shirt", (20, 0, 40, 30))


def find(truth: TrueBox, score: float, shift: float = 0.0, label: str | None = None) -> Detection:
    x_min, y_min, x_max, y_max = truth.box
    return Detection(label or truth.label, score, (x_min + shift, y_min, x_max + shift, y_max))


def test_a_second_box_on_a_garment_and_a_wrong_label_are_false() -> None:
    second, wrong = find(HAT, 0.6), find(SHIRT, 0.9, label="hat")
    judged = judge_photo([second, find(HAT, 0.8), wrong], [HAT, SHIRT])
    assert judged.hits == (find(HAT, 0.8),)
    assert judged.false == (wrong, second)
    assert judged.missed == (SHIRT,)


def test_half_an_overlap_is_enough_and_less_is_not() -> None:
    # Of boxes 10 wide, a shift by 3 leaves 7 / 13 in common, one by 4 leaves 6 / 14.
    assert judge_photo([find(HAT, 0.5, shift=3)], [HAT]).hits
    assert not judge_photo([find(HAT, 0.5, shift=4)], [HAT]).hits


def test_the_threshold_has_the_best_f1() -> None:
    # Down to 0.8: 2 hits of 2 found and 3 there, F1 0.8; down to 0.3: 3 of 6, F1 0.667.
    found = [[find(HAT, 0.9), find(SHIRT, 0.8123)], [find(SHIRT, 0.5, shift=50), find(HAT, 0.4, shift=50)]]
    found.append([find(SHIRT, 0.35, shift=50), find(HAT, 0.3)])
    assert choose_threshold(found, [[HAT, SHIRT], [], [HAT]]) == pytest.approx(0.812)


def test_without_a_single_hit_the_threshold_is_the_middle() -> None:
    assert choose_threshold([[]], [[HAT]]) == 0.5
    assert choose_threshold([[find(HAT, 0.7, shift=50)]], [[HAT]]) == 0.5


def test_counts_and_f1() -> None:
    judged = [judge_photo([find(HAT, 0.9), find(SHIRT, 0.4, shift=50)], [HAT, SHIRT])]
    assert count_outcomes(judged, "hat") == Counts(1, 0, 0)
    assert count_outcomes(judged, "shirt") == Counts(0, 1, 1)
    assert Counts(2, 1, 1).f1 == pytest.approx(2 / 3)
    assert Counts(0, 0, 0).f1 == 1
