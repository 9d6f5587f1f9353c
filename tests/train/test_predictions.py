from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the train extra")

from edge_runtime.errors import RunError
from edge_runtime.training_run import Split, TrainingRun
from train.predictions import Predictions


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    scores = np.array([[0.25, 0.75], [0.125, 0.875]], np.float32)
    before = Predictions(("hat, blue", "Höse"), ("a b.jpg", "c.jpg"), np.array([1, 0]), scores)
    before.write(tmp_path / "predictions.csv")
    after = Predictions.read(tmp_path / "predictions.csv")
    assert (after.labels, after.images) == (before.labels, before.images)
    np.testing.assert_array_equal(after.targets, before.targets)
    np.testing.assert_allclose(after.scores, scores)
    assert after.answers.tolist() == [1, 1]


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "predictions.csv").write_text("image,label,a\nx.jpg,b,0.5\n")
    with pytest.raises(RunError, match="cannot be read"):
        Predictions.read(tmp_path / "predictions.csv")


def test_a_run_keeps_the_scores_of_each_validation_photo(trained_run: TrainingRun) -> None:
    predictions = Predictions.read(trained_run.path / "predictions.csv")
    assert predictions.images == tuple(row.image for row in trained_run.read_splits(Split.VALIDATION))
    np.testing.assert_allclose(predictions.scores.sum(axis=1), 1.0, atol=1e-4)
