"""A second look at what a detector found: each box's part of the frame goes through a classifier."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from edge_runtime.boxes import Box
from edge_runtime.preprocess import Image
from edge_runtime.results import Detection, Recognition

_MARGIN: Final = 0.05


def refine(
    answer: Recognition, detections: tuple[Detection, ...], frame: Image, look: Callable[[Image], Recognition]
) -> Recognition:
    """Return a detector's answer with a classifier's labels for each box, and the time of both.

    Args:
        answer: The detector's.
        detections: Its boxes, within the frame.
        frame: (height, width, 3) uint8 BGR.
        look: The classifier, asked about one box after another, once whatever labels the detector gives it.
    """
    looks = {box: look(cut(frame, box)) for box in dict.fromkeys(each.box for each in detections)}
    seconds = looks.values()
    return Recognition(
        classifications=answer.classifications,
        detections=tuple(replace(each, classifications=looks[each.box].classifications) for each in detections),
        preprocess_ms=answer.preprocess_ms + sum(second.preprocess_ms for second in seconds),
        inference_ms=answer.inference_ms + sum(second.inference_ms for second in seconds),
        postprocess_ms=answer.postprocess_ms + sum(second.postprocess_ms for second in seconds),
    )


def cut(image: Image, box: Box) -> Image:
    """Return a box and 5 % of its width and height around it, as far as the picture goes, in whole pixels.

    Classifiers are trained on boxes cut by this function, so they meet the same margin on a device.

    Args:
        image: (height, width, 3) uint8 BGR.
        box: Within the picture.

    Returns:
        A view of the picture.
    """
    x_min, y_min, x_max, y_max = box
    across, down = (x_max - x_min) * _MARGIN, (y_max - y_min) * _MARGIN
    left, top = max(math.floor(x_min - across), 0), max(math.floor(y_min - down), 0)
    return image[top : math.ceil(y_max + down), left : math.ceil(x_max + across)]
