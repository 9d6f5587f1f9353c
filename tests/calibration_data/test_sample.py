import hashlib
import logging
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calibration_data import check_variety, choose_from_folder, choose_photos, draw_calibration_images
from edge_runtime.errors import DataError
from edge_runtime.training_run import Split, SplitRow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of the photos of `rows`; what is in them is never decoded here."""
    folder = tmp_path_factory.mktemp("photos")
    for row in make_rows():
        (folder / row.image).write_text(row.image)
    return folder


def make_rows() -> list[SplitRow]:
    counts = {"hat": 4, "shirt": 40, "shoes": 16}
    return [
        make_row(f"{label}{index}.jpg", label, f"sender{index % 3}", Split.TRAIN)
        for label, count in counts.items()
        for index in range(count)
    ] + [make_row(f"v{index}.jpg", "hat", "other", Split.VALIDATION) for index in range(20)]


def make_row(image: str, label: str, group: str, split: Split) -> SplitRow:
    return SplitRow(image, label, group, split, hashlib.sha256(image.encode()).hexdigest())


def test_rare_classes_count_as_much_as_common_ones(folder: Path) -> None:
    sample = choose_photos(make_rows(), folder, 12, seed=0)
    assert Counter(photo.label for photo in sample.photos) == {"hat": 4, "shirt": 4, "shoes": 4}


def test_senders_come_in_turn(folder: Path) -> None:
    sample = choose_photos(make_rows(), folder, 9, seed=0)
    for label in ("shirt", "shoes"):
        assert len({photo.group for photo in sample.photos if photo.label == label}) == 3


def test_validation_photos_are_never_chosen(folder: Path) -> None:
    sample = choose_photos(make_rows(), folder, 1000, seed=0)
    assert len(sample.photos) == 60
    assert all(photo.split is Split.TRAIN for photo in sample.photos)


def test_a_copy_of_a_validation_photo_is_left_out_and_that_is_said(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = make_rows()
    rows[0] = replace(rows[0], sha256=rows[-1].sha256)
    with caplog.at_level(logging.WARNING):
        sample = choose_photos(rows, folder, 1000, seed=0)
    assert rows[0].image not in {photo.image for photo in sample.photos}
    assert len(sample.photos) == 59
    assert "1 training photos are copies of validation photos" in caplog.text


def test_a_photo_that_has_changed_since_training_is_refused(folder: Path, tmp_path: Path) -> None:
    for row in make_rows():
        (tmp_path / row.image).write_text(row.image)
    (tmp_path / "hat2.jpg").write_text("another photo of the same name")
    with pytest.raises(DataError, match=r"1 of 60 photos .* hat2\.jpg"):
        choose_photos(make_rows(), tmp_path, 60, seed=0)


def test_manifest_repeats_and_names_what_was_chosen(folder: Path) -> None:
    manifest = choose_photos(make_rows(), folder, 6, seed=5).to_manifest()
    assert manifest == choose_photos(make_rows(), folder, 6, seed=5).to_manifest()
    assert manifest != choose_photos(make_rows(), folder, 6, seed=6).to_manifest()
    assert set(manifest["photos"][0]) == {"image", "label", "sha256"}


def test_no_training_photos_is_an_error(folder: Path) -> None:
    with pytest.raises(DataError, match="no training photos"):
        choose_photos([], folder, 10, seed=0)


@pytest.fixture
def own_folder(tmp_path: Path) -> Path:
    """A user's photos: many hats, few shoes, and a file that is no picture."""
    for label, count in {"hat": 12, "shoes": 3}.items():
        (tmp_path / label).mkdir()
        for index in range(count):
            (tmp_path / label / f"{index}.jpg").write_text(f"own {label} {index}")
    (tmp_path / "notes.txt").write_text("not a picture")
    return tmp_path


def test_a_folder_gives_equal_shares_of_its_sub_folders(own_folder: Path) -> None:
    sample = choose_from_folder(own_folder, make_rows(), 6, seed=0)
    assert Counter(photo.label for photo in sample.photos) == {"hat": 3, "shoes": 3}
    assert "folder" in sample.to_manifest()["rule"]
    assert len(choose_from_folder(own_folder, make_rows(), 100, seed=0).photos) == 15


def test_a_folder_with_a_validation_photo_is_refused_under_whatever_name(own_folder: Path) -> None:
    (own_folder / "shoes" / "mine.jpg").write_text("v7.jpg")
    with pytest.raises(DataError, match=r"1 of the 16 calibration photos are held out.*shoes/mine\.jpg"):
        choose_from_folder(own_folder, make_rows(), 100, seed=0)


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no picture"):
        choose_from_folder(tmp_path, make_rows(), 100, seed=0)


def test_photos_of_one_class_are_refused_where_the_model_has_more(own_folder: Path) -> None:
    hats = choose_from_folder(own_folder, make_rows(), 1, seed=0)
    with pytest.raises(DataError, match="All 1 calibration photos are of the class"):
        check_variety(hats, ("hat", "shoes"))
    check_variety(hats, (hats.photos[0].label,))
    check_variety(choose_from_folder(own_folder, make_rows(), 2, seed=0), ("hat", "shoes"))


def test_photos_of_unknown_classes_pass(own_folder: Path) -> None:
    check_variety(choose_from_folder(own_folder / "hat", make_rows(), 5, seed=0), ("hat", "shoes"))


def test_drawn_fallback_repeats_and_covers_garments() -> None:
    images = list(draw_calibration_images(11))
    assert len(images) == 11
    np.testing.assert_array_equal(images[0], next(draw_calibration_images(1)))
    assert not np.array_equal(images[0], images[10])
