"""What a detector file is worth beside another one, on the same photos."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from edge_runtime.coco import TrueBox
from edge_runtime.estimates import BootstrapEstimate
from edge_runtime.recognizer import Recognizer
from edge_runtime.results import Detection
from train.data.boxes import BoxedPhoto, BoxSet
from train.report.detector_file import DetectorScores, FoundBoxes, look, rate_boxes
from train.report.resampled_map import ResampledMap, measure_map


@dataclass(frozen=True, slots=True)
class DetectorGain:
    """By how much a detector file is better than another, in [-1, 1].

    Attributes:
        boxes: On how many true boxes it is judged: those of classes that both detectors know.
        map: By COCO's AP, with the bootstrap interval of the same photos drawn for both.
        map50: By AP at the IoU threshold 0.50.
    """

    boxes: int
    map: BootstrapEstimate
    map50: float


@dataclass(frozen=True, slots=True)
class HeldDetector:
    """The file that another is held against.

    Attributes:
        scores: What it is worth on the same photos.
        lacks: Classes that there are boxes of and it does not know, so that it misses all of these.
        gain: Of the other over it.
    """

    scores: DetectorScores
    lacks: tuple[str, ...]
    gain: DetectorGain


@dataclass(frozen=True, slots=True)
class DetectorWorth:
    """What a detector file is worth, alone and against another; `against` is None without one."""

    scores: DetectorScores
    against: HeldDetector | None


def measure_detectors(
    recognizers: Sequence[Recognizer], labels: Sequence[tuple[str, ...]], box_set: BoxSet, matched: Mapping[str, str]
) -> DetectorWorth:
    """Let a detector look at photos, and tell what it is worth.

    Args:
        recognizers: The file and, if it is held against another, that one.
        labels: What the file calls the labels of each.
        box_set: The photos and their boxes.
        matched: The file's label by class of the boxes; empty for boxes that are left out.

    Raises:
        ModelError: One is a classifier.
        DataError: A photo cannot be read, or no box is left.
    """
    truth = [_take_truth(photo, matched) for photo in box_set.photos]
    every = tuple(dict.fromkeys(label for own in labels for label in own))
    boxes = [
        FoundBoxes(truth, _rename(found, recognizer.spec.labels, own), every, _threshold(recognizer))
        for recognizer, own, found in zip(recognizers, labels, look(recognizers, box_set), strict=True)
    ]
    return judge_detectors(boxes, labels[-1])


def judge_detectors(boxes: Sequence[FoundBoxes], known: Sequence[str]) -> DetectorWorth:
    """Tell what a detector is worth.

    Args:
        boxes: What it and, if it is held against another, that one finds on the same photos.
        known: Labels that the last of them has.

    Raises:
        DataError: There is no true box, or none of a class that both know.
    """
    precisions = [measure_map(each.truth, each.found, each.labels) for each in boxes]
    scores, *others = map(rate_boxes, boxes, precisions)
    if not others:
        return DetectorWorth(scores, None)
    lacks = tuple(each.label for each in others[0].classes if each.boxes and each.label not in known)
    if lacks:
        boxes = [_leave_out(each, lacks) for each in boxes]
        precisions = [measure_map(each.truth, each.found, each.labels) for each in boxes]
    return DetectorWorth(scores, HeldDetector(others[0], lacks, _measure_gain(*precisions)))


def _leave_out(boxes: FoundBoxes, lacks: Sequence[str]) -> FoundBoxes:
    """Leave out the boxes of labels that one of two detectors lacks, so that these tell nothing of which is better."""
    return replace(
        boxes,
        truth=[[box for box in photo if box.label not in lacks] for photo in boxes.truth],
        found=[[box for box in photo if box.label not in lacks] for photo in boxes.found],
        labels=tuple(label for label in boxes.labels if label not in lacks),
    )


def _measure_gain(own: ResampledMap, other: ResampledMap) -> DetectorGain:
    boxes = sum(each.boxes for each in own.scores.labels)
    return DetectorGain(boxes, own.gain_over(other), own.scores.map50 - other.scores.map50)


def _rename(
    photos: Sequence[Sequence[Detection]], labels: Sequence[str], names: Sequence[str]
) -> Sequence[Sequence[Detection]]:
    name = dict(zip(labels, names, strict=True))
    return [[replace(box, label=name[box.label]) for box in photo] for photo in photos]


def _threshold(recognizer: Recognizer) -> float:
    return recognizer.spec.detection.threshold if recognizer.spec.detection else 0.0


def _take_truth(photo: BoxedPhoto, matched: Mapping[str, str]) -> list[TrueBox]:
    return [TrueBox(label, box.corners) for box in photo.boxes if (label := matched[box.label])]
