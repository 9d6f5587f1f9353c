from collections import Counter

import numpy as np
import pytest

from calibration_data import choose_photos, draw_calibration_images
from edge_runtime.errors import DataError
from edge_runtime.training_run import Split, SplitRow


def make_rows() -> list[SplitRow]:
    counts = {"hat": 4, "shirt": 40, "shoes": 16}
    return [
        SplitRow(f"{label}{index}.jpg", label, f"sender{index % 3}", Split.TRAIN, f"{label}{index}")
        for label, count in counts.items()
        for index in range(count)
    ] + [SplitRow(f"v{index}.jpg", "hat", "other", Split.VALIDATION, f"v{index}") for index in range(20)]


def test_rare_classes_count_as_much_as_common_ones() -> None:
    sample = choose_photos(make_rows(), 12, seed=0)
    assert Counter(photo.label for photo in sample.photos) == {"hat": 4, "shirt": 4, "shoes": 4}


def test_senders_come_in_turn() -> None:
    sample = choose_photos(make_rows(), 9, seed=0)
    for label in ("shirt", "shoes"):
        assert len({photo.group for photo in sample.photos if photo.label == label}) == 3


def test_validation_photos_are_never_chosen() -> None:
    sample = choose_photos(make_rows(), 1000, seed=0)
    assert len(sample.photos) == 60
    assert all(photo.split is Split.TRAIN for photo in sample.photos)


def test_manifest_repeats_and_names_what_was_chosen() -> None:
    manifest = choose_photos(make_rows(), 6, seed=5).to_manifest()
    assert manifest == choose_photos(make_rows(), 6, seed=5).to_manifest()
    assert manifest != choose_photos(make_rows(), 6, seed=6).to_manifest()
    assert set(manifest["photos"][0]) == {"image", "label", "sha256"}


def test_no_training_photos_is_an_error() -> None:
    with pytest.raises(DataError, match="no training photos"):
        choose_photos([], 10, seed=0)


def test_drawn_fallback_repeats_and_covers_garments() -> None:
    images = list(draw_calibration_images(11))
    assert len(images) == 11
    np.testing.assert_array_equal(images[0], next(draw_calibration_images(1)))
    assert not np.array_equal(images[0], images[10])
