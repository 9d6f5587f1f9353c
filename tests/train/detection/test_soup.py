from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

keras = pytest.importorskip("keras", reason="needs the train extra")

from edge_runtime.errors import DataError, RunError  # noqa: E402
from edge_runtime.training_run import Split, TrainingRun  # noqa: E402
from train.cli import main  # noqa: E402
from train.detection.soup import average_detectors  # noqa: E402
from train.report.detector_run import read_detector_run  # noqa: E402


@pytest.fixture
def other_run(detector_run: TrainingRun, double_weights: Callable[[TrainingRun], TrainingRun]) -> TrainingRun:
    """The same run with every weight twice as large."""
    return double_weights(detector_run)


def test_the_average_is_a_finished_run_with_the_mean_of_all_weights(
    detector_run: TrainingRun, other_run: TrainingRun, tmp_path: Path
) -> None:
    output = TrainingRun(tmp_path / "average")
    arguments = ["average", str(detector_run.path), str(other_run.path), "-o", str(output.path)]
    assert CliRunner().invoke(main, arguments, catch_exceptions=False).exit_code == 0
    single, average = (keras.models.load_model(run.model_path, compile=False) for run in (detector_run, output))
    for weights, mean in zip(single.get_weights(), average.get_weights(), strict=True):
        np.testing.assert_allclose(mean, 1.5 * weights, rtol=1e-6)
    np.testing.assert_array_equal(output.read_anchors(), detector_run.read_anchors())
    assert output.read_boxes() == detector_run.read_boxes()
    assert output.read_splits() == detector_run.read_splits()
    finished = read_detector_run(output.path)
    assert finished.history == ()
    assert finished.detection.threshold == finished.scores["threshold"]
    assert len(finished.photos) == len(output.read_splits(Split.VALIDATION))
    assert "the average of other runs" in (output.path / "report.html").read_text()


def test_the_average_of_a_run_with_itself_finds_what_the_run_finds(detector_run: TrainingRun, tmp_path: Path) -> None:
    output = TrainingRun(tmp_path / "average")
    average_detectors([detector_run, detector_run], output)
    single, average = read_detector_run(detector_run.path), read_detector_run(output.path)
    assert average.scores == single.scores
    assert average.found == single.found


def test_the_average_is_measured_on_photos_that_no_run_was_trained_on(
    detector_run: TrainingRun, other_run: TrainingRun, tmp_path: Path
) -> None:
    rows = other_run.read_splits()
    taught = next(row for row in rows if row.split is Split.VALIDATION)
    other_run.write_splits([replace(row, split=Split.TRAIN) if row == taught else row for row in rows])
    output = TrainingRun(tmp_path / "average")
    average_detectors([detector_run, other_run], output)
    held_out = {row.image for row in rows if row.split is Split.VALIDATION} - {taught.image}
    assert set(read_detector_run(output.path).photos) == held_out


def test_runs_with_other_anchors_are_refused(detector_run: TrainingRun, other_run: TrainingRun, tmp_path: Path) -> None:
    other_run.write_anchors(detector_run.read_anchors() * 0.5)
    _refuse([detector_run, other_run], tmp_path / "average", "other anchors")


def test_runs_with_other_boxes_on_a_photo_are_refused(
    detector_run: TrainingRun, other_run: TrainingRun, tmp_path: Path
) -> None:
    first, *boxes = other_run.read_boxes()
    other_run.write_boxes([replace(first, x_max=first.x_max - 1), *boxes])
    _refuse([detector_run, other_run], tmp_path / "average", f"{first.image} has other boxes")


def test_runs_that_between_them_saw_all_photos_are_refused(
    detector_run: TrainingRun, other_run: TrainingRun, tmp_path: Path
) -> None:
    other_run.write_splits([replace(row, split=Split.TRAIN) for row in other_run.read_splits()])
    _refuse([detector_run, other_run], tmp_path / "average", "held out from all")


def test_a_run_is_never_replaced_by_an_average(detector_run: TrainingRun, other_run: TrainingRun) -> None:
    with pytest.raises(RunError, match="holds a run already"):
        average_detectors([detector_run, detector_run], other_run)


def _refuse(runs: list[TrainingRun], output: Path, message: str) -> None:
    with pytest.raises(DataError, match=message):
        average_detectors(runs, TrainingRun(output))
    assert not output.exists()
