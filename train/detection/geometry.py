"""Cutting, resizing and mirroring a photo together with its boxes."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from train.detection.sample import Sample

_LEAST_SHARE = 0.3
"""Of a garment's box; less of it is hardly that garment any more."""
_LEAST_SIDE = 0.01
"""Of the picture's width or height: three pixels of an input of 320."""


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of whole pixels inside a photo.

    Attributes:
        left: First column.
        top: First row.
        right: Column behind the last, above `left`.
        bottom: Row behind the last, above `top`.
    """

    left: int
    top: int
    right: int
    bottom: int


def crop(sample: Sample, window: Window) -> Sample:
    """Return the part of a sample inside a window; its image is a view.

    A box of which less than 30 % of the area stays, or less than 1 % of the window's width or height, is dropped.
    """
    left, top, right, bottom = window.left, window.top, window.right, window.bottom
    low, high = np.array([left, top] * 2, np.float32), np.array([right, bottom] * 2, np.float32)
    boxes = np.clip(sample.boxes, low, high) - low
    share = measure_areas(boxes) / measure_areas(sample.boxes)
    sides = (boxes[:, 2:] - boxes[:, :2]) / np.array([right - left, bottom - top], np.float32)
    kept = (share >= _LEAST_SHARE) & (sides >= _LEAST_SIDE).all(axis=1)
    return Sample(sample.image[top:bottom, left:right], boxes[kept], sample.labels[kept])


def resize(sample: Sample, width: int, height: int) -> Sample:
    """Return a sample stretched to a size in pixels."""
    shrinks = width * height < sample.width * sample.height
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    image = np.asarray(cv2.resize(sample.image, (width, height), interpolation=interpolation), np.uint8)
    factors = np.array([width / sample.width, height / sample.height] * 2, np.float32)
    return Sample(image, sample.boxes * factors, sample.labels)


def flip(sample: Sample) -> Sample:
    """Return a sample with left and right exchanged."""
    boxes = sample.boxes.copy()
    boxes[:, [0, 2]] = sample.width - sample.boxes[:, [2, 0]]
    return replace(sample, image=np.asarray(cv2.flip(sample.image, 1), np.uint8), boxes=boxes)


def measure_areas(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the (n,) areas in square pixels of (n, 4) boxes."""
    areas: NDArray[np.float32] = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return areas


def measure_overlaps(window: Window, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the (n,) intersections over union (Jaccard overlaps), in [0, 1], of a window with (n, 4) boxes."""
    low, high = (
        np.maximum(boxes[:, :2], (window.left, window.top)),
        np.minimum(boxes[:, 2:], (window.right, window.bottom)),
    )
    shared = np.prod(np.maximum(high - low, 0), axis=1)
    area = (window.right - window.left) * (window.bottom - window.top)
    overlaps: NDArray[np.float32] = shared / (measure_areas(boxes) + area - shared)
    return overlaps
