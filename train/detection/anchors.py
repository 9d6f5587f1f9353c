"""Anchors: the boxes that a detector's outputs start from.

Boxes and anchors are shares of the input: rows (y_centre, x_centre, height, width). A level is one square feature map;
each of its cells carries the same shapes, centred on the cell.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Anchors = NDArray[np.float32]
Shape = tuple[float, float]
"""Height and width as shares of the input."""

_RATIOS = (1.0, 2.0, 0.5, 3.0, 1 / 3)
_SMALLEST_SCALE, _LARGEST_SCALE = 0.2, 0.95
_PYRAMID_RATIOS = (1.0, 2.0, 0.5)
_PYRAMID_SCALES = (4.0, 4.0 * 2**0.5)


@dataclass(frozen=True, slots=True)
class Level:
    """The anchors of one feature map.

    Attributes:
        cells: Rows of the map, and columns.
        shapes: Of the anchors of every cell.
    """

    cells: int
    shapes: tuple[Shape, ...]


def make_anchors(levels: Sequence[Level]) -> Anchors:
    """Return the anchors of all levels in the order of the network's outputs: level, row, column, shape.

    Returns:
        (anchors, 4) float32 rows (y_centre, x_centre, height, width) as shares of the input; they may reach over it.
    """
    return np.concatenate([_make_level(level) for level in levels])


def _make_level(level: Level) -> Anchors:
    centres = (np.arange(level.cells) + 0.5) / level.cells
    shapes = np.array(level.shapes)
    grid = np.empty((level.cells, level.cells, len(shapes), 4), np.float32)
    grid[..., 0] = centres[:, np.newaxis, np.newaxis]
    grid[..., 1] = centres[np.newaxis, :, np.newaxis]
    grid[..., 2:] = shapes
    return grid.reshape(-1, 4)


def choose_ssd_levels(cells: Sequence[int]) -> tuple[Level, ...]:
    """Return SSD's levels: scales from 0.2 to 0.95 in even steps, five ratios, and a square between two scales.

    Source: Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016, section 2.2.

    Args:
        cells: Rows of each feature map, finest first.
    """
    scales = np.linspace(_SMALLEST_SCALE, _LARGEST_SCALE, len(cells))
    following = [*scales[1:], 1.0]
    return tuple(
        Level(each, (*(_shape(scale, ratio) for ratio in _RATIOS), _shape((scale * after) ** 0.5, 1.0)))
        for each, scale, after in zip(cells, scales, following, strict=True)
    )


def choose_pyramid_levels(cells: Sequence[int]) -> tuple[Level, ...]:
    """Return RetinaNet's levels: sides of four cells and half an octave more, three ratios each.

    Source: Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, section 4, with two scales an octave as in
    the FPN-Lite models of the TensorFlow Object Detection API.

    Args:
        cells: Rows of each feature map, finest first.
    """
    return tuple(
        Level(each, tuple(_shape(scale / each, ratio) for scale in _PYRAMID_SCALES for ratio in _PYRAMID_RATIOS))
        for each in cells
    )


def _shape(scale: float, ratio: float) -> Shape:
    """Return a shape of area `scale` squared, `ratio` times as wide as high."""
    return float(scale / ratio**0.5), float(scale * ratio**0.5)
