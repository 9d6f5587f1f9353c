"""How good a detector is, on photos shown to it as the device would."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_runtime.coco import TrueBox
from edge_runtime.preprocess import normalize
from edge_runtime.results import Detection
from edge_runtime.spec import DetectionSpec, InputSpec
from train.data.boxes import BoxedPhoto
from train.detection.anchors import Anchors
from train.detection.dataset import SampleReader, fit_to_input
from train.detection.decoding import find_boxes

_BATCH = 16


def detect_photos(
    detector: keras.Model,
    photos: Sequence[BoxedPhoto],
    read: SampleReader,
    anchors: Anchors,
    spec: InputSpec,
    detection: DetectionSpec,
) -> list[list[Detection]]:
    """Return the boxes found on each photo, best first, in its pixels, with a progress bar on a terminal.

    Args:
        detector: From normalised images to encodings and scores.
        photos: Which photos.
        read: Reads them.
        anchors: (anchors, 4) float32 that the detector was built for.
        spec: Its input contract.
        detection: Which boxes are answers.
    """
    outputs = _iterate_outputs(detector, photos, read, spec)
    return [
        find_boxes(encodings, scores, anchors, detection, (photo.width, photo.height))
        for photo, (encodings, scores) in zip(photos, outputs, strict=True)
    ]


def read_inputs(photos: Iterable[BoxedPhoto], read: SampleReader, spec: InputSpec) -> Iterator[NDArray[np.float32]]:
    """Yield each photo as (height, width, 3) normalised float32 RGB."""
    for photo in photos:
        yield normalize(fit_to_input(read(photo), spec)[0], spec)


def to_truth(photos: Sequence[BoxedPhoto]) -> list[list[TrueBox]]:
    """Return the true boxes of each photo."""
    return [
        [TrueBox(box.label, (box.x_min, box.y_min, box.x_max, box.y_max)) for box in photo.boxes] for photo in photos
    ]


def _iterate_outputs(
    detector: keras.Model, photos: Sequence[BoxedPhoto], read: SampleReader, spec: InputSpec
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    shown = tqdm(photos, "detecting", unit="photo", disable=None, leave=False)
    ready = read_inputs(shown, read, spec)
    while batch := list(islice(ready, _BATCH)):
        encodings, scores = detector.predict_on_batch(np.stack(batch))
        yield from zip(encodings, scores, strict=True)
