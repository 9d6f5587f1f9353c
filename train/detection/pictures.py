"""Pictures of samples and of mistakes, with boxes."""

import math
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from edge_runtime.annotate import draw_box
from edge_runtime.preprocess import Image
from edge_runtime.resizing import resize_to
from edge_runtime.text import Colour
from train.detection.judging import JudgedPhoto
from train.detection.sample import Sample

RIGHT: Final[Colour] = (90, 140, 0)
WRONG: Final[Colour] = (40, 40, 200)
MISSED: Final[Colour] = (0, 120, 220)

_TILE = 240


def draw_samples(samples: Sequence[Sample], labels: Sequence[str], columns: int) -> Image:
    """Return samples with their boxes, side by side, each stretched to a square as the network sees it.

    Args:
        samples: One or more.
        labels: Class names.
        columns: Samples in a row.

    Returns:
        (rows * 240, columns * 240, 3) uint8 BGR.
    """
    sheet = np.full((math.ceil(len(samples) / columns) * _TILE, columns * _TILE, 3), 255, np.uint8)
    for place, sample in enumerate(samples):
        tile = np.asarray(cv2.resize(sample.image, (_TILE, _TILE), interpolation=cv2.INTER_AREA), np.uint8)
        scales = _TILE / np.array([sample.width, sample.height] * 2)
        for box, label in zip(sample.boxes * scales, sample.labels, strict=True):
            left, upper, right, lower = map(float, box)
            draw_box(tile, (left, upper, right, lower), labels[label])
        row, column = divmod(place, columns)
        sheet[row * _TILE : (row + 1) * _TILE, column * _TILE : (column + 1) * _TILE] = tile
    return sheet


def draw_judgement(image: Image, judged: JudgedPhoto, side: int) -> Image:
    """Return a photo, its longer side at a length in pixels, with its boxes right, wrong and missed."""
    scale = side / max(image.shape[:2])
    shown = resize_to(image, side)
    boxes = [(each.box, each.label, MISSED) for each in judged.missed]
    boxes += [(each.box, f"{each.label} {each.score:.0%}", RIGHT) for each in judged.hits]
    boxes += [(each.box, f"{each.label} {each.score:.0%}", WRONG) for each in judged.false]
    for (left, upper, right, lower), text, colour in boxes:
        draw_box(shown, (scale * left, scale * upper, scale * right, scale * lower), text, colour)
    return shown
