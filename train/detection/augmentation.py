"""What may happen to a training photo with boxes, so that garments are learnt anywhere, in any size and light."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from train.detection.geometry import Window, crop, flip, measure_overlaps, resize
from train.detection.photometry import distort_colours
from train.detection.sample import Sample

_MOSAIC_CHANCE = 0.2
_ZOOM_OUT_CHANCE = 0.2
_MOST_ZOOM_OUT = 2.5
_MOSAIC_CENTRE = (0.3, 0.7)
_OVERLAPS = (0.1, 0.3, 0.5, 0.7, 0.9, 0.0)
_WHOLE_CHANCE = 0.5
_TRIES = 50
_CROP_SIDES = (0.3, 1.0)
_MOST_STRETCH = 2.0


def augment(sample: Sample, others: Callable[[], Sample], random: np.random.Generator) -> Sample:
    """Return a sample as another camera might have taken it.

    In turn: a mosaic with others, or a zoom-out, or neither; a random crop; a flip; other light and colours.

    Args:
        sample: A photo of at least 2 x 2 pixels with its boxes; left as it is.
        others: Gives a further sample of the data set at each call, for the mosaic.
        random: Source of all choices.

    Returns:
        A sample of another size, with fewer or, in a mosaic, more boxes, each inside the picture.
    """
    way = random.random()
    if way < _MOSAIC_CHANCE:
        sample = mosaic((sample, others(), others(), others()), random)
    elif way < _MOSAIC_CHANCE + _ZOOM_OUT_CHANCE:
        sample = zoom_out(sample, random)
    return retouch(crop_at_random(sample, random), random)


def retouch(sample: Sample, random: np.random.Generator) -> Sample:
    """Return a sample as the same camera might have taken it at another hour: flipped or not, in other light."""
    if random.random() < 0.5:
        sample = flip(sample)
    return replace(sample, image=distort_colours(sample.image, random))


def zoom_out(sample: Sample, random: np.random.Generator) -> Sample:
    """Return a sample shrunk up to 2.5 times, somewhere on its mean colour, so that small garments are learnt.

    Source: the "zoom out" of SSD (Liu et al., 2016, section 3.6), yet in a picture of the same size rather than a
    larger one, which would be shrunk to the same input afterwards and take longer.
    """
    scale = 1 / random.uniform(1, _MOST_ZOOM_OUT)
    width, height = max(round(sample.width * scale), 1), max(round(sample.height * scale), 1)
    left, top = (int(random.integers(room + 1)) for room in (sample.width - width, sample.height - height))
    small = resize(sample, width, height)
    image = np.empty_like(sample.image)
    image[:] = np.rint(small.image.mean(axis=(0, 1)))
    image[top : top + height, left : left + width] = small.image
    return Sample(image, small.boxes + np.array([left, top] * 2, np.float32), sample.labels)


def mosaic(samples: tuple[Sample, Sample, Sample, Sample], random: np.random.Generator) -> Sample:
    """Return a picture of the first sample's size with a part of each of four samples around a random point.

    Source: YOLOv4 (Bochkovskiy et al., 2020, section 3.3).
    """
    width, height = samples[0].width, samples[0].height
    x, y = (max(int(side * random.uniform(*_MOSAIC_CENTRE)), 1) for side in (width, height))
    image = np.empty((height, width, 3), np.uint8)
    boxes, labels = [], []
    corners = ((0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height))
    for sample, (left, top, right, bottom) in zip(samples, corners, strict=True):
        part = _cover(sample, right - left, bottom - top, random)
        image[top:bottom, left:right] = part.image
        boxes.append(part.boxes + np.array([left, top] * 2, np.float32))
        labels.append(part.labels)
    return Sample(image, np.concatenate(boxes), np.concatenate(labels))


def _cover(sample: Sample, width: int, height: int, random: np.random.Generator) -> Sample:
    """Return the largest part of a sample that has the shape of a field of the mosaic, at the field's size."""
    scale = min(sample.width / width, sample.height / height)
    across, down = max(round(width * scale), 1), max(round(height * scale), 1)
    left, top = int(random.integers(sample.width - across + 1)), int(random.integers(sample.height - down + 1))
    return resize(crop(sample, Window(left, top, left + across, top + down)), width, height)


def crop_at_random(sample: Sample, random: np.random.Generator) -> Sample:
    """Return the whole sample, or a part of it that overlaps a box by a random least Jaccard overlap.

    Source: SSD (Liu et al., 2016, section 2.2, "Data augmentation"); as in its published code, one box that overlaps
    enough will do. A part that keeps no box is taken of samples without boxes only.
    """
    if random.random() < _WHOLE_CHANCE:
        return sample
    least = float(random.choice(_OVERLAPS))
    for _ in range(_TRIES):
        window = _draw_window(sample, random)
        if not len(sample.boxes):
            return crop(sample, window)
        if measure_overlaps(window, sample.boxes).max() >= least:
            part = crop(sample, window)
            if len(part.boxes):
                return part
    return sample


def _draw_window(sample: Sample, random: np.random.Generator) -> Window:
    """Draw a part with 0.3 to 1 of each side of the photo, stretched at most twofold against it."""
    across = random.uniform(*_CROP_SIDES)
    low, high = max(across / _MOST_STRETCH, _CROP_SIDES[0]), min(across * _MOST_STRETCH, _CROP_SIDES[1])
    width = max(round(sample.width * across), 1)
    height = max(round(sample.height * random.uniform(low, high)), 1)
    left, top = int(random.integers(sample.width - width + 1)), int(random.integers(sample.height - height + 1))
    return Window(left, top, left + width, top + height)
