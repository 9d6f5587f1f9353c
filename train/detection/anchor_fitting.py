"""Fitting the shapes of anchors to the boxes of a data set."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from train.detection.anchors import Level, Shape

_ROUNDS = 100
_SEED = 0
"""Not the run's: runs of several seeds on the same boxes can be averaged only if they have the same anchors."""
_CELLS_PER_SIDE = 4.0
_BOXES_PER_SHAPE = 10


def fit_levels(boxes: NDArray[np.float32], usual: Sequence[Level], count: int) -> tuple[Level, ...]:
    """Return levels whose anchors have the shapes of the boxes that belong to each.

    A box belongs to the map of which its side, the root of its area, is nearest to four cells, as for the anchors of
    RetinaNet: on a coarser map the anchors stand too far apart for it. A map without enough boxes keeps usual shapes.

    Args:
        boxes: (boxes, 2) float32 heights and widths as shares of the input.
        usual: The levels to fit.
        count: Shapes for each level, at most as many as the usual ones.
    """
    sides = np.sqrt(boxes.prod(axis=1))[:, np.newaxis] * np.array([level.cells for level in usual])
    home = np.abs(np.log(sides / _CELLS_PER_SIDE)).argmin(axis=1)
    return tuple(
        Level(level.cells, _fit_or_keep(boxes[home == index], level, count)) for index, level in enumerate(usual)
    )


def _fit_or_keep(boxes: NDArray[np.float32], usual: Level, count: int) -> tuple[Shape, ...]:
    if len(np.unique(boxes, axis=0)) < _BOXES_PER_SHAPE * count:
        return usual.shapes[:count]
    return fit_shapes(boxes, count)


def fit_shapes(boxes: NDArray[np.float32], count: int) -> tuple[Shape, ...]:
    """Group the shapes of boxes by k-means with the distance 1 - IoU, all boxes centred on one point.

    Source: Redmon and Farhadi, "YOLO9000: Better, Faster, Stronger", CVPR 2017, section 2, with medians for means.

    Args:
        boxes: (boxes, 2) float32 heights and widths as shares of the input.
        count: Number of shapes; there are at least as many different boxes.
    """
    different = np.unique(boxes, axis=0)
    shapes = different[np.random.default_rng(_SEED).choice(len(different), count, replace=False)]
    for _ in range(_ROUNDS):
        nearest = overlap_shapes(boxes, shapes).argmax(axis=1)
        moved = np.stack([_middle(boxes[nearest == index], shape) for index, shape in enumerate(shapes)])
        if np.array_equal(moved, shapes):
            break
        shapes = moved
    return tuple((float(height), float(width)) for height, width in shapes)


def overlap_shapes(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the (m, n) IoU of (m, 2) and (n, 2) heights and widths, all centred on one point."""
    shared = np.minimum(first[:, np.newaxis], second).prod(axis=2)
    union = first.prod(axis=1)[:, np.newaxis] + second.prod(axis=1) - shared
    return np.asarray(shared / union, np.float32)


def _middle(members: NDArray[np.float32], shape: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the median of a group; one that lost all its boxes stays where it is."""
    return np.median(members, axis=0).astype(np.float32) if len(members) else shape
