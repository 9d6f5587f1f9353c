"""What a classifier file is worth beside another one, on the same photos."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_runtime.estimates import Estimate, compare_paired, estimate_difference
from edge_runtime.recognizer import Recognizer
from train.data.photos import PhotoSet, check_readable
from train.evaluation.predictions import Predictions
from train.report.classifier_file import ClassifierScores, NegativeScores, ask_classifiers, ask_negatives, rate_answers


@dataclass(frozen=True, slots=True)
class ClassGain:
    """Which of two files answers the photos of one class better.

    Attributes:
        label: Class name.
        won: Photos that the file alone answers rightly.
        lost: Photos that the other one alone does.
        p_value: Of the exact McNemar test: how likely a difference as large is when both are equally good.
    """

    label: str
    won: int
    lost: int
    p_value: float


@dataclass(frozen=True, slots=True)
class ClassifierGain:
    """Which of two files answers photos better, by their best labels, whatever their thresholds.

    Attributes:
        photos: On how many it is judged: those of classes that both files know.
        top1: By how much the file's share of right answers is greater, in [-1, 1].
        won: As for one class, of all these photos.
        lost: Likewise.
        p_value: Likewise.
        classes: Those that photos show, in the order of the file's labels, also where the other file lacks them.
    """

    photos: int
    top1: Estimate
    won: int
    lost: int
    p_value: float
    classes: tuple[ClassGain, ...]


@dataclass(frozen=True, slots=True)
class HeldClassifier:
    """The file that another is held against.

    Attributes:
        scores: What it is worth on the same photos.
        lacks: Classes that photos show and it does not know, so that it answers all of these wrongly.
        gain: Of the other over it.
    """

    scores: ClassifierScores
    lacks: tuple[str, ...]
    gain: ClassifierGain


@dataclass(frozen=True, slots=True)
class ClassifierWorth:
    """What a classifier file is worth, alone and against another.

    Attributes:
        scores: Of the file.
        against: Of the other one; None without one.
        predictions: What each answers to the same photos.
    """

    scores: ClassifierScores
    against: HeldClassifier | None
    predictions: tuple[Predictions, ...]


def measure_classifiers(
    recognizers: Sequence[Recognizer],
    labels: Sequence[tuple[str, ...]],
    photo_set: PhotoSet,
    negatives: Sequence[Path],
) -> ClassifierWorth:
    """Ask a classifier photos, and tell what it is worth.

    Args:
        recognizers: The file and, if it is held against another, that one.
        labels: What the file calls the labels of each.
        photo_set: At least one photo, all labelled as the file does, and one at least of a class that both know.
        negatives: Pictures that show nothing to be named.

    Raises:
        ModelError: A recognizer is a detector.
        DataError: A photo or picture cannot be read.
    """
    check_readable((*photo_set.files, *negatives))
    predictions = ask_classifiers(recognizers, labels, photo_set)
    return judge_classifiers(recognizers, labels, predictions, ask_negatives(recognizers, negatives))


def judge_classifiers(
    recognizers: Sequence[Recognizer],
    labels: Sequence[tuple[str, ...]],
    predictions: Sequence[Predictions],
    negatives: Sequence[NegativeScores | None],
) -> ClassifierWorth:
    """Tell what a file is worth.

    Args:
        recognizers: The file and, if it is held against another, that one.
        labels: What the file calls the labels of each.
        predictions: What each answers to the same photos.
        negatives: What each makes of the same pictures that show nothing to be named.
    """
    scores, *others = (
        rate_answers(answers, recognizer.spec.heads[0].threshold, rejected)
        for recognizer, answers, rejected in zip(recognizers, predictions, negatives, strict=True)
    )
    if not others:
        return ClassifierWorth(scores, None, tuple(predictions))
    lacks = tuple(each.label for each in others[0].classes if each.label not in labels[1])
    held = HeldClassifier(others[0], lacks, measure_gain(predictions[0], predictions[1], lacks))
    return ClassifierWorth(scores, held, tuple(predictions))


def measure_gain(predictions: Predictions, against: Predictions, lacks: Sequence[str]) -> ClassifierGain:
    """Compare what two files answer.

    Args:
        predictions: Of the one, which has a label for each photo.
        against: Of the other, to the same photos in the same order.
        lacks: Labels of photos that the other does not know, so that these tell nothing of which is better.
    """
    known = np.array([predictions.labels[target] not in lacks for target in predictions.targets])
    first, second = against.right[known], predictions.right[known]
    paired = compare_paired(first, second)
    return ClassifierGain(
        photos=len(first),
        top1=estimate_difference(first, second),
        won=paired.only_second,
        lost=paired.only_first,
        p_value=paired.p_value,
        classes=tuple(_measure_class(predictions, against, target) for target in np.unique(predictions.targets)),
    )


def _measure_class(predictions: Predictions, against: Predictions, target: int) -> ClassGain:
    of_class = predictions.targets == target
    paired = compare_paired(against.right[of_class], predictions.right[of_class])
    return ClassGain(predictions.labels[target], paired.only_second, paired.only_first, paired.p_value)
