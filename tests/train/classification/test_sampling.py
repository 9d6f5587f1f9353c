from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs the train extra")

from edge_runtime.training_run import Split, SplitRow
from train.classification.items import Drawing, Negative, make_targets, read_item
from train.classification.sampling import FIRST_TRAINING_SEED, balance_classes, sample_epoch
from train.classification.schedule import ClassifierSchedule

SCHEDULE = ClassifierSchedule(head_epochs=0, epochs=1, batch_size=4, head_learning_rate=1e-3, learning_rate=1e-3)
PHOTOS = [SplitRow(f"{index}", "hat" if index < 15 else "shirt", "", Split.TRAIN, "") for index in range(20)]


def sample(**changes: float) -> list[SplitRow | Drawing | Negative]:
    files = [Path("floor.jpg"), Path("wall.jpg")]
    return sample_epoch(PHOTOS, files, ("hat", "shirt"), replace(SCHEDULE, **changes), np.random.default_rng(0))


def test_an_epoch_shows_each_photo_once_in_another_order() -> None:
    images = [item.image for item in sample() if isinstance(item, SplitRow)]
    assert sorted(images, key=int) == [str(index) for index in range(20)]
    assert images != [str(index) for index in range(20)]


def test_drawings_are_shared_out_among_the_classes_and_never_those_of_tests() -> None:
    drawn = [item for item in sample(drawn_share=0.5) if isinstance(item, Drawing)]
    assert Counter(item.label for item in drawn) == {"hat": 5, "shirt": 5}
    assert all(item.seed >= FIRST_TRAINING_SEED for item in drawn)


def test_half_of_the_negatives_are_drawn() -> None:
    negatives = [item.source for item in sample(negative_share=0.5) if isinstance(item, Negative)]
    assert Counter(type(source) is int for source in negatives) == {True: 5, False: 5}


def test_a_negative_is_to_be_answered_with_no_certainty(tmp_path: Path) -> None:
    targets = make_targets([Drawing("shirt", 1), Negative(5)], ("hat", "shirt"))
    np.testing.assert_array_equal(targets, [[0, 1], [0.5, 0.5]])
    assert read_item(Negative(5), tmp_path).shape == (320, 240, 3)


def test_balance_moves_classes_towards_equal_numbers() -> None:
    photos = [SplitRow(f"{index}", "a" if index < 16 else "b", "", Split.TRAIN, "") for index in range(20)]

    def count(balance: float) -> Counter[str]:
        return Counter(photo.label for photo in balance_classes(photos, balance, np.random.default_rng(0)))

    assert count(0.0) == {"a": 16, "b": 4}
    # In proportion to sqrt(16) : sqrt(4), of 20.
    assert count(0.5) == {"a": 13, "b": 7}
    assert count(1.0) == {"a": 10, "b": 10}


def test_balance_repeats_no_photo_before_it_has_shown_all() -> None:
    photos = [SplitRow(f"{index}", "a" if index < 15 else "b", "", Split.TRAIN, "") for index in range(20)]
    chosen = Counter(photo.image for photo in balance_classes(photos, 1.0, np.random.default_rng(0)))
    assert {chosen[str(index)] for index in range(15)} == {0, 1}
    assert {chosen[str(index)] for index in range(15, 20)} == {2}
