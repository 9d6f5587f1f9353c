"""What a detector file is worth beside another one, on the same photos."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge_runtime.coco import TrueBox
from edge_runtime.estimates import BootstrapEstimate
from edge_runtime.recognizer import Recognizer
from train.data.boxes import BoxedPhoto, BoxSet
from train.report.detector_file import DetectorScores, FoundBoxes, look, rate_boxes
from train.report.resampled_map import measure_map


@dataclass(frozen=True, slots=True)
class DetectorGain:
    """By how much a detector file is better than another, in [-1, 1].

    Attributes:
        map: By COCO's AP, with the bootstrap interval of the same photos drawn for both.
        map50: By AP at the IoU threshold 0.50.
    """

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


def measure_detectors(recognizers: Sequence[Recognizer], box_set: BoxSet, matched: Mapping[str, str]) -> DetectorWorth:
    """Let a detector look at photos, and tell what it is worth.

    Args:
        recognizers: The file and, if it is held against another, that one.
        box_set: The photos and their boxes.
        matched: The file's label by class of the boxes; empty for boxes that are left out.

    Raises:
        ModelError: One is a classifier.
        DataError: A photo cannot be read, or no box is left.
    """
    truth = [_take_truth(photo, matched) for photo in box_set.photos]
    labels = tuple(dict.fromkeys(label for recognizer in recognizers for label in recognizer.spec.labels))
    boxes = [
        FoundBoxes(truth, found, labels, _threshold(recognizer))
        for recognizer, found in zip(recognizers, look(recognizers, box_set), strict=True)
    ]
    return judge_detectors(boxes, recognizers[-1].spec.labels)


def judge_detectors(boxes: Sequence[FoundBoxes], known: Sequence[str]) -> DetectorWorth:
    """Tell what a detector is worth.

    Args:
        boxes: What it and, if it is held against another, that one finds on the same photos.
        known: Labels that the last of them has.

    Raises:
        DataError: There is no true box.
    """
    precisions = [measure_map(each.truth, each.found, each.labels) for each in boxes]
    scores, *others = map(rate_boxes, boxes, precisions)
    if not others:
        return DetectorWorth(scores, None)
    lacks = tuple(each.label for each in others[0].classes if each.boxes and each.label not in known)
    gain = DetectorGain(precisions[0].gain_over(precisions[1]), scores.map50 - others[0].map50)
    return DetectorWorth(scores, HeldDetector(others[0], lacks, gain))


def _threshold(recognizer: Recognizer) -> float:
    return recognizer.spec.detection.threshold if recognizer.spec.detection else 0.0


def _take_truth(photo: BoxedPhoto, matched: Mapping[str, str]) -> list[TrueBox]:
    return [TrueBox(label, box.corners) for box in photo.boxes if (label := matched[box.label])]
