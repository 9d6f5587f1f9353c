import csv
import json
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from edge_runtime.errors import DataError, RunError  # noqa: E402
from edge_runtime.preprocess import Image  # noqa: E402
from edge_runtime.spec import DetectionSpec, Task  # noqa: E402
from edge_runtime.training_run import Split, TrainingRun, read_split_rows, write_split_rows  # noqa: E402
from train.data.boxes import BoxedPhoto, read_boxed_photo  # noqa: E402
from train.detection.data import read_data  # noqa: E402
from train.detection.detect import DetectOptions, train_detector  # noqa: E402
from train.detection.network import Layout  # noqa: E402
from train.detection.task import DetectorTask  # noqa: E402
from train.fitting.schedule import Schedule, phases  # noqa: E402
from train.networks.architectures import ARCHITECTURES  # noqa: E402
from train.report.detector_run import read_detector_run  # noqa: E402
from train.report.runs import read_run  # noqa: E402

LABELS = ("disc", "square")
SIZE = 64
MakeScenes = Callable[..., Path]
Killed = Callable[[], AbstractContextManager[None]]
SCHEDULE = Schedule(
    head_epochs=0, epochs=2, batch_size=4, head_learning_rate=1e-3, learning_rate=1e-3, ema=0.5, frozen_share=0.3
)


def make_options(data: Path, architecture: str, **changes: Any) -> DetectOptions:
    options = DetectOptions(
        data=(data,),
        validation=(),
        labels=(),
        architecture=architecture,
        layout=Layout(separable=False, pyramid=False),
        image_size=SIZE,
        weights="none",
        loss="focal",
        fit_anchors=0,
        validation_share=0.25,
        schedule=SCHEDULE,
    )
    return replace(options, **changes)


def repeat_options(run: TrainingRun, architecture: str) -> DetectOptions:
    begun = run.read_arguments()
    same = {name: begun[name] for name in ("loss", "fit_anchors")}
    return make_options(Path(begun["data"][0]), architecture, schedule=Schedule(**begun["schedule"]), **same)


def read_history(run: TrainingRun) -> list[dict[str, str]]:
    return list(csv.DictReader((run.path / "metrics.csv").read_text().splitlines()))


def test_a_run_directory_tells_the_whole_story(detector_run: TrainingRun) -> None:
    spec = detector_run.read_spec()
    assert spec.task is Task.DETECTION
    assert spec.heads == ()
    assert spec.detection is not None
    assert spec.detection.labels == LABELS
    model, anchors = keras.models.load_model(detector_run.model_path), detector_run.read_anchors()
    assert [output.shape for output in model.outputs] == [(None, len(anchors), 4), (None, len(anchors), 2)]
    assert [(row["phase"], row["epoch"]) for row in read_history(detector_run)] == [("head", "1"), ("body", "1")]
    rows = detector_run.read_splits()
    assert {row.split for row in rows} == {Split.TRAIN, Split.VALIDATION}
    assert sum(row.label == "" for row in rows) == 2
    assert len(detector_run.read_boxes()) == 16
    scores = json.loads((detector_run.path / "scores.json").read_text())
    best = max(float(row["validation_map"]) for row in read_history(detector_run))
    assert scores["coco"]["map"] == pytest.approx(best, abs=1e-4)


def test_the_last_epochs_see_whole_photos(make_scenes: MakeScenes) -> None:
    data = read_data((make_scenes(count=6, labels=LABELS),), (), (), 0.25, 0)
    schedule = replace(SCHEDULE, head_epochs=1, epochs=4)
    anchors = np.full((1, 4), 0.5, np.float32)
    spec = ARCHITECTURES["mobilenet_v2"].input_spec(SIZE)
    task = DetectorTask(None, data, anchors, spec, DetectionSpec(LABELS), "focal", schedule)
    true_sizes = [
        [(box.x_max - box.x_min, box.y_max - box.y_min) for box in photo.boxes] for photo in data.of(Split.TRAIN)
    ]

    def see_sizes(epoch: int) -> list[list[tuple[float, float]]]:
        batches = task.batches(phases(schedule)[1], epoch)
        samples = [batches.make_sample(number) for number in range(len(true_sizes))]
        return [[tuple(box[2:] - box[:2]) for box in sample.boxes] for sample in samples]

    assert see_sizes(4) == true_sizes
    assert see_sizes(3) != true_sizes


def test_each_epoch_is_augmented_as_itself(
    make_scenes: MakeScenes, small_mobilenet: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keras tells data of ends of epochs that never were."""
    choose, seen = DetectorTask._choose_augmentation, []

    def watch(task: DetectorTask, epoch: int) -> Any:
        seen.append(epoch)
        return choose(task, epoch)

    monkeypatch.setattr(DetectorTask, "_choose_augmentation", watch)
    options = make_options(make_scenes(), small_mobilenet, schedule=replace(SCHEDULE, head_epochs=1, epochs=2))
    train_detector(options, TrainingRun(tmp_path / "run"))
    assert set(seen) == {0, 1, 2}


def test_what_is_found_can_be_measured_by_cocos_own_tool(detector_run: TrainingRun) -> None:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    truth = COCO(str(detector_run.path / "validation.json"))
    evaluation = COCOeval(truth, truth.loadRes(str(detector_run.path / "predictions.json")), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    scores = json.loads((detector_run.path / "scores.json").read_text())
    assert scores["coco"]["map"] == pytest.approx(evaluation.stats[0], abs=1e-3)


def test_the_report_shows_classes_and_a_batch(detector_run: TrainingRun) -> None:
    text = (detector_run.path / "report.html").read_text()
    assert all(word in text for word in ("Training run run", *LABELS, "mAP50", "A training batch", "Learning curves"))
    assert "data:image/jpeg;base64," in text
    batch = cv2.imread(str(detector_run.path / "batch.jpg"))
    assert batch.shape == (480, 960, 3)


def test_a_detector_is_not_compared_with_classifiers(detector_run: TrainingRun) -> None:
    with pytest.raises(RunError, match="run of a detector"):
        read_run(detector_run.path)


def test_a_damaged_run_is_no_report(detector_run: TrainingRun, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(detector_run.path, tmp_path / "copy"))
    (copy / "predictions.json").write_text("[{}]")
    with pytest.raises(RunError, match="damaged"):
        read_detector_run(copy)
    (copy / "predictions.json").unlink()
    with pytest.raises(RunError, match="not finished"):
        read_detector_run(copy)


def test_a_killed_run_ends_as_an_unbroken_one(
    make_scenes: MakeScenes, small_mobilenet: str, tmp_path: Path, killed_in_second_epoch: Killed
) -> None:
    options = make_options(make_scenes(), small_mobilenet)
    unbroken, broken = TrainingRun(tmp_path / "unbroken"), TrainingRun(tmp_path / "broken")
    train_detector(options, unbroken)

    with killed_in_second_epoch():
        train_detector(options, broken)
    assert len(read_history(broken)) == 1
    train_detector(options, broken)

    def losses(run: TrainingRun) -> list[float]:
        return [float(row["loss"]) for row in read_history(run)]

    np.testing.assert_allclose(losses(broken), losses(unbroken), rtol=1e-3)


def test_a_photo_that_is_cut_off_ends_the_run_before_it_begins(
    make_scenes: MakeScenes, small_mobilenet: str, tmp_path: Path
) -> None:
    scenes = make_scenes(count=4)
    photo = scenes.parent / "images" / "3.png"
    photo.write_bytes(photo.read_bytes()[:-200])
    with pytest.raises(DataError, match="truncated"):
        train_detector(make_options(scenes, small_mobilenet), TrainingRun(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_changed_boxes_and_other_arguments_never_touch_a_run(
    detector_run: TrainingRun, small_mobilenet: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Photos are decoded once, when a run begins.
    monkeypatch.setattr("train.detection.detect.check_readable", lambda _: pytest.fail("photos are checked again"))
    run = TrainingRun(Path(shutil.copytree(detector_run.path, tmp_path / "copy")))
    options = repeat_options(run, small_mobilenet)
    (data,) = options.data
    with pytest.raises(RunError, match="another loss"):
        train_detector(replace(options, loss="mining"), run)
    content = data.read_text()
    try:
        changed = json.loads(content)
        changed["annotations"][0]["bbox"][2] -= 1
        data.write_text(json.dumps(changed))
        with pytest.raises(RunError, match="have changed"):
            train_detector(options, run)
    finally:
        data.write_text(content)
    shutil.rmtree(run.path / "checkpoint")
    with pytest.raises(RunError, match="finished run without its last epoch"):
        train_detector(options, run)


@pytest.mark.parametrize("change", [lambda anchors: anchors * 1.01, lambda anchors: anchors[:-1]])
def test_a_run_never_goes_on_with_other_anchors(
    change: Callable[[np.ndarray], np.ndarray], detector_run: TrainingRun, small_mobilenet: str, tmp_path: Path
) -> None:
    """Another version may fit others to the same boxes."""
    run = TrainingRun(Path(shutil.copytree(detector_run.path, tmp_path / "copy")))
    run.write_anchors(change(run.read_anchors()))
    with pytest.raises(RunError, match="began with other anchors than are made now"):
        train_detector(repeat_options(run, small_mobilenet), run)


def test_photos_held_back_by_a_split_are_neither_learnt_nor_measured(
    make_scenes: MakeScenes, small_mobilenet: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[str] = set()

    def watch(images: Path, photo: BoxedPhoto) -> Image:
        seen.add(photo.image)
        return read_boxed_photo(images, photo)

    monkeypatch.setattr("train.detection.dataset.read_boxed_photo", watch)
    scenes, splits = make_scenes(count=12), tmp_path / "splits.csv"
    write_split_rows(splits, read_data([scenes], [], (), 0.25, 0, test_share=0.25).rows)
    run = TrainingRun(tmp_path / "run")
    options = make_options(scenes, small_mobilenet, splits=splits, schedule=replace(SCHEDULE, epochs=1))
    train_detector(options, run)
    rows = run.read_splits()
    assert rows == read_split_rows(splits)
    assert run.read_arguments()["splits"] == str(splits)
    assert seen == {row.image for row in rows if row.split is not Split.TEST}
    assert {box.image for box in run.read_boxes()} == {row.image for row in rows}
    measured = json.loads((run.path / "validation.json").read_text())["images"]
    assert {each["file_name"] for each in measured} == {row.image for row in rows if row.split is Split.VALIDATION}
    train_detector(options, run)  # goes on with it
    first = next(row for row in rows if row.split is Split.TEST)
    write_split_rows(splits, [replace(row, split=Split.TRAIN) if row == first else row for row in rows])
    with pytest.raises(RunError, match="the split have changed"):
        train_detector(options, run)


@pytest.mark.slow
@pytest.mark.parametrize(("pyramid", "loss"), [(True, "varifocal"), (True, "focal"), (False, "mining")])
def test_it_learns_to_find_what_is_drawn(
    pyramid: bool, loss: str, make_scenes: MakeScenes, small_mobilenet: str, tmp_path: Path
) -> None:
    schedule = replace(SCHEDULE, head_epochs=0, epochs=30, batch_size=8, learning_rate=5e-3, frozen_share=0.0, ema=0.9)
    options = make_options(
        make_scenes(count=64),
        small_mobilenet,
        validation=(make_scenes(count=8, seed=1),),
        layout=Layout(separable=True, pyramid=pyramid),
        loss=loss,
        schedule=schedule,
    )
    run = TrainingRun(tmp_path / "run")
    train_detector(options, run)
    assert max(float(row["validation_map50"]) for row in read_history(run)) > 0.9


def test_a_run_goes_on_from_another_detector(
    make_scenes: MakeScenes, small_mobilenet: str, detector_run: TrainingRun, tmp_path: Path
) -> None:
    """At rates of next to nothing, what was taken over can still be seen in the end."""
    schedule = replace(SCHEDULE, head_epochs=1, epochs=0, head_learning_rate=1e-9, ema=0.0)
    options = make_options(make_scenes(), small_mobilenet, weights=str(detector_run.model_path), schedule=schedule)
    train_detector(options, TrainingRun(tmp_path / "run"))
    first, second = (keras.models.load_model(run.model_path) for run in (detector_run, TrainingRun(tmp_path / "run")))
    for name in ("extra_0_narrow", "logits_head_0"):
        kernels = [model.get_layer(name).get_weights()[0] for model in (first, second)]
        assert np.allclose(*kernels, atol=1e-4) == (name == "extra_0_narrow")
