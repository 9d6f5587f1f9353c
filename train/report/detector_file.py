"""How good a finished detector file is on photos with boxes, through the runtime as on a device."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tqdm import tqdm

from edge_runtime.coco import LOWEST_SCORE, LabelPrecision, TrueBox
from edge_runtime.estimates import BootstrapEstimate
from edge_runtime.recognizer import Recognizer
from edge_runtime.results import Detection
from train.data.boxes import BoxSet, read_boxed_photo
from train.detection.judging import Counts, JudgedPhoto, count_outcomes, judge_photo
from train.report.resampled_map import ResampledMap


@dataclass(frozen=True, slots=True)
class BoxScore:
    """How well a file finds the boxes of one class.

    Attributes:
        label: Class name.
        boxes: True boxes of it.
        map: COCO's AP, mean over the IoU thresholds 0.50, 0.55 ... 0.95, in [0, 1]; None without a true box.
        map50: AP at the IoU threshold 0.50; None without a true box.
        found: True boxes found at the file's threshold, with an IoU of at least 0.5.
        missed: The other true boxes.
        wrong: Boxes found at the threshold where there is none.
    """

    label: str
    boxes: int
    map: float | None
    map50: float | None
    found: int
    missed: int
    wrong: int


@dataclass(frozen=True, slots=True)
class DetectorScores:
    """What a detector file is worth on some photos.

    Attributes:
        photos: How many.
        boxes: True boxes on them.
        map: COCO's AP, the mean over the labels that the truth has, with its bootstrap interval.
        map50: AP at the IoU threshold 0.50.
        threshold: The file's own; boxes whose scores in [0, 1] are below it are not reported.
        found: True boxes found at the threshold, with an IoU of at least 0.5.
        missed: The other true boxes.
        wrong: Boxes found at the threshold where there is none.
        classes: Those that the truth has or boxes are found of.
    """

    photos: int
    boxes: int
    map: BootstrapEstimate
    map50: float
    threshold: float
    found: int
    missed: int
    wrong: int
    classes: tuple[BoxScore, ...]


@dataclass(frozen=True, slots=True)
class FoundBoxes:
    """What a detector finds on photos.

    Attributes:
        truth: The true boxes of each photo.
        found: The boxes found on each, down to low scores, photos in the same order.
        labels: Of any of these boxes, in the order of the figures.
        threshold: Boxes whose scores in [0, 1] are below it are not reported.
    """

    truth: Sequence[Sequence[TrueBox]]
    found: Sequence[Sequence[Detection]]
    labels: tuple[str, ...]
    threshold: float


def look(recognizers: Sequence[Recognizer], box_set: BoxSet) -> list[list[tuple[Detection, ...]]]:
    """Let detectors look at the same photos, with a progress bar on a terminal.

    Returns:
        What each finds on each photo, down to low scores.

    Raises:
        ModelError: One is a classifier.
        DataError: A photo cannot be read.
    """
    photos = tqdm(box_set.photos, "looking", unit="photo", disable=None)
    frames = (read_boxed_photo(box_set.images, photo) for photo in photos)
    found = [[recognizer.detect(frame, threshold=LOWEST_SCORE) for recognizer in recognizers] for frame in frames]
    return [list(each) for each in zip(*found, strict=True)]


def rate_boxes(boxes: FoundBoxes, precision: ResampledMap) -> DetectorScores:
    """Hold boxes found against the true ones, given what is known of their precision."""
    classes = tuple(_rate_classes(precision.scores.labels, _judge(boxes), boxes.labels))
    return DetectorScores(
        photos=len(boxes.truth),
        boxes=sum(map(len, boxes.truth)),
        map=precision.estimate,
        map50=precision.scores.map50,
        threshold=boxes.threshold,
        found=sum(each.found for each in classes),
        missed=sum(each.missed for each in classes),
        wrong=sum(each.wrong for each in classes),
        classes=classes,
    )


def _judge(boxes: FoundBoxes) -> list[JudgedPhoto]:
    reported = ([each for each in found if each.score >= boxes.threshold] for found in boxes.found)
    return [judge_photo(found, true) for found, true in zip(reported, boxes.truth, strict=True)]


def _rate_classes(
    precisions: Sequence[LabelPrecision], judged: Sequence[JudgedPhoto], labels: Sequence[str]
) -> Iterator[BoxScore]:
    precision = {each.label: each for each in precisions}
    rated = (_rate_class(label, precision.get(label), count_outcomes(judged, label)) for label in labels)
    return (each for each in rated if each.boxes or each.wrong)


def _rate_class(label: str, precision: LabelPrecision | None, counts: Counts) -> BoxScore:
    return BoxScore(
        label=label,
        boxes=counts.hits + counts.missed,
        map=precision.map if precision else None,
        map50=precision.map50 if precision else None,
        found=counts.hits,
        missed=counts.missed,
        wrong=counts.false,
    )
