"""How good a finished detector file is on photos with boxes, through the runtime as on a device."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tqdm import tqdm

from edge_runtime.coco import LOWEST_SCORE, LabelPrecision, TrueBox, count_with_boxes, measure_coco, resample_map
from edge_runtime.estimates import BootstrapEstimate, estimate_by_bootstrap, resample_photos
from edge_runtime.recognizer import Recognizer
from edge_runtime.results import Detection
from train.data.boxes import BoxedPhoto, BoxSet, read_boxed_photo
from train.detection.judging import Counts, JudgedPhoto, count_outcomes, judge_photo


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
        classes: Those that the truth has or boxes are found of, in the order of the file's labels.
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


def measure_detector(recognizer: Recognizer, box_set: BoxSet, matched: Mapping[str, str]) -> DetectorScores:
    """Let a detector look at photos, with a progress bar on a terminal.

    Args:
        recognizer: Holds the detector.
        box_set: The photos and their boxes.
        matched: The detector's label by class of the boxes; empty for boxes that are left out.

    Raises:
        ModelError: It is a classifier.
        DataError: A photo cannot be read, or no box is left.
    """
    photos = tqdm(box_set.photos, "looking", unit="photo", disable=None)
    found = [recognizer.detect(read_boxed_photo(box_set.images, photo), threshold=LOWEST_SCORE) for photo in photos]
    truth = [_take_truth(photo, matched) for photo in box_set.photos]
    detection = recognizer.spec.detection
    return rate_boxes(truth, found, recognizer.spec.labels, detection.threshold if detection else 0.0)


def rate_boxes(
    truth: Sequence[Sequence[TrueBox]],
    found: Sequence[Sequence[Detection]],
    labels: Sequence[str],
    threshold: float,
) -> DetectorScores:
    """Hold boxes found, down to low scores, against the true ones of the same photos.

    Raises:
        DataError: There is no true box.
    """
    scores = measure_coco(truth, found, labels)
    classes = _rate_classes(scores.labels, _judge(truth, found, threshold), labels)
    resampled = resample_map(truth, found, labels, resample_photos(len(truth)))
    return DetectorScores(
        photos=len(truth),
        boxes=sum(map(len, truth)),
        map=estimate_by_bootstrap(scores.map, resampled, count_with_boxes(truth)),
        map50=scores.map50,
        threshold=threshold,
        found=sum(each.found for each in classes),
        missed=sum(each.missed for each in classes),
        wrong=sum(each.wrong for each in classes),
        classes=classes,
    )


def _take_truth(photo: BoxedPhoto, matched: Mapping[str, str]) -> list[TrueBox]:
    return [TrueBox(label, box.corners) for box in photo.boxes if (label := matched[box.label])]


def _judge(
    truth: Sequence[Sequence[TrueBox]], found: Sequence[Sequence[Detection]], threshold: float
) -> list[JudgedPhoto]:
    reported = ([each for each in boxes if each.score >= threshold] for boxes in found)
    return [judge_photo(boxes, true) for boxes, true in zip(reported, truth, strict=True)]


def _rate_classes(
    precisions: Sequence[LabelPrecision], judged: Sequence[JudgedPhoto], labels: Sequence[str]
) -> tuple[BoxScore, ...]:
    precision = {each.label: each for each in precisions}
    rated = (_rate_class(label, precision.get(label), count_outcomes(judged, label)) for label in labels)
    return tuple(each for each in rated if each.boxes or each.wrong)


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
