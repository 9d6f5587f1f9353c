import csv
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

pytest.importorskip("sklearn", reason="needs the train extra")
pytest.importorskip("pycocotools", reason="needs the train extra")

from convert.metadata_writer import add_metadata
from edge_runtime.drawing import GARMENTS
from edge_runtime.errors import DataError, ModelError, OutputError
from edge_runtime.files import hash_file
from edge_runtime.metadata.reading import model_sha256
from edge_runtime.spec import DetectionSpec, HeadSpec, ModelSpec
from edge_runtime.training_run import Split, SplitRow, write_split_rows
from train.cli import main

FIRST, SECOND, THIRD, FOURTH = GARMENTS[:4]
_CELL = 24
"""Pixels of one of the tiny detector's 4 x 4 cells."""

MakeOld = Callable[[Sequence[str], float], Path]


def evaluate(model: Path | str, data: Path, *arguments: str | Path) -> Result:
    command = ["evaluate", str(model), str(data), *map(str, arguments)]
    return CliRunner().invoke(main, command, catch_exceptions=False)


def paint(path: Path, hue: int) -> None:
    """Write a picture that the tiny model takes for the garment of this place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixel = np.array([[[round(hue * 180 / len(GARMENTS)), 255, 255]]], np.uint8)
    cv2.imwrite(str(path), np.tile(cv2.cvtColor(pixel, cv2.COLOR_HSV2BGR), (40, 30, 1)))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Photos of three classes, of which the tiny model answers all rightly but the last."""
    folder = tmp_path / "photos"
    for name, hue in (("0", 0), ("1", 0), ("2", 0)):
        paint(folder / FIRST / f"{name}.png", hue)
    for name in ("0", "1"):
        paint(folder / SECOND / f"{name}.png", 1)
    for name, hue in (("0", 2), ("1", 2), ("2", 3)):
        paint(folder / THIRD / f"{name}.png", hue)
    return folder


@pytest.fixture
def make_model(tmp_path: Path, tiny_model_bytes: bytes, tiny_spec: ModelSpec) -> MakeOld:
    def make(labels: Sequence[str], threshold: float) -> Path:
        """Write the tiny model under other labels and with another threshold."""
        path = tmp_path / f"{threshold}.tflite"
        path.write_bytes(
            add_metadata(tiny_model_bytes, replace(tiny_spec, heads=(HeadSpec("garment", tuple(labels), threshold),)))
        )
        return path

    return make


@pytest.fixture
def old(make_model: MakeOld) -> Path:
    """A model that lacks the second garment, and takes the third and the fourth for each other."""
    return make_model((FIRST, "cap", FOURTH, THIRD, *GARMENTS[4:]), 0.125)


def test_two_files_are_asked_the_same_photos(photos: Path, tiny_model: Path, old: Path) -> None:
    result = evaluate(tiny_model, photos, "--against", old, "--json")
    assert result.exit_code == 0, result.output
    record = json.loads(result.stdout)
    against = record["against"]
    assert against["model_sha256"] == model_sha256(old.read_bytes())
    assert against["lacks"] == [SECOND]
    scores, gain = against["scores"], against["gain"]
    assert (scores["photos"], scores["top1"]["value"], scores["threshold"]) == (8, 4 / 8, 0.125)
    assert {each["label"]: each["recall"]["value"] for each in scores["classes"] if each["photos"]} == {
        FIRST: 1, SECOND: 0, THIRD: pytest.approx(1 / 3),
    }  # fmt: skip
    assert record["top1"]["value"] == 7 / 8
    # Of what both know: the second garment, which the other one lacks, tells nothing.
    assert (gain["photos"], gain["won"], gain["lost"], gain["p_value"]) == (6, 2, 1, 1.0)
    assert gain["top1"]["value"] == pytest.approx(1 / 6)
    assert gain["top1"]["low"] < 0 < gain["top1"]["high"]
    assert gain["classes"] == [
        {"label": FIRST, "won": 0, "lost": 0, "p_value": 1.0},
        {"label": SECOND, "won": 2, "lost": 0, "p_value": 0.5},
        {"label": THIRD, "won": 2, "lost": 1, "p_value": 1.0},
    ]


def test_text_has_both(photos: Path, tiny_model: Path, old: Path) -> None:
    lines = evaluate(tiny_model, photos, "--against", old).stdout.splitlines()
    assert lines[1].startswith("OLD: tiny (sha256 ")
    assert f"OLD lacks {SECOND}: its photos count as answered wrongly." in lines
    top1 = next(line for line in lines if line.startswith("top-1 accuracy"))
    assert "87.5% (95 % interval" in top1
    assert "50.0% (95 % interval" in top1
    assert "on    6 photos of the classes that OLD knows" in lines
    assert any(line.startswith("gain  top-1 accuracy +16.7 points") for line in lines)
    assert "won   2 photos that MODEL alone answers rightly" in lines
    cells = {line.split()[0]: line.split()[1:] for line in lines if line}
    assert cells[SECOND] == ["2", "100.0%", "0.0%", "100.0%", "-", "2", "0", "0.5", "-"]
    # Answered with, yet on no photo: by the file itself, and by the other one alone.
    assert cells[FOURTH] == ["0", "-", "-", "0.0%", "0.0%", "-", "-", "-", "-"]
    assert cells["cap"] == ["0", "-", "-", "-", "0.0%", "-", "-", "-", "-"]


def test_a_file_neither_wins_nor_loses_against_itself(photos: Path, tiny_model: Path) -> None:
    gain = json.loads(evaluate(tiny_model, photos, "--against", tiny_model, "--json").stdout)["against"]["gain"]
    assert (gain["won"], gain["lost"], gain["p_value"], gain["top1"]["value"]) == (0, 0, 1.0, 0.0)


def against_other_names(model: Path, data: Path, old: Path, *renames: str) -> Result:
    options = (option for rename in renames for option in ("--against-rename", rename))
    return evaluate(model, data, "--against", old, *options, "--json")


def test_what_the_other_file_calls_otherwise_is_compared(photos: Path, tiny_model: Path, old: Path) -> None:
    (photos / SECOND).rename(photos / "Cap")
    result = evaluate(tiny_model, photos, "--rename", f"Cap={SECOND}", "--against", old, "--against-rename",
                      f"{SECOND}=cap", "--json")  # fmt: skip
    assert result.exit_code == 0, result.output
    against = json.loads(result.stdout)["against"]
    assert (against["lacks"], against["gain"]["photos"], against["gain"]["won"]) == ([], 8, 2)
    recalls = {each["label"]: each["recall"] for each in against["scores"]["classes"]}
    assert recalls[SECOND]["value"] == 1
    assert "cap" not in recalls


def test_names_that_the_other_file_swaps_are_swapped_back(photos: Path, tiny_model: Path, old: Path) -> None:
    renames = (f"{THIRD}={FOURTH}", f"{FOURTH}={THIRD}", f"{SECOND}=cap")
    gain = json.loads(against_other_names(tiny_model, photos, old, *renames).stdout)["against"]["gain"]
    assert (gain["won"], gain["lost"]) == (0, 0)


def test_a_name_that_the_other_file_has_for_something_else_is_not_mixed_up(
    photos: Path, tiny_model: Path, old: Path
) -> None:
    """The other one's third class is none of the model's, though it is called like one."""
    against = json.loads(against_other_names(tiny_model, photos, old, f"{THIRD}={FOURTH}").stdout)["against"]
    (recall,) = [each["recall"]["value"] for each in against["scores"]["classes"] if each["label"] == THIRD]
    assert recall == pytest.approx(2 / 3)
    assert f"{THIRD} (OLD)" in {each["label"] for each in against["scores"]["classes"]}


def test_a_file_that_knows_no_class_is_no_rival(photos: Path, tiny_model: Path, make_model: MakeOld) -> None:
    stranger = make_model([f"other {label}" for label in GARMENTS], 0.125)
    result = evaluate(tiny_model, photos, "--against", stranger)
    assert result.exit_code == DataError.exit_code
    assert f"OLD lacks every class of {photos}: " in result.stderr
    assert "--against-rename NAME=OLDNAME" in result.stderr
    assert not result.stdout


@pytest.mark.parametrize(
    ("renames", "code", "sentence"),
    [
        (["skort=cap"], DataError.exit_code, "MODEL has no class 'skort'"),
        ([f"{SECOND}=skort"], DataError.exit_code, "OLD has no class 'skort'"),
        ([f"{SECOND}=cap", f"{FIRST}=cap"], 2, "a class is named in two pairs"),
        ([f"{SECOND}=cap", f"{SECOND}={FIRST}"], 2, "a class is named in two pairs"),
        ([SECOND], 2, "is not of the form NAME=OLDNAME"),
    ],
)
def test_names_of_the_other_file_that_fit_nothing_are_refused(
    photos: Path, tiny_model: Path, old: Path, renames: list[str], code: int, sentence: str
) -> None:
    result = against_other_names(tiny_model, photos, old, *renames)
    assert (result.exit_code, sentence in result.stderr) == (code, True)


def test_names_of_a_file_that_is_not_given_are_refused(photos: Path, tiny_model: Path) -> None:
    result = evaluate(tiny_model, photos, "--against-rename", f"{SECOND}=cap")
    assert (result.exit_code, "name OLD with --against" in result.stderr) == (2, True)


def test_negatives_are_rejected_by_each_files_own_threshold(
    photos: Path, tiny_model: Path, make_model: MakeOld, tmp_path: Path
) -> None:
    for name in ("a", "b/c"):
        # Of no hue, so that all ten labels score a tenth.
        path = tmp_path / "negatives" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((40, 30, 3), 128, np.uint8))
    arguments = ("--negatives", tmp_path / "negatives", "--against", make_model(GARMENTS, 0.5))
    record = json.loads(evaluate(tiny_model, photos, *arguments, "--json").stdout)
    assert (record["negatives"]["pictures"], record["negatives"]["rejected"]["value"]) == (2, 0)
    assert record["against"]["scores"]["negatives"]["rejected"]["value"] == 1
    lines = evaluate(tiny_model, photos, *arguments).stdout.splitlines()
    (line,) = [line for line in lines if line.startswith("negatives rejected")]
    assert "0.0% (95 % interval 0.0% to 65.8%) of 2 " in line
    assert line.endswith("100.0% (95 % interval 34.2% to 100.0%) of 2")


def test_negatives_must_be_there_and_readable(photos: Path, tiny_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "negatives"
    folder.mkdir()
    result = evaluate(tiny_model, photos, "--negatives", folder)
    assert result.exit_code == DataError.exit_code
    assert "has no picture" in result.stderr
    (folder / "a.png").write_bytes(b"no picture")
    result = evaluate(tiny_model, photos, "--negatives", folder)
    assert result.exit_code == DataError.exit_code
    assert "1 of 9 photos cannot be read" in result.stderr


def test_answers_are_written_photo_by_photo(photos: Path, tiny_model: Path, old: Path, tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "answers.csv"
    assert evaluate(tiny_model, photos, "--against", old, "--answers", path).exit_code == 0
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert list(rows[0]) == ["image", "label", "answer", "score", "against_answer", "against_score"]
    told = {row["image"]: (row["label"], row["answer"], row["against_answer"]) for row in rows}
    assert len(told) == 8
    assert told[f"{SECOND}/0.png"] == (SECOND, SECOND, "cap")
    assert told[f"{THIRD}/2.png"] == (THIRD, FOURTH, THIRD)
    assert all(0 < float(row["score"]) == float(row["against_score"]) <= 1 for row in rows)
    assert evaluate(tiny_model, photos, "--answers", path).exit_code == 0
    assert path.read_text().splitlines()[0] == "image,label,answer,score"


def test_answers_replace_nothing_that_is_read(photos: Path, tiny_model: Path, tmp_path: Path) -> None:
    splits = tmp_path / "splits.csv"
    splits.write_text("image,label,group,split,sha256\n")
    result = evaluate(tiny_model, photos, "--splits", splits, "--split", "test", "--answers", splits)
    assert result.exit_code == 2
    assert f"--answers would replace {splits}, which is read" in result.stderr
    assert evaluate(tiny_model, photos, "--answers", tiny_model).exit_code == 2


def test_figures_are_told_where_answers_cannot_be_written_at_the_end(
    photos: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_up(path: Path, *_: object) -> None:
        raise OutputError(f"{path} cannot be written.")

    monkeypatch.setattr("train.report.answers_file.write_text", fill_up)
    result = evaluate(tiny_model, photos, "--answers", tmp_path / "answers.csv")
    assert result.exit_code == OutputError.exit_code
    assert "top-1 accuracy" in result.stdout


def test_answers_that_cannot_be_written_end_it_at_once(photos: Path, tiny_model: Path) -> None:
    result = evaluate(tiny_model, photos, "--answers", photos / FIRST / "0.png" / "answers.csv")
    assert result.exit_code == OutputError.exit_code
    assert not result.stdout


def write_splits(path: Path, photos: Path, test: Sequence[str]) -> Path:
    images = sorted(file.relative_to(photos).as_posix() for file in photos.rglob("*.png"))
    sides = {image: Split.TEST if image in test else Split.TRAIN for image in images}
    rows = (
        SplitRow(image, Path(image).parent.name, image, side, hash_file(photos / image))
        for image, side in sides.items()
    )
    write_split_rows(path, rows)
    return path


def test_only_photos_of_the_side_asked_for_are_measured(photos: Path, tiny_model: Path, tmp_path: Path) -> None:
    splits = write_splits(tmp_path / "splits.csv", photos, [f"{SECOND}/0.png", f"{THIRD}/2.png"])
    arguments = ("--splits", splits, "--split", "test", "--rename", f"{FIRST}=")
    record = json.loads(evaluate(tiny_model, photos, *arguments, "--json").stdout)
    assert (record["split"], record["photos"], record["top1"]["value"]) == ("test", 2, 0.5)
    assert f" on the test photos of {photos}\n" in evaluate(tiny_model, photos, *arguments).stdout
    result = evaluate(tiny_model, photos, "--splits", splits, "--split", "validation")
    assert result.exit_code == DataError.exit_code
    assert f"{photos} has no validation photo" in result.stderr


def test_a_split_of_other_data_is_refused(photos: Path, tiny_model: Path, tmp_path: Path) -> None:
    splits = write_splits(tmp_path / "splits.csv", photos, [f"{SECOND}/0.png"])
    paint(photos / THIRD / "more.png", 4)
    result = evaluate(tiny_model, photos, "--splits", splits, "--split", "test")
    assert result.exit_code == DataError.exit_code
    assert "is a split of other data: 1 photos of the data are not in it" in result.stderr


def test_options_that_do_nothing_alone_are_refused(photos: Path, tiny_model: Path, tmp_path: Path) -> None:
    alone = evaluate(tiny_model, photos, "--split", "test")
    assert (alone.exit_code, "name a split file with --splits" in alone.stderr) == (2, True)
    alone = evaluate(tiny_model, photos, "--splits", tmp_path / "splits.csv")
    assert (alone.exit_code, "name with --split which" in alone.stderr) == (2, True)


def test_folders_say_what_photos_serve_for(photos: Path, tiny_model: Path, caplog: pytest.LogCaptureFixture) -> None:
    divided = photos.parent / "divided"
    for side in ("train", "test"):
        shutil.copytree(photos, divided / side)
    (divided / "test" / FIRST / "0.png").unlink()
    with caplog.at_level("INFO"):
        record = json.loads(evaluate(tiny_model, divided, "--split", "test", "--json").stdout)
    assert record["photos"] == 7
    assert "lies divided" not in caplog.text


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    """A YOLO data set: two dozen photos with a red cell, and a green one on every other photo."""
    for folder in ("images", "labels"):
        (tmp_path / "scenes" / folder).mkdir(parents=True)
    for number in range(24):
        picture = np.zeros((4 * _CELL, 4 * _CELL, 3), np.uint8)
        picture[_CELL : 2 * _CELL, _CELL : 2 * _CELL] = (0, 0, 255)
        boxes = ["0 0.375 0.375 0.25 0.25"]
        if number % 2:
            picture[_CELL : 2 * _CELL, 3 * _CELL :] = (0, 255, 0)
            boxes.append("1 0.875 0.375 0.25 0.25")
        # Photos of the same content would be copies.
        picture[0, 0] = number
        cv2.imwrite(str(tmp_path / "scenes" / "images" / f"{number}.png"), picture)
        (tmp_path / "scenes" / "labels" / f"{number}.txt").write_text("\n".join(boxes))
    (tmp_path / "scenes" / "classes.txt").write_text("red\ngreen\n")
    return tmp_path / "scenes"


@pytest.fixture
def old_detector(tiny_detector_bytes: bytes, tiny_spec: ModelSpec, tmp_path: Path) -> Path:
    """The tiny detector under another name of green."""
    labels = ("red", "lime", "blue")
    detection = DetectionSpec(labels, 0.5, iou_threshold=0.5, max_detections=8)
    path = tmp_path / "old.tflite"
    path.write_bytes(add_metadata(tiny_detector_bytes, replace(tiny_spec, heads=(), detection=detection)))
    return path


def test_two_detectors_look_at_the_same_photos(scenes: Path, tiny_detector: Path, old_detector: Path) -> None:
    result = evaluate(tiny_detector, scenes, "--against", old_detector, "--json")
    assert result.exit_code == 0, result.output
    record = json.loads(result.stdout)
    scores, gain = record["against"]["scores"], record["against"]["gain"]
    assert record["against"]["lacks"] == ["green"]
    assert (record["boxes"], record["found"], record["wrong"]) == (36, 36, 0)
    assert (scores["boxes"], scores["found"], scores["missed"], scores["wrong"]) == (36, 24, 12, 12)
    assert (record["map50"], scores["map50"]) == pytest.approx((1, 0.5))
    # Both find the red boxes alike, and green ones tell nothing. All draws come out the same: no interval.
    assert gain == {"boxes": 24, "map": {"value": 0, "low": None, "high": None}, "map50": 0}
    assert {each["label"]: each["map50"] for each in scores["classes"]} == {"red": 1, "green": 0, "lime": None}


def test_a_detectors_text_has_both(scenes: Path, tiny_detector: Path, old_detector: Path) -> None:
    lines = evaluate(tiny_detector, scenes, "--against", old_detector).stdout.splitlines()
    assert "OLD lacks green: its boxes count as missed." in lines
    assert "on             24 boxes of the classes that OLD knows" in lines
    assert "gain of mAP50  +0.000" in lines
    cells = {line.split()[0]: line.split()[1:] for line in lines if line}
    assert cells["green"][-4:] == ["12", "0", "0", "0"]
    assert cells["lime"] == ["0", "-", "-", "-", "-", "0", "0", "0", "12"]


def test_what_the_other_detector_calls_otherwise_is_compared(
    scenes: Path, tiny_detector: Path, old_detector: Path
) -> None:
    result = against_other_names(tiny_detector, scenes, old_detector, "green=lime")
    assert result.exit_code == 0, result.output
    against = json.loads(result.stdout)["against"]
    assert (against["lacks"], against["scores"]["found"], against["gain"]["boxes"]) == ([], 36, 36)
    assert against["gain"]["map"]["value"] == 0
    assert {each["label"] for each in against["scores"]["classes"]} == {"red", "green"}


def test_a_detector_that_knows_no_class_is_no_rival(scenes: Path, tiny_detector: Path, old_detector: Path) -> None:
    result = evaluate(tiny_detector, scenes, "--rename", "red=", "--against", old_detector)
    assert result.exit_code == DataError.exit_code
    assert "OLD lacks every class of" in result.stderr


def test_a_detector_is_measured_on_a_side(scenes: Path, tiny_detector: Path, tmp_path: Path) -> None:
    splits = write_splits(tmp_path / "splits.csv", scenes, ["images/0.png", "images/1.png"])
    record = json.loads(evaluate(tiny_detector, scenes, "--splits", splits, "--split", "test", "--json").stdout)
    assert (record["photos"], record["boxes"], record["split"]) == (2, 3, "test")
    result = evaluate(tiny_detector, scenes, "--split", "test")
    assert (result.exit_code, "name a split file" in result.stderr) == (2, True)


def test_what_only_a_classifier_does_is_refused(scenes: Path, tiny_detector: Path, tmp_path: Path) -> None:
    for option in ("--negatives", "--answers"):
        result = evaluate(tiny_detector, scenes, option, tmp_path / "nowhere")
        assert result.exit_code == 2
        assert f"{option} belongs to a classifier" in result.stderr


def test_models_of_two_kinds_are_refused(scenes: Path, tiny_detector: Path, tiny_model: Path) -> None:
    result = evaluate(tiny_detector, scenes, "--against", tiny_model)
    assert result.exit_code == ModelError.exit_code
    assert "name two models of one kind" in result.stderr
