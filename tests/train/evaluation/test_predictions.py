from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the train extra")

from edge_runtime.errors import RunError
from edge_runtime.training_run import Split, TrainingRun
from train.evaluation.predictions import Predictions, pool_predictions


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    scores = np.array([[0.25, 0.75], [0.125, 0.875]], np.float32)
    before = Predictions(("hat, blue", "Höse"), ("a b.jpg", "c.jpg"), np.array([1, 0]), scores)
    before.write(tmp_path / "predictions.csv")
    after = Predictions.read(tmp_path / "predictions.csv")
    assert (after.labels, after.images) == (before.labels, before.images)
    np.testing.assert_array_equal(after.targets, before.targets)
    np.testing.assert_allclose(after.scores, scores)
    assert after.answers.tolist() == [1, 1]


def test_likelihood_is_that_of_the_true_classes_and_bounded() -> None:
    scores = np.array([[0.25, 0.75], [1.0, 0.0]], np.float32)
    answers = Predictions(("hat", "shoe"), ("a", "b"), np.array([1, 1]), scores)
    assert answers.likelihood == pytest.approx(-(np.log(0.75) + np.log(1e-6)) / 2)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "predictions.csv").write_text("image,label,a\nx.jpg,b,0.5\n")
    with pytest.raises(RunError, match="cannot be read"):
        Predictions.read(tmp_path / "predictions.csv")


def test_a_run_keeps_the_scores_of_each_validation_photo(trained_run: TrainingRun) -> None:
    predictions = Predictions.read(trained_run.path / "predictions.csv")
    assert predictions.images == tuple(row.image for row in trained_run.read_splits(Split.VALIDATION))
    np.testing.assert_allclose(predictions.scores.sum(axis=1), 1.0, atol=1e-4)


def test_pooled_answers_are_the_mean_of_whoever_was_asked() -> None:
    labels = ("hat", "shoe")
    first = Predictions(labels, ("a", "b"), np.array([0, 1]), np.array([[0.5, 0.5], [0.25, 0.75]], np.float32))
    second = Predictions(labels, ("b", "c"), np.array([1, 0]), np.array([[0.75, 0.25], [1.0, 0.0]], np.float32))
    pooled = pool_predictions([first, second])
    assert pooled.images == ("a", "b", "c")
    assert pooled.targets.tolist() == [0, 1, 0]
    np.testing.assert_array_equal(pooled.scores, np.array([[0.5, 0.5], [0.5, 0.5], [1.0, 0.0]], np.float32))
