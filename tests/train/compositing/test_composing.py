import json
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

pytest.importorskip("tqdm", reason="needs the train extra")

from edge_runtime.errors import DataError, OutputError
from edge_runtime.training_run import Split, read_split_rows
from train.cli import main
from train.compositing.composing import ComposeOptions, choose_photos
from train.data.boxes import BoxSet
from train.data.detection_formats import read_boxes
from train.data.photos import Columns

_SIZE = (120, 160)


def compose(data: Path, output: Path, *arguments: str) -> Result:
    options = ["--scenes", "12", "--size", "120x160", *arguments]
    return CliRunner().invoke(main, ["compose", str(data), "-o", str(output), *options], catch_exceptions=False)


def count_boxes(box_set: BoxSet) -> Counter[str]:
    return Counter(box.label for photo in box_set.photos for box in photo.boxes)


def test_scenes_are_a_coco_data_set(plain_photos: Path, tmp_path: Path) -> None:
    result = compose(plain_photos, tmp_path / "scenes")
    assert result.exit_code == 0, result.output
    box_set = read_boxes(tmp_path / "scenes" / "instances.json")
    assert len(box_set.photos) == 12
    assert all(photo.composed for photo in box_set.photos)
    assert {(photo.width, photo.height) for photo in box_set.photos} == {_SIZE}
    counts = count_boxes(box_set)
    assert set(counts) == {"hat", "shirt", "pants", "shoe"}
    assert result.stderr.endswith("".join(f"{label}: {counts[label]} boxes\n" for label in sorted(counts)))
    assert cv2.imread(str(tmp_path / "scenes" / "preview.jpg")).shape[0] == 800


def test_the_seed_alone_decides(plain_photos: Path, tmp_path: Path) -> None:
    for folder, seed in (("a", "5"), ("b", "5"), ("c", "6")):
        assert compose(plain_photos, tmp_path / folder, "--scenes", "3", "--seed", seed).exit_code == 0
    first, again, other = (
        [path.read_bytes() for path in sorted((tmp_path / folder).rglob("*.*")) if path.is_file()] for folder in "abc"
    )
    assert first == again
    assert first != other


def test_classes_are_renamed_joined_and_left_out(plain_photos: Path, tmp_path: Path) -> None:
    arguments = ["--rename", "pants=shirt", "--rename", "hat="]
    assert compose(plain_photos, tmp_path / "scenes", *arguments).exit_code == 0
    content = json.loads((tmp_path / "scenes" / "instances.json").read_text())
    assert [category["name"] for category in content["categories"]] == ["shirt", "shoe"]


def test_of_a_split_the_training_photos_alone_are_used(plain_photos: Path, tmp_path: Path) -> None:
    splits = tmp_path / "splits.csv"
    CliRunner().invoke(
        main, ["split", str(plain_photos), "-o", str(splits), "--validation-share", "0.5"], catch_exceptions=False
    )
    options = ComposeOptions(plain_photos, None, Columns(), splits, {}, None, 1, *_SIZE, 0)
    chosen = {photo.image for photo in choose_photos(options).photos}
    assert chosen == {row.image for row in read_split_rows(splits) if row.split is Split.TRAIN}
    assert 0 < len(chosen) < 16


def test_photos_of_which_nothing_can_be_cut_are_refused(tmp_path: Path) -> None:
    for label in ("hat", "shirt"):
        (tmp_path / "photos" / label).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "photos" / label / "0.png"), np.full((64, 48, 3), 90, np.uint8))
    result = compose(tmp_path / "photos", tmp_path / "scenes")
    assert result.exit_code == DataError.exit_code
    assert "None of 2 photos shows a garment that can be cut out" in result.stderr
    assert not (tmp_path / "scenes").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--rename", "coat=jacket"], DataError.exit_code, "has no class coat (it has hat, pants, shirt, shoe)"),
        (["--rename", "coat"], 2, "'coat' is not of the form OLD=NEW"),
        (["--size", "big"], 2, "'big' is no size such as 480x640"),
        (["--size", "32x32"], 2, "sides of 64 to 4096 pixels"),
    ],
)
def test_wrong_arguments_are_one_sentence(
    arguments: list[str], code: int, sentence: str, plain_photos: Path, tmp_path: Path
) -> None:
    result = compose(plain_photos, tmp_path / "scenes", *arguments)
    assert result.exit_code == code
    assert sentence in result.stderr
    assert not (tmp_path / "scenes").exists()


def test_a_folder_without_backgrounds_is_refused(plain_photos: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = compose(plain_photos, tmp_path / "scenes", "--backgrounds", str(tmp_path / "empty"))
    assert result.exit_code == DataError.exit_code
    assert "holds no picture" in result.stderr


def test_scenes_do_not_mix_with_what_is_there(plain_photos: Path) -> None:
    result = compose(plain_photos, plain_photos)
    assert result.exit_code == OutputError.exit_code
    assert "name a new folder" in result.stderr
