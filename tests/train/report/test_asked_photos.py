from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime.errors import DataError
from edge_runtime.files import hash_file
from edge_runtime.training_run import Split, SplitRow, write_split_rows
from train.data.detection_formats import read_boxes
from train.data.photos import Columns, read_photos
from train.report.asked_photos import choose_boxed_photos, choose_photos


def paint(path: Path, grey: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((8, 8, 3), grey, np.uint8))


@pytest.fixture
def shops(tmp_path: Path) -> Path:
    """Two data sets of two classes with photos of the same names, no two alike."""
    for place, folder in enumerate(("old/hat", "old/shoe", "new/hat", "new/shoe")):
        for number in range(3):
            paint(tmp_path / folder / f"{number}.png", 20 * place + number)
    return tmp_path


def write_splits(folder: Path, test: Sequence[str]) -> Path:
    """Write the split of a run over all data sets in a folder, whose paths start from there."""
    images = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.png"))
    rows = (
        SplitRow(image, Path(image).parent.name, image, Split.TEST if image in test else Split.TRAIN,
                 hash_file(folder / image))
        for image in images
    )  # fmt: skip
    write_split_rows(folder / "splits.csv", rows)
    return folder / "splits.csv"


def choose(data: Path, splits: Path) -> list[str]:
    return [photo.image for photo in choose_photos(data, read_photos(data, Columns()), splits, Split.TEST).photos]


def test_of_a_run_over_several_data_each_is_asked_alone(shops: Path) -> None:
    splits = write_splits(shops, ["old/hat/0.png", "old/shoe/2.png", "new/hat/1.png"])
    assert choose(shops / "old", splits) == ["hat/0.png", "shoe/2.png"]
    assert choose(shops / "new", splits) == ["hat/1.png"]


def test_a_path_of_another_photo_does_not_count(shops: Path) -> None:
    """The first data set of the run lies where the second one starts from."""
    splits = write_splits(shops / "old", ["hat/0.png"])
    with pytest.raises(DataError, match=r"6 photos have changed since"):
        choose(shops / "new", splits)
    (shops / "old" / "hat" / "0.png").replace(shops / "old" / "hat" / "1.png")
    (shops / "old" / "shoe" / "0.png").unlink()
    assert choose(shops / "old", splits) == ["hat/1.png"]


@pytest.mark.parametrize("name", ["hat/2.png", "hat/more.png"])
def test_a_photo_that_the_split_does_not_know_is_refused(name: str, shops: Path) -> None:
    splits = write_splits(shops, ["old/hat/0.png"])
    paint(shops / "old" / name, 200)
    with pytest.raises(DataError, match=rf"1 photos of the data are not in it, the first {name}"):
        choose(shops / "old", splits)


def test_a_moved_photo_with_another_label_is_refused(shops: Path) -> None:
    splits = write_splits(shops, ["old/hat/0.png"])
    (shops / "old" / "hat" / "0.png").replace(shops / "old" / "shoe" / "3.png")
    with pytest.raises(DataError, match=r"1 photos have another label in the data, the first shoe/3\.png"):
        choose(shops / "old", splits)


def test_a_moved_photo_whose_copies_are_on_two_sides_is_refused(shops: Path) -> None:
    paint(shops / "old" / "hat" / "3.png", 0)
    splits = write_splits(shops, ["old/hat/0.png"])
    with pytest.raises(DataError, match="give both the same split in"):
        choose(shops / "old", splits)


def test_photos_with_boxes_are_known_likewise(shops: Path) -> None:
    data = shops / "old"
    (data / "labels").mkdir()
    (data / "hat").rename(data / "images")
    for number in range(3):
        (data / "labels" / f"{number}.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    (data / "classes.txt").write_text("hat\n")
    splits = write_splits(shops, ["old/images/1.png"])
    chosen = choose_boxed_photos(data, read_boxes(data), splits, Split.TEST)
    assert [photo.image for photo in chosen.photos] == ["images/1.png"]
