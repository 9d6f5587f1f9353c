import colorsys
from collections.abc import Callable

import numpy as np
import pytest

from train.detection.augmentation import augment, crop_at_random, mosaic, zoom_out
from train.detection.geometry import Window, crop, flip, measure_overlaps, resize
from train.detection.photometry import distort_colours
from train.detection.sample import Sample

_HUES = 16
_COLOURS = np.array([colorsys.hsv_to_rgb(hue / _HUES, 1.0, 1.0) for hue in range(_HUES)]) * 255
_GREY = 100
Change = Callable[[Sample, np.random.Generator], Sample]


def make_sample(seed: int, first_label: int = 0, width: int = 160, height: int = 240) -> Sample:
    """A grey picture with up to four rectangles, one in each quarter, each in the colour of its label."""
    random = np.random.default_rng(seed)
    image = np.full((height, width, 3), _GREY, np.uint8)
    boxes, labels = [], []
    for number in range(1 + seed % 4):
        low = random.uniform(0.02, 0.15, 2) + np.array([number % 2, number // 2]) / 2
        corners = np.concatenate([low, low + random.uniform(0.15, 0.3, 2)])
        left, top, right, bottom = (corners * [width, height, width, height]).astype(int)
        image[top:bottom, left:right] = _COLOURS[first_label + number]
        boxes.append((left, top, right, bottom))
        labels.append(first_label + number)
    return Sample(image, np.array(boxes, np.float32), np.array(labels, np.int64))


def make_empty(width: int = 160, height: int = 240) -> Sample:
    image = np.full((height, width, 3), _GREY, np.uint8)
    return Sample(image, np.empty((0, 4), np.float32), np.empty(0, np.int64))


def make_mosaic(sample: Sample, random: np.random.Generator) -> Sample:
    return mosaic((sample, make_sample(1, 4, 90, 300), make_sample(2, 8, 300, 90), make_sample(3, 12)), random)


GEOMETRY: dict[str, Change] = {
    "zoom-out": zoom_out,
    "mosaic": make_mosaic,
    "crop": crop_at_random,
    "flip": lambda sample, _: flip(sample),
    "resize": lambda sample, random: resize(sample, *random.integers(60, 400, 2).tolist()),
}
ALL: dict[str, Change] = GEOMETRY | {
    "augment": lambda sample, random: augment(sample, lambda: make_sample(int(random.integers(99))), random)
}


@pytest.mark.parametrize("change", ALL.values(), ids=ALL.keys())
def test_boxes_stay_inside_the_picture_and_keep_their_types(change: Change) -> None:
    for seed in range(60):
        changed = change(make_sample(seed), np.random.default_rng(seed))
        assert changed.image.dtype == np.uint8
        assert changed.boxes.dtype == np.float32
        assert changed.labels.dtype == np.int64
        assert changed.boxes.shape == (len(changed.labels), 4)
        assert (changed.boxes[:, :2] >= 0).all()
        assert (changed.boxes[:, 2:] <= (changed.width, changed.height)).all()
        assert (changed.boxes[:, 2:] > changed.boxes[:, :2]).all()


@pytest.mark.parametrize("change", GEOMETRY.values(), ids=GEOMETRY.keys())
def test_boxes_are_where_their_rectangles_are(change: Change) -> None:
    for seed in range(60):
        changed = change(make_sample(seed), np.random.default_rng(seed))
        for box, label in zip(changed.boxes, changed.labels, strict=True):
            painted = np.abs(changed.image.astype(np.float64) - _COLOURS[label]).max(axis=2) < 40
            rows, columns = np.flatnonzero(painted.any(axis=1)), np.flatnonzero(painted.any(axis=0))
            found = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
            assert np.abs(box - found).max() <= 2.0


@pytest.mark.parametrize("change", ALL.values(), ids=ALL.keys())
def test_the_seed_alone_decides(change: Change) -> None:
    first, again = (change(make_sample(7), np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.boxes, again.boxes)
    assert np.array_equal(first.labels, again.labels)


def test_the_sample_given_is_left_as_it_is() -> None:
    sample, untouched = make_sample(3), make_sample(3)
    for change in ALL.values():
        for seed in range(20):
            change(sample, np.random.default_rng(seed))
    assert np.array_equal(sample.image, untouched.image)
    assert np.array_equal(sample.boxes, untouched.boxes)


def test_samples_differ_from_one_draw_to_the_next() -> None:
    random = np.random.default_rng(0)
    shapes = {augment(make_sample(3), lambda: make_sample(1), random).image.tobytes() for _ in range(40)}
    assert len(shapes) > 35


@pytest.mark.parametrize("size", [(2, 2), (2, 300), (7, 5)])
def test_tiny_pictures_and_pictures_without_boxes_are_taken(size: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    for _ in range(60):
        changed = augment(make_empty(*size), lambda: make_empty(3, 2), random)
        assert changed.image.size > 0
        assert len(changed.boxes) == 0


def test_a_box_of_which_little_stays_is_dropped() -> None:
    sample = make_empty()
    sample = Sample(sample.image, np.array([[0, 0, 100, 100], [90, 0, 120, 10]], np.float32), np.array([5, 6]))
    cut = crop(sample, Window(80, 0, 160, 240))
    assert cut.labels.tolist() == [6]
    assert cut.boxes.tolist() == [[10, 0, 40, 10]]
    assert len(crop(sample, Window(70, 0, 160, 240)).labels) == 2


def test_a_crop_keeps_a_box_and_overlaps_it_as_asked() -> None:
    for seed in range(100):
        sample = make_sample(seed)
        cut = crop_at_random(sample, np.random.default_rng(seed))
        assert len(cut.boxes)
        assert 0.5 - 0.02 <= cut.width / sample.width / (cut.height / sample.height) <= 2 + 0.02


def test_overlap_is_intersection_over_union() -> None:
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [50, 50, 60, 60]], np.float32)
    assert measure_overlaps(Window(0, 0, 10, 10), boxes) == pytest.approx([1, 1 / 3, 0])


def test_a_zoom_out_shows_the_whole_photo_smaller_on_its_mean_colour() -> None:
    sample = make_sample(3)
    small = zoom_out(sample, np.random.default_rng(1))
    assert small.image.shape == sample.image.shape
    assert len(small.boxes) == len(sample.boxes)
    factor = (small.boxes[:, 2] - small.boxes[:, 0]) / (sample.boxes[:, 2] - sample.boxes[:, 0])
    assert factor == pytest.approx(np.full(4, factor[0]), rel=0.02)
    assert 0.4 <= factor[0] < 0.95


def test_colours_change_about_as_much_as_ssd_changes_them() -> None:
    grey = np.full((4, 4, 3), 128, np.uint8)
    values = []
    for seed in range(200):
        changed = distort_colours(grey, np.random.default_rng(seed))
        # Neither saturation nor hue turns grey into a colour.
        assert np.ptp(changed[0, 0].astype(int)) <= 1
        values.append(int(changed[0, 0, 0]))
    assert min(values) >= 128 - 1.5 * 32 - 1
    assert max(values) <= 128 + 1.5 * 32 + 1
    assert np.std(values) > 8
    red = np.full((1, 1, 3), (40, 40, 200), np.uint8)
    assert all(distort_colours(red, np.random.default_rng(seed))[0, 0].argmax() == 2 for seed in range(100))
