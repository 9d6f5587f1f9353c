from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("tqdm", reason="needs the train extra")

from edge_runtime.errors import DataError
from edge_runtime.training_run import Split, TrainingRun, read_split_rows, write_split_rows
from train.cli import main
from train.data.photos import Columns, PhotoSet, read_photos
from train.data.split_file import read_splits
from train.data.splits import split_photos


@pytest.fixture
def photo_set(drawn_photos: Path) -> PhotoSet:
    return read_photos(drawn_photos, Columns())


@pytest.fixture
def split_file(drawn_photos: Path, tmp_path: Path) -> Path:
    """Made by the command a user types."""
    path = tmp_path / "splits.csv"
    arguments = ["split", str(drawn_photos), "-o", str(path), "--validation-share", "0.25", "--seed", "3"]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert result.stderr == "train: 36 photos of 36 groups\nvalidation: 12 photos of 12 groups\n"
    return path


def test_the_command_saves_what_a_run_would_draw(split_file: Path, photo_set: PhotoSet) -> None:
    assert read_splits(split_file, photo_set) == split_photos(photo_set, 0.25, seed=3)


def test_the_command_holds_test_photos_back(drawn_photos: Path, photo_set: PhotoSet, tmp_path: Path) -> None:
    path = tmp_path / "splits.csv"
    arguments = ["split", str(drawn_photos), "-o", str(path), "--validation-share", "0.25", "--test-share", "0.25"]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["train", "validation", "test"]
    assert sum(row.split is Split.TEST for row in read_splits(path, photo_set)) == 12


def test_rows_come_in_the_order_of_the_photos(split_file: Path, photo_set: PhotoSet) -> None:
    write_split_rows(split_file, reversed(read_split_rows(split_file)))
    assert [row.image for row in read_splits(split_file, photo_set)] == [photo.image for photo in photo_set.photos]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"image": "hat/gone.png"}, "1 photos are not in the data, the first hat/gone.png"),
        ({"label": "cap"}, "1 photos have another label in the data, the first hat/0.png"),
        ({"sha256": "0" * 64}, "1 photos have changed since"),
    ],
)
def test_a_split_of_other_data_is_refused(
    split_file: Path, photo_set: PhotoSet, change: dict[str, str], sentence: str
) -> None:
    first, *others = read_split_rows(split_file)
    write_split_rows(split_file, [replace(first, **change), *others])
    with pytest.raises(DataError, match=sentence):
        read_splits(split_file, photo_set)


def test_a_photo_that_the_file_does_not_know_is_named(split_file: Path, photo_set: PhotoSet) -> None:
    write_split_rows(split_file, read_split_rows(split_file)[1:])
    advice = r"draw a new one with edge-train split --keep .*splits\.csv, which leaves the others where they are\."
    with pytest.raises(DataError, match=r"1 photos of the data are not in it, the first hat/0\.png; " + advice):
        read_splits(split_file, photo_set)


def test_a_photo_with_two_rows_is_refused_unless_they_are_alike(split_file: Path, photo_set: PhotoSet) -> None:
    rows = read_split_rows(split_file)
    write_split_rows(split_file, [*rows, rows[0]])
    assert read_splits(split_file, photo_set) == rows
    write_split_rows(split_file, [*rows, replace(rows[0], split=Split.TEST)])
    with pytest.raises(DataError, match=r"has hat/0\.png twice, and not alike"):
        read_splits(split_file, photo_set)


def test_a_class_on_one_side_only_is_refused(split_file: Path, photo_set: PhotoSet) -> None:
    write_split_rows(split_file, [replace(row, split=Split.TRAIN) for row in read_split_rows(split_file)])
    with pytest.raises(DataError, match="validation split has no photo of hat, pants, shoes"):
        read_splits(split_file, photo_set)


def test_a_file_that_a_spreadsheet_saved_is_read(split_file: Path, photo_set: PhotoSet) -> None:
    rows = read_splits(split_file, photo_set)
    split_file.write_bytes(b"\xef\xbb\xbf" + split_file.read_bytes())
    assert read_splits(split_file, photo_set) == rows


def test_what_is_wrong_with_an_edited_file_is_told(split_file: Path, photo_set: PhotoSet) -> None:
    text = split_file.read_text(encoding="utf-8")
    for edited, wanted in (
        (text.replace(",", ";"), "its header is image;label;group;split;sha256 and lacks image"),
        (text.replace(",validation,", ",val,"), "has the split 'val', which is none of train, validation, test"),
    ):
        split_file.write_text(edited, encoding="utf-8")
        with pytest.raises(DataError, match=wanted):
            read_splits(split_file, photo_set)


@pytest.mark.parametrize("content", [b"image,label\nhat/0.png,hat\n", b"\xff\xd8\xff\0", None])
def test_a_file_that_is_no_split_file_is_refused(content: bytes | None, photo_set: PhotoSet, tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read as a split file"):
        read_splits(path, photo_set)


@pytest.mark.usefixtures("small_mobilenet")
def test_a_run_takes_the_split_it_is_given(split_file: Path, drawn_photos: Path, tmp_path: Path) -> None:
    pytest.importorskip("keras", reason="needs the train extra")
    arguments = f"classify {drawn_photos} -o {tmp_path / 'run'} --splits {split_file} --weights none --image-size 32"
    result = CliRunner().invoke(main, [*arguments.split(), "--head-epochs", "1", "--epochs", "0"])
    assert result.exit_code == 0, result.output
    run = TrainingRun(tmp_path / "run")
    assert run.splits_path.read_text() == split_file.read_text()
    assert run.read_arguments()["splits"] == str(split_file)


def test_a_share_beside_a_split_is_refused(split_file: Path, drawn_photos: Path, tmp_path: Path) -> None:
    arguments = f"classify {drawn_photos} -o {tmp_path / 'run'} --splits {split_file} --validation-share 0.2"
    result = CliRunner().invoke(main, arguments.split())
    assert result.exit_code == 2
    assert "leave --validation-share away" in result.stderr


def test_a_split_drawn_without_the_groups_of_now_is_refused(split_file: Path, photo_set: PhotoSet) -> None:
    """Photos of one sender would be on both sides."""
    grouped = replace(photo_set, photos=tuple(replace(photo, group="one sender") for photo in photo_set.photos))
    with pytest.raises(DataError, match="divides the group one sender; draw a new split"):
        read_splits(split_file, grouped)


def test_spaces_around_a_group_in_the_file_make_no_other_group(split_file: Path, photo_set: PhotoSet) -> None:
    groups = {"hat/0.png": "anna", "hat/1.png": " anna ", "hat/2.png": " "}
    rows = [replace(row, group=groups.get(row.image, row.group)) for row in read_split_rows(split_file)]
    write_split_rows(split_file, rows)
    read = {row.image: row.group for row in read_splits(split_file, photo_set)}
    assert [read[image] for image in groups] == ["anna", "anna", "hat/2.png"]
