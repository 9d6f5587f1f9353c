import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

pytest.importorskip("sklearn", reason="needs the train extra")

from edge_runtime.bundled import BUNDLED
from edge_runtime.errors import DataError, FindingsError, RunError
from edge_runtime.training_run import Split, TrainingRun, read_split_rows, write_split_rows
from train.cli import main

_NAMES = ["Anna"] * 8 + ["ANNA"] * 8


@pytest.fixture
def photos(drawn_photos: Path, tmp_path: Path) -> Path:
    """A copy of the drawings that a test may spoil."""
    return Path(shutil.copytree(drawn_photos, tmp_path / "photos"))


def check(photos: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", str(photos), "--image-size", "32", *arguments], catch_exceptions=False)


def test_clean_photos_end_well_and_skipped_looks_are_said(photos: Path) -> None:
    result = check(photos)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"48 photos of 3 classes and 48 groups in {photos}\n  hat 16, pants 16, shoes 16\n")
    assert "Labels are not judged; give --model" in result.stdout
    assert "Leaks across a split are not looked for; give --splits" in result.stdout
    assert result.stdout.endswith("errors: 0, warnings: 3, notes: 0\n")


def test_errors_have_their_own_exit_code_and_a_page(photos: Path, tmp_path: Path) -> None:
    (photos / "hat" / "0.png").write_text("no picture")
    shutil.copy(photos / "pants" / "1.png", photos / "shoes" / "<b>.png")
    result = check(photos, "-o", str(tmp_path / "check"))
    assert result.exit_code == FindingsError.exit_code
    assert "would spoil a training: 2;" in result.stderr
    assert "error unreadable: 1" in result.stdout
    report = json.loads((tmp_path / "check" / "check.json").read_text(encoding="utf-8"))
    assert report["counts"]["error"] == 2
    page = (tmp_path / "check" / "check.html").read_text(encoding="utf-8")
    assert "One photo, different labels: 1" in page
    assert page.count("data:image/jpeg;base64,") == 2
    assert "shoes/&lt;b&gt;.png" in page
    assert "http" not in page


def test_json_alone_is_on_stdout(photos: Path) -> None:
    shutil.copy(photos / "hat" / "0.png", photos / "hat" / "копия 0.png")
    (duplicate,) = [each for each in json.loads(check(photos, "--json").stdout)["findings"] if each["photos"]]
    assert (duplicate["kind"], duplicate["severity"]) == ("duplicate", "warning")
    assert [photo["image"] for photo in duplicate["photos"]] == ["hat/0.png", "hat/копия 0.png"]


def test_leaks_across_a_saved_split_are_found(photos: Path, tmp_path: Path) -> None:
    shutil.copy(photos / "hat" / "0.png", photos / "hat" / "copy.png")
    splits = tmp_path / "splits.csv"
    CliRunner().invoke(main, ["split", str(photos), "-o", str(splits)], catch_exceptions=False)
    rows = {row.image: row for row in read_split_rows(splits)}
    sides = {"hat/0.png": Split.TRAIN, "hat/copy.png": Split.VALIDATION}
    write_split_rows(splits, [replace(row, split=sides.get(row.image, row.split)) for row in rows.values()])
    result = check(photos, "--splits", str(splits))
    assert result.exit_code == FindingsError.exit_code
    assert "2 copies are on both sides of the split. hat/0.png (hat), hat/copy.png (hat)" in result.stdout


def test_a_split_of_other_data_is_refused(photos: Path, tmp_path: Path) -> None:
    splits = tmp_path / "splits.csv"
    CliRunner().invoke(main, ["split", str(photos), "-o", str(splits)], catch_exceptions=False)
    cv2.imwrite(str(photos / "hat" / "0.png"), cv2.imread(str(photos / "hat" / "1.png")))
    result = check(photos, "--splits", str(splits))
    assert result.exit_code == DataError.exit_code
    assert "1 photos have changed since (other SHA-256), the first hat/0.png" in result.stderr


def test_one_photo_with_two_labels_in_a_table_is_reported(photos: Path) -> None:
    table = photos / "t.csv"
    table.write_text("image,label\nhat/0.png,hat\nhat/0.png,shoes\nhat/1.png,hat\npants/0.png,pants\n")
    result = check(table)
    assert result.exit_code == FindingsError.exit_code
    assert "2 photos are the same file with different labels: hat, shoes." in result.stdout


def test_groups_that_are_written_in_two_ways_are_told_with_and_without_a_split(photos: Path, tmp_path: Path) -> None:
    rows = [f"{label}/{at}.png,{label},{name} {at % 8}" for label in ("hat", "pants") for at, name in enumerate(_NAMES)]
    table, splits = photos / "t.csv", tmp_path / "splits.csv"
    table.write_text("\n".join(["image,label,sender", *rows]) + "\n")
    grouped = ["--group-column", "sender"]
    CliRunner().invoke(main, ["split", str(table), *grouped, "-o", str(splits)], catch_exceptions=False)
    for arguments in (grouped, [*grouped, "--splits", str(splits)]):
        assert "The groups 'ANNA 0', 'Anna 0' differ in case" in check(table, *arguments).stdout


def test_a_run_and_its_model_file_judge_labels(photos: Path, trained_run: TrainingRun) -> None:
    for model in (trained_run.path, trained_run.model_path):
        result = check(photos, "--model", str(model))
        assert result.exit_code == 0, result.output
        assert "Labels are not judged" not in result.stdout


@pytest.mark.parametrize("model", BUNDLED)
def test_a_bundled_model_judges_labels(photos: Path, model: str) -> None:
    pytest.importorskip("keras", reason="needs the train extra")
    for path in photos.glob("*/*.png"):
        # A photo takes a while.
        if int(path.stem) >= 4:
            path.unlink()
    result = check(photos, "--model", model)
    assert result.exit_code == 0, result.output
    assert "Labels are not judged" not in result.stdout


@pytest.mark.parametrize("name", ["gone.keras", "gone.npz", "text.keras"])
def test_a_model_that_cannot_be_read_is_one_sentence(name: str, photos: Path, tmp_path: Path) -> None:
    pytest.importorskip("keras", reason="needs the train extra")
    (tmp_path / "text.keras").write_text("no model")
    result = check(photos, "--model", str(tmp_path / name))
    assert result.exit_code == (RunError if name.endswith(".keras") else DataError).exit_code
    assert name in result.stderr


def test_missing_data_is_one_sentence(tmp_path: Path) -> None:
    result = check(tmp_path / "none")
    assert result.exit_code == DataError.exit_code
    assert "does not exist" in result.stderr


def test_an_empty_folder_is_an_error_and_no_crash(tmp_path: Path) -> None:
    result = check(tmp_path, "-o", str(tmp_path / "check"))
    assert result.exit_code == FindingsError.exit_code
    assert "There are 0 classes" in result.stdout


def test_boxes_are_judged_at_the_size_that_detect_learns_at(tmp_path: Path) -> None:
    """A box of 10 pixels would be 7 at the size of a classifier, too few to be seen."""
    cv2.imwrite(str(tmp_path / "a.png"), np.full((320, 320, 3), 90, np.uint8))
    content = {
        "images": [{"id": 0, "file_name": "a.png"}],
        "categories": [{"id": 0, "name": "hat"}],
        "annotations": [{"id": 0, "image_id": 0, "category_id": 0, "bbox": [9, 9, 10, 10]}],
    }
    data = tmp_path / "instances.json"
    data.write_text(json.dumps(content))
    arguments = ["check", str(data)]
    assert "an input of" not in CliRunner().invoke(main, arguments).stdout
    assert "7.0 x 7.0 pixels of an input of 224" in CliRunner().invoke(main, [*arguments, "--image-size", "224"]).stdout
