"""From the best epoch to the finished model: calibrated, with a rejection threshold, measured."""

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edge_runtime.estimates import estimate_share
from edge_runtime.files import replacing, write_text
from edge_runtime.pictures import read_picture
from edge_runtime.preprocess import Image
from edge_runtime.spec import InputSpec
from edge_runtime.training_run import SplitRow, TrainingRun
from train.classification.encoding import Encoding
from train.classification.negatives import draw_negative
from train.evaluation.calibration import (
    Rejection,
    apply_temperature,
    choose_rejection,
    fit_temperature,
    fold_temperature,
)
from train.evaluation.metrics import Accuracy, count_confusions, measure_accuracy
from train.evaluation.predictions import Predictions
from train.evaluation.scoring import score_frames
from train.evaluation.statistics import measure_reliability

log = logging.getLogger(__name__)

_DRAWN_NEGATIVES = 100
_DRAWN_NEGATIVES_SEED = 400_000


@dataclass(frozen=True, slots=True)
class Finish:
    """What the finished model came to on the validation photos.

    Attributes:
        accuracy: Of its best answers.
        temperature: What its scores were divided by before softmax; 1 leaves them.
        ece_before: Expected calibration error before that, in [0, 1].
        ece: After it.
        rejection: Its threshold and what that does.
    """

    accuracy: Accuracy
    temperature: float
    ece_before: float
    ece: float
    rejection: Rejection


def finish_model(
    classifier: keras.Model,
    run: TrainingRun,
    validation: Sequence[SplitRow],
    encoding: Encoding,
    negatives: Sequence[Path],
    answered: Predictions | None = None,
) -> Finish:
    """Calibrate a trained classifier, write it as the run's model, and write what it says of the validation photos.

    Args:
        classifier: The best model; its last layer is changed.
        run: Gets `model.keras`, `predictions.csv` and `scores.json`.
        validation: Photos to measure on.
        encoding: How photos become what the classifier takes.
        negatives: Pictures without any of the classes, none of them trained on; drawn scenes are added to them.
        answered: What the rejection threshold is chosen on, beside the negatives; None takes the classifier's own
            answers to the validation photos.
    """
    targets = np.array([encoding.labels.index(row.label) for row in validation])
    frames = (read_picture(encoding.images / row.image) for row in validation)
    raw = score_frames(classifier, encoding.input, frames, len(validation))
    temperature = fit_temperature(raw, targets)
    fold_temperature(classifier, temperature)
    with replacing(run.model_path) as aside:
        classifier.save(aside)
    predictions = Predictions(
        encoding.labels, tuple(row.image for row in validation), targets, apply_temperature(raw, temperature)
    )
    predictions.write(run.path / "predictions.csv")
    finish = Finish(
        accuracy=measure_accuracy(targets, predictions.answers),
        temperature=temperature,
        ece_before=_calibration_error(raw, targets),
        ece=_calibration_error(predictions.scores, targets),
        rejection=_choose_rejection(classifier, answered or predictions, encoding.input, negatives),
    )
    _write_scores(run, finish, predictions)
    return finish


def _calibration_error(scores: NDArray[np.float32], targets: NDArray[np.int64]) -> float:
    return measure_reliability(scores.max(axis=1).astype(np.float64), scores.argmax(axis=1) == targets).error


def _choose_rejection(
    classifier: keras.Model, answered: Predictions, spec: InputSpec, negatives: Sequence[Path]
) -> Rejection:
    frames = _negative_frames(negatives)
    scores = score_frames(classifier, spec, frames, len(negatives) + _DRAWN_NEGATIVES).max(axis=1)
    best = answered.scores.max(axis=1)
    return choose_rejection(best[answered.right], best[~answered.right], scores)


def _negative_frames(paths: Sequence[Path]) -> Iterator[Image]:
    yield from map(read_picture, paths)
    for seed in range(_DRAWN_NEGATIVES_SEED, _DRAWN_NEGATIVES_SEED + _DRAWN_NEGATIVES):
        yield draw_negative(seed)


def _write_scores(run: TrainingRun, finish: Finish, predictions: Predictions) -> None:
    confusions = count_confusions(predictions.targets, predictions.answers, len(predictions.labels))
    facts: dict[str, Any] = asdict(finish)
    scores = {**facts.pop("accuracy"), **facts, "labels": predictions.labels, "confusions": confusions}
    write_text(run.path / "scores.json", json.dumps(scores, indent=2) + "\n")
    # Of few photos the figure alone would promise what nobody knows.
    interval = estimate_share(int(predictions.right.sum()), len(predictions.right))
    log.info(
        "best model: validation top-1 %.2f %% (95 %% interval %.1f to %.1f %%, %d photos), macro %.2f %%",
        *(100 * each for each in (finish.accuracy.top1, interval.low, interval.high)),
        *(len(predictions.right), 100 * finish.accuracy.macro),
    )
    log.info(
        "scores: temperature %.3f, calibration error %.3f before and %.3f after; below %.2f it rejects",
        *(finish.temperature, finish.ece_before, finish.ece, finish.rejection.threshold),
    )
