"""How the accuracy of an int8 model depends on the images that its ranges were measured on."""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from calibration_data import choose_photos, draw_calibration_images
from convert.calibration import load_sample, prepare_images
from convert.evaluation import StageAccuracy
from convert.export import to_int8_tflite
from convert.metadata_writer import add_metadata
from convert.network import finish_network
from convert.parity.measurement import (
    INT8_STAGE,
    KERAS_STAGE,
    StageAnswers,
    Subject,
    ask_file,
    ask_keras,
    compare_answers,
)
from edge_runtime.training_run import Split, SplitRow

TRAINING_PHOTOS: Final = "training photos"
ONE_CLASS: Final = "photos of one class"
DRAWINGS: Final = "drawings"

Images = Sequence[NDArray[np.float32]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CalibrationPoint:
    """What calibrating on certain images came to.

    Attributes:
        choice: What the images are.
        images: How many.
        seed: Which choice of them.
        quality: Top-1 accuracy or mAP of the int8 model, in [0, 1].
        low: Lower end of its 95 % interval; None where there is none.
        high: Upper end; None where there is none.
        agreement: Share of its answers that are the Keras model's; None where neither model reports a box.
        drift: Mean difference of scores from the Keras model's; None where there is no box that both have.
    """

    choice: str
    images: int
    seed: int
    quality: float
    low: float | None
    high: float | None
    agreement: float | None
    drift: float | None


def measure_calibration(subject: Subject, counts: Sequence[int], seeds: int) -> Iterator[CalibrationPoint]:
    """Quantise a model again and again, each time calibrated on other images, and measure it.

    The first point is the Keras model itself, of no images. Training photos are chosen as for a conversion, with each
    seed; photos of the most frequent class alone and drawings are taken once for each count.

    Args:
        subject: The model; its files are not asked.
        counts: How many images to calibrate on; a count that the run has not the photos for is left out.
        seeds: How many choices of photos for each count.
    """
    reference = ask_keras(subject)
    yield _measure(subject, reference, reference, (KERAS_STAGE, 0, 0))
    for choice, count, seed, images in _choose(subject, counts, seeds):
        log.info("%s: %d, seed %d", choice, count, seed)
        network = to_int8_tflite(subject.model, images, subject.spec.task)
        content = add_metadata(finish_network(subject.run, network, subject.spec), subject.spec)
        yield _measure(subject, reference, ask_file(subject, choice, content), (choice, count, seed))


def _choose(subject: Subject, counts: Sequence[int], seeds: int) -> Iterator[tuple[str, int, int, Images]]:
    rows = subject.run.read_splits()
    for seed in range(seeds):
        yield from _take(TRAINING_PHOTOS, counts, seed, _load(subject, rows, max(counts), seed))
    alike = _most_frequent_class(rows)
    yield from _take(ONE_CLASS, counts, 0, _load(subject, alike, max(counts), 0))
    drawn = prepare_images(draw_calibration_images(max(counts)), subject.spec.input)
    yield from _take(DRAWINGS, counts, 0, drawn)


def _load(subject: Subject, rows: Sequence[SplitRow], count: int, seed: int) -> Images:
    return load_sample(choose_photos(rows, subject.images, count, seed), subject.spec.input)


def _take(choice: str, counts: Sequence[int], seed: int, images: Images) -> Iterator[tuple[str, int, int, Images]]:
    """Yield the first images of a choice, since fewer photos are always the first of more."""
    for count in counts:
        if count <= len(images):
            yield choice, count, seed, list(islice(images, count))


def _most_frequent_class(rows: Sequence[SplitRow]) -> list[SplitRow]:
    """Return the held-out rows and those to train on of the class that has most."""
    counts = Counter(row.label for row in rows if row.split is Split.TRAIN)
    ((label, _),) = counts.most_common(1)
    return [row for row in rows if row.split is not Split.TRAIN or row.label == label]


def _measure(
    subject: Subject, reference: StageAnswers, answers: StageAnswers, point: tuple[str, int, int]
) -> CalibrationPoint:
    measured = compare_answers(subject, {KERAS_STAGE: reference, INT8_STAGE: answers})
    stage = measured.stages[-1]
    quality = stage.top1 if isinstance(stage, StageAccuracy) else stage.map
    return CalibrationPoint(*point, quality, stage.low, stage.high, stage.agreement, measured.drifts[-1].mean)
