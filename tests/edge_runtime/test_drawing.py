"""Behaviour of the garment renderer."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest

from edge_runtime.drawing import GARMENTS, draw_background, draw_clutter, draw_garment

SMALL = (96, 72)


@pytest.mark.parametrize("garment", GARMENTS)
def test_same_arguments_give_identical_bytes(garment: str) -> None:
    first = draw_garment(garment, 7, SMALL)
    draw_garment(garment, 8, SMALL)
    assert draw_garment(garment, 7, SMALL).tobytes() == first.tobytes()


@pytest.mark.parametrize("garment", GARMENTS)
def test_seeds_give_visibly_different_pictures(garment: str) -> None:
    pictures = [draw_garment(garment, seed, SMALL).astype(float) for seed in range(4)]
    gaps = [np.abs(a - b).mean() for a, b in pairwise(pictures)]
    assert min(gaps) > 8


@pytest.mark.parametrize("size", [(480, 360), (97, 131), (33, 20), (8, 200), (1, 1)])
def test_size_and_dtype_are_honoured(size: tuple[int, int]) -> None:
    for picture in (draw_garment("outwear", 3, size), draw_background(3, size), draw_clutter(3, size)):
        assert picture.shape == (*size, 3)
        assert picture.dtype == np.uint8


def test_ten_garments_are_known() -> None:
    assert GARMENTS == (
        "dress", "hat", "longsleeve", "outwear", "pants",
        "shirt", "shoes", "shorts", "skirt", "t-shirt",
    )  # fmt: skip


def test_garments_with_one_seed_differ() -> None:
    pictures = {draw_garment(garment, 5, SMALL).tobytes() for garment in GARMENTS}
    assert len(pictures) == len(GARMENTS)


def test_unknown_garment_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'sock'.*dress.*t-shirt"):
        draw_garment("sock", 0)


@pytest.mark.parametrize("size", [(0, 10), (10, -1)])
def test_empty_size_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="size"):
        draw_garment("hat", 0, size)
    with pytest.raises(ValueError, match="size"):
        draw_background(0, size)
    with pytest.raises(ValueError, match="size"):
        draw_clutter(0, size)


def test_negative_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="non-negative"):
        draw_garment("hat", -1, SMALL)


def test_global_random_state_is_neither_read_nor_changed() -> None:
    random.seed(1)
    np.random.seed(1)
    python_state, numpy_state = random.getstate(), np.random.get_state(legacy=False)
    first = draw_garment("dress", 2, SMALL)
    assert random.getstate() == python_state
    assert repr(np.random.get_state(legacy=False)) == repr(numpy_state)
    np.random.seed(99)
    assert np.array_equal(draw_garment("dress", 2, SMALL), first)


@pytest.mark.parametrize("garment", GARMENTS)
def test_garment_stands_out_from_the_scene(garment: str) -> None:
    """The middle of the frame, where the garment is, departs from the frame's border."""
    gaps = []
    for seed in range(6):
        picture = draw_garment(garment, seed, SMALL).astype(float)
        border = np.concatenate([picture[:5].reshape(-1, 3), picture[-5:].reshape(-1, 3)])
        middle = picture[30:66, 22:50].reshape(-1, 3)
        gaps.append(np.abs(middle - np.median(border, axis=0)).mean())
    assert np.median(gaps) > 25


def test_background_is_seeded_and_varied() -> None:
    assert np.array_equal(draw_background(4, SMALL), draw_background(4, SMALL))
    assert len({draw_background(seed, SMALL).tobytes() for seed in range(8)}) == 8


def test_clutter_repeats_by_its_seed_and_lies_on_a_background() -> None:
    assert np.array_equal(draw_clutter(4, SMALL), draw_clutter(4, SMALL))
    pictures = [draw_clutter(seed, SMALL) for seed in range(8)]
    assert len({picture.tobytes() for picture in pictures}) == 8
    # Things have edges, of which bare surfaces have few.
    edges = [np.abs(np.diff(picture.astype(float), axis=1)).max() for picture in pictures]
    bare = [np.abs(np.diff(draw_background(seed, SMALL).astype(float), axis=1)).max() for seed in range(8)]
    assert np.median(edges) > 1.3 * np.median(bare)


def test_picture_scales_with_its_size() -> None:
    """One seed shows one garment at any resolution, so previews match full pictures."""
    large = draw_garment("t-shirt", 1, (384, 288)).reshape(96, 4, 72, 4, 3).mean(axis=(1, 3))
    small = draw_garment("t-shirt", 1, SMALL).astype(float)
    assert np.abs(large - small).mean() < 12
