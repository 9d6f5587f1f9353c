from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime.errors import PictureError
from edge_runtime.pictures import read_picture
from edge_runtime.preprocess import Preprocessor
from edge_runtime.spec import InputSpec
from edge_runtime.training_run import Split, SplitRow
from train.classification.dataset import Batches, ShuffledBatches
from train.classification.encoding import Encoding
from train.classification.schedule import ClassifierSchedule

SPEC = InputSpec(32, 32, (127.5,) * 3, (127.5,) * 3)
LABELS = ("hat", "shirt")


@pytest.fixture
def photos(tmp_path: Path) -> list[SplitRow]:
    rows = []
    for index in range(10):
        name = f"{index}.png"
        cv2.imwrite(str(tmp_path / name), np.full((40, 50, 3), index, np.uint8))
        rows.append(SplitRow(name, LABELS[index % 2], name, Split.TRAIN, ""))
    return rows


def shuffled(photos: list[SplitRow], folder: Path, epoch: int = 0) -> ShuffledBatches:
    schedule = ClassifierSchedule(
        head_epochs=0, epochs=1, batch_size=4, head_learning_rate=1e-3, learning_rate=1e-3, drawn_share=0.4
    )
    return ShuffledBatches(photos, Encoding(folder, LABELS, SPEC), 4, negatives=(), schedule=schedule, epoch=epoch)


def test_a_batch_is_what_the_device_would_see(photos: list[SplitRow], tmp_path: Path) -> None:
    pixels, targets = Batches(photos, Encoding(tmp_path, LABELS, SPEC), 4)[1]
    assert pixels.shape == (4, 32, 32, 3)
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels[2], Preprocessor(SPEC)(read_picture(tmp_path / "6.png")))
    np.testing.assert_array_equal(targets, [[1, 0], [0, 1], [1, 0], [0, 1]])


def test_the_last_batch_holds_the_rest(photos: list[SplitRow], tmp_path: Path) -> None:
    batches = Batches(photos, Encoding(tmp_path, LABELS, SPEC), 4)
    assert len(batches) == 3
    assert len(batches[2][0]) == 2
    np.testing.assert_array_equal(batches.targets, [0, 1] * 5)


def test_each_epoch_has_its_own_order_that_a_resumed_run_meets_again(photos: list[SplitRow], tmp_path: Path) -> None:
    unbroken = shuffled(photos, tmp_path)
    first = unbroken._items
    unbroken.begin_epoch(1)
    assert unbroken._items != first
    assert shuffled(photos, tmp_path, epoch=1)._items == unbroken._items


def test_a_bad_photo_is_named(photos: list[SplitRow], tmp_path: Path) -> None:
    (tmp_path / "0.png").write_text("not a picture")
    with pytest.raises(PictureError, match=r"0\.png"):
        Batches(photos, Encoding(tmp_path, LABELS, SPEC), 4)[0]
