"""How good a classifier is, with how much certainty."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import balanced_accuracy_score, confusion_matrix


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Accuracy on one set of photos.

    Attributes:
        top1: Share of photos answered rightly, in [0, 1].
        macro: Mean over classes of the share answered rightly, in [0, 1].
    """

    top1: float
    macro: float


def measure_accuracy(targets: NDArray[np.int64], predictions: NDArray[np.int64]) -> Accuracy:
    """Compare (photos,) true and predicted class indices."""
    return Accuracy(
        top1=float((targets == predictions).mean()),
        macro=float(balanced_accuracy_score(targets, predictions)),
    )


def count_confusions(targets: NDArray[np.int64], predictions: NDArray[np.int64], classes: int) -> list[list[int]]:
    """Return the confusion matrix, true classes in rows."""
    matrix: list[list[int]] = confusion_matrix(targets, predictions, labels=range(classes)).tolist()
    return matrix
