"""YOLO folders whose folders are named after the sides of a split."""

import json
import logging
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from edge_runtime.errors import DataError
from edge_runtime.training_run import Split, read_split_rows
from train.cli import main
from train.data.detection_formats import read_boxes
from train.detection.data import DetectionData, read_data

MakeScenes = Callable[..., Path]
NAMES = {"train": 6, "valid": 3, "test": 2}


def write_photo(root: Path, name: str, side: str = "", boxes: str = "0 0.5 0.5 0.2 0.2\n1 0.3 0.3 0.2 0.2\n") -> None:
    """Write a photo that is like no other, and its boxes, into a folder of YOLO, or a side within it."""
    for kind in ("images", "labels"):
        (root / kind / side).mkdir(parents=True, exist_ok=True)
    seed = int.from_bytes(f"{root.name}{side}{name}".encode())
    pixels = np.random.default_rng(seed).integers(0, 255, (40, 50, 3), np.uint8)
    cv2.imwrite(str(root / "images" / side / f"{name}.png"), pixels)
    (root / "labels" / side / f"{name}.txt").write_text(boxes)


@pytest.fixture(params=["train/images", "images/train"])
def yolo(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A YOLO folder that lies divided in either way."""
    folder = tmp_path / "yolo"
    for side, count in NAMES.items():
        for number in range(count):
            if request.param == "train/images":
                write_photo(folder / side, str(number))
            else:
                write_photo(folder, str(number), side)
    (folder / "classes.txt").write_text("disc\nsquare\n")
    return folder


def read(*sources: Path, validation: tuple[Path, ...] = ()) -> DetectionData:
    return read_data(sources, validation, (), 0.33, seed=0)


def count_sides(data: DetectionData) -> Counter[Split]:
    return Counter(row.split for row in data.rows)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)))


def test_photos_serve_for_what_they_lie_in(yolo: Path) -> None:
    data = read(yolo)
    assert count_sides(data) == {Split.TRAIN: 6, Split.VALIDATION: 3, Split.TEST: 2}
    assert all("test" in row.image for row in data.rows if row.split is Split.TEST)


def test_without_photos_to_validate_on_a_share_of_the_others_is_drawn(yolo: Path) -> None:
    for path in [*yolo.rglob("valid")]:
        shutil.rmtree(path)
    data = read(yolo)
    assert count_sides(data) == {Split.TRAIN: 4, Split.VALIDATION: 2, Split.TEST: 2}
    assert all(("test" in row.image) == (row.split is Split.TEST) for row in data.rows)


def test_photos_of_no_side_beside_others_are_refused_and_found(yolo: Path, tmp_path: Path) -> None:
    for path in [*yolo.rglob("test")]:
        path.rename(path.with_name("monday"))
    with pytest.raises(DataError, match=r"2 photos, the first .*monday.*, lie in none of the folders train, valid and"):
        read(yolo)
    assert "2 photos lie in none of the folders train, valid and test" in run("check", yolo).stdout
    assert run("split", yolo, "-o", tmp_path / "splits.csv").exit_code == 0
    assert len(read_data([yolo], (), (), 0.33, seed=0, splits=tmp_path / "splits.csv").rows) == 11


def test_folders_of_other_names_divide_nothing(tmp_path: Path) -> None:
    for number, name in enumerate(("monday", "test_2", "trainers")):
        write_photo(tmp_path / name, str(number))
        write_photo(tmp_path, str(number), name)
    (tmp_path / "classes.txt").write_text("disc\nsquare\n")
    assert Split.TEST not in count_sides(read(tmp_path))


def test_what_is_not_for_people_to_see_changes_nothing(yolo: Path) -> None:
    for name in ("__MACOSX", ".trash"):
        write_photo(yolo / name, "._0")
    (yolo / "images").mkdir(exist_ok=True)
    (yolo / "labels").mkdir(exist_ok=True)
    (yolo / "images" / "._0.png").touch()
    assert count_sides(read(yolo)) == {Split.TRAIN: 6, Split.VALIDATION: 3, Split.TEST: 2}


def test_a_side_without_labels_is_left_out_and_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for side, count in NAMES.items():
        for number in range(count):
            write_photo(tmp_path / side, str(number))
    (tmp_path / "classes.txt").write_text("disc\nsquare\n")
    shutil.rmtree(tmp_path / "test" / "labels")
    with caplog.at_level(logging.INFO):
        assert count_sides(read(tmp_path)) == {Split.TRAIN: 6, Split.VALIDATION: 3}
    assert "2 photos have no annotation file and are left out" in caplog.text


@pytest.mark.parametrize("boxes", ["", None])
def test_test_photos_without_boxes_do_not_keep_from_learning(yolo: Path, boxes: str | None) -> None:
    """Those of public data sets often come without any."""
    for path in yolo.rglob("*.txt"):
        if "test" in path.parts:
            path.unlink() if boxes is None else path.write_text(boxes)
    assert count_sides(read(yolo)) == {Split.TRAIN: 6, Split.VALIDATION: 3, Split.TEST: 2}


def test_what_is_learnt_shows_a_class(yolo: Path) -> None:
    for path in [*yolo.rglob("valid")]:
        shutil.rmtree(path)
    for path in yolo.rglob("*.txt"):
        if "train" in path.parts:
            path.write_text("")
    with pytest.raises(DataError, match="no photo in a folder train shows a class"):
        read(yolo)
    assert "The train side has no photo of disc, square" in run("check", yolo).stdout


def test_composed_scenes_are_learnt_from_beside(yolo: Path, make_scenes: MakeScenes) -> None:
    scenes = make_scenes(count=4)
    with pytest.raises(DataError, match=r"4 photos, the first .*0.png, lie in none of the folders train"):
        read(yolo, scenes)
    content = json.loads(scenes.read_text())
    for image in content["images"]:
        image["composed"] = True
    scenes.write_text(json.dumps(content))
    assert count_sides(read(yolo, scenes)) == {Split.TRAIN: 10, Split.VALIDATION: 3, Split.TEST: 2}


def test_what_is_kept_to_measure_on_is_not_learnt(yolo: Path, make_scenes: MakeScenes) -> None:
    scenes = make_scenes(count=4)
    for sources, validation in (((yolo,), (scenes,)), ((scenes,), (yolo,))):
        with pytest.raises(DataError, match=r"yolo lies divided, and --validation says of data as a whole"):
            read(*sources, validation=validation)


def test_a_class_must_be_measured(yolo: Path) -> None:
    for path in yolo.rglob("*.txt"):
        if "valid" in path.parts:
            path.write_text("0 0.5 0.5 0.2 0.2\n")
    with pytest.raises(DataError, match="validation side has no photo of square; add some there, or take"):
        read(yolo)
    assert "The validation side has no photo of square, so training refuses the data." in run("check", yolo).stdout


def test_copies_on_two_sides_are_refused_and_found(yolo: Path) -> None:
    photos = {path.parent.name + path.parent.parent.name: path for path in yolo.rglob("0.png")}
    first, second = (next(path for path in photos.values() if side in path.parts) for side in ("train", "test"))
    shutil.copy(first, second)
    with pytest.raises(DataError, match="are the same photo, one of the"):
        read(yolo)
    result = run("check", yolo)
    assert "2 copies are on both sides of the split." in result.stdout
    assert result.exit_code == 15


def test_a_split_is_drawn_anew(yolo: Path, tmp_path: Path) -> None:
    path = tmp_path / "splits.csv"
    assert run("split", yolo, "-o", path, "--validation-share", 0.34).exit_code == 0
    assert Counter(row.split for row in read_split_rows(path)) == {Split.TRAIN: 7, Split.VALIDATION: 4}


@pytest.mark.parametrize("name", ["", "data.yaml"])
def test_a_share_is_refused(name: str, yolo: Path, tmp_path: Path) -> None:
    (yolo / "data.yaml").write_text("names: [disc, square]\n")
    result = run("detect", yolo / name, "--validation-share", 0.3, "-o", tmp_path / "run")
    assert result.exit_code == 2
    assert f"The folders of {yolo / name} say which photos are held out" in result.stderr


def test_a_data_yaml_stands_for_its_folder(yolo: Path) -> None:
    (yolo / "classes.txt").unlink()
    (yolo / "shop.yaml").write_text("train: images/train\nval: images/val\nnames: {0: disc, 1: square}\n")
    data = read(yolo / "shop.yaml")
    assert (data.labels, len(data.rows)) == (("disc", "square"), 11)
    assert run("check", yolo / "shop.yaml").exit_code == 0


@pytest.mark.parametrize("path", ["../yolo", "{}"])
def test_a_data_yaml_may_lie_apart_from_its_folder(path: str, yolo: Path, tmp_path: Path) -> None:
    (yolo / "classes.txt").unlink()
    (tmp_path / "cfg").mkdir()
    data = tmp_path / "cfg" / "shop.yaml"
    data.write_text(f"path: {path.format(yolo)}\ntrain: images/train\nnames: [disc, square]\n")
    assert count_sides(read(data)) == {Split.TRAIN: 6, Split.VALIDATION: 3, Split.TEST: 2}
    result = run("detect", data, "--validation-share", 0.3, "-o", tmp_path / "run")
    assert f"The folders of {data} say which photos are held out" in result.stderr


def test_the_folder_that_a_data_yaml_names_goes_before_its_own(yolo: Path, tmp_path: Path) -> None:
    write_photo(tmp_path / "small", "0")
    (yolo / "data.yaml").write_text("path: ../small\nnames: [disc, square]\n")
    assert len(read_boxes(yolo / "data.yaml").photos) == 1


@pytest.mark.parametrize("path", ["", "path: /content/shop\n", "path: [a]\n"])
def test_a_data_yaml_that_leads_nowhere_serves_its_own_folder(path: str, yolo: Path) -> None:
    """Most are written on another computer."""
    (yolo / "data.yaml").write_text(f"{path}names: [disc, square]\n")
    assert len(read_boxes(yolo / "data.yaml").photos) == 11


@pytest.mark.parametrize("path", ["", "path: ../gone\n", "path: [\n"])
def test_a_data_yaml_without_a_folder_is_refused(path: str, tmp_path: Path) -> None:
    data = tmp_path / "shop.yaml"
    data.write_text(f"{path}names: [disc, square]\n")
    with pytest.raises(
        DataError, match=r"shop\.yaml lies in no folder with images and labels, and its path names none"
    ):
        read_boxes(data)
    result = run("detect", data, "--validation-share", 0.3, "-o", tmp_path / "run")
    assert "give that folder, and this file with --classes" in result.stderr


def test_a_share_is_taken_where_a_side_is_empty(yolo: Path, tmp_path: Path) -> None:
    for path in yolo.rglob("*.png"):
        if "valid" in path.parts:
            path.unlink()
    for path in yolo.rglob("*.txt"):
        if "valid" in path.parts:
            path.unlink()
    assert count_sides(read(yolo)) == {Split.TRAIN: 4, Split.VALIDATION: 2, Split.TEST: 2}
    result = run(
        "detect", yolo, "--validation-share", 0.3, "--weights", tmp_path / "none.keras", "-o", tmp_path / "run"
    )
    assert "There is no weights file" in result.stderr


def test_a_share_beside_data_to_measure_on_is_refused(yolo: Path, make_scenes: MakeScenes, tmp_path: Path) -> None:
    options = ("--validation", make_scenes(count=4), "--validation-share", 0.3, "-o", tmp_path / "run")
    result = run("detect", yolo, *options)
    assert result.exit_code == 2
    assert "--validation says which photos are held out; leave --validation-share away." in result.stderr


def test_a_side_alone_may_be_measured_on(tmp_path: Path) -> None:
    for side, count in NAMES.items():
        for number in range(count):
            write_photo(tmp_path / "boxes" / side, str(number))
    (tmp_path / "boxes" / "data.yaml").write_text("names: [disc, square]\n")
    sides = [tmp_path / "boxes" / side for side in ("train", "valid")]
    data = read_data(sides[:1], sides[1:], (), 0.33, seed=0, classes=tmp_path / "boxes" / "data.yaml")
    assert count_sides(data) == {Split.TRAIN: 6, Split.VALIDATION: 3}


def test_a_folder_within_images_says_more_than_one_around_it(tmp_path: Path) -> None:
    for side, count in NAMES.items():
        for number in range(count):
            write_photo(tmp_path / "training", str(number), side)
    (tmp_path / "classes.txt").write_text("disc\nsquare\n")
    assert count_sides(read(tmp_path)) == {Split.TRAIN: 6, Split.VALIDATION: 3, Split.TEST: 2}


def test_a_data_yaml_beside_a_coco_file_leaves_it_its_options(make_scenes: MakeScenes, yolo: Path) -> None:
    scenes = make_scenes(count=4)
    images = (scenes.parent / "images").rename(scenes.parent / "elsewhere")
    (yolo / "data.yaml").write_text("names: [disc, square]\n")
    data = read_data([yolo / "data.yaml", scenes], (), (), 0.33, seed=0, images=images, redraw=True)
    assert len(data.rows) == 15


def test_train_beside_another_name_is_refused(tmp_path: Path) -> None:
    for number in range(4):
        write_photo(tmp_path / "train", str(number))
        write_photo(tmp_path / "eval", str(number))
    (tmp_path / "classes.txt").write_text("disc\nsquare\n")
    with pytest.raises(DataError, match="lie in none of the folders train"):
        read(tmp_path)
    assert "4 photos lie in none of the folders train" in run("check", tmp_path).stdout


def test_train_alone_beside_other_data_divides_nothing(tmp_path: Path, make_scenes: MakeScenes) -> None:
    for number in range(4):
        write_photo(tmp_path / "boxes" / "train", str(number))
    (tmp_path / "boxes" / "classes.txt").write_text("disc\nsquare\n")
    data = read(tmp_path / "boxes", make_scenes(count=4))
    assert set(count_sides(data)) == {Split.TRAIN, Split.VALIDATION}
