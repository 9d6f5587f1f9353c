import json
import logging
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from edge_runtime.errors import DataError
from edge_runtime.files import hash_file
from edge_runtime.training_run import Split, SplitRow, read_split_rows, write_split_rows
from train.cli import main
from train.detection.data import DetectionData, read_data

MakeScenes = Callable[..., Path]
SHARES = "--validation-share 0.25 --test-share 0.25 --seed 3"


def split(*data: Path, output: Path, options: str = SHARES) -> Result:
    return CliRunner().invoke(main, ["split", *map(str, data), "-o", str(output), *options.split()])


@pytest.fixture
def scenes(make_scenes: MakeScenes) -> Path:
    return make_scenes(count=12)


@pytest.fixture
def splits(scenes: Path, tmp_path: Path) -> Path:
    """Of these scenes, made by the command a user types."""
    result = split(scenes, output=tmp_path / "splits.csv")
    assert result.exit_code == 0, result.output
    return tmp_path / "splits.csv"


def read(scenes: Path, splits: Path, labels: tuple[str, ...] = ()) -> DetectionData:
    return read_data([scenes], [], labels, 0.15, seed=0, splits=splits)


def change(splits: Path, edit: Callable[[SplitRow], SplitRow]) -> Path:
    write_split_rows(splits, list(map(edit, read_split_rows(splits))))
    return splits


def first_of(splits: Path, side: Split) -> str:
    return next(row.image for row in read_split_rows(splits) if row.split is side)


def test_the_command_tells_and_saves_what_a_run_takes(scenes: Path, tmp_path: Path) -> None:
    result = split(scenes, output=tmp_path / "splits.csv")
    assert result.stderr == (
        "train: 6 photos with 12 boxes of 2 classes\n"
        "validation: 3 photos with 6 boxes of 2 classes\n"
        "test: 3 photos with 6 boxes of 2 classes\n"
    )
    data = read(scenes, tmp_path / "splits.csv")
    assert data.rows == read_split_rows(tmp_path / "splits.csv")
    assert [len(data.of(side)) for side in Split] == [6, 3, 3]
    assert len(data.box_rows) == 24


def test_without_a_test_share_it_saves_what_a_run_would_draw(scenes: Path, tmp_path: Path) -> None:
    split(scenes, output=tmp_path / "splits.csv", options="--validation-share 0.25 --seed 3")
    assert read_split_rows(tmp_path / "splits.csv") == read_data([scenes], [], (), 0.25, seed=3).rows


def test_a_split_is_kept_with_its_groups_when_photos_come_and_go(
    make_scenes: Callable[..., Path], tmp_path: Path
) -> None:
    """Seven scenes of the second set are new, three of them composed."""
    old, more, splits = make_scenes(count=12), make_scenes(count=19), tmp_path / "splits.csv"
    split(old, output=splits)
    change(splits, lambda row: replace(row, group="shop" if row.image == first_of(splits, Split.TEST) else row.group))
    before = {row.sha256: row for row in read_split_rows(splits)}
    mark_composed(more, range(16, 19))
    result = split(more, output=splits, options=f"--keep {splits} --validation-share 0.25 --test-share 0.25")
    assert result.exit_code == 0, result.output
    after = {row.sha256: row for row in read_split_rows(splits)}
    known = after.keys() & before.keys()
    assert len(known) == 12
    assert all((after[each].split, after[each].group == "shop") == (before[each].split, before[each].group == "shop")
               for each in known)  # fmt: skip
    assert all(row.split is Split.TRAIN for row in read_split_rows(splits)[16:])
    assert {row.split for row in read_split_rows(splits)[12:16]} > {Split.TRAIN}
    assert len(read(more, splits).rows) == 19


def test_a_composed_scene_keeps_the_side_that_it_was_measured_on(scenes: Path, tmp_path: Path) -> None:
    split(scenes, output=tmp_path / "splits.csv")
    before = read_split_rows(tmp_path / "splits.csv")
    mark_composed(scenes, range(6))
    split(scenes, output=tmp_path / "new.csv", options=f"--keep {tmp_path / 'splits.csv'}")
    assert read_split_rows(tmp_path / "new.csv") == before


def mark_composed(scenes: Path, numbers: range) -> None:
    content = json.loads(scenes.read_text())
    for number in numbers:
        content["images"][number]["composed"] = True
    scenes.write_text(json.dumps(content))


def test_composed_scenes_are_learnt_from_only(scenes: Path) -> None:
    mark_composed(scenes, range(4, 12))
    rows = read_data([scenes], [], (), 0.5, seed=0, test_share=0.25).rows
    sides = [row.split for row in rows]
    assert Counter(sides[:4]) == {Split.TRAIN: 1, Split.VALIDATION: 2, Split.TEST: 1}
    assert set(sides[4:]) == {Split.TRAIN}
    assert all(row.sha256 for row in rows)


def test_beside_composed_scenes_no_photo_is_read_twice_for_its_hash(
    scenes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark_composed(scenes, range(8, 12))
    hashed: list[str] = []

    def count(path: Path) -> str:
        hashed.append(path.name)
        return hash_file(path)

    for module in ("photos", "splits", "split_file"):
        monkeypatch.setattr(f"train.data.{module}.hash_file", count, raising=False)
    read_data([scenes], [], (), 0.25, seed=0)
    assert len(hashed) == len(set(hashed)) == 12


@pytest.mark.parametrize("photos", [0, 1])
def test_where_photos_do_not_show_each_class_twice_composed_scenes_are_divided_too(photos: int, scenes: Path) -> None:
    unmarked = read_data([scenes], [], (), 0.25, seed=0).rows
    mark_composed(scenes, range(photos, 12))
    assert read_data([scenes], [], (), 0.25, seed=0).rows == unmarked


def test_only_scenes_of_a_class_that_too_few_photos_show_are_divided(
    make_scenes: MakeScenes, caplog: pytest.LogCaptureFixture
) -> None:
    """Two copies of a photo are one."""
    photos, caps = make_scenes(count=12, labels=("disc",)), make_scenes(count=2, seed=1, labels=("cap",))
    shutil.copy(caps.parent / "images" / "0.png", caps.parent / "images" / "1.png")
    scenes = make_scenes(name="discs", count=12, seed=2, labels=("disc",))
    both = make_scenes(name="both", count=8, seed=3, labels=("disc", "cap"))
    mark_composed(scenes, range(12))
    mark_composed(both, range(8))
    with caplog.at_level(logging.INFO):
        rows = read_data([photos, caps, scenes, both], [], ("cap", "disc"), 0.25, seed=0).rows
    sides = {name: {row.split for row in rows if row.image.startswith(name)} for name in ("discs", "both")}
    assert sides == {"discs": {Split.TRAIN}, "both": {Split.TRAIN, Split.VALIDATION}}
    assert "fewer than 2 photos show cap, so 8 composed scenes that do are divided" in caplog.text


def test_several_data_sets_of_several_kinds_are_divided_as_one(scenes: Path, tmp_path: Path) -> None:
    for folder in ("images", "labels"):
        (tmp_path / "yolo" / folder).mkdir(parents=True)
    for number in range(4):
        cv2.imwrite(str(tmp_path / "yolo" / "images" / f"{number}.png"), np.full((80, 96, 3), number, np.uint8))
        (tmp_path / "yolo" / "labels" / f"{number}.txt").write_text("1 0.5 0.5 0.4 0.4\n")
    names = tmp_path / "names.txt"
    names.write_text("cape\nsquare\n")
    output = tmp_path / "splits.csv"
    result = split(scenes, tmp_path / "yolo", output=output, options=f"{SHARES} --classes {names} --labels square")
    assert result.exit_code == 0, result.output
    assert len(read_split_rows(output)) == 16
    # Which comes first makes no difference to the names.
    read_data([tmp_path / "yolo", scenes], [], ("square",), 0.15, 0, classes=names, splits=output)


@pytest.mark.parametrize("option", ["--image-column=a", "--label-column=a", "--group-column=a"])
def test_columns_are_refused_for_boxes(option: str, scenes: Path, tmp_path: Path) -> None:
    result = split(scenes, output=tmp_path / "splits.csv", options=option)
    assert result.exit_code == 2
    assert "belongs to photos with one label each" in result.stderr


@pytest.mark.parametrize("option", ["--classes=names.txt", "--labels=hat,shoes"])
def test_class_names_are_refused_for_photos_with_labels(option: str, drawn_photos: Path, tmp_path: Path) -> None:
    result = split(drawn_photos, output=tmp_path / "splits.csv", options=option)
    assert result.exit_code == 2
    assert "belongs to a data set of boxes" in result.stderr


def test_photos_with_labels_are_one_data_set(drawn_photos: Path, scenes: Path, tmp_path: Path) -> None:
    result = split(drawn_photos, drawn_photos, output=tmp_path / "splits.csv")
    assert result.exit_code == 2
    assert "Several DATA are for boxes" in result.stderr
    result = split(drawn_photos, scenes, output=tmp_path / "splits.csv")
    assert result.exit_code == DataError.exit_code
    assert f"{drawn_photos} is no data set of boxes" in result.stderr


def test_other_data_are_refused(scenes: Path, splits: Path, make_scenes: MakeScenes) -> None:
    with pytest.raises(DataError, match=r"1 photos of the data are not in it, the first 12\.png"):
        read(make_scenes(count=13), splits)
    with pytest.raises(DataError, match="1 photos are not in the data"):
        read(make_scenes(count=11), splits)
    photo = scenes.parent / "images" / "4.png"
    cv2.imwrite(str(photo), cv2.imread(str(photo)) // 2)
    with pytest.raises(DataError, match=r"1 photos have changed since .*, the first 4\.png"):
        read(scenes, splits)


def test_labels_follow_from_boxes_and_groups_from_the_file(scenes: Path, splits: Path) -> None:
    before = read(scenes, splits).rows
    change(splits, lambda row: replace(row, label="of old", group=f"shop {row.split}" if row.image < "5" else ""))
    rows = read(scenes, splits).rows
    assert [row.label for row in rows] == [row.label for row in before]
    assert {row.group for row in rows if row.image >= "5"} == {row.image for row in rows if row.image >= "5"}
    assert {row.group for row in rows if row.image < "5"} <= {f"shop {side}" for side in Split}


@pytest.mark.parametrize("sides", [(Split.TRAIN, Split.VALIDATION), (Split.TRAIN, Split.TEST)])
def test_a_group_on_two_sides_is_refused(sides: tuple[Split, Split], scenes: Path, splits: Path) -> None:
    images = {first_of(splits, side) for side in sides}
    change(splits, lambda row: replace(row, group="one shop") if row.image in images else row)
    with pytest.raises(DataError, match="divides the group one shop; give all of its photos there the same split"):
        read(scenes, splits)


@pytest.mark.parametrize("side", [Split.VALIDATION, Split.TEST])
def test_copies_of_a_photo_on_two_sides_are_refused(side: Split, scenes: Path, splits: Path) -> None:
    original, copy = first_of(splits, Split.TRAIN), first_of(splits, side)
    shutil.copy(scenes.parent / "images" / original, scenes.parent / "images" / copy)
    sha256 = next(row.sha256 for row in read_split_rows(splits) if row.image == original)
    change(splits, lambda row: replace(row, sha256=sha256) if row.image == copy else row)
    with pytest.raises(DataError, match=f"are the same photo, one of the .*{side}.* give both the same split in"):
        read(scenes, splits)


@pytest.mark.parametrize("side", [Split.TRAIN, Split.VALIDATION])
def test_each_class_is_learnt_and_measured(side: Split, scenes: Path, splits: Path) -> None:
    other = Split.TRAIN if side is Split.VALIDATION else Split.VALIDATION
    change(splits, lambda row: replace(row, split=other if row.split is side else row.split))
    with pytest.raises(DataError, match=f"The {side} split has no photo of disc, square; .*divide them otherwise in"):
        read(scenes, splits)


def test_a_test_shows_some_object_and_not_each(make_scenes: MakeScenes, tmp_path: Path) -> None:
    scenes = make_scenes(count=8, empty=2)
    splits = tmp_path / "splits.csv"
    assert split(scenes, output=splits, options="--validation-share 0.25").exit_code == 0
    change(splits, lambda row: replace(row, split=Split.TEST if row.image >= "8" else row.split))
    with pytest.raises(DataError, match="No photo of the test split has a box"):
        read(scenes, splits)


@pytest.mark.parametrize("seed", range(4))
def test_a_class_on_two_photos_is_not_tested(seed: int, make_scenes: MakeScenes) -> None:
    """It could not be learnt or not be measured."""
    scenes, caps = make_scenes(count=20, labels=("disc",)), make_scenes(count=2, seed=1, labels=("cap",))
    data = read_data([scenes, caps], [], ("cap", "disc"), 0.15, seed, test_share=0.2)
    assert Counter(row.split for row in data.rows if row.label == "cap") == {Split.TRAIN: 1, Split.VALIDATION: 1}
    assert len(data.of(Split.TEST)) == pytest.approx(0.2 * 22, abs=1)


@pytest.mark.parametrize(
    ("options", "advice"), [("--validation-share 0.2", "--validation-share"), ("--validation a.json", "--validation")]
)
def test_a_split_leaves_nothing_to_draw_or_to_name(options: str, advice: str, scenes: Path, tmp_path: Path) -> None:
    command = f"detect {scenes} -o {tmp_path / 'run'} --splits {tmp_path / 'splits.csv'} {options}"
    result = CliRunner().invoke(main, command.split())
    assert result.exit_code == 2
    assert f"leave {advice} away" in result.stderr
