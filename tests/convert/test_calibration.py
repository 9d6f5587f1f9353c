import csv
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from click.testing import CliRunner

pytest.importorskip("tensorflow", reason="needs the train extra")

from convert.cli import main
from convert.parity.calibration_curve import CalibrationPoint
from convert.parity.calibration_writing import _format
from convert.parity.figures import draw_calibration
from edge_runtime.errors import DataError
from edge_runtime.recognizer import Recognizer
from edge_runtime.training_run import Split, TrainingRun


@pytest.fixture
def own_folder(detector_run: TrainingRun, tmp_path: Path) -> Path:
    """Photos of the user's own, here the run's training photos under other names, a sub-folder per class."""
    for at, row in enumerate(detector_run.read_splits(Split.TRAIN)):
        (tmp_path / "own" / row.label).mkdir(parents=True, exist_ok=True)
        shutil.copy(detector_run.path.parent / row.image, tmp_path / "own" / row.label / f"mine{at}.png")
    return tmp_path / "own"


def convert(run: TrainingRun, output: Path, *options: str):  # noqa: ANN201
    return CliRunner().invoke(main, [str(run.path), "-o", str(output), *options])


def test_a_folder_of_the_users_is_calibrated_on_and_named_in_the_file(
    detector_run: TrainingRun, own_folder: Path, tmp_path: Path
) -> None:
    result = convert(detector_run, tmp_path / "m.tflite", "--calibration", str(own_folder))
    assert result.exit_code == 0, result.output
    facts = Recognizer.load(tmp_path / "m.tflite").spec.provenance["calibration"]
    assert (facts["source"], facts["images"]) == ("folder", 16)
    photos = json.loads((tmp_path / "m.parity" / "calibration.json").read_text())["photos"]
    assert {Path(photo["image"]).name[:4] for photo in photos} == {"mine"}


def test_the_list_of_photos_is_that_of_the_file(detector_run: TrainingRun, tmp_path: Path) -> None:
    """A conversion that writes no file leaves that of the file that is there; one of no photos takes it away."""
    listed = tmp_path / "m.parity" / "calibration.json"
    listed.parent.mkdir()
    listed.write_text("of the file of yesterday")
    failed = convert(detector_run, tmp_path / "m.tflite", "--calibration-images", "1")
    assert failed.exit_code == DataError.exit_code
    assert listed.read_text() == "of the file of yesterday"
    result = convert(detector_run, tmp_path / "m.tflite", "--recipe", "float32")
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in listed.parent.iterdir()) == ["parity.html", "parity.json"]


def test_a_validation_photo_under_another_name_is_refused(
    detector_run: TrainingRun, own_folder: Path, tmp_path: Path
) -> None:
    held_out = detector_run.read_splits(Split.VALIDATION)[0]
    shutil.copy(detector_run.path.parent / held_out.image, own_folder / held_out.label / "harmless.png")
    result = convert(detector_run, tmp_path / "m.tflite", "--calibration", str(own_folder))
    assert result.exit_code == DataError.exit_code
    assert "harmless.png" in result.stderr
    assert not (tmp_path / "m.tflite").exists()


def test_photos_of_one_class_are_refused(detector_run: TrainingRun, tmp_path: Path) -> None:
    result = convert(detector_run, tmp_path / "m.tflite", "--calibration-images", "1")
    assert result.exit_code == DataError.exit_code
    assert "All 1 calibration photos are of the class" in result.stderr


def test_the_range_of_the_input_is_that_of_pixels_in_any_light(detector_run: TrainingRun, tmp_path: Path) -> None:
    """Other engines put pixels in as they are, whatever the photos were that it was calibrated on."""
    folder = tmp_path / "grey"
    folder.mkdir()
    for seed in range(4):
        picture = np.random.default_rng(seed).integers(90, 150, (64, 64, 3), np.uint8)
        cv2.imwrite(str(folder / f"{seed}.png"), picture)
    result = convert(detector_run, tmp_path / "m.tflite", "--calibration", str(folder))
    assert result.exit_code == 0, result.output
    entry = Interpreter(str(tmp_path / "m.tflite")).get_input_details()[0]
    mean, std = detector_run.read_spec().input.mean[0], detector_run.read_spec().input.std[0]
    scale, zero_point = entry["quantization"]
    assert scale == pytest.approx(1 / std, rel=1e-3)
    assert zero_point == pytest.approx(mean, abs=1)


def test_photos_in_one_sub_folder_of_another_name_are_of_any_class(
    detector_run: TrainingRun, own_folder: Path, tmp_path: Path
) -> None:
    """A folder may be ordered by day or camera just as well."""
    photos = sorted(own_folder.glob("*/*"))
    (tmp_path / "cam" / "monday").mkdir(parents=True)
    for photo in photos:
        photo.rename(tmp_path / "cam" / "monday" / photo.name)
    result = convert(detector_run, tmp_path / "m.tflite", "--calibration", str(tmp_path / "cam"))
    assert result.exit_code == 0, result.output


def test_the_curve_has_each_choice_and_begins_with_keras(detector_run: TrainingRun, tmp_path: Path) -> None:
    command = ["calibration", str(detector_run.path), "-o", str(tmp_path / "curve"), "--counts", "2", "--seeds", "1"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    with (tmp_path / "curve" / "calibration.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["choice"], row["images"]) for row in rows] == [
        ("keras float32", "0"),
        ("training photos", "2"),
        ("photos of one class", "2"),
        ("drawings", "2"),
    ]
    assert float(rows[0]["quality"]) == float(rows[0]["agreement"]) == 1.0
    # Of eight photos there is no interval.
    assert (rows[0]["low"], rows[0]["high"]) == ("", "")
    assert len(result.stdout.splitlines()) == 1 + len(rows)
    assert (tmp_path / "curve" / "calibration.svg").read_text().startswith("<svg")


def test_a_curve_of_a_model_that_reports_nothing_has_dashes() -> None:
    points = [CalibrationPoint("drawings", images, 0, 0.1, None, None, None, None) for images in (0, 1, 5)]
    assert _format(points[0]).split() == ["drawings", "0", "0", "10.00", "%", "-", "-"]
    assert "95 % interval" not in draw_calibration(points, "mAP")


def test_counts_that_are_none_are_refused(detector_run: TrainingRun, tmp_path: Path) -> None:
    command = ["calibration", str(detector_run.path), "-o", str(tmp_path / "curve"), "--counts", "5,none"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 2
    assert "whole numbers from 1" in result.stderr
