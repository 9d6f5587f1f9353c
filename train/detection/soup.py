"""Averaging the weights of several runs of detectors."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import groupby

import numpy as np

from edge_runtime.errors import DataError
from edge_runtime.training_run import BoxRow, Split, SplitRow, TrainingRun
from train.data.boxes import Box, BoxedPhoto, measure_photo
from train.detection.dataset import SampleReader
from train.detection.epoch import DetectorEpoch
from train.detection.finishing import finish_detector
from train.fitting.soup import average_weights, check_runs, join_splits, write_origin

_Boxes = dict[str, tuple[BoxRow, ...]]


def average_detectors(runs: Sequence[TrainingRun], output: TrainingRun) -> None:
    """Write the average of finished runs as a finished run, measured like one.

    Args:
        runs: Of the same network with the same anchors on photos of the same folder; each weighs the same. Their splits
            may differ: a photo that one of them was trained on counts as a training photo of the average.
        output: A fresh directory.

    Raises:
        RunError: A run is unfinished or damaged, or the output holds one already.
        DataError: The runs are of different networks, anchors, labels, folders or boxes, or no photo with a box was
            held out from all.
        OutputError: The output cannot be written.
    """
    check_runs(runs, output)
    _check_anchors(runs)
    rows, boxes = join_splits(runs), _join_boxes(runs)
    photos = _read_held_out(runs[0], rows, boxes)
    spec, anchors = runs[0].read_spec(), runs[0].read_anchors()
    assert spec.detection is not None
    read = SampleReader(runs[0].read_image_folder(), spec.labels)
    finish = finish_detector(average_weights(runs), output, photos, read, anchors, spec.input, spec.detection)
    output.write_boxes([box for row in rows for box in boxes.get(row.image, ())])
    output.write_anchors(anchors)
    write_origin(output, runs, rows, DetectorEpoch)
    averaged = [run.read_spec().provenance for run in runs]
    provenance = {**spec.provenance, "validation": asdict(finish), "averaged": averaged}
    detection = replace(spec.detection, threshold=finish.threshold)
    output.write_spec(replace(spec, detection=detection, provenance=provenance))


def _check_anchors(runs: Sequence[TrainingRun]) -> None:
    first = runs[0].read_anchors()
    for run in runs[1:]:
        if not np.array_equal(first, run.read_anchors()):
            raise DataError(
                f"{run.path} has other anchors than {runs[0].path}, so their answers mean other boxes; train on the "
                "same boxes, or with --fit-anchors 0."
            )


def _join_boxes(runs: Sequence[TrainingRun]) -> _Boxes:
    """Return the boxes of each photo that has any."""
    joined: _Boxes = {}
    for run in runs:
        for image, rows in groupby(run.read_boxes(), lambda row: row.image):
            boxes = tuple(rows)
            if joined.setdefault(image, boxes) != boxes:
                raise DataError(
                    f"{image} has other boxes in {run.path} than in a run named before it; average runs of the same "
                    "data."
                )
    return joined


def _read_held_out(run: TrainingRun, rows: Sequence[SplitRow], boxes: _Boxes) -> list[BoxedPhoto]:
    images = [row.image for row in rows if row.split is Split.VALIDATION]
    if not any(image in boxes for image in images):
        raise DataError(
            "No photo with a box was held out from all runs, so their average cannot be measured; average runs of the "
            "same split, or of splits that hold some of the same photos out."
        )
    folder = run.read_image_folder()
    return [
        BoxedPhoto(
            image,
            *measure_photo(folder / image),
            tuple(Box(box.x_min, box.y_min, box.x_max, box.y_max, box.label) for box in boxes.get(image, ())),
        )
        for image in images
    ]
