"""Asking every stage of one model the same photos, and finding out what sets their answers apart."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from convert.detection_evaluation import Answers, KerasDetector, detect_tflite
from convert.evaluation import iterate_frames, score_keras, score_tflite
from convert.inspection.reading import read_contents
from convert.parity.classifier import measure_classifier
from convert.parity.detector import measure_detector
from convert.parity.layers import measure_layers
from convert.parity.report import Measurement, ParityReport
from edge_runtime.metadata import model_sha256
from edge_runtime.pictures import read_picture
from edge_runtime.preprocess import Preprocessor, normalize
from edge_runtime.spec import InputSpec, ModelSpec
from edge_runtime.training_run import Split, SplitRow, TrainingRun

KERAS_STAGE: Final = "keras float32"
FLOAT_STAGE: Final = "tflite float32"
INT8_STAGE: Final = "tflite int8"

_LAYER_PHOTOS: Final = 32


@dataclass(frozen=True, slots=True)
class Subject:
    """A model whose stages are compared.

    Attributes:
        run: The run that trained it; its validation photos are asked.
        model: Its Keras model, the first stage.
        spec: What the model says about itself.
        images: Folder of the run's photos.
        files: Finished `.tflite` files by the name of their stage, that for the device last.
    """

    run: TrainingRun
    model: keras.Model
    spec: ModelSpec
    images: Path
    files: Mapping[str, bytes]


def measure_stages(subject: Subject) -> Measurement:
    """Ask each stage the run's validation photos, through the runtime's preprocessing.

    Raises:
        DataError: The photos have no box on them.
        PictureError: A photo cannot be read.
    """
    rows = subject.run.read_splits(Split.VALIDATION)
    spec, images = subject.spec, subject.images
    frames = {stage: iterate_frames(rows, images, stage) for stage in (KERAS_STAGE, *subject.files)}
    if spec.detection is not None:
        detector = KerasDetector(subject.model, spec.input, spec.detection, subject.run.read_anchors())
        found: dict[str, Answers] = {KERAS_STAGE: [detector.detect(frame) for frame in frames[KERAS_STAGE]]}
        found |= {stage: detect_tflite(content, frames[stage]) for stage, content in subject.files.items()}
        return measure_detector(found, rows, subject.run.read_boxes(), spec.detection)
    scores = {KERAS_STAGE: score_keras(subject.model, spec.input, frames[KERAS_STAGE])}
    scores |= {stage: score_tflite(content, frames[stage]) for stage, content in subject.files.items()}
    return measure_classifier(scores, rows, spec.labels)


def build_report(subject: Subject, measurement: Measurement, finished: bytes, bound: float | None) -> ParityReport:
    """Return the report on a file.

    Args:
        subject: What was measured.
        measurement: What was found.
        finished: The file as it is handed out, which may say more about itself than the measured one did.
        bound: Least agreement asked for, in [0, 1]; None without one.
    """
    contents = read_contents(finished)
    rows = _spread(subject.run.read_splits(Split.VALIDATION), _LAYER_PHOTOS)
    images = _normalised(rows, subject.images, subject.spec.input)
    layers = measure_layers(subject.files[FLOAT_STAGE], finished, tqdm(images, desc="layers", disable=None))
    *_, device_stage = subject.files
    sizes = {stage: len(content) for stage, content in subject.files.items()} | {device_stage: len(finished)}
    return ParityReport(
        name=subject.spec.name,
        task=subject.spec.task,
        sha256=model_sha256(finished),
        sizes={KERAS_STAGE: subject.run.model_path.stat().st_size, **sizes},
        calibration=subject.spec.provenance.get("calibration", {}),
        measurement=measurement,
        layers=layers,
        layer_photos=len(rows),
        operations=Counter(operator.kind for operator in contents.graphs[0].operators),
        float_tensors=len(contents.graphs[0].float_tensors),
        bound=bound,
    )


def _spread(rows: Sequence[SplitRow], count: int) -> Sequence[SplitRow]:
    """Return at most `count` rows, evenly spread, since neighbours are often alike."""
    return [rows[at * len(rows) // count] for at in range(count)] if len(rows) > count else rows


def _normalised(rows: Sequence[SplitRow], images: Path, spec: InputSpec) -> list[NDArray[np.float32]]:
    preprocess = Preprocessor(spec)
    return [normalize(preprocess(read_picture(images / row.image)), spec) for row in rows]
