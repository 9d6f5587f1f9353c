"""Calibration without photos: drawn garments.

Drawings cover fewer textures and lights than photos do, so their ranges are a fallback; `edge-convert` says when it
uses them.
"""

from collections.abc import Iterator

from edge_runtime.drawing import GARMENTS, draw_garment
from edge_runtime.preprocess import Image

_FIRST_SEED = 500_000


def draw_calibration_images(count: int) -> Iterator[Image]:
    """Yield `count` drawn garments in turn, (480, 360, 3) uint8 BGR in [0, 255], always the same ones."""
    for index in range(count):
        yield draw_garment(GARMENTS[index % len(GARMENTS)], _FIRST_SEED + index)
