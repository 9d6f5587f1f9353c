"""What a model is worth at each stage of its way to the device, on the same photos."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_runtime.errors import ConversionError
from edge_runtime.estimates import estimate_share
from edge_runtime.pictures import read_picture
from edge_runtime.preprocess import Image, Preprocessor, normalize
from edge_runtime.quiet import quiet_stderr
from edge_runtime.recognizer import Recognizer
from edge_runtime.spec import InputSpec
from edge_runtime.training_run import SplitRow

Scores = NDArray[np.float32]
"""(photos, labels) float32 in [0, 1]."""


@dataclass(frozen=True, slots=True)
class LabelAccuracy:
    """How well one class is told.

    Attributes:
        label: Class name.
        photos: How many photos are of it, at least one.
        recall: Share of these that are answered so, in [0, 1].
        precision: Share of the photos answered so that are of it; None where none is.
    """

    label: str
    photos: int
    recall: float
    precision: float | None


@dataclass(frozen=True, slots=True)
class StageAccuracy:
    """Accuracy of one stage.

    Attributes:
        stage: `keras float32`, `tflite float32` or `tflite int8`.
        top1: Share of photos answered rightly, in [0, 1].
        low: Lower end of the 95 % Wilson interval of `top1`.
        high: Upper end.
        macro: Mean over classes of the share answered rightly.
        agreement: Share of photos with the same best label as the first stage.
        labels: Each class that there are photos of, in the order of the model's.
    """

    stage: str
    top1: float
    low: float
    high: float
    macro: float
    agreement: float
    labels: tuple[LabelAccuracy, ...]


def iterate_frames(rows: Sequence[SplitRow], images: Path, title: str) -> Iterator[Image]:
    """Yield photos as (height, width, 3) uint8 BGR frames, with a progress bar on a terminal."""
    for row in tqdm(rows, desc=title, unit="photo", disable=None):
        yield read_picture(images / row.image)


def score_keras(model: keras.Model, spec: InputSpec, frames: Iterator[Image]) -> Scores:
    """Score frames with a Keras model, through the runtime's preprocessing."""
    preprocess = Preprocessor(spec)
    scores = [model.predict_on_batch(normalize(preprocess(frame), spec)[np.newaxis])[0] for frame in frames]
    return np.asarray(scores, np.float32)


def score_tflite(content: bytes, frames: Iterator[Image]) -> Scores:
    """Score frames with a `.tflite` file, through the runtime as on a device."""
    with quiet_stderr():
        recognizer = Recognizer(content)
    return np.asarray([recognizer.scores(frame) for frame in frames], np.float32)


def check_finite(stage: str, scores: Scores) -> None:
    """Check that a stage's scores tell which label is best.

    Raises:
        ConversionError: Some are infinite or no numbers.
    """
    faulty = int((~np.isfinite(scores)).any(axis=1).sum())
    if faulty:
        raise ConversionError(
            f"{stage} answers {faulty} of {len(scores)} photos with scores that are infinite or no numbers, so there "
            "is nothing to compare; train again with a lower learning rate, or take a recipe with wider numbers."
        )


def compare_stages(
    stages: Mapping[str, Scores], targets: NDArray[np.int64], labels: Sequence[str]
) -> tuple[StageAccuracy, ...]:
    """Measure each stage against the truth and against the first stage.

    Args:
        stages: Scores by stage name, the reference first.
        targets: (photos,) true class indices.
        labels: Class names, in the order of the scores.
    """
    reference = next(iter(stages.values()))
    return tuple(_measure(stage, scores, reference, targets, labels) for stage, scores in stages.items())


def _measure(
    stage: str, scores: Scores, reference: Scores, targets: NDArray[np.int64], labels: Sequence[str]
) -> StageAccuracy:
    best = scores.argmax(axis=1)
    right = best == targets
    top1 = estimate_share(int(right.sum()), len(right))
    told = tuple(_measure_label(labels[target], best == target, targets == target) for target in np.unique(targets))
    return StageAccuracy(
        stage=stage,
        top1=top1.value,
        low=top1.low,
        high=top1.high,
        macro=float(np.mean([each.recall for each in told])),
        agreement=float((best == reference.argmax(axis=1)).mean()),
        labels=told,
    )


def _measure_label(label: str, answered: NDArray[np.bool_], true: NDArray[np.bool_]) -> LabelAccuracy:
    right, answers, photos = (int(each.sum()) for each in (answered & true, answered, true))
    return LabelAccuracy(label, photos, right / photos, right / answers if answers else None)
