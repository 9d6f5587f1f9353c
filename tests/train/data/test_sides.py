"""Data sets whose folders are named after the sides of a split."""

import shutil
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

pytest.importorskip("tqdm", reason="needs the train extra")

from edge_runtime.errors import DataError
from edge_runtime.training_run import Split, read_split_rows
from train.cli import main
from train.compositing.composing import ComposeOptions, choose_photos
from train.data.kept_sides import keep_sides
from train.data.photos import Columns, Photo, PhotoSet, find_photos, list_left_out, read_photos

_SIDES = ("train", "valid", "test")


def fill(folder: Path, *names: str) -> Path:
    """Make files that differ, which is enough for photos that are not looked at."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def fill_classes(folder: Path, *sides: str, count: int = 2) -> PhotoSet:
    labels = ("hat", "shoes")
    names = [f"{side}/{label}/{number}.jpg" for side in sides for label in labels for number in range(count)]
    return read_photos(fill(folder, *names), Columns())


@pytest.fixture
def divided(drawn_photos: Path, tmp_path: Path) -> Path:
    """Drawn photos of a class folder each, of which the first half is to learn from."""
    for path in sorted(drawn_photos.glob("*/*.png")):
        side = "train" if int(path.stem) < 2 else "Validation" if int(path.stem) < 3 else "test"
        target = tmp_path / "divided" / side / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return tmp_path / "divided"


def cut_from(data: Path) -> tuple[Photo, ...]:
    return choose_photos(ComposeOptions(data, None, Columns(), None, {}, None, 1, 320, 240, 0)).photos


def train(*arguments: object) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)))


def test_classes_are_those_within_the_sides(tmp_path: Path) -> None:
    photo_set = fill_classes(tmp_path, *_SIDES)
    assert photo_set.labels == ("hat", "shoes")
    rows = keep_sides(photo_set, 0.15, seed=0)
    assert {(row.image.split("/")[0], row.split.value) for row in rows} == {
        ("train", "train"),
        ("valid", "validation"),
        ("test", "test"),
    }


@pytest.mark.parametrize("name", ["val", "VALID", "Validation", "val2017", "val1", "dev"])
def test_sides_have_several_names(name: str, tmp_path: Path) -> None:
    rows = keep_sides(fill_classes(tmp_path, "Training", name), 0.15, seed=0)
    assert Counter(row.split for row in rows) == {Split.TRAIN: 4, Split.VALIDATION: 4}


def test_without_photos_to_validate_on_a_share_of_the_others_is_drawn(tmp_path: Path) -> None:
    rows = keep_sides(fill_classes(tmp_path, "train", "test", count=10), 0.2, seed=0)
    assert Counter(row.split for row in rows) == {Split.TRAIN: 16, Split.VALIDATION: 4, Split.TEST: 20}
    assert all(row.image.startswith("test/") == (row.split is Split.TEST) for row in rows)


def test_without_photos_to_learn_from_nothing_is_learnt(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no photo in a folder train shows a class; add some, or call"):
        keep_sides(fill_classes(tmp_path, "valid", "test"), 0.15, seed=0)


def test_a_class_must_be_on_each_side(tmp_path: Path) -> None:
    fill_classes(tmp_path, "train", "valid")
    shutil.rmtree(tmp_path / "valid" / "hat")
    with pytest.raises(DataError, match=r"their validation side has no photo of hat; add some there, or take"):
        keep_sides(read_photos(tmp_path, Columns()), 0.15, seed=0)


@pytest.mark.parametrize(("copy", "sentence"), [
    ("valid/hat/9.jpg", "one of the train split and one of the validation split; take one of them away"),
    ("train/shoes/9.jpg", "labelled hat and shoes; keep one"),
])  # fmt: skip
def test_copies_that_contradict_are_refused(copy: str, sentence: str, tmp_path: Path) -> None:
    fill_classes(tmp_path, "train", "valid")
    shutil.copy(tmp_path / "train" / "hat" / "0.jpg", tmp_path / copy)
    with pytest.raises(DataError, match=sentence):
        keep_sides(read_photos(tmp_path, Columns()), 0.15, seed=0)


def test_what_is_left_out_is_not_straight_in_a_class(tmp_path: Path) -> None:
    fill_classes(tmp_path, "train", "valid")
    fill(tmp_path, "train/loose.jpg", "valid/hat/old/a.jpg")
    assert [path.as_posix() for path in list_left_out(tmp_path)] == ["train/loose.jpg", "valid/hat/old/a.jpg"]
    (tmp_path / "valid" / "coat").mkdir()
    with pytest.raises(DataError, match="coat has no photo that can be taken"):
        read_photos(tmp_path, Columns())


@pytest.mark.parametrize("name", ["__MACOSX/train/hat/a.jpg", "docs/read.me", ".cache/hat/a.jpg", "test/.a.jpg"])
def test_what_is_not_for_people_to_see_changes_nothing(name: str, tmp_path: Path) -> None:
    fill_classes(tmp_path, "train", "valid")
    fill(tmp_path, name)
    assert Counter(row.split for row in keep_sides(read_photos(tmp_path, Columns()), 0.15, seed=0)) == {
        Split.TRAIN: 4,
        Split.VALIDATION: 4,
    }


def test_photos_of_no_side_beside_others_are_refused_and_found(divided: Path, tmp_path: Path) -> None:
    shutil.copytree(divided / "test", divided / "monday")
    with pytest.raises(DataError, match=r"photos, the first .*monday/hat/\d+.png, lie in none of the folders train"):
        keep_sides(read_photos(divided, Columns()), 0.15, seed=0)
    assert "photos lie in none of the folders train, valid and test" in train("check", divided).stdout
    assert train("split", divided, "-o", tmp_path / "splits.csv").exit_code == 0


def test_a_class_may_be_called_as_a_side_is(tmp_path: Path) -> None:
    fill(tmp_path, "hat/a.jpg", "test/a.jpg", "test/old/b.jpg")
    photo_set = read_photos(tmp_path, Columns())
    assert (photo_set.labels, photo_set.lies_divided) == (("hat", "test"), False)


@pytest.mark.parametrize("name", ["eval", "seg_test", "tests"])
def test_a_folder_of_another_name_beside_train_is_refused_and_found(name: str, divided: Path) -> None:
    (divided / "test").rename(divided / name)
    shutil.rmtree(divided / "Validation")
    with pytest.raises(DataError, match="lie in none of the folders train, valid and test"):
        keep_sides(read_photos(divided, Columns()), 0.15, seed=0)
    assert "39 photos lie in none of the folders train, valid and test" in train("check", divided).stdout


def test_pictures_beside_the_sides_are_left_out(tmp_path: Path) -> None:
    fill(tmp_path, "docs/preview.jpg")
    assert {photo.side for photo in fill_classes(tmp_path, "train", "valid").photos} == {Split.TRAIN, Split.VALIDATION}
    assert [path.as_posix() for path in list_left_out(tmp_path)] == ["docs/preview.jpg"]


def test_numbered_classes_are_no_sides(tmp_path: Path) -> None:
    fill(tmp_path, *(f"test{number}/a.jpg" for number in (1, 2, 3)))
    assert read_photos(tmp_path, Columns()).labels == ("test1", "test2", "test3")


def test_what_macos_puts_into_archives_is_no_class(tmp_path: Path) -> None:
    fill(tmp_path, "hat/a.jpg", "shoes/b.jpg", "__MACOSX/c.jpg")
    assert read_photos(tmp_path, Columns()).labels == ("hat", "shoes")


def test_a_class_with_one_photo_to_learn_from_is_found(divided: Path) -> None:
    shutil.rmtree(divided / "Validation")
    (divided / "train" / "hat" / "1.png").unlink()
    result = train("check", divided)
    assert "hat has one photo to learn from, so none can be held out to validate on." in result.stdout
    assert result.exit_code == 15


def test_a_folder_train_alone_divides_nothing(tmp_path: Path) -> None:
    assert not fill_classes(tmp_path, "train").lies_divided


def test_boxes_within_the_sides_are_no_classes(tmp_path: Path) -> None:
    fill(tmp_path, "train/JPEGImages/a.jpg", "valid/JPEGImages/b.jpg")
    (tmp_path / "train" / "JPEGImages" / "a.xml").write_text("<annotation><bndbox></bndbox></annotation>")
    with pytest.raises(DataError, match="holds boxes"):
        find_photos(tmp_path, Columns())


def test_garments_are_cut_out_of_training_photos_alone(divided: Path) -> None:
    assert {photo.side for photo in cut_from(divided)} == {Split.TRAIN}


def test_what_is_cut_out_need_not_be_tested(divided: Path) -> None:
    shutil.copytree(divided / "test" / "hat", divided / "test" / "coat")
    assert {photo.label for photo in cut_from(divided)} == {"hat", "pants", "shoes"}
    shutil.rmtree(divided / "train")
    with pytest.raises(DataError, match="with no photo in a folder train"):
        cut_from(divided)


def test_garments_of_no_side_are_not_cut_out(divided: Path) -> None:
    shutil.copytree(divided / "test", divided / "monday")
    with pytest.raises(DataError, match="lie in none of the folders train"):
        cut_from(divided)


def test_a_check_finds_what_lies_on_two_sides(divided: Path) -> None:
    clean = train("check", divided)
    assert "error leak" not in clean.stdout
    assert "Leaks across a split are not looked for" not in clean.stdout
    shutil.copy(divided / "train" / "hat" / "0.png", divided / "test" / "hat" / "copy.png")
    result = train("check", divided)
    assert "2 copies are on both sides of the split. test/hat/copy.png (hat), train/hat/0.png (hat)" in result.stdout
    assert result.exit_code == 15


@pytest.mark.parametrize(("gone", "sentence"), [
    ("test/hat", "The test side has no photo of hat, so training refuses the data."),
    ("train", "The train side has no photo of hat, pants, shoes, so training refuses the data."),
])  # fmt: skip
def test_a_check_finds_what_a_side_does_not_show(gone: str, sentence: str, divided: Path) -> None:
    shutil.rmtree(divided / gone)
    result = train("check", divided)
    assert sentence in result.stdout
    assert result.exit_code == 15


@pytest.mark.usefixtures("small_mobilenet")
def test_a_classifier_holds_the_test_photos_back(divided: Path, tmp_path: Path) -> None:
    pytest.importorskip("keras", reason="needs the train extra")
    options = "--weights none --image-size 32 --batch-size 4 --head-epochs 1 --epochs 0"
    result = train("classify", divided, *options.split(), "-o", tmp_path / "run")
    assert result.exit_code == 0, result.output
    rows = read_split_rows(tmp_path / "run" / "splits.csv")
    assert Counter(row.split for row in rows) == {Split.TRAIN: 6, Split.VALIDATION: 3, Split.TEST: 39}


def test_a_split_is_drawn_anew(divided: Path, tmp_path: Path) -> None:
    assert train("split", divided, "-o", tmp_path / "splits.csv").exit_code == 0
    rows = read_split_rows(tmp_path / "splits.csv")
    assert any(row.split is Split.TRAIN and row.image.startswith("test/") for row in rows)


def test_a_share_of_data_that_lie_divided_is_refused(divided: Path, tmp_path: Path) -> None:
    result = train("classify", divided, "--validation-share", 0.2, "-o", tmp_path / "run")
    assert result.exit_code == 2
    assert f"The folders of {divided} say which photos are held out; leave --validation-share away" in result.stderr
