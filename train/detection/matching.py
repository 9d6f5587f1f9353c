"""Which anchor has to find which box."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.detection.anchors import Anchors
from train.detection.coding import Boxes, encode, intersect_over_union, to_corners

BACKGROUND = -1
IGNORED = -2
_SAME = 0.5
_OTHER = 0.4
_FEWEST, _LEAST = 9, 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """What the network should say of one photo.

    Attributes:
        encodings: (anchors, 5) float32: ty, tx, th, tw, and 1 where the anchor has a box to find, else 0 throughout.
        classes: (anchors, 1) float32 class number, `BACKGROUND`, or `IGNORED` where either answer would be half right.
    """

    encodings: NDArray[np.float32]
    classes: NDArray[np.float32]

    def join(self) -> NDArray[np.float32]:
        """Return (anchors, 6) float32: encodings and classes side by side."""
        return np.concatenate([self.encodings, self.classes], axis=1)


class Matcher:
    """Gives the boxes of photos to anchors.

    An anchor finds the box that it overlaps most if their IoU is at least 0.5, and is ignored from 0.4 on. Small boxes
    have few such anchors and would be learnt late, so each box is found by its nine best anchors from an IoU of 0.3 on,
    and by the best one whatever the IoU. Sources: Liu et al., "SSD", ECCV 2016, section 2.2; Lin et al., "Focal Loss",
    ICCV 2017, section 4, for what is ignored; Chen et al., "You Only Look One-level Feature", CVPR 2021, section 4.2,
    for as many anchors whatever the size.
    """

    def __init__(self, anchors: Anchors) -> None:
        self._anchors = anchors
        self._corners = to_corners(anchors)

    def __call__(self, boxes: Boxes, labels: NDArray[np.int64]) -> Targets:
        """Return the targets of a photo with (n, 4) boxes and their (n,) class numbers; n may be 0."""
        encodings = np.zeros((len(self._anchors), 5), np.float32)
        classes = np.full((len(self._anchors), 1), BACKGROUND, np.float32)
        if len(boxes):
            overlaps = intersect_over_union(self._corners, boxes)
            nearest, best = overlaps.argmax(axis=1), overlaps.max(axis=1)
            _give_each_its_best(overlaps, nearest, best)
            classes[best >= _OTHER] = IGNORED
            found = (best >= _SAME) | _are_among_best(overlaps, nearest)
            classes[found, 0] = labels[nearest[found]]
            encodings[found, :4] = encode(boxes[nearest[found]], self._anchors[found])
            encodings[found, 4] = 1
        return Targets(encodings, classes)


def _are_among_best(overlaps: NDArray[np.float32], nearest: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Tell of each anchor whether it is one of the few best of the box that it is nearest to."""
    own = np.take_along_axis(overlaps, nearest[:, np.newaxis], axis=1)[:, 0]
    fewest = min(_FEWEST, len(overlaps))
    # Along rows that lie together it takes a tenth of the time.
    last = np.partition(overlaps.T, -fewest, axis=1)[:, -fewest]
    return np.asarray((own >= _LEAST) & (own >= last[nearest]))


def _give_each_its_best(overlaps: NDArray[np.float32], nearest: NDArray[np.int64], best: NDArray[np.float32]) -> None:
    """Let each box have the anchor it overlaps most, the surest pair first, and no anchor have two boxes."""
    remaining = overlaps.copy()
    for _ in range(overlaps.shape[1]):
        anchor, box = np.unravel_index(remaining.argmax(), remaining.shape)
        if remaining[anchor, box] <= 0:
            return
        nearest[anchor], best[anchor] = box, 1.0
        remaining[anchor, :] = remaining[:, box] = 0
