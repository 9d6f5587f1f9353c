import csv
import json
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from edge_runtime.errors import DataError, OutputError, PictureError, RunError  # noqa: E402
from edge_runtime.training_run import Split, TrainingRun, write_split_rows  # noqa: E402
from train.classification.classify import ClassifyOptions, train_classifier  # noqa: E402
from train.classification.schedule import ClassifierSchedule  # noqa: E402
from train.data.photos import Columns  # noqa: E402
from train.fitting.checkpoint import CheckpointFolder  # noqa: E402

Killed = Callable[[], AbstractContextManager[None]]

pytestmark = pytest.mark.usefixtures("small_mobilenet")

SCHEDULE = ClassifierSchedule(
    head_epochs=0,
    epochs=2,
    batch_size=8,
    head_learning_rate=1e-3,
    learning_rate=1e-3,
    label_smoothing=0.1,
    drawn_share=0.2,
    negative_share=0.1,
    mixed_share=0.5,
    balance=0.5,
    ema=0.5,
)


def make_options(data: Path, **changes: Any) -> ClassifyOptions:
    return ClassifyOptions(data, None, Columns(), "mobilenet_v2", 32, "none", 0.2, 0.25, replace(SCHEDULE, **changes))


def read_history(run: TrainingRun) -> list[dict[str, str]]:
    return list(csv.DictReader((run.path / "metrics.csv").read_text().splitlines()))


def test_a_run_directory_tells_the_whole_story(trained_run: TrainingRun) -> None:
    spec = trained_run.read_spec()
    assert spec.heads[0].labels == ("hat", "pants", "shoes")
    assert (spec.input.height, spec.input.width) == (32, 32)
    assert {row.split for row in trained_run.read_splits()} == {Split.TRAIN, Split.VALIDATION}
    assert trained_run.read_arguments()["schedule"]["epochs"] == 1
    assert json.loads((trained_run.path / "environment.json").read_text())["packages"]["keras"]
    history = read_history(trained_run)
    assert [(row["phase"], row["epoch"]) for row in history] == [("head", "1"), ("body", "1")]
    scores = json.loads((trained_run.path / "scores.json").read_text())
    assert scores["macro"] == pytest.approx(max(float(row["validation_macro"]) for row in history))
    assert keras.models.load_model(trained_run.model_path).output_shape == (None, 3)


def test_a_killed_run_ends_as_an_unbroken_one(
    drawn_photos: Path, tmp_path: Path, killed_in_second_epoch: Killed
) -> None:
    options = make_options(drawn_photos)
    unbroken, broken = TrainingRun(tmp_path / "unbroken"), TrainingRun(tmp_path / "broken")
    train_classifier(options, unbroken)

    with killed_in_second_epoch():
        train_classifier(options, broken)
    train_classifier(options, broken)

    def losses(run: TrainingRun) -> list[float]:
        return [float(row["loss"]) for row in read_history(run)]

    assert len(losses(broken)) == 2
    np.testing.assert_allclose(losses(broken), losses(unbroken), rtol=1e-3)


def test_other_arguments_never_touch_a_run(drawn_photos: Path, trained_run: TrainingRun) -> None:
    with pytest.raises(RunError, match="holds a run with another"):
        train_classifier(make_options(drawn_photos, epochs=5), trained_run)


def test_a_start_that_failed_may_be_put_right(drawn_photos: Path, tmp_path: Path) -> None:
    run = TrainingRun(tmp_path / "run")
    with pytest.raises(DataError, match="no weights file"):
        train_classifier(replace(make_options(drawn_photos, epochs=1), weights="nowhere.h5"), run)
    train_classifier(make_options(drawn_photos, epochs=1), run)
    assert run.read_arguments()["weights"] == "none"


def test_a_time_budget_ends_a_run_that_more_time_continues(drawn_photos: Path, tmp_path: Path) -> None:
    run = TrainingRun(tmp_path / "run")
    options = make_options(drawn_photos)
    train_classifier(replace(options, max_minutes=1e-6), run)
    assert len(read_history(run)) == 1
    assert run.read_spec().provenance["epochs"] == 1
    train_classifier(replace(options, max_minutes=60.0), run)
    assert len(read_history(run)) == 2


def test_frozen_layers_stay_as_they_were(drawn_photos: Path, tmp_path: Path) -> None:
    run = TrainingRun(tmp_path / "run")
    train_classifier(make_options(drawn_photos, epochs=1, frozen_share=0.5), run)
    body = keras.models.load_model(run.model_path, compile=False).get_layer("body")
    kernels = [layer for layer in body.layers if layer.name in ("block_0_BN", "block_4_BN")]
    first, last = (layer.get_weights()[0] for layer in kernels)
    np.testing.assert_array_equal(first, 1.0)
    assert np.abs(last - 1.0).max() > 0


def test_a_single_step_already_teaches(drawn_photos: Path, tmp_path: Path) -> None:
    run = TrainingRun(tmp_path / "run")
    train_classifier(make_options(drawn_photos, epochs=1, batch_size=64, ema=0.0), run)
    bias = keras.models.load_model(CheckpointFolder(run.path).best_path).layers[-1].get_weights()[1]
    # Adam's first step is as long as the learning rate, and the bias began at zero.
    np.testing.assert_allclose(np.abs(bias), SCHEDULE.learning_rate, rtol=0.05)


def test_a_run_begins_with_what_an_earlier_one_knows_of_its_labels(
    drawn_photos: Path, tmp_path: Path, trained_run: TrainingRun
) -> None:
    """At a rate of next to nothing, the head can still be seen in the end; folded temperatures scale it."""
    earlier = keras.models.load_model(trained_run.model_path).layers[-1].get_weights()[0]
    photos = tmp_path / "photos"
    photos.mkdir()
    for label, of in {"cap": "hat", "pants": "pants", "shoes": "shoes"}.items():
        (photos / label).symlink_to(drawn_photos / of)
    for data, known in ((drawn_photos, slice(0, 3)), (photos, slice(1, 3))):
        run = TrainingRun(tmp_path / f"run_{known.start}")
        options = make_options(data, head_epochs=1, epochs=0, head_learning_rate=1e-12)
        train_classifier(replace(options, weights=str(trained_run.model_path)), run)
        kernel = keras.models.load_model(run.model_path).layers[-1].get_weights()[0]
        expected = np.where(np.arange(3) < known.start, earlier.mean(axis=1, keepdims=True), earlier)
        np.testing.assert_allclose(kernel / np.abs(kernel).max(), expected / np.abs(expected).max(), atol=1e-4)


def test_a_teacher_of_other_classes_is_refused(drawn_photos: Path, tmp_path: Path, trained_run: TrainingRun) -> None:
    for label in ("hat", "pants"):
        (tmp_path / "photos").mkdir(exist_ok=True)
        (tmp_path / "photos" / label).symlink_to(drawn_photos / label)
    options = replace(make_options(tmp_path / "photos"), teachers=(trained_run.path,))
    with pytest.raises(DataError, match="other classes"):
        train_classifier(options, TrainingRun(tmp_path / "run"))


def test_a_student_learns_from_a_teacher(drawn_photos: Path, tmp_path: Path, trained_run: TrainingRun) -> None:
    run = TrainingRun(tmp_path / "run")
    train_classifier(replace(make_options(drawn_photos, epochs=1, distillation=0.5), teachers=(trained_run.path,)), run)
    assert run.read_spec().provenance["teachers"] == [trained_run.path.name]
    # The teacher is no part of what is saved.
    student, teacher = (keras.models.load_model(each.model_path, compile=False) for each in (run, trained_run))
    assert student.count_params() == teacher.count_params()


def test_mixed_precision_saves_a_float32_model(drawn_photos: Path, tmp_path: Path) -> None:
    run = TrainingRun(tmp_path / "run")
    train_classifier(replace(make_options(drawn_photos, epochs=1), mixed_precision=True), run)
    model = keras.models.load_model(run.model_path, compile=False)
    assert {layer.compute_dtype for layer in model.get_layer("body").layers} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"


def test_an_empty_folder_of_negatives_is_refused_before_anything_is_trained(drawn_photos: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    options = replace(make_options(drawn_photos), negatives=tmp_path / "none")
    with pytest.raises(DataError, match="no picture"):
        train_classifier(options, TrainingRun(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_a_negative_that_cannot_be_read_is_told_before_anything_is_trained(drawn_photos: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "wall.jpg").write_text("no picture")
    options = replace(make_options(drawn_photos), negatives=tmp_path / "none")
    with pytest.raises(DataError, match=r"1 of \d+ photos cannot be read\. The first: .*wall\.jpg"):
        train_classifier(options, TrainingRun(tmp_path / "run"))


def test_photos_that_changed_end_a_run_rather_than_join_it(drawn_photos: Path, tmp_path: Path) -> None:
    photos = Path(shutil.copytree(drawn_photos, tmp_path / "photos"))
    run, options = TrainingRun(tmp_path / "run"), make_options(photos, epochs=1)
    train_classifier(options, run)
    first, second = sorted((photos / "hat").iterdir())[:2]
    shutil.copy(second, first)
    with pytest.raises(RunError, match=r"have changed since .*run began; .*fresh directory.*hat/"):
        train_classifier(options, run)
    shutil.rmtree(photos / "hat")
    with pytest.raises(RunError, match=r"have changed since"):
        train_classifier(options, run)


def test_a_split_that_changed_ends_a_run_rather_than_join_it(
    drawn_photos: Path, tmp_path: Path, trained_run: TrainingRun
) -> None:
    splits, rows = tmp_path / "splits.csv", trained_run.read_splits()
    write_split_rows(splits, rows)
    run, options = TrainingRun(tmp_path / "run"), replace(make_options(drawn_photos, epochs=1), splits=splits)
    train_classifier(options, run)
    train_classifier(options, run)  # goes on with it
    first = next(row for row in rows if row.split is Split.VALIDATION)
    write_split_rows(splits, [replace(row, split=Split.TRAIN) if row == first else row for row in rows])
    with pytest.raises(RunError, match=r"splits\.csv has changed since .*run began; .*fresh directory"):
        train_classifier(options, run)


def test_a_photo_that_goes_bad_in_training_is_named(
    drawn_photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keras would tell of it in TensorFlow's words."""
    photos = Path(shutil.copytree(drawn_photos, tmp_path / "photos"))
    monkeypatch.setattr(
        "train.classification.classify.check_readable",
        lambda _: [path.write_text(path.name) for path in photos.glob("hat/*")],
    )
    with pytest.raises(PictureError, match=r"hat/.*\.png"):
        train_classifier(make_options(photos, drawn_share=0.0), TrainingRun(tmp_path / "run"))


def test_a_training_that_diverges_ends_with_what_to_do(drawn_photos: Path, tmp_path: Path) -> None:
    run = TrainingRun(tmp_path / "run")
    with pytest.raises(RunError, match=r"diverged: the loss of body 1 is nan\. .*lower --learning-rate"):
        train_classifier(make_options(drawn_photos, epochs=1, learning_rate=1e30), run)
    assert not run.model_path.exists()


def test_a_disk_without_room_ends_a_run_before_its_checkpoint_is_written(
    drawn_photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HDF5 would end the process in the middle of it; with room again, the run goes on."""
    run, options, usage = TrainingRun(tmp_path / "run"), make_options(drawn_photos, epochs=1), shutil.disk_usage
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(path)._replace(free=1000))
    with pytest.raises(OutputError, match=r"no room for a checkpoint .* goes on behind the last epoch"):
        train_classifier(options, run)
    assert not list((run.path / "checkpoint").glob("*epoch*"))
    monkeypatch.setattr(shutil, "disk_usage", usage)
    train_classifier(options, run)
    assert run.model_path.exists()


def test_a_damaged_checkpoint_is_named(drawn_photos: Path, tmp_path: Path, killed_in_second_epoch: Killed) -> None:
    run, options = TrainingRun(tmp_path / "run"), make_options(drawn_photos)
    with killed_in_second_epoch():
        train_classifier(options, run)
    (weights,) = (run.path / "checkpoint").glob("*.weights.h5")
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(RunError, match=rf"{weights.name} is missing or damaged"):
        train_classifier(options, run)


def test_no_epoch_at_all_is_refused(drawn_photos: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no epoch to train"):
        train_classifier(make_options(drawn_photos, epochs=0), TrainingRun(tmp_path / "run"))


def test_tensorboard_gets_each_epoch(trained_run: TrainingRun) -> None:
    assert len(list((trained_run.path / "tensorboard").glob("events*"))) == 2
