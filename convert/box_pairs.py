"""Which boxes of two stages of a detector are one answer."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.boxes import iou
from edge_runtime.results import Detection

Answers = Sequence[tuple[Detection, ...]]
"""The boxes of each photo, best first, down to the lowest score that the file gives."""

Boxes = Sequence[Sequence[Detection]]
"""The boxes of each photo at or above the reporting threshold."""

_SAME_BOX: Final = 0.5


@dataclass(frozen=True, slots=True)
class BoxPair:
    """One answer of two stages: boxes of one label and of an IoU of 0.5 or more.

    Attributes:
        first: The first stage's box.
        other: The other stage's.
        iou: Their intersection over union.
    """

    first: Detection
    other: Detection
    iou: float


@dataclass(frozen=True, slots=True)
class PairedBoxes:
    """The boxes of two stages, photo by photo.

    Attributes:
        first: The first stage's.
        other: The other stage's.
        pairs: Those that both have.
    """

    first: Boxes
    other: Boxes
    pairs: Sequence[Sequence[BoxPair]]

    @property
    def counts(self) -> NDArray[np.int64]:
        """(photos, 2) how many pairs there are on each photo, and how many boxes of either stage."""
        photos = zip(self.first, self.other, self.pairs, strict=True)
        return np.array([(len(pairs), len(first) + len(other)) for first, other, pairs in photos]).reshape(-1, 2)

    @property
    def agreement(self) -> float | None:
        """Share of boxes that both stages have, in [0, 1]; None where neither has any."""
        share = float(share_agreement(self.counts.sum(axis=0)))
        return None if math.isnan(share) else share

    @property
    def overlaps(self) -> NDArray[np.float64]:
        """(pairs,) IoU of each pair."""
        return np.array([pair.iou for photo in self.pairs for pair in photo], np.float64)

    @property
    def scores(self) -> NDArray[np.float64]:
        """(pairs, 2) scores of each pair, the first stage's first."""
        scores = [(pair.first.score, pair.other.score) for photo in self.pairs for pair in photo]
        return np.array(scores, np.float64).reshape(-1, 2)


def share_agreement(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return 2 pairs / boxes for (..., 2) counts of both; NaN where there is no box."""
    pairs, boxes = counts[..., 0], counts[..., 1]
    shares: NDArray[np.float64] = np.divide(2 * pairs, boxes, out=np.full(boxes.shape, np.nan), where=boxes > 0)
    return shares


def report_boxes(answers: Answers, threshold: float) -> Boxes:
    """Return the boxes of each photo that reach the reporting threshold."""
    return [[box for box in boxes if box.score >= threshold] for boxes in answers]


def pair_stages(first: Boxes, other: Boxes) -> PairedBoxes:
    """Find out which boxes of two stages are one answer."""
    return PairedBoxes(first, other, [list(_pair(*photo)) for photo in zip(first, other, strict=True)])


def _pair(reference: Sequence[Detection], found: Sequence[Detection]) -> Iterator[BoxPair]:
    """Yield each box of the reference with its best partner that no surer box has taken."""
    free = list(found)
    for box in reference:
        partners = [(iou(box.box, other.box), index) for index, other in enumerate(free) if other.label == box.label]
        overlap, index = max(partners, default=(0.0, -1))
        if overlap >= _SAME_BOX:
            yield BoxPair(box, free.pop(index), overlap)
