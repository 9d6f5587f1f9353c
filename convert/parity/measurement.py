"""Asking every stage of one model the same photos, and finding out what sets their answers apart."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import keras
import numpy as np

from calibration_data import check_unchanged
from convert.box_pairs import Answers, pair_stages, report_boxes
from convert.calibration import normalise_frames
from convert.detection_evaluation import KerasDetector, collect_truth, detect_tflite
from convert.evaluation import Scores, check_finite, iterate_frames, score_keras, score_tflite
from convert.inspection.reading import read_contents
from convert.parity.classifier import measure_classifier
from convert.parity.detector import measure_detector
from convert.parity.layers import measure_layers
from convert.parity.report import LayerNoise, Measurement, ParityReport
from edge_runtime.coco import measure_coco
from edge_runtime.metadata.reading import model_sha256
from edge_runtime.preprocess import Image
from edge_runtime.spec import ModelSpec
from edge_runtime.training_run import Split, SplitRow, TrainingRun

KERAS_STAGE: Final = "keras float32"
FLOAT_STAGE: Final = "tflite float32"
INT8_STAGE: Final = "tflite int8"

StageAnswers = Scores | Answers
"""A classifier's scores, or a detector's boxes, of each photo."""

_LAYER_PHOTOS: Final = 32


@dataclass(frozen=True, slots=True)
class Subject:
    """A model whose stages are compared.

    Attributes:
        run: The run that trained it.
        model: Its Keras model, the first stage.
        spec: What the model says about itself.
        images: Folder of the run's photos.
        files: Finished `.tflite` files by the name of their stage, that for the device last.
        split: Which photos of the run are asked.
    """

    run: TrainingRun
    model: keras.Model
    spec: ModelSpec
    images: Path
    files: Mapping[str, bytes]
    split: Split = Split.VALIDATION


def measure_stages(subject: Subject) -> Measurement:
    """Ask each stage the photos, through the runtime's preprocessing.

    Raises:
        DataError: The photos have no box on them.
        PictureError: A photo cannot be read.
        ConversionError: A classifier's scores are not finite.
    """
    answers = {KERAS_STAGE: ask_keras(subject)}
    answers |= {stage: ask_file(subject, stage, content) for stage, content in subject.files.items()}
    return compare_answers(subject, answers)


def ask_keras(subject: Subject) -> StageAnswers:
    """Return the Keras model's answers to the photos.

    Raises:
        DataError: A photo is another file than in training.
        PictureError: One cannot be read.
        ConversionError: A classifier's scores are not finite.
    """
    check_unchanged(_rows(subject), subject.images)
    spec, frames = subject.spec, _frames(subject, KERAS_STAGE)
    if spec.detection is None:
        scores = score_keras(subject.model, spec.input, frames)
        check_finite(KERAS_STAGE, scores)
        return scores
    detector = KerasDetector(subject.model, spec.input, spec.detection, subject.run.read_anchors())
    return [detector.detect(frame) for frame in frames]


def ask_file(subject: Subject, stage: str, content: bytes) -> StageAnswers:
    """Return a finished `.tflite` file's answers to the photos; the stage names the progress bar.

    Raises:
        PictureError: A photo cannot be read.
        ConversionError: A classifier's scores are not finite.
    """
    if subject.spec.detection is not None:
        return detect_tflite(content, _frames(subject, stage))
    scores = score_tflite(content, _frames(subject, stage))
    check_finite(stage, scores)
    return scores


def score_answers(subject: Subject, answers: StageAnswers) -> float:
    """Return what a stage's answers to the photos are worth: a classifier's top-1, a detector's mAP, in [0, 1].

    Raises:
        DataError: The photos have no box on them.
    """
    rows, spec = _rows(subject), subject.spec
    if spec.detection is None:
        targets = np.array([spec.labels.index(row.label) for row in rows])
        return float(np.mean(np.argmax(cast(Scores, answers), axis=1) == targets))
    truth = collect_truth(rows, subject.run.read_boxes())
    return measure_coco(truth, cast(Answers, answers), spec.detection.labels).map


def agree_answers(subject: Subject, first: StageAnswers, other: StageAnswers) -> float | None:
    """Return which share of a stage's answers to the photos are those of the first stage, in [0, 1].

    None where neither reports a box.
    """
    detection = subject.spec.detection
    if detection is None:
        return float(np.mean(np.argmax(cast(Scores, first), axis=1) == np.argmax(cast(Scores, other), axis=1)))
    reported = (report_boxes(cast(Answers, each), detection.threshold) for each in (first, other))
    return pair_stages(*reported).agreement


def compare_answers(subject: Subject, answers: Mapping[str, StageAnswers]) -> Measurement:
    """Measure stages against the truth and against the first stage.

    Args:
        subject: The model.
        answers: By name of the stage, the Keras model's first and those of the file for the device last.

    Raises:
        DataError: The photos have no box on them.
    """
    rows, spec = _rows(subject), subject.spec
    if spec.detection is None:
        return measure_classifier(cast(Mapping[str, Scores], answers), rows, spec.labels)
    boxes = subject.run.read_boxes()
    return measure_detector(cast(Mapping[str, Answers], answers), rows, boxes, spec.detection)


def build_report(
    subject: Subject, measurement: Measurement, finished: bytes, bound: float | None, counterpart: bytes | None
) -> ParityReport:
    """Return the report on a file.

    Args:
        subject: What was measured.
        measurement: What was found.
        finished: The file as it is handed out, which may say more about itself than the measured one did.
        bound: Least agreement asked for, in [0, 1]; None without one.
        counterpart: The float file whose layers the finished one has rounded; None where there is none.
    """
    contents = read_contents(finished)
    rows = _spread(_rows(subject), _LAYER_PHOTOS)
    *_, device_stage = subject.files
    sizes = {stage: len(content) for stage, content in subject.files.items()} | {device_stage: len(finished)}
    return ParityReport(
        name=subject.spec.name,
        task=subject.spec.task,
        sha256=model_sha256(finished),
        sizes={KERAS_STAGE: subject.run.model_path.stat().st_size, **sizes},
        calibration=subject.spec.provenance.get("calibration", {}),
        split=subject.split,
        measurement=measurement,
        layers=_compare_layers(subject, counterpart, finished, rows) if counterpart is not None else (),
        layer_photos=len(rows),
        operations=Counter(operator.kind for operator in contents.graphs[0].operators),
        float_tensors=len(contents.graphs[0].float_tensors),
        bound=bound,
    )


def _compare_layers(
    subject: Subject, counterpart: bytes, finished: bytes, rows: Sequence[SplitRow]
) -> tuple[LayerNoise, ...]:
    images = normalise_frames(iterate_frames(rows, subject.images, "layers"), subject.spec.input)
    return measure_layers(counterpart, finished, images)


def _rows(subject: Subject) -> tuple[SplitRow, ...]:
    return subject.run.read_splits(subject.split)


def _frames(subject: Subject, title: str) -> Iterator[Image]:
    return iterate_frames(_rows(subject), subject.images, title)


def _spread(rows: Sequence[SplitRow], count: int) -> Sequence[SplitRow]:
    """Return at most `count` rows, evenly spread, since neighbours are often alike."""
    return [rows[at * len(rows) // count] for at in range(count)] if len(rows) > count else rows
