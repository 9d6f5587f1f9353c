import logging
import os
from pathlib import Path
from unicodedata import normalize

import cv2
import numpy as np
import pytest

from edge_runtime.errors import DataError
from train.data.photos import Columns, Photo, check_readable, find_photos, read_photos


def put(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.zeros((4, 4, 3), np.uint8))


def write_csv(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_folder_names_are_labels_and_other_files_are_left_out(tmp_path: Path) -> None:
    put(tmp_path / "t shirt" / "b.jpg")
    put(tmp_path / "röcke" / "a.png")
    (tmp_path / "röcke" / "notes.txt").write_text("no picture")
    photo_set = read_photos(tmp_path, Columns())
    assert photo_set.labels == ("röcke", "t shirt")
    assert Photo("röcke/a.png", "röcke", "röcke/a.png") in photo_set.photos
    assert len(photo_set.photos) == 2


def test_csv_uses_named_columns_and_skips_rows_without_label(tmp_path: Path) -> None:
    for name in "abc":
        put(tmp_path / "images" / f"{name}.jpg")
    table = write_csv(tmp_path / "t.csv", "file,kind,by", "a.jpg,hat,1", "b.jpg,shoes,2", "c.jpg,,2")
    photo_set = read_photos(table, Columns("file", "kind", "by"))
    assert photo_set.images == tmp_path / "images"
    assert photo_set.photos == (Photo("a.jpg", "hat", "1"), Photo("b.jpg", "shoes", "2"))


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (("image,kind", "a.jpg,hat"), "no column label"),
        (("image,label", "a.jpg,hat"), "of the class hat; at least two"),
        (("image,label", "a.jpg,hat", "gone.jpg,shoes"), "not under"),
        (("image,label", "a.jpg,hat", "a.jpg,shoes"), "labelled hat and shoes"),
        (("image,label,sender", "a.jpg,hat,me", "b.jpg,shoes,me", "a.jpg,hat,you"), "of the groups me and you"),
        (("",), "no column image, label"),
    ],
)
def test_bad_csv_is_told_in_one_sentence(tmp_path: Path, rows: tuple[str, ...], sentence: str) -> None:
    put(tmp_path / "a.jpg")
    put(tmp_path / "b.jpg")
    with pytest.raises(DataError, match=sentence):
        read_photos(write_csv(tmp_path / "t.csv", *rows), Columns(group="sender" if "sender" in rows[0] else None))


def test_binary_file_named_csv_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xff\xd8\xff\x00")
    with pytest.raises(DataError, match="cannot be read as CSV"):
        read_photos(path, Columns())


def test_bad_photos_are_counted_and_the_first_is_named(tmp_path: Path) -> None:
    for name in ("hat/a.jpg", "shoes/b.jpg", "shoes/c.jpg"):
        put(tmp_path / name)
    (tmp_path / "shoes" / "b.jpg").write_text("no picture")
    with pytest.raises(DataError, match=r"1 of 3 photos cannot be read\. The first: .*b\.jpg"):
        check_readable(read_photos(tmp_path, Columns()).files)


def test_hidden_files_and_folders_are_no_photos(tmp_path: Path) -> None:
    """Copies made by macOS come with files of its own."""
    for name in ("hat/a.jpg", "shoes/b.jpg", ".thumbnails/c.jpg"):
        put(tmp_path / name)
    (tmp_path / "hat" / "._a.jpg").write_bytes(b"no picture")
    assert [photo.image for photo in read_photos(tmp_path, Columns()).photos] == ["hat/a.jpg", "shoes/b.jpg"]


def test_labels_are_one_line_without_spaces_around(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        put(tmp_path / name)
    (tmp_path / "labels.csv").write_text("image,label\na.jpg,red \nb.jpg, red\nc.jpg,blue\na.jpg, \n")
    assert read_photos(tmp_path / "labels.csv", Columns()).labels == ("blue", "red")
    (tmp_path / "labels.csv").write_text('image,label\na.jpg,"re\nd"\nb.jpg,blue\n')
    with pytest.raises(DataError, match=r"label 're\\nd', which is not one line"):
        read_photos(tmp_path / "labels.csv", Columns())


def test_missing_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read_photos(tmp_path / "nowhere", Columns())


def test_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no class with photos; put the photos of each class into a folder"):
        read_photos(tmp_path, Columns())


def test_one_class_is_enough_where_nothing_is_told_apart(tmp_path: Path) -> None:
    put(tmp_path / "hat" / "a.jpg")
    with pytest.raises(DataError, match="are of the class hat; at least two are needed"):
        read_photos(tmp_path, Columns())
    assert read_photos(tmp_path, Columns(), fewest_classes=1).labels == ("hat",)


def test_labels_with_spaces_commas_and_other_scripts_are_kept(tmp_path: Path) -> None:
    for name in ("a.jpg", "ж/b.jpg"):
        put(tmp_path / name)
    table = write_csv(tmp_path / "t.csv", "image,label", 'a.jpg,"t shirt, long"', "ж/b.jpg,юбка")
    assert read_photos(table, Columns()).labels == ("t shirt, long", "юбка")


def test_photos_of_unknown_groups_stand_for_themselves(tmp_path: Path) -> None:
    for name in "abc":
        put(tmp_path / f"{name}.jpg")
    table = write_csv(tmp_path / "t.csv", "image,label,by", "a.jpg,hat,7", "b.jpg,hat,", "c.jpg,shoes")
    groups = [photo.group for photo in read_photos(table, Columns(group="by")).photos]
    assert groups == ["7", "b.jpg", "c.jpg"]


def test_a_row_without_a_photo_is_named_by_its_line(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg")
    table = write_csv(tmp_path / "t.csv", "label,image", "hat,a.jpg", "shoes")
    with pytest.raises(DataError, match="names no photo in line 3"):
        read_photos(table, Columns())


def test_photos_can_be_listed_with_all_that_is_wrong_with_them(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", "image,label", "gone.jpg,hat", "gone.jpg,shoes")
    assert [photo.label for photo in find_photos(table, Columns()).photos] == ["hat", "shoes"]


@pytest.mark.parametrize("name", ["instances.json", "instances.txt"])
def test_a_file_of_boxes_is_sent_to_the_detector(tmp_path: Path, name: str) -> None:
    """As a table it has one column, whose name is all of the file."""
    (tmp_path / name).write_text('\ufeff {"info": {"description": "boxes"}, "images": []}', encoding="utf-8")
    with pytest.raises(
        DataError, match=r"edge-train detect takes, .* cut its boxes out with edge-train crops"
    ) as caught:
        read_photos(tmp_path / name, Columns())
    assert "description" not in str(caught.value)


def test_a_folder_of_boxes_is_sent_to_the_detector(tmp_path: Path) -> None:
    put(tmp_path / "images" / "a.png")
    (tmp_path / "labels").mkdir()
    with pytest.raises(DataError, match="holds boxes"):
        read_photos(tmp_path, Columns())


def test_columns_are_named_as_far_as_they_help(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", ",".join(f"{number}{'x' * 100}" for number in range(50)))
    with pytest.raises(DataError, match=r"it has 0x{39}, .*9x{39}, 40 more") as caught:
        read_photos(table, Columns())
    assert len(str(caught.value)) < 800


def test_a_class_folder_without_a_photo_of_its_own_is_refused(tmp_path: Path) -> None:
    """Its class would be missing from the model, and nobody would be told."""
    for name in ("hat/a.png", "shoes/b.png", "pants/2024/c.png"):
        put(tmp_path / name)
    (tmp_path / "skirt").mkdir()
    (tmp_path / "skirt" / "d.heic").touch()
    with pytest.raises(DataError, match=r"pants has no photo that can be taken, nor 1 other class folders; put JPEG"):
        read_photos(tmp_path, Columns())


def test_pictures_that_no_class_has_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("hat/a.png", "shoes/b.png", "shoes/2024/c.png", "d.png", ".thumbnails/e.png"):
        put(tmp_path / name)
    (tmp_path / "hat" / "f.heic").touch()
    caplog.set_level(logging.INFO)
    assert len(read_photos(tmp_path, Columns()).photos) == 2
    (message,) = caplog.messages
    assert message.startswith("left out 3 pictures that are not straight in a class folder")
    assert "the first d.png" in message


def test_a_group_is_one_whatever_spaces_are_around_it(tmp_path: Path) -> None:
    """Or one sender would be on both sides of a split."""
    for name in "abc":
        put(tmp_path / f"{name}.jpg")
    table = write_csv(tmp_path / "t.csv", "image,label,by", "a.jpg,hat,me", "b.jpg,hat, me ", "c.jpg,shoes, ")
    groups = [photo.group for photo in read_photos(table, Columns(group="by")).photos]
    assert groups == ["me", "me", "c.jpg"]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_table_of_a_spreadsheet_is_read(tmp_path: Path, separator: str) -> None:
    for name in "ab":
        put(tmp_path / f"{name}.jpg")
    rows = ("image;label;by, if known", "a.jpg;hat, red;me", "b.jpg;shoes;")
    table = tmp_path / "t.csv"
    table.write_bytes("\r\n".join(rows).replace(";", separator).encode("utf-8-sig"))
    photos = read_photos(table, Columns(group="by, if known")).photos
    assert photos == (Photo("a.jpg", "hat, red", "me"), Photo("b.jpg", "shoes", "b.jpg"))


def test_columns_of_other_names_are_told_apart_by_what_separates_them(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"it has Bild, Klasse\)"):
        read_photos(write_csv(tmp_path / "t.csv", "Bild;Klasse", "a.jpg;hat"), Columns())


@pytest.mark.parametrize("folder", ["", "images"])
def test_paths_of_windows_are_read(tmp_path: Path, folder: str) -> None:
    (tmp_path / "images").mkdir()
    for name in ("hat/a.jpg", "shoes/b.jpg"):
        put(tmp_path / folder / name)
    table = write_csv(tmp_path / "t.csv", "image,label", "hat\\a.jpg,hat", "shoes\\b.jpg,shoes")
    photo_set = read_photos(table, Columns())
    assert photo_set.images == tmp_path / folder
    assert photo_set.photos == (Photo("hat/a.jpg", "hat", "hat/a.jpg"), Photo("shoes/b.jpg", "shoes", "shoes/b.jpg"))


@pytest.mark.skipif(os.name == "nt", reason="a backslash divides folders there")
def test_a_backslash_in_a_name_stays_one(tmp_path: Path) -> None:
    for name in ("a\\b.jpg", "c.jpg"):
        put(tmp_path / name)
    table = write_csv(tmp_path / "t.csv", "image,label", "a\\b.jpg,hat", "c.jpg,shoes")
    assert [photo.image for photo in read_photos(table, Columns()).photos] == ["a\\b.jpg", "c.jpg"]


@pytest.mark.parametrize(
    ("image", "there", "advice"),
    [
        ("hat/1", "hat/1.HEIC", r"the file there is 1\.HEIC, of a kind that is not read; save it as JPEG"),
        ("hat/1.jpg", "hat/1.HEIC", r"the file there is 1\.HEIC, of a kind that is not read; save it as JPEG"),
        ("hat/1.jpg", "hat/1.jpeg", r"the file there is hat/1\.jpeg: write its suffix into the table\.$"),
        ("hat/1.2", "hat/1.2.JPG", r"the file there is hat/1\.2\.JPG: write its suffix into the table\.$"),
        ("hat/A.JPG", "hat/a.jpg", r"the file there is hat/a\.jpg: letter case counts"),
        ("./Hat/a.jpg", "hat/a.jpg", r"the file there is hat/a\.jpg: letter case counts"),
        ("röcke/ä.jpg", normalize("NFD", "röcke/ä.jpg"), "its letters are in another Unicode form, as macOS writes"),
        ("https://shop/hat/a.jpg?sign=" + "x" * 300, "hat/a.jpg", "that is an address, not a path; download the"),
        ("C:\\Users\\anna\\hat\\a.jpg", "hat/a.jpg", "this computer has no such file; write paths that start from"),
        ("\\\\nas\\anna\\hat\\a.jpg", "hat/a.jpg", "this computer has no such file"),
        ("/elsewhere/hat/a.jpg", "hat/a.jpg", "this computer has no such file"),
        (
            "/data/upload/3/1a2b3c4d-a.jpg",
            "hat/a.jpg",
            "that is how Label Studio names it; cut off all before the name",
        ),
        ("/data/local-files/?d=hat/a.jpg", "hat/a.jpg", "that is how Label Studio names it"),
        ("a.jpg", "hat/a.jpg", "the first a.jpg; name their folder with --images"),
        ("../hat/a", "hat/a.jpg", "name their folder with --images"),
    ],
)
def test_what_keeps_a_photo_from_being_found_is_told(image: str, there: str, advice: str, tmp_path: Path) -> None:
    (tmp_path / there).parent.mkdir()
    (tmp_path / there).touch()
    table = write_csv(tmp_path / "t.csv", "image,label", f"{image},hat", "gone.jpg,shoes")
    with pytest.raises(DataError, match=rf"^2 of 2 photos are not under .*{advice}"):
        read_photos(table, Columns())
