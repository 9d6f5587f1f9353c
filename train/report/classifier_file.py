"""How good a finished classifier file is on labelled photos, through the runtime as on a device."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_runtime.estimates import Estimate, Flags, estimate_share
from edge_runtime.pictures import read_picture
from edge_runtime.recognizer import Recognizer
from train.data.photos import PhotoSet
from train.evaluation.metrics import count_confusions
from train.evaluation.predictions import Predictions
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
class NegativeScores:
    """What a file makes of pictures that show nothing to be named.

    Attributes:
        pictures: How many.
        rejected: Share whose best score is below the file's threshold.
    """

    pictures: int
    rejected: Estimate


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
        classes: Those that photos show or are answered with, in the order of the file's labels; then those that it
            lacks.
        negatives: Of pictures that show nothing to be named; None without any.
    """

    photos: int
    top1: Estimate
    macro: float
    threshold: float
    rejected: Estimate
    answered: Estimate | None
    classes: tuple[ClassScore, ...]
    negatives: NegativeScores | None = None


def ask_classifiers(
    recognizers: Sequence[Recognizer], labels: Sequence[tuple[str, ...]], photo_set: PhotoSet
) -> list[Predictions]:
    """Ask classifiers the same photos, at least one, with a progress bar on a terminal.

    Args:
        recognizers: The classifiers.
        labels: What each one's labels are called here, in the order of its scores.
        photo_set: The photos, labelled likewise.

    Returns:
        The answers of each; classes of the photos that it lacks stand behind its own labels, with scores of 0.

    Raises:
        ModelError: One is a detector.
        PictureError: A photo cannot be read.
    """
    answers = _score(recognizers, photo_set.files, "photo")
    return [_predict(own, scores, photo_set) for own, scores in zip(labels, answers, strict=True)]


def ask_negatives(recognizers: Sequence[Recognizer], files: Sequence[Path]) -> list[NegativeScores | None]:
    """Ask classifiers the same pictures that show nothing to be named; None of each without any picture.

    Raises:
        ModelError: One is a detector.
        PictureError: A picture cannot be read.
    """
    if not files:
        return [None for _ in recognizers]
    answers = _score(recognizers, files, "picture")
    return [
        NegativeScores(len(files), _share(scores.max(axis=1) < recognizer.spec.heads[0].threshold))
        for recognizer, scores in zip(recognizers, answers, strict=True)
    ]


def rate_answers(
    predictions: Predictions, threshold: float, negatives: NegativeScores | None = None
) -> ClassifierScores:
    """Hold answers against the truth, and add what is known of negatives."""
    right, kept = predictions.right, predictions.scores.max(axis=1) >= threshold
    labels = predictions.labels
    classes = _rate_classes(labels, count_confusions(predictions.targets, predictions.answers, len(labels)))
    return ClassifierScores(
        photos=len(right),
        top1=_share(right),
        macro=float(np.mean([each.recall.value for each in classes if each.recall is not None])),
        threshold=threshold,
        rejected=_share(~kept),
        answered=_share(right[kept]) if kept.any() else None,
        classes=classes,
        negatives=negatives,
    )


def _score(recognizers: Sequence[Recognizer], files: Sequence[Path], unit: str) -> list[NDArray[np.float32]]:
    """Return (files, labels) scores of each."""
    frames = map(read_picture, tqdm(files, "asking", unit=unit, disable=None))
    rows = [[recognizer.scores(frame) for recognizer in recognizers] for frame in frames]
    return [np.stack(each) for each in zip(*rows, strict=True)]


def _predict(own: tuple[str, ...], scores: NDArray[np.float32], photo_set: PhotoSet) -> Predictions:
    lacking = [label for label in photo_set.labels if label not in own]
    labels = (*own, *lacking)
    images = tuple(photo.image for photo in photo_set.photos)
    targets = np.array([labels.index(photo.label) for photo in photo_set.photos])
    return Predictions(labels, images, targets, np.pad(scores, ((0, 0), (0, len(lacking)))))


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
