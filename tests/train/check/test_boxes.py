import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

pytest.importorskip("sklearn", reason="needs the train extra")

from edge_runtime.errors import DataError, FindingsError
from edge_runtime.training_run import Split, read_split_rows, write_split_rows
from train.cli import main

_WIDTH, _HEIGHT = 48, 64
Boxes = list[tuple[str, tuple[float, float, float, float]]]


@pytest.fixture
def write_coco(tmp_path: Path) -> Callable[[list[Boxes]], Path]:
    """Write a data set: for each photo its boxes, each a class and COCO's x, y, width and height."""

    def write(photos: list[Boxes]) -> Path:
        labels = sorted({label for boxes in photos for label, _ in boxes})
        content: dict[str, list[dict[str, Any]]] = {"images": [], "annotations": [], "categories": []}
        content["categories"] = [{"id": number, "name": label} for number, label in enumerate(labels)]
        (tmp_path / "images").mkdir()
        for number, boxes in enumerate(photos):
            coarse = np.random.default_rng(number).integers(0, 256, (6, 6, 3), np.uint8)
            image = cv2.resize(coarse, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_CUBIC)
            cv2.imwrite(str(tmp_path / "images" / f"{number}.png"), image)
            content["images"].append({"id": number, "file_name": f"{number}.png"})
            for label, box in boxes:
                annotation = {"id": len(content["annotations"]), "image_id": number, "bbox": box}
                content["annotations"].append(annotation | {"category_id": labels.index(label)})
        path = tmp_path / "instances.json"
        path.write_text(json.dumps(content))
        return path

    return write


def check(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", str(data), "--image-size", "32", *arguments], catch_exceptions=False)


GOOD: Boxes = [("hat", (10, 10, 20, 20)), ("shoe", (5, 40, 30, 20))]


def test_good_boxes_end_well_and_are_measured(write_coco: Callable[[list[Boxes]], Path]) -> None:
    data = write_coco([GOOD] * 50)
    result = check(data)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"50 photos with 100 boxes of 2 classes in {data}\n  hat 50, shoe 50\n")
    assert "Leaks across a split are not looked for; give --splits" in result.stdout
    assert result.stdout.endswith("errors: 0, warnings: 0, notes: 0\n")
    hat = json.loads(check(data, "--json").stdout)["sizes"][0]
    assert (hat["label"], hat["boxes"], hat["photos"]) == ("hat", 50, 50)
    assert hat["median"] == pytest.approx((20 * 20 / (48 * 64)) ** 0.5)


def test_every_wrong_box_is_reported_and_the_others_are_looked_at(write_coco: Callable[[list[Boxes]], Path]) -> None:
    outside, flat, nan = ("hat", (40, 10, 20, 20)), ("hat", (10, 10, 20, 0)), ("shoe", (float("nan"), 1, 9, 9))
    data = write_coco([[outside, flat], [nan, *GOOD], GOOD])
    (data.parent / "images" / "2.png").unlink()
    result = check(data, "--json")
    assert result.exit_code == FindingsError.exit_code
    report = json.loads(result.stdout)
    wrong = [each for each in report["findings"] if each["kind"] == "wrong-box"]
    assert [each["severity"] for each in wrong] == ["error"] * 4
    assert [each["photos"][0]["image"] for each in wrong] == ["0.png", "0.png", "1.png", "2.png"]
    for each, words in zip(wrong, ("outside its photo", "no area", "no finite number", "not there"), strict=True):
        assert words in each["message"]
    assert report["classes"] == {"hat": 1, "shoe": 1}


def test_boxes_that_are_odd_are_warned_of(write_coco: Callable[[list[Boxes]], Path]) -> None:
    tiny, again, same = ("hat", (1, 1, 9, 20)), ("hat", (10.5, 10, 20, 20)), ("shirt", (5, 40, 30, 20))
    result = check(write_coco([[tiny], [*GOOD, again], [*GOOD, same], [same], []]))
    assert result.exit_code == 0, result.output
    assert "hat is 6.0 x 10.0 pixels of an input of 32 x 32. 0.png (hat)" in result.stdout
    assert "hat has two boxes in the same place. 1.png (hat + shoe)" in result.stdout
    assert "shoe and shirt have the same box" in result.stdout
    assert "1 photos have no box" in result.stdout
    assert "hat has 3 photos; below 50" in result.stdout


def test_copies_with_other_boxes_contradict_each_other(write_coco: Callable[[list[Boxes]], Path]) -> None:
    data = write_coco([GOOD, GOOD[:1]])
    images = data.parent / "images"
    (images / "1.png").write_bytes((images / "0.png").read_bytes())
    result = check(data)
    assert result.exit_code == FindingsError.exit_code
    assert "2 photos are the same file with different labels: hat, hat + shoe." in result.stdout


@pytest.fixture
def divide(tmp_path: Path) -> Callable[..., Path]:
    """Divide a data set by the command a user types, then give photos, by their number, another side or group."""

    def make(data: Path, sides: dict[int, Split], groups: dict[int, str]) -> Path:
        splits = tmp_path / "splits.csv"
        CliRunner().invoke(main, ["split", str(data), "-o", str(splits)], catch_exceptions=False)
        rows = {int(Path(row.image).stem): row for row in read_split_rows(splits)}
        changed = [
            replace(row, split=sides.get(number, row.split), group=groups.get(number, ""))
            for number, row in rows.items()
        ]
        write_split_rows(splits, changed)
        return splits

    return make


def test_copies_and_groups_on_both_sides_of_a_split_are_found(
    write_coco: Callable[[list[Boxes]], Path], divide: Callable[..., Path]
) -> None:
    data = write_coco([GOOD] * 8)
    data.write_text(data.read_text().replace('"1.png"', '"./1.png"'))
    images = data.parent / "images"
    (images / "1.png").write_bytes((images / "0.png").read_bytes())
    sides = {0: Split.TRAIN, 1: Split.VALIDATION, 2: Split.TEST, 3: Split.TRAIN}
    result = check(data, "--splits", str(divide(data, sides, {2: "shop", 3: "shop"})))
    assert result.exit_code == FindingsError.exit_code
    assert "error leak: 2\n" in result.stdout
    assert "2 copies are on both sides of the split. 0.png (hat + shoe), 1.png (hat + shoe)" in result.stdout
    assert "The 2 photos of group shop are on both sides of the split. 2.png" in result.stdout
    assert "not looked for" not in result.stdout


def test_leaks_are_found_beside_a_photo_that_is_missing(
    write_coco: Callable[[list[Boxes]], Path], divide: Callable[..., Path]
) -> None:
    data = write_coco([GOOD] * 8)
    splits = divide(data, {2: Split.VALIDATION, 3: Split.TRAIN}, {2: "shop", 3: "shop"})
    (data.parent / "images" / "5.png").unlink()
    result = check(data, "--splits", str(splits))
    assert result.exit_code == FindingsError.exit_code
    assert "error wrong-box: 1\n" in result.stdout
    assert "error leak: 1\n" in result.stdout


def keep_first(data: Path, whole: str, photos: int) -> None:
    """Write a COCO file's first photos and their boxes, two on each."""
    content = json.loads(whole)
    shorter = {"images": content["images"][:photos], "annotations": content["annotations"][: 2 * photos]}
    data.write_text(json.dumps(content | shorter))


@pytest.mark.parametrize(
    ("photos", "sentence"),
    [
        (7, "1 photos are not in the data"),
        (9, "1 photos of the data are not in it"),
        (8, "1 photos have changed since"),
    ],
)
def test_a_split_of_other_boxes_is_refused(
    photos: int, sentence: str, write_coco: Callable[[list[Boxes]], Path], divide: Callable[..., Path]
) -> None:
    data = write_coco([GOOD] * 9)
    whole = data.read_text()
    keep_first(data, whole, 8)
    splits = divide(data, {}, {})
    keep_first(data, whole, photos)
    if photos == 8:
        cv2.imwrite(str(data.parent / "images" / "0.png"), np.full((_HEIGHT, _WIDTH, 3), 90, np.uint8))
    result = check(data, "--splits", str(splits))
    assert result.exit_code == DataError.exit_code
    assert sentence in result.stderr


def edit_coco(data: Path, kind: str, **changes: Any) -> None:
    """Change the first entry of a kind."""
    content = json.loads(data.read_text())
    content[kind][0] |= changes
    data.write_text(json.dumps(content))


@pytest.mark.parametrize("name", ["", " ", None, "hat\nshoe"])
def test_a_class_that_training_refuses_for_its_name_is_an_error(
    name: str | None, write_coco: Callable[[list[Boxes]], Path]
) -> None:
    data = write_coco([GOOD] * 3)
    edit_coco(data, "categories", name=name)
    result = check(data)
    assert result.exit_code == FindingsError.exit_code
    assert "has a name that is not one line, so training refuses it" in result.stdout
    options = ["split", str(data), "-o", str(data.parent / "splits.csv")]
    assert CliRunner().invoke(main, options).exit_code == DataError.exit_code


def test_crowds_are_left_out_and_counted(write_coco: Callable[[list[Boxes]], Path]) -> None:
    data = write_coco([GOOD] * 3)
    edit_coco(data, "annotations", iscrowd=1)
    result = check(data)
    assert result.exit_code == 0, result.output
    assert "warning left-out: 1\n  1 regions marked as crowds (iscrowd) are left out" in result.stdout
    assert result.stdout.startswith("3 photos with 5 boxes")


def test_data_without_any_box_are_an_error(write_coco: Callable[[list[Boxes]], Path]) -> None:
    result = check(write_coco([[], []]))
    assert result.exit_code == FindingsError.exit_code
    assert "No photo has a box" in result.stdout


def test_the_page_shows_photos_with_their_boxes(write_coco: Callable[[list[Boxes]], Path], tmp_path: Path) -> None:
    result = check(write_coco([GOOD] * 30), "-o", str(tmp_path / "check"))
    assert result.exit_code == 0, result.output
    page = (tmp_path / "check" / "check.html").read_text(encoding="utf-8")
    assert "Boxes of 24 photos" in page
    assert page.count("data:image/jpeg;base64,") == 24
    assert "<td>23%</td>" in page or "<td>36%</td>" in page


def test_a_photo_that_would_be_thinner_than_a_pixel_is_shown(
    write_coco: Callable[[list[Boxes]], Path], tmp_path: Path
) -> None:
    data = write_coco([[("hat", (1, 1, 2, 4000))], GOOD])
    cv2.imwrite(str(tmp_path / "images" / "0.png"), np.full((5000, 4, 3), 90, np.uint8))
    check(data, "-o", str(tmp_path / "check"))
    assert (tmp_path / "check" / "check.html").read_text(encoding="utf-8").count("Boxes of 2 photos") == 1


def test_a_stray_yolo_file_and_a_bad_line_are_both_reported(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    (tmp_path / "classes.txt").write_text("hat\n")
    cv2.imwrite(str(tmp_path / "images" / "a.png"), np.full((64, 48, 3), 90, np.uint8))
    (tmp_path / "labels" / "a.txt").write_text("0 0.5 0.5 0.5 0.5\n7 0.5 0.5 0.5 0.5\n0 0.5\n")
    (tmp_path / "labels" / "gone.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    result = check(tmp_path)
    assert result.exit_code == FindingsError.exit_code
    assert "error wrong-box: 3" in result.stdout
    for words in ("belongs to no photo", "is of class 7", "has 2 values"):
        assert words in result.stdout


def test_damaged_voc_files_are_reported_beside_good_ones(tmp_path: Path) -> None:
    (tmp_path / "Annotations").mkdir()
    (tmp_path / "JPEGImages").mkdir()
    cv2.imwrite(str(tmp_path / "JPEGImages" / "a.png"), np.full((64, 48, 3), 90, np.uint8))
    box = "<bndbox><xmin>5</xmin><ymin>5</ymin><xmax>40</xmax><ymax>40</ymax></bndbox>"
    good = f"<annotation><filename>a.png</filename><object><name>hat</name>{box}</object></annotation>"
    (tmp_path / "Annotations" / "a.xml").write_text(good)
    (tmp_path / "Annotations" / "b.xml").write_text("<")
    for name in ("b.png", "c.png"):
        cv2.imwrite(str(tmp_path / "JPEGImages" / name), np.full((64, 48, 3), 160, np.uint8))
    result = check(tmp_path)
    assert result.exit_code == FindingsError.exit_code
    assert "error wrong-box: 1" in result.stdout
    assert "1 photos with 1 boxes of 1 classes" in result.stdout
    assert "1 photos have no annotation file and are left out; one that shows no object" in result.stdout


@pytest.mark.parametrize("option", ["--model=imagenet", "--label-column=kind"])
def test_options_about_labels_are_refused(option: str, write_coco: Callable[[list[Boxes]], Path]) -> None:
    result = CliRunner().invoke(main, ["check", str(write_coco([GOOD])), option])
    assert result.exit_code == 2
    assert "belongs to photos with one label each" in result.stderr


def test_class_names_are_refused_for_photos_with_labels(drawn_photos: Path) -> None:
    result = CliRunner().invoke(main, ["check", str(drawn_photos), "--classes", "names.txt"])
    assert result.exit_code == 2
    assert "--classes belongs to a YOLO data set" in result.stderr


def test_a_file_that_is_not_coco_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "instances.json").write_text("{}")
    result = check(tmp_path / "instances.json")
    assert result.exit_code == DataError.exit_code
    assert "export it as COCO again" in result.stderr
