"""How sure the figures of a report are.

All intervals take photos as independent of each other. Photos of one group are alike, so the true intervals are wider.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_runtime.estimates import Estimate, Flags, estimate_share

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClassQuality:
    """How well one class is told apart; what has no photo to be measured on is None.

    Attributes:
        label: Class name.
        photos: Photos that truly show it.
        precision: Share of the photos answered with it that show it.
        recall: Share of the photos that show it that are answered with it.
        f1: Harmonic mean of the two.
    """

    label: str
    photos: int
    precision: Estimate | None
    recall: Estimate | None
    f1: Estimate | None


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """How far scores can be read as probabilities; all arrays are (filled bins,).

    Attributes:
        confidence: Mean best score of each bin.
        accuracy: Share of its photos answered rightly, with its interval.
        photos: Number of its photos.
        error: Expected calibration error in [0, 1].
    """

    confidence: Floats
    accuracy: tuple[Estimate, ...]
    photos: NDArray[np.int64]
    error: float


@dataclass(frozen=True, slots=True, eq=False)
class RejectionCurve:
    """What a rejection threshold buys; all arrays are (thresholds,).

    Attributes:
        thresholds: Best scores below it are not reported.
        coverage: Share of photos that are still answered.
        accuracy: Share of those answered rightly; NaN where none is left.
    """

    thresholds: Floats
    coverage: Floats
    accuracy: Floats


def measure_classes(labels: Sequence[str], confusions: Sequence[Sequence[int]]) -> tuple[ClassQuality, ...]:
    """Return the quality of each class.

    Args:
        labels: Class names.
        confusions: (labels, labels) counts, true classes in rows.
    """
    matrix = np.asarray(confusions)
    return tuple(_measure_class(matrix, index, label) for index, label in enumerate(labels))


def _measure_class(matrix: NDArray[np.int64], index: int, label: str) -> ClassQuality:
    hits, shown, answered = int(matrix[index, index]), int(matrix[index].sum()), int(matrix[:, index].sum())
    return ClassQuality(
        label=label,
        photos=shown,
        precision=estimate_share(hits, answered) if answered else None,
        recall=estimate_share(hits, shown) if shown else None,
        f1=_estimate_f1(hits, shown + answered - hits),
    )


def _estimate_f1(hits: int, concerned: int) -> Estimate | None:
    """Return F1 with its interval.

    F1 is no share of photos, but a rising function, 2 s / (1 + s), of one: s = TP / (TP + FP + FN), the F* of Hand,
    Christen and Kirielle (2021), "F*: an interpretable transformation of the F-measure". So the ends of the Wilson
    interval of s become those of F1.

    Args:
        hits: True positives (TP).
        concerned: Photos that show the class or are answered with it (TP + FP + FN).
    """
    if not concerned:
        return None
    share = estimate_share(hits, concerned)
    return Estimate(*(2 * end / (1 + end) for end in (share.value, share.low, share.high)))


def measure_reliability(confidence: Floats, right: Flags, bins: int = 15) -> Reliability:
    """Compare how sure a model is with how often it is right.

    The expected calibration error is the mean over photos of |accuracy - mean confidence| of the photo's bin, with
    bins of equal width that include their upper edge, as in Guo, Pleiss, Sun and Weinberger (2017), "On calibration
    of modern neural networks", section 2.

    Args:
        confidence: (photos,) best scores in [0, 1].
        right: (photos,) whether the best label is the true one.
        bins: Number of bins of [0, 1].
    """
    places = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], confidence)
    photos = np.bincount(places, minlength=bins)
    filled = photos > 0
    photos = photos[filled]
    mean = np.bincount(places, confidence, bins)[filled] / photos
    hits = np.bincount(places[right], minlength=bins)[filled]
    accuracy = tuple(estimate_share(int(hit), int(total)) for hit, total in zip(hits, photos, strict=True))
    error = float(np.average(np.abs(hits / photos - mean), weights=photos))
    return Reliability(mean, accuracy, photos, error)


def measure_rejection(confidence: Floats, right: Flags, thresholds: Floats) -> RejectionCurve:
    """Return what is left, and how good it is, when answers below each threshold are rejected.

    Args:
        confidence: (photos,) best scores in [0, 1].
        right: (photos,) whether the best label is the true one.
        thresholds: (thresholds,) in [0, 1].
    """
    kept = confidence >= thresholds[:, np.newaxis]
    answered = kept.sum(axis=1)
    hits = (kept & right).sum(axis=1)
    accuracy = np.divide(hits, answered, out=np.full(len(thresholds), np.nan), where=answered > 0)
    return RejectionCurve(thresholds, answered / len(confidence), accuracy)
