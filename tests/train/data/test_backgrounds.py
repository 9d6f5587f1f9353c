from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("tqdm", reason="needs the train extra")

from edge_runtime.errors import DataError
from train.data.backgrounds import find_backgrounds, write_backgrounds
from train.data.boxes import Box, BoxedPhoto, BoxSet


def make_set(*boxes: Box, photos: int = 20) -> BoxSet:
    return BoxSet(Path(), tuple(BoxedPhoto(f"{number}.png", 100, 80, boxes) for number in range(photos)))


def test_no_part_touches_a_box() -> None:
    boxes = Box(0, 0, 40, 80, "dress"), Box(70, 40, 100, 80, "bag")
    found = find_backgrounds(make_set(*boxes))
    assert len(found) > 10
    for each in found:
        # 0.3 of the shorter side, to the right of the dress, over or beside the bag, within the photo.
        assert each.side == 24
        assert 40 <= each.left <= 76
        assert each.top + 24 <= (40 if each.left + 24 > 70 else 80)
    assert len({(each.left, each.top) for each in found}) > 5


def test_no_part_touches_a_crowd() -> None:
    crowded = BoxedPhoto("crowd.png", 100, 80, (), crowds=(Box(0, 0, 60, 80, "dress"),))
    found = find_backgrounds(BoxSet(Path(), (crowded,) * 20))
    assert len(found) > 10
    assert all(each.left >= 60 for each in found)


def test_the_choice_is_always_the_same() -> None:
    assert find_backgrounds(make_set()) == find_backgrounds(make_set())


def test_photos_without_room_are_passed_by_unless_all_are() -> None:
    full, empty = Box(5, 5, 95, 75, "dress"), BoxedPhoto("empty.png", 100, 80, ())
    box_set = make_set(full, photos=1)
    assert [each.photo for each in find_backgrounds(BoxSet(Path(), (*box_set.photos, empty)))] == [empty]
    with pytest.raises(DataError, match="No photo has room"):
        find_backgrounds(box_set)


def test_what_is_written_is_that_part_of_the_photo(tmp_path: Path) -> None:
    y, x = np.mgrid[:80, :100]
    cv2.imwrite(str(tmp_path / "0.png"), np.dstack([x, y, x]).astype(np.uint8))
    found = find_backgrounds(make_set(Box(0, 0, 50, 80, "dress"), photos=1))
    write_backgrounds(tmp_path, found, tmp_path / "out")
    part = cv2.imread(str(tmp_path / "out" / "0-0.png"))
    assert part.shape == (24, 24, 3)
    assert part[0, 0].tolist() == [found[0].left, found[0].top, found[0].left]
