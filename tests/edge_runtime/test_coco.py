import numpy as np
import pytest

pytest.importorskip("pycocotools", reason="needs the train extra")

from edge_runtime.coco import RECALLS, TrueBox, measure_coco, resample_map, trace_curves
from edge_runtime.errors import DataError
from edge_runtime.results import Detection

LABELS = ("bag", "hat", "shoe")
BAG = (10.0, 10.0, 60.0, 60.0)
HAT = (100.0, 20.0, 150.0, 70.0)


def test_right_answers_score_one_and_absent_labels_do_not_count() -> None:
    truth = [[TrueBox("bag", BAG), TrueBox("hat", HAT)], []]
    scores = measure_coco(truth, [[Detection("bag", 0.9, BAG), Detection("hat", 0.4, HAT)], []], LABELS)
    assert (scores.map, scores.map50, scores.map75) == pytest.approx((1, 1, 1))
    assert [(each.label, each.boxes) for each in scores.labels] == [("bag", 1), ("hat", 1)]


def test_a_shifted_box_counts_up_to_its_overlap() -> None:
    """An IoU of 0.84 passes 7 of the ten thresholds 0.50 to 0.95."""
    shifted = (10.0, 10.0, 60.0, 10 + 50 * 0.84)
    scores = measure_coco([[TrueBox("bag", BAG)]], [[Detection("bag", 0.9, shifted)]], LABELS)
    assert (scores.map, scores.map50, scores.map75) == pytest.approx((0.7, 1, 1))


def test_a_surer_wrong_box_halves_precision() -> None:
    answers = [Detection("bag", 0.9, HAT), Detection("bag", 0.8, BAG)]
    assert measure_coco([[TrueBox("bag", BAG)]], [answers], LABELS).map == pytest.approx(0.5)


def test_a_right_box_on_another_photo_is_wrong() -> None:
    truth = [[TrueBox("bag", BAG)], [TrueBox("hat", HAT)]]
    assert measure_coco(truth, [[Detection("hat", 0.9, HAT)], [Detection("bag", 0.9, BAG)]], LABELS).map == 0


def test_no_answer_at_all_scores_zero() -> None:
    scores = measure_coco([[TrueBox("bag", BAG)]], [[]], LABELS)
    assert (scores.map, scores.labels[0].map50) == (0, 0)


def test_precision_over_recall_by_hand() -> None:
    """Of three hats the first answer finds one, the second is wrong, the third finds another; one is never found."""
    truth = [[TrueBox("hat", HAT)]] * 3
    found = [[Detection("hat", 0.9, HAT), Detection("hat", 0.7, BAG)], [Detection("hat", 0.5, HAT)], []]
    curves = trace_curves(truth, found, LABELS)
    wanted = np.select([RECALLS <= 1 / 3, RECALLS <= 2 / 3], [1, 2 / 3], 0)
    np.testing.assert_allclose(curves.pop("hat"), wanted)
    assert curves == {}
    assert measure_coco(truth, found, LABELS).map50 == pytest.approx(wanted.mean())


def test_nothing_to_measure_is_told_and_stdout_kept_clean(capsys: pytest.CaptureFixture[str]) -> None:
    measure_coco([[TrueBox("bag", BAG)]], [[]], LABELS)
    assert capsys.readouterr().out == ""
    with pytest.raises(DataError, match="no box"):
        measure_coco([[]], [[]], LABELS)


def test_resampled_precision_is_that_of_the_photos_drawn() -> None:
    """Photos drawn twice count twice, as if they were photos of their own."""
    random = np.random.default_rng(1)
    truth = [[TrueBox("bag", box(random)) for _ in range(2)] + [TrueBox("hat", box(random))] for _ in range(6)]
    truth[0] = []
    found = [
        (
            Detection("bag", float(random.random()), box(random)),
            *(Detection(true.label, float(random.random()), moved(true.box, random)) for true in boxes),
        )
        for boxes in truth
    ]
    draws = np.array([range(6), [1, 1, 2, 5, 5, 5], [0, 3, 3, 0, 4, 1]])
    wanted = [measure_coco([truth[at] for at in draw], [found[at] for at in draw], LABELS).map for draw in draws]
    assert resample_map(truth, found, LABELS, draws) == pytest.approx(wanted, abs=1e-9)
    assert len(set(wanted)) == 3


def test_a_draw_without_a_true_box_has_no_precision() -> None:
    truth = [[TrueBox("bag", (0.0, 0.0, 10.0, 10.0))], []]
    found = [(Detection("bag", 0.9, (0.0, 0.0, 10.0, 10.0)),), ()]
    assert resample_map(truth, found, LABELS, np.array([[1, 1], [0, 0]])) == pytest.approx([np.nan, 1.0], nan_ok=True)


def box(random: np.random.Generator) -> tuple[float, float, float, float]:
    left, upper = random.uniform(0, 80, 2)
    return (left, upper, left + 20, upper + 20)


def moved(true: tuple[float, float, float, float], random: np.random.Generator) -> tuple[float, float, float, float]:
    shift = random.uniform(0, 6)
    return (true[0] + shift, true[1], true[2] + shift, true[3])
