import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the train extra")

from edge_runtime.estimates import estimate_share
from train.evaluation.predictions import Predictions
from train.report.classifier_file import rate_answers

LABELS = ("hat", "shirt", "skirt", "shoe")
SCORES = np.array(
    [(0.9, 0.1, 0, 0), (0.2, 0.4, 0.3, 0.1), (0.1, 0.7, 0.2, 0), (0, 0.8, 0.2, 0), (0, 0.3, 0.6, 0.1)], np.float32
)
PREDICTIONS = Predictions(LABELS, ("a.png", "b.png", "c.png", "d.png", "e.png"), np.array([0, 0, 0, 1, 1]), SCORES)


def test_every_best_label_counts_but_where_the_threshold_is_named() -> None:
    scores = rate_answers(PREDICTIONS, 0.5)
    assert scores.top1 == estimate_share(2, 5)
    assert scores.macro == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert scores.rejected == estimate_share(1, 5)
    assert scores.answered == estimate_share(2, 4)


def test_classes_name_what_they_are_taken_for() -> None:
    hat, shirt, skirt = rate_answers(PREDICTIONS, 0.5).classes
    assert (hat.photos, hat.confused_with, hat.confused) == (3, "shirt", 2)
    assert (shirt.recall, shirt.precision) == (estimate_share(1, 2), estimate_share(1, 3))
    # Answered with, yet on no photo; shoe is neither.
    assert (skirt.label, skirt.photos, skirt.recall, skirt.confused_with) == ("skirt", 0, None, None)


def test_a_threshold_above_all_leaves_no_accuracy() -> None:
    assert rate_answers(PREDICTIONS, 1.0).answered is None
