"""From a detector's outputs to boxes, as `TFLite_Detection_PostProcess` does on a device."""

import numpy as np
from numpy.typing import NDArray

from edge_runtime.results import Detection
from edge_runtime.spec import DetectionSpec
from train.detection.anchors import Anchors
from train.detection.coding import Boxes, decode, intersect_over_union


def find_boxes(
    encodings: NDArray[np.float32],
    scores: NDArray[np.float32],
    anchors: Anchors,
    spec: DetectionSpec,
    size: tuple[int, int],
) -> list[Detection]:
    """Return the answers of a detector on one photo, best first, clipped to it.

    Args:
        encodings: (anchors, 4) float32 output.
        scores: (anchors, labels) float32 output.
        anchors: (anchors, 4) float32 that it was built for.
        spec: Labels, thresholds and number of boxes.
        size: Width and height of the photo in pixels.
    """
    best = scores.max(axis=1)
    candidates = np.flatnonzero(best >= spec.threshold)
    candidates = candidates[np.argsort(-best[candidates], kind="stable")]
    boxes = decode(encodings[candidates], anchors[candidates])
    found = [
        Detection(spec.labels[label], float(scores[candidates[index], label]), _to_pixels(boxes[index], size))
        for index in suppress(boxes, spec.iou_threshold, spec.max_detections)
        for label in np.argsort(-scores[candidates[index]], kind="stable")[: spec.labels_per_box]
        if scores[candidates[index], label] >= spec.threshold
    ]
    return sorted((each for each in found if _has_area(each)), key=lambda each: -each.score)


def suppress(boxes: Boxes, iou_threshold: float, most: int) -> list[int]:
    """Return the places of (n, 4) boxes, best first, whose IoU with every better one kept is at most a threshold.

    Args:
        boxes: Best first.
        iou_threshold: In (0, 1].
        most: How many are kept at most.
    """
    remaining = np.arange(len(boxes))
    kept: list[int] = []
    while len(remaining) and len(kept) < most:
        first = int(remaining[0])
        kept.append(first)
        remaining = remaining[1:]
        overlaps = intersect_over_union(boxes[first : first + 1], boxes[remaining])[0]
        remaining = remaining[overlaps <= iou_threshold]
    return kept


def _to_pixels(box: NDArray[np.float32], size: tuple[int, int]) -> tuple[float, float, float, float]:
    y_min, x_min, y_max, x_max = (float(edge) for edge in np.clip(box, 0, 1))
    width, height = size
    return x_min * width, y_min * height, x_max * width, y_max * height


def _has_area(detection: Detection) -> bool:
    """Tell whether a box is on the photo; one beyond its edge is clipped to nothing."""
    x_min, y_min, x_max, y_max = detection.box
    return x_max > x_min and y_max > y_min
