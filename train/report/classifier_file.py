"""How good a finished classifier file is on labelled photos, through the runtime as on a device."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_runtime.estimates import Estimate, Flags, estimate_share
from edge_runtime.pictures import read_picture
from edge_runtime.recognizer import Recognizer
from train.data.photos import PhotoSet
from train.evaluation.metrics import count_confusions
from train.evaluation.statistics import ClassQuality, measure_classes


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How well a file tells one class apart, whatever its threshold; what has no photo to be measured on is None.

    Attributes:
        label: Class name.
        photos: Photos that truly show it.
        recall: Share of the photos that show it that are answered with it.
        precision: Share of the photos answered with it that show it.
        confused_with: What most of those that show it and are answered wrongly are taken for; None without any.
        confused: How many are.
    """

    label: str
    photos: int
    recall: Estimate | None
    precision: Estimate | None
    confused_with: str | None
    confused: int


@dataclass(frozen=True, slots=True)
class ClassifierScores:
    """What a classifier file is worth on some photos.

    Attributes:
        photos: How many.
        top1: Share answered rightly, were nothing rejected.
        macro: Mean of the recalls of the classes that the photos show, in [0, 1].
        threshold: The file's own; best scores in [0, 1] below it are rejected.
        rejected: Share of photos whose best score is.
        answered: Share answered rightly of the others; None where all are rejected.
        classes: Those that photos show or are answered with, in the order of the file's labels.
    """

    photos: int
    top1: Estimate
    macro: float
    threshold: float
    rejected: Estimate
    answered: Estimate | None
    classes: tuple[ClassScore, ...]


def measure_classifier(recognizer: Recognizer, photo_set: PhotoSet) -> ClassifierScores:
    """Ask a classifier photos, at least one, whose labels are all among its own, with a progress bar on a terminal.

    Raises:
        ModelError: It is a detector.
        PictureError: A photo cannot be read.
    """
    labels = recognizer.spec.heads[0].labels
    files = tqdm(photo_set.files, "asking", unit="photo", disable=None)
    scores = np.stack([recognizer.scores(read_picture(file)) for file in files])
    targets = np.array([labels.index(photo.label) for photo in photo_set.photos])
    return rate_answers(scores, targets, labels, recognizer.spec.heads[0].threshold)


def rate_answers(
    scores: NDArray[np.float32], targets: NDArray[np.int64], labels: Sequence[str], threshold: float
) -> ClassifierScores:
    """Hold (photos, labels) scores against (photos,) true class indices."""
    answers = scores.argmax(axis=1)
    right, kept = answers == targets, scores.max(axis=1) >= threshold
    classes = _rate_classes(labels, count_confusions(targets, answers, len(labels)))
    return ClassifierScores(
        photos=len(targets),
        top1=_share(right),
        macro=float(np.mean([each.recall.value for each in classes if each.recall is not None])),
        threshold=threshold,
        rejected=_share(~kept),
        answered=_share(right[kept]) if kept.any() else None,
        classes=classes,
    )


def _share(flags: Flags) -> Estimate:
    return estimate_share(int(flags.sum()), len(flags))


def _rate_classes(labels: Sequence[str], confusions: list[list[int]]) -> tuple[ClassScore, ...]:
    rated = (
        _rate_class(labels, place, each, confusions[place])
        for place, each in enumerate(measure_classes(labels, confusions))
    )
    return tuple(each for each in rated if each.recall is not None or each.precision is not None)


def _rate_class(labels: Sequence[str], place: int, quality: ClassQuality, answers: list[int]) -> ClassScore:
    wrong = [0 if other == place else count for other, count in enumerate(answers)]
    confused = max(wrong)
    return ClassScore(
        label=quality.label,
        photos=quality.photos,
        recall=quality.recall,
        precision=quality.precision,
        confused_with=labels[wrong.index(confused)] if confused else None,
        confused=confused,
    )
