"""A second look at what a detector found: each box's part of the frame goes through a classifier."""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from edge_runtime.errors import ModelError
from edge_runtime.preprocess import Image
from edge_runtime.results import Detection
from edge_runtime.spec import Task

if TYPE_CHECKING:
    from edge_runtime.recognizer import Recognizer

Corners = tuple[float, float, float, float]
"""(x_min, y_min, x_max, y_max) in pixels."""

_MARGIN: Final = 0.05


@dataclass(frozen=True, slots=True)
class Refinement:
    """Detections with a classifier's labels, and the milliseconds that these took, by stage, over all boxes."""

    detections: tuple[Detection, ...]
    preprocess_ms: float
    inference_ms: float
    postprocess_ms: float


class Refiner:
    """Has a classifier say what is in each box, one box after another."""

    def __init__(self, classifier: "Recognizer") -> None:
        """Take an open classifier.

        Raises:
            ModelError: The model is a detector.
        """
        if classifier.spec.task is not Task.CLASSIFICATION:
            raise ModelError(
                f"The model {classifier.spec.name} is a detector, but boxes are looked at again by a classifier; "
                "give a classifier's file."
            )
        self.classifier = classifier

    def refine(self, frame: Image, detections: tuple[Detection, ...], top_k: int) -> Refinement:
        """Return detections with the classifier's labels for their boxes, best first, by its own threshold.

        Args:
            frame: (height, width, 3) uint8 BGR.
            detections: Boxes within the frame.
            top_k: How many labels at most for each.
        """
        answers = [self.classifier.recognize(cut(frame, each.box), top_k=top_k) for each in detections]
        pairs = zip(detections, answers, strict=True)
        return Refinement(
            tuple(replace(each, classifications=answer.classifications) for each, answer in pairs),
            sum(answer.preprocess_ms for answer in answers),
            sum(answer.inference_ms for answer in answers),
            sum(answer.postprocess_ms for answer in answers),
        )


def cut(image: Image, box: Corners) -> Image:
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
