import tracemalloc

import cv2
import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the train extra")

from edge_runtime.drawing import draw_garment
from edge_runtime.preprocess import Image
from train.check.hashing import cluster, find_near_pairs, group_around, hash_image, shrink


def near(*images: Image) -> list[list[int]]:
    hashes, thumbnails = (
        np.array([hash_image(image) for image in images]),
        np.array([shrink(image) for image in images]),
    )
    return find_near_pairs(hashes, thumbnails).tolist()


@pytest.fixture
def photo() -> Image:
    return draw_garment("shirt", 3, (320, 240))


def test_a_photo_resized_or_compressed_is_nearly_the_same(photo: Image) -> None:
    half = cv2.resize(photo, (120, 160), interpolation=cv2.INTER_AREA)
    poor = cv2.imdecode(cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], cv2.IMREAD_COLOR)
    assert near(photo, half, poor) == [[0, 1], [0, 2], [1, 2]]


def test_other_garments_and_other_colours_are_not_the_same(photo: Image) -> None:
    other_colour = np.ascontiguousarray(photo[:, :, ::-1])
    assert near(photo, other_colour, draw_garment("pants", 4, (320, 240)), draw_garment("shirt", 9, (320, 240))) == []


def test_one_photo_or_none_has_no_pairs(photo: Image) -> None:
    assert near(photo) == []
    assert near() == []


@pytest.mark.parametrize("at_once", [1, 200, 2**23])
def test_pairs_are_those_within_both_bounds_however_many_are_compared_at_once(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("train.check.hashing._COMPARED_AT_ONCE", at_once)
    random = np.random.default_rng(0)
    hashes = random.random((4, 64))[np.arange(60) % 4] < 0.5
    hashes ^= random.random((60, 64)) < 0.08
    thumbnails = np.full((60, 16, 16, 3), 100, np.uint8) + random.integers(0, 12, (60, 1, 1, 3), np.uint8)
    expected = [
        [first, second]
        for first in range(60)
        for second in range(first + 1, 60)
        if np.count_nonzero(hashes[first] != hashes[second]) <= 10
        and np.abs(thumbnails[first].astype(int) - thumbnails[second]).mean() <= 6
    ]
    assert 10 < len(expected) < 400
    assert find_near_pairs(hashes, thumbnails).tolist() == expected


def test_another_garment_before_the_same_background_is_another_photo() -> None:
    counters = np.full((2, 16, 16, 3), 200, np.uint8)
    counters[1, 6:9, 6:9] = 130
    assert np.abs(counters[0].astype(int) - counters[1]).mean() < 6
    assert len(find_near_pairs(np.ones((2, 64), np.bool_), counters)) == 0


def test_pairs_that_agree_in_their_hash_alone_are_not_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    """All pairs of these take 8 MB as indices."""
    monkeypatch.setattr("train.check.hashing._COMPARED_AT_ONCE", 4096, raising=False)
    monkeypatch.setattr("train.check.hashing._PAIRS_AT_ONCE", 256)
    thumbnails = np.random.default_rng(0).integers(0, 256, (700, 16, 16, 3), np.uint8)
    tracemalloc.start()
    pairs = find_near_pairs(np.ones((700, 64), np.bool_), thumbnails)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(pairs) == 0
    assert peak < 4e6


def test_a_group_is_what_is_paired_with_its_first() -> None:
    clique_and_chain = [[0, 1], [0, 2], [1, 2], [3, 4], [4, 5], [5, 6]]
    assert group_around(8, np.array(clique_and_chain)) == [[0, 1, 2], [4, 3, 5], [5, 6]]
    assert group_around(2, np.empty((0, 2), np.int64)) == []


def test_both_of_each_pair_are_in_a_group() -> None:
    random = np.random.default_rng(0)
    pairs = np.unique(np.sort(random.integers(0, 30, (80, 2)), axis=1), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    groups = group_around(30, pairs)
    paired = {frozenset(pair) for pair in pairs.tolist()}
    assert all(any(pair <= set(group) for group in groups) for pair in paired)
    assert all(frozenset((group[0], other)) in paired for group in groups for other in group[1:])


def test_pairs_join_into_clusters() -> None:
    numbers = cluster(5, np.array([[0, 3], [3, 4]]))
    assert numbers[0] == numbers[3] == numbers[4]
    assert len(set(numbers.tolist())) == 3
