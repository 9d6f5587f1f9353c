"""A detector's mAP, and by how much it is higher than another's on the same photos, each with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_runtime.coco import CocoScores, TrueBox, count_with_boxes, measure_coco, resample_map
from edge_runtime.estimates import BootstrapEstimate, estimate_by_bootstrap, resample_photos
from edge_runtime.results import Detection


@dataclass(frozen=True, slots=True, eq=False)
class ResampledMap:
    """What a detector is worth on some photos, and on others like them.

    Attributes:
        scores: On these photos.
        with_boxes: On how many of them there is a true box.
        resampled: (draws,) mAP of other photos like these.
    """

    scores: CocoScores
    with_boxes: int
    resampled: NDArray[np.float64]

    @property
    def estimate(self) -> BootstrapEstimate:
        """The mAP."""
        return estimate_by_bootstrap(self.scores.map, self.resampled, self.with_boxes)

    def gain_over(self, other: "ResampledMap") -> BootstrapEstimate:
        """Return by how much the mAP is higher than another's of the same photos in the same order."""
        difference = self.scores.map - other.scores.map
        return estimate_by_bootstrap(difference, self.resampled - other.resampled, self.with_boxes)


def measure_map(
    truth: Sequence[Sequence[TrueBox]], found: Sequence[Sequence[Detection]], labels: Sequence[str]
) -> ResampledMap:
    """Measure a detector's answers; arguments and errors as for `measure_coco`."""
    scores = measure_coco(truth, found, labels)
    return ResampledMap(
        scores, count_with_boxes(truth), resample_map(truth, found, labels, resample_photos(len(truth)))
    )
