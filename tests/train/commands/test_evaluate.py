import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

pytest.importorskip("sklearn", reason="needs the train extra")
pytest.importorskip("pycocotools", reason="needs the train extra")

from edge_runtime.errors import DataError, ModelError
from edge_runtime.metadata.reading import model_sha256
from train.cli import main

_CELL = 24
"""Pixels of one of the tiny detector's 4 x 4 cells."""
_NAMES = ("full.png", "empty.png")


def evaluate(model: Path | str, data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["evaluate", str(model), str(data), *arguments], catch_exceptions=False)


@pytest.fixture
def photos(drawn_photos: Path, tmp_path: Path) -> Path:
    """A copy of the drawings that a test may change."""
    return Path(shutil.copytree(drawn_photos, tmp_path / "photos"))


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    """A COCO file: one photo with a red and a green cell, labelled as a crimson and a blue one, and one without any."""
    picture = np.zeros((4 * _CELL, 4 * _CELL, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "empty.png"), picture)
    picture[_CELL : 2 * _CELL, _CELL : 2 * _CELL] = (0, 0, 255)
    picture[_CELL : 2 * _CELL, 3 * _CELL :] = (0, 255, 0)
    cv2.imwrite(str(tmp_path / "full.png"), picture)
    corners = ((_CELL, _CELL), (_CELL, 3 * _CELL))
    content = {
        "images": [{"id": at, "file_name": name, "width": 96, "height": 96} for at, name in enumerate(_NAMES)],
        "categories": [{"id": 0, "name": "crimson"}, {"id": 1, "name": "blue"}],
        "annotations": [
            {"id": at, "image_id": 0, "category_id": at, "bbox": [*corner, _CELL, _CELL]}
            for at, corner in enumerate(corners)
        ],
    }
    (tmp_path / "instances.json").write_text(json.dumps(content))
    return tmp_path / "instances.json"


def test_the_bundled_classifier_on_drawings(drawn_photos: Path, bundled_model: Path) -> None:
    result = evaluate("garment_classifier", drawn_photos, "--json")
    assert result.exit_code == 0, result.output
    scores = json.loads(result.stdout)
    assert scores["model_sha256"] == model_sha256(bundled_model.read_bytes())
    assert (scores["photos"], scores["data"]) == (48, str(drawn_photos))
    shown = {each["label"]: each["photos"] for each in scores["classes"] if each["photos"]}
    assert shown == {"hat": 16, "pants": 16, "shoes": 16}
    recalls = [each["recall"]["value"] for each in scores["classes"] if each["recall"]]
    assert scores["macro"] == pytest.approx(np.mean(recalls)) == pytest.approx(scores["top1"]["value"])
    assert scores["top1"]["low"] < scores["top1"]["value"] > 0.8
    assert 0 < scores["threshold"] < 1


def test_text_names_the_model_and_every_class(drawn_photos: Path) -> None:
    result = evaluate("garment_classifier", drawn_photos)
    lines = result.stdout.splitlines()
    assert lines[0].startswith("garment-efficientnet_lite0-224 (sha256 ")
    assert any(line.startswith("top-1 accuracy") and "95 % interval" in line for line in lines)
    assert {"hat", "pants", "shoes"} <= {line.split(" ")[0] for line in lines}


def test_json_is_right_whatever_stdout_can_hold(photos: Path) -> None:
    renamed = photos.rename(photos.with_name("bluze ă 👕"))
    for arguments in (["--json"], []):
        result = CliRunner(charset="cp1252").invoke(main, ["evaluate", "garment_classifier", str(renamed), *arguments])
        assert result.exit_code == 0, result.output
        assert "bluze " in result.stdout
        if arguments:
            assert json.loads(result.stdout)["data"] == str(renamed)


def test_one_class_is_measured_alone(photos: Path) -> None:
    for name in ("pants", "shoes"):
        shutil.rmtree(photos / name)
    result = evaluate("garment_classifier", photos, "--json")
    assert result.exit_code == 0, result.output
    scores = json.loads(result.stdout)
    assert (scores["photos"], scores["macro"]) == (16, scores["top1"]["value"])


def test_classes_are_renamed_and_left_out(photos: Path) -> None:
    (photos / "pants").rename(photos / "Trousers")
    (photos / "shoes").rename(photos / "Boots")
    result = evaluate("garment_classifier", photos, "--json", "--rename", "Trousers=pants", "--rename", "Boots=")
    scores = json.loads(result.stdout)
    assert scores["photos"] == 32
    assert {each["label"] for each in scores["classes"] if each["photos"]} == {"hat", "pants"}


def test_a_class_that_the_model_lacks_is_refused(photos: Path) -> None:
    (photos / "pants").rename(photos / "Trousers")
    result = evaluate("garment_classifier", photos)
    assert result.exit_code == DataError.exit_code
    assert "classes that the model lacks: Trousers (the model has dress, hat, " in result.stderr
    assert "--rename OLD=NEW" in result.stderr
    assert not result.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--rename", "coat=hat"], "has no class coat (it has hat, pants, shoes); correct --rename"),
        (["--rename", "hat=", "--rename", "pants=", "--rename", "shoes="], "has no photo left to measure on"),
    ],
)
def test_renames_that_fit_nothing_are_refused(drawn_photos: Path, arguments: list[str], sentence: str) -> None:
    result = evaluate("garment_classifier", drawn_photos, *arguments)
    assert result.exit_code == DataError.exit_code
    assert sentence in result.stderr


def test_unreadable_photos_are_counted_before_any_is_asked(photos: Path) -> None:
    (photos / "hat" / "0.png").write_bytes(b"no picture")
    result = evaluate("garment_classifier", photos)
    assert result.exit_code == DataError.exit_code
    assert "1 of 48 photos cannot be read" in result.stderr


def test_of_data_that_lie_divided_all_is_measured_and_said_so(photos: Path, caplog: pytest.LogCaptureFixture) -> None:
    divided = photos.parent / "divided"
    for side in ("train", "test"):
        shutil.copytree(photos, divided / side)
    with caplog.at_level("INFO"):
        result = evaluate("garment_classifier", divided, "--json")
    assert json.loads(result.stdout)["photos"] == 96
    assert "lies divided" in caplog.text


def test_a_detector_at_its_threshold_and_by_coco(scenes: Path, tiny_detector: Path) -> None:
    result = evaluate(tiny_detector, scenes, "--json", "--rename", "crimson=red")
    assert result.exit_code == 0, result.output
    scores = json.loads(result.stdout)
    assert (scores["model"], scores["photos"], scores["boxes"], scores["threshold"]) == ("tiny-detector", 2, 2, 0.5)
    assert (scores["found"], scores["missed"], scores["wrong"]) == (1, 1, 1)
    by_label = {each["label"]: each for each in scores["classes"]}
    assert by_label["red"]["map50"] == pytest.approx(1)
    assert by_label["blue"] == {
        "label": "blue", "boxes": 1, "map": 0, "map50": 0, "found": 0, "missed": 1, "wrong": 0,
    }  # fmt: skip
    assert (by_label["green"]["boxes"], by_label["green"]["map"], by_label["green"]["wrong"]) == (0, None, 1)
    assert scores["map50"] == pytest.approx(0.5)
    # Two photos tell too little for an interval.
    assert scores["map"]["low"] is None


def test_a_detectors_text(scenes: Path, tiny_detector: Path) -> None:
    lines = evaluate(tiny_detector, scenes, "--rename", "crimson=red").stdout.splitlines()
    assert "found   1 of 2 boxes, by the file's threshold of 0.5" in lines
    assert lines[-3].split() == ["red", "1", *lines[-3].split()[2:3], "1.000", "1", "0", "0"]
    assert lines[-2].split() == ["green", "0", "-", "-", "0", "0", "1"]


def test_boxes_of_a_class_left_out_do_not_count(scenes: Path, tiny_detector: Path) -> None:
    result = evaluate(tiny_detector, scenes, "--json", "--rename", "crimson=red", "--rename", "blue=")
    scores = json.loads(result.stdout)
    assert (scores["boxes"], scores["missed"], scores["map50"]) == (1, 0, pytest.approx(1))


def test_data_of_the_other_kind_are_refused(scenes: Path, drawn_photos: Path, tiny_detector: Path) -> None:
    for result in (evaluate("garment_classifier", scenes), evaluate(tiny_detector, drawn_photos)):
        assert result.exit_code == DataError.exit_code
        assert result.stderr.startswith("Error: ")


def test_options_of_the_other_kind_are_refused(scenes: Path, drawn_photos: Path, tiny_detector: Path) -> None:
    for result in (
        evaluate(tiny_detector, scenes, "--label-column", "kind"),
        evaluate("garment_classifier", drawn_photos, "--classes", str(scenes)),
    ):
        assert result.exit_code == 2
        assert "leave it away" in result.stderr


def test_a_model_that_is_not_there_is_named(drawn_photos: Path) -> None:
    result = evaluate("nosuch.tflite", drawn_photos)
    assert result.exit_code == ModelError.exit_code
    assert "nosuch.tflite cannot be read" in result.stderr
