import json
import logging
import ntpath
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime.errors import DataError
from edge_runtime.training_run import Split
from train.detection.data import read_data

LABELS = ("disc", "square")
MakeScenes = Callable[..., Path]


def edit(path: Path, **changes: object) -> Path:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return path


def keep_squares_on(path: Path, photos: int) -> Path:
    """Take all squares away but those of the first photos."""
    annotations = json.loads(path.read_text())["annotations"]
    kept = [each for each in annotations if each["category_id"] == 0 or each["image_id"] < photos]
    return edit(path, annotations=kept)


def test_photos_without_boxes_are_on_both_sides_or_either(make_scenes: MakeScenes) -> None:
    data = read_data([make_scenes(count=12, empty=4)], [], (), 0.25, seed=0)
    assert data.labels == LABELS
    assert Counter(row.split for row in data.rows) == {Split.TRAIN: 12, Split.VALIDATION: 4}
    empty = [row for row in data.rows if not data.photos[row.image].boxes]
    assert [row.label for row in empty] == [""] * 4
    assert all(row.label in LABELS for row in data.rows if row not in empty)


def test_several_data_sets_are_one(make_scenes: MakeScenes) -> None:
    first, second = make_scenes(count=6), make_scenes(count=6, seed=1)
    data = read_data([first, second], [], (), 0.25, seed=0)
    assert len(data.rows) == 12
    assert all((data.images / row.image).is_file() for row in data.rows)
    assert len(data.box_rows) == 24


def test_data_sets_on_several_drives_are_refused(make_scenes: MakeScenes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "commonpath", lambda _: ntpath.commonpath(["C:\\shop", "D:\\more"]))
    with pytest.raises(DataError, match="several drives; copy them to one"):
        read_data([make_scenes(count=6), make_scenes(count=6, seed=1)], [], (), 0.25, seed=0)


def test_data_to_measure_on_are_never_learnt(make_scenes: MakeScenes) -> None:
    data = read_data([make_scenes(count=6)], [make_scenes(count=3, seed=1)], (), 0.25, seed=0)
    assert [len(data.of(split)) for split in (Split.TRAIN, Split.VALIDATION)] == [6, 3]


def test_copies_on_both_sides_are_refused(make_scenes: MakeScenes) -> None:
    with pytest.raises(DataError, match="same photo"):
        read_data([make_scenes(count=6)], [make_scenes(count=3)], (), 0.25, seed=0)


def test_a_data_set_given_twice_is_refused(make_scenes: MakeScenes) -> None:
    scenes = make_scenes(count=6)
    with pytest.raises(DataError, match="twice"):
        read_data([scenes, scenes], [], (), 0.25, seed=0)


def test_a_class_that_the_first_data_set_lacks_has_to_be_meant(make_scenes: MakeScenes) -> None:
    first, second = make_scenes(count=6), make_scenes(count=6, seed=1, labels=("disc", "sqare"))
    with pytest.raises(DataError, match=r"sqare.*--labels 'disc,sqare,square', or .*--labels 'disc,square'"):
        read_data([first, second], [], (), 0.25, seed=0)
    assert read_data([first, second], [], ("square", "sqare", "disc"), 0.25, 0).labels == ("disc", "sqare", "square")


def test_labels_that_nothing_shows_are_refused(make_scenes: MakeScenes) -> None:
    with pytest.raises(DataError, match="has a box of hat"):
        read_data([make_scenes(count=6)], [], (*LABELS, "hat"), 0.25, seed=0)


def test_boxes_of_classes_that_are_not_named_are_left_out_and_counted(
    make_scenes: MakeScenes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    data = read_data([make_scenes(count=6)], [make_scenes(count=3, seed=1)], ("disc",), 0.25, seed=0)
    assert caplog.messages == ["left out 9 boxes of classes that --labels does not name: square 9"]
    assert data.labels == ("disc",)
    assert [row.label for row in data.box_rows] == ["disc"] * 9


def test_photos_whose_boxes_are_all_left_out_stay(make_scenes: MakeScenes) -> None:
    discs = make_scenes(count=6, labels=("disc",))
    data = read_data([discs, make_scenes(count=6, seed=1, labels=("cube",))], [], ("disc",), 0.25, seed=0)
    assert Counter(len(photo.boxes) for photo in data.photos.values()) == {1: 6, 0: 6}


def test_data_to_measure_on_show_something_that_is_learnt(make_scenes: MakeScenes) -> None:
    cubes = make_scenes(count=3, seed=1, labels=("cube",))
    with pytest.raises(DataError, match="No photo to measure on has a box of disc, square"):
        read_data([make_scenes(count=6)], [cubes], LABELS, 0.25, seed=0)


def test_a_class_on_one_photo_can_be_left_out_as_the_message_says(make_scenes: MakeScenes) -> None:
    path = keep_squares_on(make_scenes(count=12), 1)
    with pytest.raises(DataError, match=r"square has one photo.*name the other classes with --labels"):
        read_data([path], [], (), 0.25, seed=0)
    assert read_data([path], [], ("disc",), 0.25, seed=0).labels == ("disc",)


@pytest.mark.parametrize("seed", range(4))
def test_a_class_on_few_photos_is_on_both_sides(make_scenes: MakeScenes, seed: int) -> None:
    data = read_data([keep_squares_on(make_scenes(count=20), 3)], [], (), 0.15, seed)
    for split in (Split.TRAIN, Split.VALIDATION):
        assert {box.label for photo in data.of(split) for box in photo.boxes} == set(LABELS)


def test_empty_annotations_and_missing_photos_are_refused(make_scenes: MakeScenes) -> None:
    with pytest.raises(DataError, match="no box on any photo"):
        read_data([edit(make_scenes(count=2), annotations=[])], [], (), 0.25, seed=0)
    scenes = make_scenes(count=2)
    (scenes.parent / "images" / "1.png").unlink()
    with pytest.raises(DataError, match="not there"):
        read_data([scenes], [], (), 0.25, seed=0)


@pytest.mark.parametrize("box", [[float("nan"), 0, 5, 5], [10, 10, 0, 5], [200, 10, 20, 20], [0, 0, 5]])
def test_impossible_boxes_are_refused(make_scenes: MakeScenes, box: list[float]) -> None:
    scenes = make_scenes(count=2)
    annotations = json.loads(scenes.read_text())["annotations"]
    annotations[0]["bbox"] = box
    with pytest.raises(DataError, match="box 0"):
        read_data([edit(scenes, annotations=annotations)], [], (), 0.25, seed=0)


def test_a_class_that_is_rarest_on_one_photo_is_held_out_with_others(make_scenes: MakeScenes) -> None:
    """Photos are dealt out by their rarest class; whether a class is on both sides is told by all of its boxes."""
    path = make_scenes(count=12, labels=("disc", "square"))
    content = json.loads(path.read_text())
    # One disc less makes discs the rarer class of all photos but one, on which squares stand alone.
    annotations = [each for each in content["annotations"] if (each["image_id"], each["category_id"]) != (0, 0)]
    data = read_data([edit(path, annotations=annotations)], [], (), 0.25, seed=0)
    assert [row.label for row in data.rows].count("square") == 1
    for split in (Split.TRAIN, Split.VALIDATION):
        assert {box.label for photo in data.of(split) for box in photo.boxes} == set(LABELS)


def test_photos_may_lie_elsewhere(make_scenes: MakeScenes, tmp_path: Path) -> None:
    path = make_scenes(count=6)
    (tmp_path / "scenes.json").write_text(path.read_text())
    with pytest.raises(DataError, match="--images"):
        read_data([tmp_path / "scenes.json"], [], (), 0.25, seed=0)
    data = read_data([tmp_path / "scenes.json"], [], (), 0.25, seed=0, images=path.parent / "images")
    assert all((data.images / row.image).is_file() for row in data.rows)


def test_class_names_are_those_of_the_folders_alone(make_scenes: MakeScenes, tmp_path: Path) -> None:
    coco, names = make_scenes(count=6), tmp_path / "names.txt"
    names.write_text("disc\nsquare\n")
    for folder in ("images", "labels"):
        (tmp_path / "yolo" / folder).mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "yolo" / "images" / "0.png"), np.zeros((80, 96, 3), np.uint8))
    (tmp_path / "yolo" / "labels" / "0.txt").write_text("1 0.5 0.5 0.4 0.4\n")
    data = read_data([coco, tmp_path / "yolo"], [], (), 0.25, seed=0, classes=names)
    assert len(data.rows) == 7
    with pytest.raises(DataError, match="--classes"):
        read_data([coco], [], (), 0.25, seed=0, classes=names)


@pytest.mark.parametrize("name", ["", "two\nlines"])
def test_class_names_that_no_model_file_could_hold_are_refused(make_scenes: MakeScenes, name: str) -> None:
    """It would be found out after the whole training."""
    scenes = make_scenes()
    categories = [{"id": 0, "name": " disc\n"}, {"id": 1, "name": name}]
    with pytest.raises(DataError, match=r"has the class .*, which is not one line; rename it"):
        read_data([edit(scenes, categories=categories)], [], (), 0.25, seed=0)
    kept = read_data([edit(scenes, categories=[categories[0], {"id": 1, "name": "square"}])], [], (), 0.25, seed=0)
    assert kept.labels == ("disc", "square")


def test_photos_are_divided_alike_with_composed_scenes_and_without(make_scenes: MakeScenes) -> None:
    """The scenes make squares, on fewer of the photos, the commoner class of all."""
    photos, scenes = keep_squares_on(make_scenes(count=20), 8), make_scenes(count=30, seed=1, labels=("square",))
    edit(scenes, images=[{**each, "composed": True} for each in json.loads(scenes.read_text())["images"]])
    alone, beside = (read_data(data, [], (), 0.25, seed=0).rows for data in ([photos], [photos, scenes]))
    assert [(row.label, row.split) for row in beside[:20]] == [(row.label, row.split) for row in alone]
    assert {(row.label, row.split) for row in beside[20:]} == {("square", Split.TRAIN)}
