"""What tools that draw boxes write in ways of their own."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("tqdm", reason="needs the train extra")

from edge_runtime.errors import DataError
from train.data.boxes import Box, BoxSet
from train.data.detection_formats import list_boxes, read_boxes

_WIDTH, _HEIGHT = 100, 80
_HAT = Box(20, 10, 60, 50, "hat")
Refused = list[tuple[str, str]]


def _draw(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((_HEIGHT, _WIDTH, 3), 90, np.uint8))


def _write_coco(folder: Path, file_name: str, image: Any = None, **changes: Any) -> Path:
    """Write one box, with `changes`, on one photo."""
    content = {
        "images": [{"id": 1, "file_name": file_name, "width": _WIDTH, "height": _HEIGHT} | (image or {})],
        "annotations": [{"id": 7, "image_id": 1, "category_id": 3, "bbox": [20, 10, 40, 40]} | changes],
        "categories": [{"id": 3, "name": "hat"}],
    }
    path = folder / "result.json"
    path.write_text(json.dumps(content))
    return path


def _write_voc(path: Path, filename: str, name: str = "hat") -> None:
    box = "<bndbox><xmin>21</xmin><ymin>11</ymin><xmax>60</xmax><ymax>50</ymax></bndbox>"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"<annotation><filename>{filename}</filename><object><name>{name}</name>{box}</object></annotation>"
    )


def _write_yolo(folder: Path, *photos: str, labels: tuple[str, ...]) -> Path:
    _draw(*(folder / "images" / photo for photo in photos))
    (folder / "labels").mkdir()
    for label in labels:
        (folder / "labels" / label).write_text("0 0.4 0.375 0.4 0.5\n")
    (folder / "classes.txt").write_text("hat\n")
    return folder


def _count(box_set: BoxSet) -> dict[str, int]:
    return {photo.image: len(photo.boxes) for photo in box_set.photos}


@pytest.fixture
def look(tmp_path: Path) -> Callable[[Path], tuple[BoxSet, Refused]]:
    """Return what is right of a data set, and what is refused."""

    def list_all(data: Path) -> tuple[BoxSet, Refused]:
        refused: Refused = []
        box_set = list_boxes(data, None, None, lambda image, error: refused.append((image, str(error))))
        return box_set, refused

    return list_all


@pytest.mark.parametrize("file_name", ["images/a.png", "images\\a.png", "a.png"])
def test_photos_of_coco_are_found_from_either_folder(file_name: str, tmp_path: Path) -> None:
    """Label Studio names them from where the file lies, on Windows with backslashes."""
    _draw(tmp_path / "images" / "a.png")
    box_set = read_boxes(_write_coco(tmp_path, file_name))
    assert [(box_set.images / photo.image, photo.boxes) for photo in box_set.photos] == [
        (tmp_path / "images" / "a.png", (_HAT,))
    ]


def test_a_backslash_in_the_name_of_a_file_stays(tmp_path: Path) -> None:
    _draw(tmp_path / "a\\b.png")
    assert _count(read_boxes(_write_coco(tmp_path, "a\\b.png"))) == {"a\\b.png": 1}


@pytest.mark.parametrize("size", [(100.0, 80.0), (0, 0), (None, 80), ("100", "80")])
def test_sizes_in_coco_are_numbers(size: tuple[Any, Any], tmp_path: Path) -> None:
    _draw(tmp_path / "a.png")
    path = _write_coco(tmp_path, "a.png", {"width": size[0], "height": size[1]})
    assert _count(read_boxes(path)) == {"a.png": 1}


@pytest.mark.parametrize("size", [(100.5, 80), ("wide", 80), (80, 100)])
def test_other_sizes_in_coco_are_refused(size: tuple[Any, Any], tmp_path: Path) -> None:
    _draw(tmp_path / "a.png")
    path = _write_coco(tmp_path, "a.png", {"width": size[0], "height": size[1]})
    with pytest.raises(DataError, match=f"has boxes for {size[0]} x {size[1]} pixels, yet .* has 100 x 80"):
        read_boxes(path)


def _add_crowd(path: Path, is_crowd: Any, **changes: Any) -> Path:
    content = json.loads(path.read_text())
    crowd = {"id": 8, "bbox": [0, 0, 9, 80], "iscrowd": is_crowd} | changes
    content["annotations"].append(content["annotations"][0] | crowd)
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize("is_crowd", [1, True])
def test_a_crowd_is_counted_and_kept_apart(is_crowd: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    _draw(tmp_path / "a.png")
    with caplog.at_level(logging.INFO):
        (photo,) = read_boxes(_add_crowd(_write_coco(tmp_path, "a.png"), is_crowd)).photos
    assert photo.boxes == (_HAT,)
    assert photo.crowds == (Box(0, 0, 9, 80, "hat"),)
    assert "1 regions marked as crowds (iscrowd) are left out" in caplog.text
    assert caplog.text.endswith("The first: a.png\n")


_ALL = (0, 0, _WIDTH, _HEIGHT)


@pytest.mark.parametrize(
    ("changes", "corners"),
    [
        ({"bbox": None}, _ALL),
        ({"bbox": []}, _ALL),
        ({"bbox": [200, 0, 9, 9]}, _ALL),
        ({"bbox": [float("nan"), 0, 9, 9]}, _ALL),
        ({"bbox": [-20, 10, 60, 900]}, (0, 10, 40, _HEIGHT)),
        ({"category_id": 99}, (0, 0, 9, 80)),
    ],
)
def test_what_is_wrong_with_a_crowd_stops_nothing(
    changes: dict[str, Any], corners: tuple[float, ...], tmp_path: Path
) -> None:
    """It is left out anyway; where it is not known where it is, no background is cut out of its photo."""
    _draw(tmp_path / "a.png")
    (photo,) = read_boxes(_add_crowd(_write_coco(tmp_path, "a.png"), 1, **changes)).photos
    assert photo.boxes == (_HAT,)
    assert [crowd.corners for crowd in photo.crowds] == [corners]


def test_a_region_of_which_nothing_is_said_is_no_crowd(tmp_path: Path) -> None:
    _draw(tmp_path / "a.png")
    (photo,) = read_boxes(_write_coco(tmp_path, "a.png", iscrowd=None)).photos
    assert (photo.boxes, photo.crowds) == ((_HAT,), ())


@pytest.mark.parametrize("is_crowd", ["0", "1", 2])
def test_what_might_be_a_crowd_is_refused(is_crowd: Any, tmp_path: Path) -> None:
    _draw(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"box 8 \(hat\) has .* as its iscrowd, neither 0 nor 1"):
        read_boxes(_add_crowd(_write_coco(tmp_path, "a.png"), is_crowd))


def test_a_photo_that_is_there_twice_is_refused(tmp_path: Path, look: Callable[[Path], tuple[BoxSet, Refused]]) -> None:
    """Else boxes of one entry would be background in the other."""
    _draw(tmp_path / "a.png")
    path = _write_coco(tmp_path, "a.png")
    content = json.loads(path.read_text())
    content["images"].append(content["images"][0] | {"id": 2, "file_name": "./a.png"})
    path.write_text(json.dumps(content))
    box_set, refused = look(path)
    assert _count(box_set) == {"a.png": 1}
    assert refused == [("./a.png", f"{path} has ./a.png twice; put all of its boxes in one place.")]


@pytest.mark.parametrize("filename", ["a.png", "a", "a.JPG", "C:\\photos\\a.png", "before/renaming.png"])
def test_the_photo_of_a_voc_file_is_the_one_called_alike(filename: str, tmp_path: Path) -> None:
    _draw(tmp_path / "JPEGImages" / "a.png")
    _write_voc(tmp_path / "Annotations" / "a.xml", filename)
    assert _count(read_boxes(tmp_path)) == {"a.png": 1}


@pytest.mark.parametrize("filename", ["b.png", "b", "C:\\photos\\b.png"])
def test_a_voc_file_that_names_another_photo_than_its_own_is_refused(filename: str, tmp_path: Path) -> None:
    """Else its boxes would be on the wrong photo, which may well be of the same size."""
    _draw(tmp_path / "JPEGImages" / "a.png", tmp_path / "JPEGImages" / "b.png")
    _write_voc(tmp_path / "Annotations" / "a.xml", filename)
    with pytest.raises(DataError, match=r"a\.xml names .*b\.png, yet .*a\.png is called as it is; see which"):
        read_boxes(tmp_path)


def test_a_voc_file_of_another_name_is_about_the_photo_that_it_names(tmp_path: Path) -> None:
    _draw(
        tmp_path / "JPEGImages" / "a.png", tmp_path / "JPEGImages" / "photo.v2.png", tmp_path / "JPEGImages/photo.jpg"
    )
    _write_voc(tmp_path / "Annotations" / "1.xml", "a.png")
    _write_voc(tmp_path / "Annotations" / "photo.v2.xml", "photo.v2")
    assert _count(read_boxes(tmp_path)) == {"a.png": 1, "photo.v2.png": 1}


def test_a_voc_file_whose_name_two_photos_have_must_name_one(
    tmp_path: Path, look: Callable[[Path], tuple[BoxSet, Refused]]
) -> None:
    _draw(tmp_path / "JPEGImages" / "a.png", tmp_path / "JPEGImages" / "a.jpg")
    _write_voc(tmp_path / "Annotations" / "a.xml", "a.png")
    box_set, refused = look(tmp_path)
    assert (_count(box_set), box_set.unnamed, refused) == ({"a.png": 1}, ("a.jpg",), [])
    _write_voc(tmp_path / "Annotations" / "a.xml", "a.bmp")
    box_set, refused = look(tmp_path)
    assert (box_set.photos, box_set.unnamed) == ((), ())
    ((image, sentence),) = refused
    assert image == "a.xml"
    assert sentence.endswith("a.png are called as it is; correct its filename.")


def test_of_a_voc_file_and_an_older_copy_both_are_named(tmp_path: Path) -> None:
    _draw(tmp_path / "JPEGImages" / "a.png")
    _write_voc(tmp_path / "Annotations" / "a.xml", "a.png")
    _write_voc(tmp_path / "Annotations" / "old" / "a.xml", "a.png")
    with pytest.raises(DataError, match=r"Annotations/a\.xml and .*Annotations/old/a\.xml are both about .*a\.png"):
        read_boxes(tmp_path)


@pytest.mark.parametrize("filename", ["{}/elsewhere/a.png", "../../elsewhere/a.png", "{}/data/JPEGImages/shop/a.png"])
@pytest.mark.parametrize("stem", ["a", "1"])
def test_a_voc_file_never_leads_out_of_the_photo_folder(filename: str, stem: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    _draw(data / "JPEGImages" / "shop" / "a.png", tmp_path / "elsewhere" / "a.png", data / "elsewhere" / "a.png")
    _write_voc(data / "Annotations" / "shop" / f"{stem}.xml", filename.format(tmp_path))
    assert _count(read_boxes(data)) == {"shop/a.png": 1}


def test_a_voc_file_may_name_its_photo_from_its_own_folder(tmp_path: Path) -> None:
    _draw(tmp_path / "JPEGImages" / "shop" / "a.png")
    _write_voc(tmp_path / "Annotations" / "days" / "1.xml", "../shop/a.png")
    assert _count(read_boxes(tmp_path)) == {"shop/a.png": 1}


def test_a_photo_outside_the_folder_is_not_there(tmp_path: Path) -> None:
    _draw(tmp_path / "elsewhere" / "b.png", tmp_path / "data" / "JPEGImages" / "c.png")
    _write_voc(tmp_path / "data" / "Annotations" / "a.xml", str(tmp_path / "elsewhere" / "b.png"))
    with pytest.raises(
        DataError, match=r"a\.xml names .*elsewhere/b\.png, which is not in .*JPEGImages, nor is a photo"
    ):
        read_boxes(tmp_path / "data")


def test_photos_of_voc_files_may_lie_in_images(tmp_path: Path) -> None:
    """So Label Studio exports them."""
    _draw(tmp_path / "images" / "a.png")
    _write_voc(tmp_path / "Annotations" / "a.xml", "a")
    assert _count(read_boxes(tmp_path)) == {"a.png": 1}
    _draw(tmp_path / "JPEGImages" / "a.png", tmp_path / "images" / "b.png")
    box_set = read_boxes(tmp_path)
    assert (box_set.images.name, _count(box_set), box_set.unnamed) == ("JPEGImages", {"a.png": 1}, ())


def test_two_voc_files_about_one_photo_are_refused(
    tmp_path: Path, look: Callable[[Path], tuple[BoxSet, Refused]]
) -> None:
    _draw(tmp_path / "JPEGImages" / "a.png")
    _write_voc(tmp_path / "Annotations" / "a.xml", "a.png")
    _write_voc(tmp_path / "Annotations" / "b.xml", "a.png", "shoe")
    box_set, refused = look(tmp_path)
    assert _count(box_set) == {"a.png": 1}
    first, second = (tmp_path / "Annotations" / name for name in ("a.xml", "b.xml"))
    ((image, sentence),) = refused
    assert image == "b.xml"
    assert sentence.startswith(f"{first} and {second} are both about {tmp_path / 'JPEGImages' / 'a.png'}; put all of")


def test_voc_files_are_read_below_folders_and_whatever_the_case(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    photos, files = tmp_path / "JPEGImages", tmp_path / "Annotations"
    _draw(*(photos / name for name in ("a.png", "shop/a.png", "shop/b.PNG", "shop/new.png", "z.png")))
    _write_voc(files / "a.xml", "a.png")
    _write_voc(files / "shop" / "a.xml", "a.png")
    _write_voc(files / "shop" / "b.XML", "shop/b.PNG")
    (files / "._a.xml").write_bytes(b"\0\5\x16\7")
    with caplog.at_level(logging.INFO):
        box_set = read_boxes(tmp_path)
    assert _count(box_set) == {"a.png": 1, "shop/a.png": 1, "shop/b.PNG": 1}
    assert box_set.unnamed == ("shop/new.png", "z.png")
    assert "2 photos have no annotation file and are left out" in caplog.text


def test_yolo_labels_are_read_whatever_the_case(tmp_path: Path) -> None:
    data = _write_yolo(tmp_path, "a.png", "b.JPG", labels=("a.TXT", "b.txt"))
    assert _count(read_boxes(data)) == {"images/a.png": 1, "images/b.JPG": 1}


@pytest.mark.parametrize(
    ("photos", "labels", "one", "other"),
    [
        (("a.jpg", "a.png"), ("a.txt",), "a.jpg", "a.png"),
        (("a.jpg",), ("a.txt", "a.TXT"), "a.TXT", "a.txt"),
    ],
)
def test_boxes_that_might_be_of_either_photo_are_refused(
    photos: tuple[str, ...],
    labels: tuple[str, ...],
    one: str,
    other: str,
    tmp_path: Path,
    look: Callable[[Path], tuple[BoxSet, Refused]],
) -> None:
    box_set, refused = look(_write_yolo(tmp_path, "b.png", *photos, labels=("b.txt", *labels)))
    assert _count(box_set) == {"images/b.png": 1}
    ((image, sentence),) = refused
    assert image == "images/a.jpg"
    assert f"{one} and " in sentence
    assert f"{other} differ in their suffix alone" in sentence


def test_yolo_folders_may_be_links(tmp_path: Path) -> None:
    far, data = tmp_path / "far", tmp_path / "data"
    far.mkdir()
    _write_yolo(far, "a.png", labels=("a.txt",))
    for name in ("images", "labels"):
        (data / name).mkdir(parents=True)
        (data / name / "train").symlink_to(far / name, target_is_directory=True)
    (data / "classes.txt").write_text("hat\n")
    assert _count(read_boxes(data)) == {"images/train/a.png": 1}


def test_yolo_photos_without_boxes_may_share_a_name(tmp_path: Path) -> None:
    data = _write_yolo(tmp_path, "a.jpg", "a.png", "b.png", labels=("b.txt",))
    assert _count(read_boxes(data)) == {"images/a.jpg": 0, "images/a.png": 0, "images/b.png": 1}


def test_pictures_that_are_not_read_are_told_of(
    tmp_path: Path, look: Callable[[Path], tuple[BoxSet, Refused]], caplog: pytest.LogCaptureFixture
) -> None:
    data = _write_yolo(tmp_path, "a.png", labels=("a.txt", "c.txt"))
    for name in ("a.HEIC", "b.HEIC", "c.gif"):
        (data / "images" / name).write_bytes(b"picture")
    box_set, refused = look(data)
    # The first is beside a copy that is read.
    assert box_set.unread == ("images/b.HEIC",)
    ((image, sentence),) = refused
    assert image == "labels/c.txt"
    assert sentence.endswith("c.gif, which is of a format that is not read; save the photo as JPEG.")
    (data / "labels" / "c.txt").unlink()
    with caplog.at_level(logging.INFO):
        read_boxes(data)
    assert "2 pictures are of a format that is not read and left out" in caplog.text


@pytest.mark.parametrize("outline", ["0.2 0.375 0.6 0.125 0.4 0.625", "0.2 0.2 0.4 0.125 0.6 0.3 0.4 0.625"])
def test_an_outline_is_taken_as_the_box_around_it(
    outline: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = _write_yolo(tmp_path, "a.png", "b.png", labels=("a.txt", "b.txt"))
    (data / "labels" / "b.txt").write_text(f"0 {outline}\n0 0.4 0.375 0.4 0.5\n")
    with caplog.at_level(logging.INFO):
        _, photo = read_boxes(data).photos
    assert [box.corners for box in photo.boxes] == [pytest.approx(_HAT.corners)] * 2
    assert "1 outlines are taken as the boxes around them" in caplog.text
    assert caplog.text.endswith("The first: images/b.png\n")


def test_outlines_that_are_refused_are_not_counted(
    tmp_path: Path, look: Callable[[Path], tuple[BoxSet, Refused]]
) -> None:
    data = _write_yolo(tmp_path, "a.png", labels=("a.txt",))
    (data / "labels" / "a.txt").write_text("0 0 0 1 0 1 1\n0 0 0 2 0 2 2\n")
    box_set, refused = look(data)
    assert [photo.outlines for photo in box_set.photos] == [1]
    assert len(refused) == 1


@pytest.mark.parametrize(
    ("file", "folder"),
    [
        ("instances_default.json", "images/default"),
        ("instances_default.json", "images"),
        ("instances_val2017.json", "val2017"),
    ],
)
def test_photos_are_found_around_a_folder_of_annotations(file: str, folder: str, tmp_path: Path) -> None:
    (tmp_path / "annotations").mkdir()
    _write_coco(tmp_path / "annotations", "a.png").rename(tmp_path / "annotations" / file)
    # Of the same name, but of another subset.
    _draw(tmp_path / folder / "a.png", tmp_path / "images" / "another" / "a.png", tmp_path / "train2017" / "a.png")
    box_set = read_boxes(tmp_path / "annotations" / file)
    assert box_set.images == tmp_path / folder
