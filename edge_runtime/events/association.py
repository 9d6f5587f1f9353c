"""Telling which observation of a frame belongs to which track: greedy, by overlap of boxes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edge_runtime.boxes import Box, iou
from edge_runtime.results import Classification

# Garments overlap each other on a person; only a close match may be one garment under two names.
_LEAST_IOU_OF_OTHER_LABEL: Final = 0.6


@dataclass(frozen=True, slots=True)
class Observation:
    """A garment in one frame.

    Attributes:
        label: Class name.
        score: Probability in [0, 1].
        box: Where it is; None when it is the whole frame.
        refined: What a second look at the box says; None where none was taken or it was not sure.
    """

    label: str
    score: float
    box: Box | None
    refined: Classification | None = None


def associate(last: Sequence[Observation], now: Sequence[Observation], *, least_iou: float) -> list[tuple[int, int]]:
    """Pair each track's last observation with at most one of the new ones.

    Greedily by overlap, first those of the same label, then across labels.

    Args:
        last: The last observation of each track.
        now: What the new frame shows.
        least_iou: Overlap that a pair needs, in (0, 1].

    Returns:
        Pairs of indices, (track, observation).
    """
    candidates = [
        (track.label == observation.label, overlap, i, j)
        for i, track in enumerate(last)
        for j, observation in enumerate(now)
        # Most of many boxes lie apart, which is quickly seen.
        if not _lie_apart(track.box, observation.box)
        and (overlap := _overlap(track, observation)) >= _least(track, observation, least_iou)
    ]
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for *_, i, j in sorted(candidates, reverse=True):
        if i not in pairs and j not in taken:
            pairs[i] = j
            taken.add(j)
    return list(pairs.items())


def _lie_apart(first: Box | None, second: Box | None) -> bool:
    if first is None or second is None:
        return False
    return first[0] >= second[2] or second[0] >= first[2] or first[1] >= second[3] or second[1] >= first[3]


def _overlap(track: Observation, observation: Observation) -> float:
    if track.box is None or observation.box is None:
        # The whole frame is one place.
        return float(track.box is observation.box)
    return iou(track.box, observation.box)


def _least(track: Observation, observation: Observation, least_iou: float) -> float:
    return least_iou if track.label == observation.label else max(least_iou, _LEAST_IOU_OF_OTHER_LABEL)
