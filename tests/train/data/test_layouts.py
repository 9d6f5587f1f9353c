from pathlib import Path

import pytest

pytest.importorskip("tqdm", reason="needs the train extra")

from edge_runtime.errors import DataError
from train.data.photos import Columns, find_photos

_COCO = '{"images": [], "annotations": [], "categories": []}'
_LABELME = '{"version": "5.4.1", "shapes": [{"label": "hat", "points": [[1, 2], [9, 9]]}], "imagePath": "a.jpg"}'
_VIA = '{"_via_img_metadata": {"a.jpg12": {"regions": [{"shape_attributes": {"x": 1}}]}}}'
_VIA_1 = '{"a.jpg12": {"regions": {"0": {"shape_attributes": {"x": 1}}}}}'
_CREATE_ML = '[{"image": "a.jpg", "annotations": [{"label": "hat", "coordinates": {"x": 1}}]}]'
_LABEL_STUDIO = '[{"id": 1, "annotations": [{"result": [{"value": {"x": 1}}]}]}]'
_VOC = "<annotation><filename>a.jpg</filename><object><bndbox><xmin>1</xmin></bndbox></object></annotation>"
_CVAT = '<annotations><image name="a.jpg"><box label="hat" xtl="1"/></image></annotations>'
_YOLO = "0 0.5 0.5 0.25 1e-05\n\n12 0 0 1 1\n"
_YOLO_OUTLINE = "0 0.5 0.5 0.25 0.1 0.75 0.9\n"


def fill(folder: Path, *names: str) -> Path:
    """Make empty files, which is enough for photos that are only listed."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def count(folder: Path) -> int:
    return len(find_photos(folder, Columns()).photos)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", _LABELME),
        ("via.json", _VIA),
        ("via.json", _VIA_1),
        ("a.json", _CREATE_ML),
        ("a.json", _LABEL_STUDIO),
        ("a.xml", _VOC),
        ("A.XML", _VOC),
        ("all.xml", _CVAT),
        ("a.txt", _YOLO),
        ("a.txt", _YOLO_OUTLINE),
    ],
)
@pytest.mark.parametrize("folder", ["train", "", "monday"])
def test_annotations_beside_photos_are_refused(tmp_path: Path, folder: str, name: str, text: str) -> None:
    """Of a data set for a detector, each side or day would be a class."""
    fill(tmp_path, *([f"{folder}/a.jpg", "valid/b.jpg"] if folder else ["a.jpg"]))
    (tmp_path / folder / name).write_text(text)
    with pytest.raises(DataError, match=r"annotations lie beside the photos, the first .*\. Move") as caught:
        find_photos(tmp_path, Columns())
    assert str(tmp_path / folder / name) in str(caught.value)


@pytest.mark.parametrize("folder", ["train", "annotations", ""])
def test_a_coco_file_in_the_folder_is_named(tmp_path: Path, folder: str) -> None:
    fill(tmp_path, *(["train/a.jpg", "valid/b.jpg"] if folder == "train" else ["images/a.jpg"]))
    path = tmp_path / folder / "_annotations.coco.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(_COCO)
    with pytest.raises(DataError) as caught:
        find_photos(tmp_path, Columns())
    assert f"{path} is a COCO file; give that to edge-train detect" in str(caught.value)


def test_other_files_beside_photos_do_no_harm(tmp_path: Path) -> None:
    fill(tmp_path, "hat/a.jpg", "shoes/b.jpg", "c.jpg")
    for name, text in {
        "hat/a.json": '{"taken": "2024-05-01"}',
        "hat/a.xml": "<metadata/>",
        "hat/a.txt": "5 hats",
        "hat/._a.xml": _VOC,
        "instances.json": _COCO,
    }.items():
        (tmp_path / name).write_text(text)
    assert count(tmp_path) == 2


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '{"title": "a", "regions": ["EU"]}'),
        ("a.json", '{"shapes": ["boxy"], "annotations": []}'),
        ("a.json", '{"annotations": [{"by": "Ada", "text": "worn"}], "regions": {"EU": "yes"}, "shapes": null}'),
        ("a.json", '{"regions": '),
        ("a.xml", "<photo><annotation>worn</annotation><boxes/></photo>"),
        ("sizes.txt", "38 40 42 44 46"),
        ("a.txt", "1 0.5 0.5 0.5 0.5\nof the hats"),
        ("a.txt", "\n"),
    ],
)
def test_files_that_only_speak_of_regions_or_numbers_do_no_harm(name: str, text: str, tmp_path: Path) -> None:
    fill(tmp_path, "hat/a.jpg", "shoes/b.jpg")
    (tmp_path / "hat" / name).write_text(text)
    assert count(tmp_path) == 2


def test_folders_of_a_split_are_no_classes(tmp_path: Path) -> None:
    fill(tmp_path, "Train/a.jpg", "valid/b.jpg")
    with pytest.raises(DataError, match=r"no folders of classes, but those of a split \(Train, valid\)"):
        find_photos(tmp_path, Columns())


def test_a_class_may_be_called_as_a_side_is(tmp_path: Path) -> None:
    assert count(fill(tmp_path, "train/a.jpg", "plane/b.jpg")) == 2
