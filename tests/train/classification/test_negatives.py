import os
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.drawing import draw_background, draw_clutter
from edge_runtime.errors import DataError
from train.classification.negatives import draw_negative, find_negatives


def test_no_picture_serves_for_both(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for index in range(9):
        (tmp_path / "deep" / f"{index}.jpg").touch()
    (tmp_path / "notes.txt").touch()
    negatives = find_negatives(tmp_path)
    assert (len(negatives.training), len(negatives.held_out)) == (4, 5)
    assert len({*negatives.training, *negatives.held_out}) == 9
    assert find_negatives(tmp_path) == negatives


def test_pictures_that_join_later_change_the_side_of_few_others(tmp_path: Path) -> None:
    for index in range(200):
        (tmp_path / f"{index}.jpg").touch()
    before = find_negatives(tmp_path)
    for index in range(200, 220):
        (tmp_path / f"{index}.jpg").touch()
    after = find_negatives(tmp_path)
    assert len({*before.training} & {*after.held_out}) + len({*before.held_out} & {*after.training}) <= 10


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no picture"):
        find_negatives(tmp_path)


def test_drawn_ones_are_bare_and_cluttered_in_turns() -> None:
    assert np.array_equal(draw_negative(6, (48, 36)), draw_background(6, (48, 36)))
    assert np.array_equal(draw_negative(7, (48, 36)), draw_clutter(7, (48, 36)))


def test_names_need_not_be_utf8(tmp_path: Path) -> None:
    try:
        (tmp_path / os.fsdecode(b"caf\xe9.jpg")).touch()
    except OSError:
        pytest.skip("this file system takes UTF-8 alone")
    assert [path.suffix for path in find_negatives(tmp_path).held_out] == [".jpg"]
