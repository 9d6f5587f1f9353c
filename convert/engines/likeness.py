"""How like one engine's answers are to another's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convert.inspection.contents import Quantization
from edge_runtime.boxes import iou
from edge_runtime.spec import DetectionSpec

Outputs = Sequence[NDArray[Any]]
"""One (images, ...) array per output of the model."""

_SAME_BOX: Final = 0.9


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like the answers of two engines are; see `Agreement`."""

    identical: int
    largest: float
    same: float


def compare_scores(ours: Outputs, theirs: Outputs, scales: Sequence[Quantization | None]) -> Likeness:
    """Compare a classifier's answers.

    Args:
        ours: (images, labels) per head; whole numbers, or the real scores that they stand for.
        theirs: The same of the reference.
        scales: Quantisation of each head; None where its scores are floats.
    """
    pairs = [(_steps(ours[at], scale), _steps(theirs[at], scale)) for at, scale in enumerate(scales)]
    worst = np.max([np.abs(one - other).max(axis=1) for one, other in pairs], axis=0)
    best = np.all([one.argmax(axis=1) == other.argmax(axis=1) for one, other in pairs], axis=0)
    return Likeness(int((worst == 0).sum()), float(worst.max()), float(best.mean()))


def _steps(values: NDArray[Any], scale: Quantization | None) -> NDArray[np.float64]:
    """Return scores in steps of their quantisation, where they have one; an engine may give real numbers instead."""
    real = values.astype(np.float64)
    if scale is None or values.dtype.kind != "f":
        return real
    return real / np.float32(scale.scale_min) + scale.zero_point_min


def compare_boxes(ours: Outputs, theirs: Outputs, detection: DetectionSpec) -> Likeness:
    """Compare a detector's answers: boxes, labels, scores and count, as `TFLite_Detection_PostProcess` gives them.

    Boxes below the threshold are nobody's answer. Two boxes are the same answer where their labels are equal and their
    intersection over union is at least 0.9; the order of boxes, which equal scores leave open, does not count.

    Args:
        ours: Of one engine.
        theirs: Of the reference.
        detection: Of the detector.
    """
    identical, largest, matched, total = 0, 0.0, 0, 0
    for image in range(len(theirs[0])):
        one, other = _answers(ours, image, detection), _answers(theirs, image, detection)
        identical += bool(np.array_equal(one, other))
        pairs = _match(one, other)
        matched += 2 * len(pairs)
        total += len(one) + len(other)
        largest = max([largest, *(float(np.abs(one[i, 1:] - other[j, 1:]).max()) for i, j in pairs)])
    return Likeness(identical, largest, matched / total if total else 1.0)


def cut_to_pixels(boxes: NDArray[Any], height: int, width: int) -> NDArray[np.float32]:
    """Return boxes as MediaPipe Tasks gives them: corner, height and width in pixels, each without its fraction.

    Args:
        boxes: (..., 4) y_min, x_min, y_max, x_max as shares of the input.
        height: Of the input, in pixels.
        width: Of the input.

    Returns:
        (..., 4) float32, as shares again.
    """
    pixels = np.array([height, width], np.float32)
    corner, size = boxes[..., :2] * pixels, (boxes[..., 2:] - boxes[..., :2]) * pixels
    cut = np.trunc(corner), np.trunc(corner) + np.trunc(size)
    return np.concatenate([each / pixels for each in cut], axis=-1, dtype=np.float32)


def _answers(outputs: Outputs, image: int, detection: DetectionSpec) -> NDArray[np.float64]:
    """Return (answers, 6) label, score, y and x of two corners, of those above the threshold, in a fixed order."""
    boxes, labels, scores, count = (np.asarray(output[image], np.float64) for output in outputs)
    # Behind its answers the op leaves those of the picture before.
    answers = np.arange(len(scores)) < count.item() * detection.labels_per_box
    rows = np.column_stack([labels, scores, boxes])[answers & (scores >= detection.threshold)]
    ordered: NDArray[np.float64] = rows[np.lexsort(rows.T[::-1])]
    return ordered


def _match(one: NDArray[np.float64], other: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Pair rows that are the same answer, each at most once."""
    free = set(range(len(other)))
    pairs = []
    for i, row in enumerate(one):
        near = [(iou(tuple(row[2:]), tuple(other[j, 2:])), j) for j in free if other[j, 0] == row[0]]
        overlap, j = max(near, default=(0.0, -1))
        if overlap >= _SAME_BOX:
            free.remove(j)
            pairs.append((i, j))
    return pairs
