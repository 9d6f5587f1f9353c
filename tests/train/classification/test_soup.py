import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

keras = pytest.importorskip("keras", reason="needs the train extra")

from edge_runtime.errors import DataError, RunError  # noqa: E402
from edge_runtime.spec import DetectionSpec  # noqa: E402
from edge_runtime.training_run import Split, SplitRow, TrainingRun  # noqa: E402
from train.classification.soup import average_classifiers  # noqa: E402
from train.cli import main  # noqa: E402
from train.evaluation.calibration import choose_rejection  # noqa: E402
from train.evaluation.predictions import Predictions  # noqa: E402
from train.report.runs import read_run  # noqa: E402


@pytest.fixture
def other_run(trained_run: TrainingRun, double_weights: Callable[[TrainingRun], TrainingRun]) -> TrainingRun:
    """The same run with every weight twice as large."""
    return double_weights(trained_run)


def test_the_average_is_a_finished_run_with_the_mean_of_all_weights(
    trained_run: TrainingRun, other_run: TrainingRun, tmp_path: Path
) -> None:
    output = TrainingRun(tmp_path / "average")
    arguments = ["average", str(trained_run.path), str(other_run.path), "-o", str(output.path)]
    assert CliRunner().invoke(main, arguments, catch_exceptions=False).exit_code == 0
    body = keras.models.load_model(output.model_path, compile=False).get_layer("body")
    single = keras.models.load_model(trained_run.model_path, compile=False).get_layer("body")
    for weights, mean in zip(single.get_weights(), body.get_weights(), strict=True):
        np.testing.assert_allclose(mean, 1.5 * weights, rtol=1e-6)
    assert read_run(output.path).history == ()
    assert (output.path / "report.html").exists()
    provenance = output.read_spec().provenance
    assert len(provenance["averaged"]) == 2
    assert provenance["validation"]["accuracy"]["top1"] == json.loads((output.path / "scores.json").read_text())["top1"]


def test_runs_on_photos_of_other_folders_are_refused(
    trained_run: TrainingRun, other_run: TrainingRun, tmp_path: Path
) -> None:
    other_run.write_arguments({**other_run.read_arguments(), "images": "elsewhere"})
    with pytest.raises(DataError, match="another folder"):
        average_classifiers([trained_run, other_run], TrainingRun(tmp_path / "average"))
    assert not (tmp_path / "average").exists()


def test_an_average_that_failed_may_be_repeated(
    trained_run: TrainingRun, other_run: TrainingRun, tmp_path: Path
) -> None:
    output, arguments = TrainingRun(tmp_path / "average"), trained_run.read_arguments()
    other_run.write_arguments({**arguments, "negatives": str(tmp_path / "gone")})
    with pytest.raises(DataError, match="gone"):
        average_classifiers([other_run, trained_run], output)
    other_run.write_arguments(arguments)
    average_classifiers([other_run, trained_run], output)
    assert output.model_path.exists()


def test_a_detector_is_not_averaged_with_a_classifier(
    trained_run: TrainingRun, other_run: TrainingRun, tmp_path: Path
) -> None:
    detection = DetectionSpec(other_run.read_spec().labels)
    other_run.write_spec(replace(other_run.read_spec(), heads=(), detection=detection))
    for runs in ([other_run, trained_run], [trained_run, other_run]):
        arguments = ["average", *(str(run.path) for run in runs), "-o", str(tmp_path / "average")]
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == DataError.exit_code
        assert "average like runs" in result.output
    assert not (tmp_path / "average").exists()


def test_runs_that_label_a_photo_differently_are_refused(
    trained_run: TrainingRun, other_run: TrainingRun, tmp_path: Path
) -> None:
    first, *rows = other_run.read_splits()
    other_run.write_splits([replace(first, sha256="0" * 64), *rows])
    with pytest.raises(DataError, match=f"{first.image} has another label"):
        average_classifiers([trained_run, other_run], TrainingRun(tmp_path / "average"))
    assert not (tmp_path / "average").exists()


def test_a_photo_that_one_run_knows_is_used_as_that_run_does(
    trained_run: TrainingRun, other_run: TrainingRun, tmp_path: Path
) -> None:
    rows = other_run.read_splits()
    other_run.write_splits([row for row in rows if row != rows[0]])
    output = TrainingRun(tmp_path / "average")
    average_classifiers([other_run, trained_run], output)
    assert set(output.read_splits()) == set(rows)


def _teach_one_more(run: TrainingRun) -> SplitRow:
    """Let a run have been trained on its first validation photo; return what the photo was."""
    rows = run.read_splits()
    taught = next(row for row in rows if row.split is Split.VALIDATION)
    run.write_splits([replace(row, split=Split.TRAIN) if row == taught else row for row in rows])
    return taught


def test_the_average_is_measured_on_photos_that_no_run_was_trained_on(
    trained_run: TrainingRun, other_run: TrainingRun, tmp_path: Path
) -> None:
    rows = other_run.read_splits()
    taught = _teach_one_more(other_run)
    output = TrainingRun(tmp_path / "average")
    average_classifiers([trained_run, other_run], output)
    uses = {row.image: row.split for row in output.read_splits()}
    assert uses == {row.image: Split.TRAIN if row == taught else row.split for row in rows}
    scored = {line.split(",")[0] for line in (output.path / "predictions.csv").read_text().splitlines()[1:]}
    assert scored == {image for image, use in uses.items() if use is Split.VALIDATION}


def test_the_threshold_comes_from_all_photos_that_any_run_held_out(
    trained_run: TrainingRun, other_run: TrainingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(
        "train.classification.finishing.choose_rejection",
        lambda right, *others: asked.append(right) or choose_rejection(right, *others),
    )
    _teach_one_more(other_run)
    sure = TrainingRun(tmp_path / "sure")
    shutil.copytree(trained_run.path, sure.path)
    for run, score in ((sure, 0.7), (other_run, 0.8)):
        said = Predictions.read(run.path / "predictions.csv")
        certain = np.eye(len(said.labels), dtype=np.float32)[said.targets] * score
        replace(said, scores=certain).write(run.path / "predictions.csv")
    output = TrainingRun(tmp_path / "average")
    average_classifiers([sure, other_run], output)
    (right,) = asked
    np.testing.assert_allclose(right, [0.75] * len(trained_run.read_splits(Split.VALIDATION)), atol=1e-6)


def test_runs_that_between_them_saw_all_photos_of_a_class_are_refused(
    trained_run: TrainingRun, other_run: TrainingRun, tmp_path: Path
) -> None:
    rows = other_run.read_splits()
    label = rows[0].label
    other_run.write_splits([replace(row, split=Split.TRAIN) if row.label == label else row for row in rows])
    with pytest.raises(DataError, match=f"validation split has no photo of {label}"):
        average_classifiers([trained_run, other_run], TrainingRun(tmp_path / "average"))
    assert not (tmp_path / "average").exists()


def test_runs_of_other_networks_are_refused(trained_run: TrainingRun, other_run: TrainingRun, tmp_path: Path) -> None:
    spec = json.loads(other_run.spec_path.read_text())
    other_run.spec_path.write_text(json.dumps({**spec, "name": "garment-other-32"}))
    with pytest.raises(DataError, match="another network"):
        average_classifiers([trained_run, other_run], TrainingRun(tmp_path / "average"))


def test_a_run_is_never_overwritten(trained_run: TrainingRun, other_run: TrainingRun) -> None:
    with pytest.raises(RunError, match="fresh directory"):
        average_classifiers([trained_run, trained_run], other_run)


def test_an_average_is_never_trained_over(
    trained_run: TrainingRun, other_run: TrainingRun, drawn_photos: Path, tmp_path: Path
) -> None:
    """It has no epoch to go on with, and is none of the starts that failed."""
    average = TrainingRun(tmp_path / "average")
    average_classifiers([trained_run, other_run], average)
    model = average.model_path.read_bytes()
    result = CliRunner().invoke(main, ["classify", str(drawn_photos), "-o", str(average.path), "--weights", "none"])
    assert result.exit_code == RunError.exit_code, result.output
    assert "holds a finished run without its last epoch" in result.stderr
    assert average.model_path.read_bytes() == model


def test_a_run_named_twice_is_refused(trained_run: TrainingRun, tmp_path: Path) -> None:
    arguments = ["average", str(trained_run.path), f"{trained_run.path}/.", "-o", str(tmp_path / "average")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "named twice" in result.stderr
