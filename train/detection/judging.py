"""Which boxes that a detector finds are right, and which true ones it misses."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_runtime.coco import TrueBox
from edge_runtime.results import Detection
from train.detection.coding import intersect_over_union

_RIGHT_IOU = 0.5


@dataclass(frozen=True, slots=True)
class JudgedPhoto:
    """The boxes found on one photo, held against the true ones.

    Attributes:
        hits: Boxes that have the label of a true box and an IoU of at least 0.5 with it, best first.
        false: The others, best first; a second box on a true one is among them.
        missed: True boxes that no hit is on.
    """

    hits: tuple[Detection, ...]
    false: tuple[Detection, ...]
    missed: tuple[TrueBox, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """What is found of some boxes.

    Attributes:
        hits: Boxes found rightly.
        false: Boxes found that are not there.
        missed: Boxes there that are not found.
    """

    hits: int
    false: int
    missed: int

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, in [0, 1]; 1 where nothing is there and nothing found."""
        return 2 * self.hits / (2 * self.hits + self.false + self.missed) if self.false + self.missed else 1.0


def judge_photo(found: Sequence[Detection], truth: Sequence[TrueBox]) -> JudgedPhoto:
    """Give each true box to the best box found on it; as in COCO's measure, the surest box chooses first."""
    hits, false, open_ = [], [], list(truth)
    for detection in sorted(found, key=lambda each: -each.score):
        partner = _find_partner(detection, open_)
        if partner is None:
            false.append(detection)
        else:
            hits.append(detection)
            open_.remove(partner)
    return JudgedPhoto(tuple(hits), tuple(false), tuple(open_))


def choose_threshold(found: Sequence[Sequence[Detection]], truth: Sequence[Sequence[TrueBox]]) -> float:
    """Return the score, in thousandths, below which boxes are best not reported: that of the highest F1.

    Whether a box is right does not depend on boxes of lower scores, so one judgement serves all thresholds.
    """
    judged = [judge_photo(*each) for each in zip(found, truth, strict=True)]
    scores = np.array([each.score for photo in judged for each in (*photo.hits, *photo.false)])
    right = np.array([flag for photo in judged for flag in (True,) * len(photo.hits) + (False,) * len(photo.false)])
    if not right.any():
        return 0.5
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(right[order])
    answered = np.arange(1, len(order) + 1)
    f1 = 2 * hits / (answered + sum(map(len, truth)))
    return float(np.floor(scores[order][int(f1.argmax())] * 1000) / 1000)


def count_outcomes(judged: Sequence[JudgedPhoto], label: str) -> Counts:
    """Count the boxes of one label over photos."""
    return Counts(
        hits=sum(each.label == label for photo in judged for each in photo.hits),
        false=sum(each.label == label for photo in judged for each in photo.false),
        missed=sum(each.label == label for photo in judged for each in photo.missed),
    )


def _find_partner(detection: Detection, truth: Sequence[TrueBox]) -> TrueBox | None:
    candidates = [each for each in truth if each.label == detection.label]
    if not candidates:
        return None
    overlaps = intersect_over_union(_row(detection.box), np.concatenate([_row(each.box) for each in candidates]))[0]
    best = int(overlaps.argmax())
    return candidates[best] if overlaps[best] >= _RIGHT_IOU else None


def _row(box: tuple[float, float, float, float]) -> NDArray[np.float32]:
    return np.array([box], np.float32)
