import csv
import io
import json
import logging
import ntpath
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("tqdm", reason="needs the train extra")

from edge_runtime.errors import DataError, OutputError
from edge_runtime.refining import cut
from train.cli import main
from train.data.boxes import Box
from train.data.crops import write_crops
from train.data.detection_formats import list_boxes, read_boxes
from train.data.photos import Columns, read_photos

_SIZE = (100, 80)  # width, height
_HAT, _SHOES = Box(20, 10, 60, 50, "hat"), Box(0, 40, 100, 80, "shoes")


def _draw(path: Path) -> None:
    """Write a picture in which every pixel tells where it is: blue is x, green is y."""
    y, x = np.mgrid[: _SIZE[1], : _SIZE[0]]
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.dstack([x, y, np.zeros_like(x)]).astype(np.uint8))


def _write_coco(folder: Path, **changes: Any) -> Path:
    """Write two boxes on one photo; `changes` are made to the first box."""
    _draw(folder / "images" / "a.png")
    hat = {"id": 7, "image_id": 1, "category_id": 3, "bbox": [20, 10, 40, 40]} | changes
    shoes = {"id": 8, "image_id": 1, "category_id": 4, "bbox": [0, 40, 100, 40], "iscrowd": 0}
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": _SIZE[0], "height": _SIZE[1]}],
        "annotations": [hat, shoes],
        "categories": [{"id": 3, "name": "hat"}, {"id": 4, "name": "shoes"}],
    }
    path = folder / "instances.json"
    path.write_text(json.dumps(content))
    return path


def _write_yolo(folder: Path, lines: str = "0 0.4 0.375 0.4 0.5\n\n1 0.5 0.75 1 0.5\n") -> Path:
    _draw(folder / "images" / "a.png")
    (folder / "labels").mkdir()
    (folder / "labels" / "a.txt").write_text(lines)
    (folder / "classes.txt").write_text("hat\nshoes\n")
    return folder


def _write_voc(folder: Path, corners: str = "21 11 60 50", name: str = "hat", head: str = "", width: int = 100) -> Path:
    _draw(folder / "JPEGImages" / "a.png")
    (folder / "Annotations").mkdir()

    def describe(name: str, corners: str) -> str:
        tags = zip(("xmin", "ymin", "xmax", "ymax"), corners.split(), strict=True)
        box = "".join(f"<{tag}>{corner}</{tag}>" for tag, corner in tags)
        return f"<object><name>{name}</name><bndbox>{box}</bndbox></object>"

    (folder / "Annotations" / "a.xml").write_text(
        f"{head}<annotation><filename>a.png</filename><size><width>{width}</width><height>80</height></size>"
        f"{describe(name, corners)}{describe('shoes', '1 41 100 80')}</annotation>"
    )
    return folder


@pytest.mark.parametrize("write", [_write_coco, _write_yolo, _write_voc])
def test_the_formats_say_the_same(write: Callable[[Path], Path], tmp_path: Path) -> None:
    (photo,) = read_boxes(write(tmp_path)).photos
    assert (photo.width, photo.height) == _SIZE
    assert [box.label for box in photo.boxes] == ["hat", "shoes"]
    for box, wanted in zip(photo.boxes, (_HAT, _SHOES), strict=True):
        assert (box.x_min, box.y_min, box.x_max, box.y_max) == pytest.approx(
            (wanted.x_min, wanted.y_min, wanted.x_max, wanted.y_max)
        )


@pytest.mark.parametrize("write", [_write_coco, _write_yolo, _write_voc])
def test_a_terminal_shows_how_many_photos_are_measured(
    write: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", terminal)
    read_boxes(write(tmp_path))
    assert "measuring: 100%" in terminal.getvalue()


_NAN = float("nan")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"bbox": [90, 10, 40, 40]}, r"instances\.json: box 7 \(hat\) reaches outside its photo of 100 x 80 pixels"),
        ({"bbox": [100.5, 10, 0.4, 40]}, r"box 7 \(hat\) reaches outside"),
        ({"bbox": [20, 10, 0, 40]}, r"box 7 \(hat\) has no area"),
        ({"bbox": [20, 10, 40, -4]}, r"box 7 \(hat\) has no area"),
        ({"bbox": [20, _NAN, 40, 40]}, r"box 7 \(hat\) has a corner that is no finite number"),
        ({"bbox": [20, 10, 40]}, r"box 7 \(hat\) has no bbox of four numbers"),
        ({"bbox": None}, r"box 7 \(hat\) has no bbox of four numbers"),
        ({"category_id": 5}, "box 7 is of class 5, which has no name"),
        ({"image_id": 9}, "box 7 is on photo 9, not in the file"),
    ],
)
def test_a_wrong_coco_box_is_named(changes: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=sentence):
        read_boxes(_write_coco(tmp_path, **changes))


def _number_again(path: Path, kind: str, **entry: Any) -> Path:
    """Add an entry to a COCO file, as joining two files does that both number from 1."""
    content = json.loads(path.read_text())
    content[kind].append(entry)
    path.write_text(json.dumps(content))
    return path


def test_numbers_that_coco_photos_or_classes_share_are_refused(tmp_path: Path) -> None:
    """Or boxes would be on the wrong photo, or of the wrong class."""
    again = _number_again(_write_coco(tmp_path), "categories", id=3, name="hat")
    assert [box.label for box in read_boxes(again).photos[0].boxes] == ["hat", "shoes"]
    with pytest.raises(DataError, match="the classes hat and coat have the number 3; number each apart"):
        read_boxes(_number_again(again, "categories", id=3, name="coat"))
    _draw(tmp_path / "images" / "b.png")
    with pytest.raises(DataError, match=r"a\.png has the number 1, as another photo has; number each apart"):
        read_boxes(_number_again(_write_coco(tmp_path), "images", id=1, file_name="b.png"))


def test_photos_whose_number_is_shared_are_all_left_out_of_a_list(tmp_path: Path) -> None:
    _draw(tmp_path / "images" / "b.png")
    _draw(tmp_path / "images" / "c.png")
    path = _number_again(_write_coco(tmp_path), "images", id=1, file_name="b.png")
    _number_again(path, "images", id=2, file_name="c.png")
    refused: list[str] = []
    listed = list_boxes(path, None, None, lambda image, _: refused.append(image))
    assert [photo.image for photo in listed.photos] == ["c.png"]
    assert refused == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("0 0.9 0.375 0.4 0.5", r"a\.txt: box in line 1 \(hat\) reaches outside"),
        ("\n0 0.4 0.375 0 0.5", r"a\.txt: box in line 2 \(hat\) has no area"),
        ("0 nan 0.375 0.4 0.5", "line 1 .* no finite number"),
        ("0 0.4 0.375 0.4 tall", "line 1 has 'tall' where a number belongs"),
        ("2 0.4 0.375 0.4 0.5", "line 1 is of class 2, which has no name"),
        ("0 0.1 0.1 0.2 0.2 0.3", "line 1 has 6 values, not 5"),
        ("0 0.1 0.1 0.2", "line 1 has 4 values, not 5"),
        ("0 0.1 0.1 0.2 0.2 0.3 0.3 0.9", "line 1 has 8 values, not 5 .*, nor an outline's"),
        ("0 0.1 0.1 0.2 0.1 0.3 0.1", r"line 1 \(hat\) has no area"),
        ("0 0.1 0.1 0.2 nan 0.3 0.3", "line 1 .* no finite number"),
        ("0 0.1 0.1 0.2 2 0.3 0.3", r"line 1 \(hat\) reaches outside"),
        ("", "has no box on any photo"),
    ],
)
def test_a_wrong_yolo_box_is_named(lines: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=sentence):
        read_boxes(_write_yolo(tmp_path, lines))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"corners": "21 11 150 50"}, r"a\.xml: box 1 \(hat\) reaches outside"),
        ({"corners": "21 11 20 50"}, r"box 1 \(hat\) has no area"),
        ({"corners": "21 nan 60 50"}, r"box 1 \(hat\) has a corner that is no finite number"),
        ({"corners": "21 top 60 50"}, "box 1 has 'top' where a number belongs"),
        ({"name": ""}, "its object has no name"),
        ({"width": 200}, "has boxes for 200 x 80 pixels, yet .*a.png has 100 x 80"),
        (
            {"head": '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]>', "name": "&e;"},
            "declares a document type",
        ),
        ({"head": "<"}, r"a\.xml cannot be read as Pascal VOC"),
    ],
)
def test_a_wrong_voc_file_is_refused(changes: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=sentence):
        read_boxes(_write_voc(tmp_path, **changes))


def test_a_photo_on_another_drive_is_the_one_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    annotations = _write_voc(tmp_path) / "Annotations" / "a.xml"
    annotations.write_text(annotations.read_text().replace("a.png", "D:\\photos\\a.png"))
    monkeypatch.setattr(os.path, "relpath", lambda *_: ntpath.relpath("D:\\photos\\a.png", "C:\\shop"))
    assert [photo.image for photo in read_boxes(tmp_path).photos] == ["a.png"]


@pytest.mark.parametrize("content", ["", "{}", '{"categories": 3}', "\0"])
def test_a_file_that_is_not_coco_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "instances.json"
    path.write_text(content)
    with pytest.raises(DataError, match=r"instances\.json .*; export it as COCO again"):
        read_boxes(path)


def test_a_missing_photo_is_named(tmp_path: Path) -> None:
    coco, voc, yolo = (write(tmp_path / write.__name__) for write in (_write_coco, _write_voc, _write_yolo))
    for data in (coco, voc, yolo):
        next((data if data.is_dir() else data.parent).rglob("a.png")).unlink()
    for data, place in ((coco, "there"), (voc, "in .*JPEGImages")):
        with pytest.raises(DataError, match=rf"a\.png, which is not {place}"):
            read_boxes(data)
    with pytest.raises(DataError, match=r"a\.txt belongs to no photo"):
        read_boxes(yolo)


def test_a_photo_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    data = _write_yolo(tmp_path)
    (data / "images" / "a.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"a\.png is not a picture"):
        read_boxes(data)


def test_data_without_boxes_are_refused(tmp_path: Path) -> None:
    _draw(tmp_path / "hat" / "a.png")
    with pytest.raises(DataError, match="is no data set of boxes; give a COCO file"):
        read_boxes(tmp_path)
    with pytest.raises(DataError, match="gone is not there; give a COCO file"):
        read_boxes(tmp_path / "gone")


@pytest.mark.parametrize(
    ("write", "option"), [(_write_coco, "classes"), (_write_voc, "classes"), (_write_voc, "images")]
)
def test_an_option_of_another_format_is_refused(write: Callable[[Path], Path], option: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"--{option} belongs to a"):
        read_boxes(write(tmp_path), **{option: tmp_path})


def test_yolo_without_class_names_asks_for_them(tmp_path: Path) -> None:
    data = _write_yolo(tmp_path)
    names = (data / "classes.txt").rename(tmp_path / "names")
    with pytest.raises(DataError, match="name such a file with --classes"):
        read_boxes(data)
    assert read_boxes(data, classes=names).photos[0].boxes[0].label == "hat"


@pytest.mark.parametrize("layout", ["train/{}", "{}/train"])
def test_yolo_splits_are_read_as_one(layout: str, tmp_path: Path) -> None:
    for split in ("train", "valid"):
        where = layout.replace("train", split)
        _draw(tmp_path / where.format("images") / "a.png")
        (tmp_path / where.format("labels")).mkdir(parents=True)
        (tmp_path / where.format("labels") / "a.txt").write_text("0 0.4 0.375 0.4 0.5")
    _draw(tmp_path / layout.format("images") / "background.png")
    (tmp_path / "classes.txt").write_text("hat\n")
    photos = {photo.image: len(photo.boxes) for photo in read_boxes(tmp_path).photos}
    valid = layout.replace("train", "valid")
    assert photos == {
        f"{layout.format('images')}/a.png": 1,
        f"{layout.format('images')}/background.png": 0,
        f"{valid.format('images')}/a.png": 1,
    }


def test_a_box_over_the_edge_by_rounding_is_clipped(tmp_path: Path) -> None:
    (photo,) = read_boxes(_write_coco(tmp_path, bbox=[-0.5, 10, 101, 40])).photos
    assert photo.boxes[0] == Box(0, 10, 100, 50, "hat")


def test_a_crop_has_a_margin_as_far_as_the_photo_goes(tmp_path: Path) -> None:
    _draw(tmp_path / "a.png")
    image = cv2.imread(str(tmp_path / "a.png"))
    hat = cut(image, _HAT.corners)
    # 5 % of 40 pixels are 2.
    assert hat.shape == (44, 44, 3)
    assert hat[0, 0].tolist() == [18, 8, 0]
    assert hat[-1, -1].tolist() == [61, 51, 0]
    shoes = cut(image, _SHOES.corners)
    assert shoes.shape == (42, 100, 3)
    assert shoes[0, 0].tolist() == [0, 38, 0]


def test_crops_are_a_data_set_grouped_by_photo(tmp_path: Path) -> None:
    arguments = ["crops", str(_write_coco(tmp_path)), "-o", str(tmp_path / "crops")]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert result.stderr.endswith("hat: 1 crops\nshoes: 1 crops\n")
    photo_set = read_photos(tmp_path / "crops" / "labels.csv", Columns(group="group"))
    assert [(photo.image, photo.label, photo.group) for photo in photo_set.photos] == [
        ("hat/a-0.png", "hat", "a.png"),
        ("shoes/a-1.png", "shoes", "a.png"),
    ]
    assert cv2.imread(str(tmp_path / "crops" / "hat" / "a-0.png"))[0, 0].tolist() == [18, 8, 0]


def test_backgrounds_go_to_a_folder_of_their_own(tmp_path: Path) -> None:
    arguments = ["crops", str(_write_coco(tmp_path)), "-o", str(tmp_path / "crops"), "--backgrounds"]
    result = CliRunner().invoke(main, [*arguments, str(tmp_path / "none")], catch_exceptions=False)
    assert result.stderr.endswith("shoes: 1 crops\nwithout any box: 1 crops\n")
    (part,) = (tmp_path / "none").iterdir()
    blue, green, _ = cv2.imread(str(part))[0, 0].tolist()
    assert blue >= 60
    assert green <= 40 - 24


def test_backgrounds_without_room_end_the_command_before_anything_is_written(tmp_path: Path) -> None:
    data = str(_write_coco(tmp_path, bbox=[0, 0, 100, 60]))
    options = ["-o", str(tmp_path / "crops"), "--backgrounds", str(tmp_path / "none")]
    result = CliRunner().invoke(main, ["crops", data, *options])
    assert result.exit_code == DataError.exit_code
    assert "No photo has room" in result.stderr
    assert not (tmp_path / "crops").exists()


@pytest.mark.parametrize(("crops", "backgrounds"), [("same", "same"), ("none/crops", "none"), ("crops", "crops/none")])
def test_crops_and_backgrounds_are_kept_apart(tmp_path: Path, crops: str, backgrounds: str) -> None:
    options = ["-o", str(tmp_path / crops), "--backgrounds", str(tmp_path / backgrounds)]
    result = CliRunner().invoke(main, ["crops", str(_write_coco(tmp_path)), *options])
    assert result.exit_code == 2
    assert "name two folders apart" in result.stderr
    assert not (tmp_path / crops).exists()


def test_tiny_boxes_are_left_out_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    boxes = read_boxes(_write_coco(tmp_path, bbox=[20, 10, 15.9, 40]))
    with caplog.at_level(logging.INFO):
        assert write_crops(boxes, tmp_path / "crops") == {"shoes": 1}
    assert "Left out 1 of 2 boxes" in caplog.text


def test_a_class_name_leads_to_no_other_folder(tmp_path: Path) -> None:
    data = _write_yolo(tmp_path / "data")
    (data / "classes.txt").write_text("../../hat\ntop/t-shirt\n")
    write_crops(read_boxes(data), tmp_path / "crops")
    with (tmp_path / "crops" / "labels.csv").open(newline="") as file:
        rows = [(row["image"], row["label"]) for row in csv.DictReader(file)]
    assert rows == [("______hat/a-0.png", "../../hat"), ("top_t-shirt/a-1.png", "top/t-shirt")]
    assert all((tmp_path / "crops" / image).is_file() for image, _ in rows)


def test_crops_do_not_mix_with_what_is_there(tmp_path: Path) -> None:
    boxes = read_boxes(_write_yolo(tmp_path))
    with pytest.raises(OutputError, match="name a new folder"):
        write_crops(boxes, tmp_path)


def test_wrong_data_end_the_command_with_a_sentence(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["crops", str(tmp_path), "-o", str(tmp_path / "crops")])
    assert result.exit_code == DataError.exit_code
    assert result.stderr.startswith("Error: ")
    assert not (tmp_path / "crops").exists()


def test_photos_with_one_label_each_are_sent_to_the_classifier(tmp_path: Path) -> None:
    _draw(tmp_path / "hat" / "a.png")
    (tmp_path / "labels.csv").write_text("image,label\nhat/a.png,hat\n")
    for data in (tmp_path, tmp_path / "labels.csv"):
        with pytest.raises(DataError, match=r"is no data set of boxes; .* are for a classifier"):
            read_boxes(data)
