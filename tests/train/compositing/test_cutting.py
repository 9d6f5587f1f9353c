import time
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("tqdm", reason="needs the train extra")

from edge_runtime.preprocess import Image
from train.compositing.backgrounds import erase
from train.compositing.cutting import Doubt, cut_garment
from train.compositing.garments import lift

DrawPhoto = Callable[[str, int], Image]
DrawMask = Callable[[str], NDArray[np.uint8]]


@pytest.mark.parametrize("label", ["hat", "shirt", "pants", "shoe"])
def test_a_thing_on_a_plain_background_is_cut_to_a_pixel(
    label: str, draw_photo: DrawPhoto, draw_mask: DrawMask
) -> None:
    cut = cut_garment(draw_photo(label, 0))
    assert cut.doubt is None
    wanted = draw_mask(label)
    assert cut.mask.shape == wanted.shape
    inside, outside = cv2.erode(wanted, np.ones((5, 5))), cv2.dilate(wanted, np.ones((5, 5)))
    assert cut.mask[inside > 0].mean() > 0.995
    assert cut.mask[outside == 0].mean() < 0.002


def test_a_cut_is_the_same_every_time(draw_photo: DrawPhoto) -> None:
    photo = draw_photo("shirt", 0)
    assert np.array_equal(cut_garment(photo).mask, cut_garment(photo).mask)


def test_a_thing_that_leaves_the_photo_is_not_trusted(draw_photo: DrawPhoto) -> None:
    assert cut_garment(draw_photo("pants", 0)[:, 34:]).doubt is not None


def test_an_empty_photo_is_not_trusted() -> None:
    empty = np.full((128, 96, 3), 150, np.uint8)
    assert cut_garment(empty).doubt is Doubt.AREA


def test_a_thing_with_a_hole_is_not_trusted(draw_photo: DrawPhoto) -> None:
    photo = draw_photo("shirt", 0)
    cv2.circle(photo, (48, 70), 12, (150, 150, 150), cv2.FILLED)
    assert cut_garment(photo).doubt is Doubt.HOLES


@pytest.mark.parametrize("shape", [(128, 96), (6000, 6), (6, 6000)])
def test_noise_is_not_trusted_in_whatever_shape(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    assert cut_garment(noise).doubt is not None


def test_a_lifted_garment_shows_nothing_of_its_background(draw_photo: DrawPhoto, draw_mask: DrawMask) -> None:
    picture = lift(draw_photo("shirt", 0), draw_mask("shirt"))
    assert picture.shape == (86, 81, 4)
    # Not a pixel, visible or not, has kept the grey of the background.
    saturation = cv2.cvtColor(np.ascontiguousarray(picture[..., :3]), cv2.COLOR_BGR2HSV)[..., 1]
    assert saturation.min() > 150
    assert picture[43, 40, 3] == 255
    assert picture[84, 2, 3] == 0


def test_an_erased_garment_leaves_its_background(draw_photo: DrawPhoto, draw_mask: DrawMask) -> None:
    erased = erase(draw_photo("shirt", 0), draw_mask("shirt"))
    assert np.abs(erased.astype(int) - 150).mean() < 4
    assert np.abs(erased.astype(int) - 150).max() < 40


def test_a_large_photo_is_erased_alike_and_in_no_time(draw_photo: DrawPhoto, draw_mask: DrawMask) -> None:
    photo, mask = (cv2.resize(each, (900, 1200)) for each in (draw_photo("shirt", 0), draw_mask("shirt")))
    begun = time.process_time()
    erased = erase(photo, mask)
    # With the light blurred in full size it takes 15 s.
    assert time.process_time() - begun < 3
    assert np.abs(erased.astype(int) - 150).mean() < 4
