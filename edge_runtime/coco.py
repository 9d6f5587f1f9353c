"""Average precision as COCO defines it, by pycocotools: what a detector is judged by in training and in conversion.

It stands here because both measure by it; a device never does, so pycocotools comes with the extra `train` only.
"""

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.boxes import Box
from edge_runtime.errors import DataError
from edge_runtime.results import Detection

_IOU_50 = 0
_IOU_75 = 5
# Of pycocotools' ranges of sizes the first is of any; of its limits of 1, 10 and 100 boxes COCO reports the last.
_ANY_SIZE = slice(0, 1)
_MOST_BOXES = slice(-1, None)

LOWEST_SCORE: Final = 0.01
"""Boxes down to this score, which no user is shown, belong to the curves that average precision is the area of."""

RECALLS: Final[NDArray[np.float64]] = np.linspace(0, 1, 101)
"""At which COCO reads precision."""


@dataclass(frozen=True, slots=True)
class TrueBox:
    """One labelled box of the truth.

    Attributes:
        label: Class name.
        box: (x_min, y_min, x_max, y_max) in pixels of the photo.
    """

    label: str
    box: Box


@dataclass(frozen=True, slots=True)
class LabelPrecision:
    """Average precision of one label.

    Attributes:
        label: Class name.
        boxes: How many true boxes there are of it, at least one.
        map: Mean over the IoU thresholds 0.50, 0.55 ... 0.95, in [0, 1].
        map50: At the IoU threshold 0.50.
    """

    label: str
    boxes: int
    map: float
    map50: float


@dataclass(frozen=True, slots=True)
class CocoScores:
    """COCO's figures of a detector: average precision, the mean over labels that the truth has.

    Attributes:
        map: Mean over the IoU thresholds 0.50, 0.55 ... 0.95, in [0, 1]; COCO calls it AP.
        map50: At the IoU threshold 0.50.
        map75: At the IoU threshold 0.75.
        labels: One entry per label that the truth has, in the order of the model's labels.
    """

    map: float
    map50: float
    map75: float
    labels: tuple[LabelPrecision, ...]


def measure_coco(
    truth: Sequence[Sequence[TrueBox]], found: Sequence[Sequence[Detection]], labels: Sequence[str]
) -> CocoScores:
    """Measure a detector's answers against the truth.

    Give it answers down to low scores: boxes below a reporting threshold belong to the curve. More than 100 boxes of a
    label on a photo do not count (Lin et al., 2014, and https://cocodataset.org/#detection-eval).

    Args:
        truth: The true boxes of each photo.
        found: The detector's boxes of each photo, photos in the same order.
        labels: All class names.

    Raises:
        DataError: The truth has no box at all, so there is nothing to measure.
    """
    counts = [sum(box.label == label for boxes in truth for box in boxes) for label in labels]
    if not any(counts):
        raise DataError("The photos to measure on have no box on them; choose others.")
    precision = _precision(_match(truth, found, labels))
    present = precision[:, :, [count > 0 for count in counts]]
    return CocoScores(
        map=float(present.mean()),
        map50=float(present[_IOU_50].mean()),
        map75=float(present[_IOU_75].mean()),
        labels=tuple(
            LabelPrecision(label, count, float(curves.mean()), float(curves[_IOU_50].mean()))
            for label, count, curves in zip(labels, counts, np.moveaxis(precision, 2, 0), strict=True)
            if count
        ),
    )


def trace_curves(
    truth: Sequence[Sequence[TrueBox]], found: Sequence[Sequence[Detection]], labels: Sequence[str]
) -> dict[str, NDArray[np.float64]]:
    """Return precision against recall, whose mean over recalls is the average precision at the IoU threshold 0.50.

    Args:
        truth: The true boxes of each photo.
        found: The detector's boxes of each photo, down to low scores, photos in the same order.
        labels: All class names.

    Returns:
        (101,) float64 precision at the recalls `RECALLS` by label, of those that the truth has: the best at this recall
        or a greater one, as COCO has it, and 0 where so many are never found.
    """
    there = {box.label for boxes in truth for box in boxes}
    curves = _precision(_match(truth, found, labels))[_IOU_50]
    return {label: curves[:, place] for place, label in enumerate(labels) if label in there}


def count_with_boxes(truth: Sequence[Sequence[TrueBox]]) -> int:
    """Return on how many photos there is a true box."""
    return sum(len(boxes) > 0 for boxes in truth)


def resample_map(
    truth: Sequence[Sequence[TrueBox]],
    found: Sequence[Sequence[Detection]],
    labels: Sequence[str],
    draws: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the mAP of other photos like these: of each draw from them with replacement.

    Args:
        truth: The true boxes of each photo.
        found: The detector's boxes of each photo, photos in the same order.
        labels: All class names.
        draws: (draws, photos) indices of photos.

    Returns:
        (draws,) mAP as `measure_coco` gives it; NaN of a draw without any true box.
    """
    times = np.stack([np.bincount(draw, minlength=len(truth)) for draw in draws])
    matched = _match(truth, found, labels).evalImgs
    photos = len(truth)
    by_label = [matched[start : start + photos] for start in range(0, len(matched), photos)]
    curves = [_resample_label(each, times) for each in by_label]
    there = np.sum([present for _, present in curves], axis=0)
    sums = np.sum([np.where(present, precision, 0.0) for precision, present in curves], axis=0)
    mean: NDArray[np.float64] = np.divide(sums, there, out=np.full(len(draws), np.nan), where=there > 0)
    return mean


def _resample_label(
    matched: Sequence[dict[str, Any] | None], times: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return one label's (draws,) average precision, and in which draws the truth has the label.

    Args:
        matched: What pycocotools found on each photo, None where nothing is; boxes of any size.
        times: (draws, photos) how often each draw has each photo.
    """
    there = [(photo, each) for photo, each in enumerate(matched) if each is not None]
    truths = np.zeros(len(matched))
    for photo, each in there:
        truths[photo] = len(each["gtIds"])
    positives = times @ truths
    precision = np.zeros(len(times))
    if there:
        scores = np.concatenate([each["dtScores"] for _, each in there])
        order = np.argsort(-scores, kind="mergesort")
        hits = np.concatenate([each["dtMatches"] for _, each in there], axis=1)[:, order] > 0
        photos = np.concatenate([np.full(len(each["dtScores"]), photo) for photo, each in there])[order]
        for draw in np.flatnonzero(positives):
            precision[draw] = _average_precision(hits, times[draw, photos], positives[draw])
    return precision, positives > 0


def _average_precision(hits: NDArray[np.bool_], weights: NDArray[np.int64], positives: float) -> float:
    """Return the mean over IoU thresholds of the precision at 101 recalls, as COCO has it.

    Args:
        hits: (thresholds, boxes) whether each box meets a true one, surest box first.
        weights: (boxes,) how often each box counts.
        positives: How many true boxes there are.
    """
    right = np.cumsum(hits * weights, axis=1)
    answered = np.maximum(np.cumsum(weights), 1)
    envelope = np.maximum.accumulate((right / answered)[:, ::-1], axis=1)[:, ::-1]
    reached = [np.searchsorted(recall, RECALLS) for recall in right / positives]
    padded = np.pad(envelope, ((0, 0), (0, 1)))
    return float(np.mean([curve[places] for curve, places in zip(padded, reached, strict=True)]))


def _match(truth: Sequence[Sequence[TrueBox]], found: Sequence[Sequence[Detection]], labels: Sequence[str]) -> Any:
    """Return pycocotools' evaluation, its boxes matched with the true ones and not yet counted."""
    from pycocotools.cocoeval import COCOeval

    # pycocotools reports its progress on stdout, which is for results.
    with contextlib.redirect_stdout(io.StringIO()):
        measuring = COCOeval(_index(truth, labels), _index(found, labels), "bbox")
        # All else would be matched as well, which takes four times as long, and read by nobody.
        measuring.params.areaRng = measuring.params.areaRng[_ANY_SIZE]
        measuring.params.areaRngLbl = measuring.params.areaRngLbl[_ANY_SIZE]
        measuring.params.maxDets = measuring.params.maxDets[_MOST_BOXES]
        measuring.evaluate()
    return measuring


def _precision(measuring: Any) -> NDArray[np.float64]:
    """Return (10 IoU thresholds, 101 recalls, labels) precisions."""
    with contextlib.redirect_stdout(io.StringIO()):
        measuring.accumulate()
    precision: NDArray[np.float64] = measuring.eval["precision"][..., 0, 0]
    return precision


def _index(photos: Sequence[Sequence[TrueBox | Detection]], labels: Sequence[str]) -> Any:
    from pycocotools.coco import COCO

    numbers = {label: number for number, label in enumerate(labels)}
    boxes = [(photo, box) for photo, photo_boxes in enumerate(photos) for box in photo_boxes]
    index = COCO()
    index.dataset = {
        "images": [{"id": photo} for photo in range(len(photos))],
        "categories": [{"id": number, "name": label} for label, number in numbers.items()],
        # To pycocotools a box with the number 0 counts as never matched.
        "annotations": [_annotation(id_, photo, numbers[box.label], box) for id_, (photo, box) in enumerate(boxes, 1)],
    }
    index.createIndex()
    return index


def _annotation(id_: int, photo: int, category: int, box: TrueBox | Detection) -> dict[str, Any]:
    x_min, y_min, x_max, y_max = box.box
    width, height = x_max - x_min, y_max - y_min
    return {
        "id": id_,
        "image_id": photo,
        "category_id": category,
        "bbox": [x_min, y_min, width, height],
        "area": width * height,
        "iscrowd": 0,
        "score": getattr(box, "score", 1.0),
    }
