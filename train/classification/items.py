"""What a training batch is made of: photos, drawings, and pictures without any of the classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime.drawing import draw_garment
from edge_runtime.pictures import read_picture
from edge_runtime.preprocess import Image
from edge_runtime.training_run import SplitRow
from train.classification.negatives import draw_negative

_DRAWN_SIZE = (320, 240)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A garment drawn instead of photographed.

    Attributes:
        label: Class name, one that the renderer knows.
        seed: Seed of the drawing.
    """

    label: str
    seed: int


@dataclass(frozen=True, slots=True)
class Negative:
    """A picture that shows none of the classes.

    Attributes:
        source: A picture file, or the seed of a drawn scene.
    """

    source: Path | int


Item = SplitRow | Drawing | Negative


def read_item(item: Item, images: Path) -> Image:
    """Return an item's picture, (height, width, 3) uint8 BGR in [0, 255].

    Args:
        item: What to read or draw.
        images: Folder that photos' paths start from.
    """
    if isinstance(item, Drawing):
        return draw_garment(item.label, item.seed, _DRAWN_SIZE)
    if isinstance(item, SplitRow):
        return read_picture(images / item.image)
    return draw_negative(item.source, _DRAWN_SIZE) if isinstance(item.source, int) else read_picture(item.source)


def make_targets(items: Sequence[Item], labels: tuple[str, ...]) -> NDArray[np.float32]:
    """Return the (items, labels) float32 probabilities to learn: the label's for what has one, all alike for negatives.

    Source of the latter: Hendrycks et al., "Deep Anomaly Detection with Outlier Exposure", ICLR 2019.
    """
    targets = np.full((len(items), len(labels)), 1 / len(labels), np.float32)
    places = {label: place for place, label in enumerate(labels)}
    for row, item in enumerate(items):
        if not isinstance(item, Negative):
            targets[row] = 0
            targets[row, places[item.label]] = 1
    return targets
