"""What the stages of a detector answered, held against each other."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from convert.detection_evaluation import (
    Answers,
    BoxPair,
    bootstrap_ends,
    collect_truth,
    compare_detections,
    pair_boxes,
    report_boxes,
    warn_of_loss,
)
from convert.parity.classifier import measure_drift
from convert.parity.report import BoxDisagreement, Change, Measurement
from edge_runtime.coco import resample_map, trace_curves
from edge_runtime.estimates import Estimate
from edge_runtime.results import Detection
from edge_runtime.spec import DetectionSpec
from edge_runtime.training_run import BoxRow, SplitRow

_RESAMPLES: Final = 500
_SEED: Final = 0

Boxes = Sequence[Sequence[Detection]]
"""The boxes of each photo at or above the reporting threshold."""


def measure_detector(
    stages: Mapping[str, Answers], rows: Sequence[SplitRow], boxes: Sequence[BoxRow], detection: DetectionSpec
) -> Measurement:
    """Measure each stage against the truth and against the first stage.

    Intervals are those of the bootstrap: photos are drawn with replacement, 500 times, the same ones for all stages.

    Args:
        stages: Boxes of each photo by stage name, the Keras model first and the file for the device last.
        rows: The photos, in the same order.
        boxes: The true boxes, of these photos and of others.
        detection: Labels and reporting threshold.

    Raises:
        DataError: The photos have no box on them.
    """
    truth = collect_truth(rows, boxes)
    draws = np.random.default_rng(_SEED).integers(len(rows), size=(_RESAMPLES, len(rows)))
    resampled = {stage: resample_map(truth, found, detection.labels, draws) for stage, found in stages.items()}
    compared = compare_detections(stages, truth, detection, resampled)
    warn_of_loss(compared)
    reported = {stage: report_boxes(answers, detection) for stage, answers in stages.items()}
    first, *_, last = reported.values()
    differences = resampled[compared[-1].stage] - resampled[compared[0].stage]
    pairs = [_pair_all(first, found) for found in list(reported.values())[1:]]
    return Measurement(
        photos=len(rows),
        stages=compared,
        agreement=_estimate_agreement(first, last, pairs[-1], draws),
        change=Change("mAP", _interval(compared[-1].map - compared[0].map, differences), None),
        drifts=tuple(measure_drift(stage, _scores(each)) for stage, each in zip(list(stages)[1:], pairs, strict=True)),
        scores=_scores(pairs[-1]),
        overlaps=np.array([pair.iou for photo in pairs[-1] for pair in photo]),
        curves=trace_curves(truth, list(stages.values())[-1], detection.labels),
        disagreements=_find_disagreements(rows, first, last, pairs[-1]),
    )


def _pair_all(first: Boxes, other: Boxes) -> list[list[BoxPair]]:
    return [list(pair_boxes(*photo)) for photo in zip(first, other, strict=True)]


def _scores(pairs: Sequence[Sequence[BoxPair]]) -> NDArray[np.float64]:
    scores = [(pair.first.score, pair.other.score) for photo in pairs for pair in photo]
    return np.array(scores, np.float64).reshape(-1, 2)


def _estimate_agreement(
    first: Boxes, last: Boxes, pairs: Sequence[Sequence[BoxPair]], draws: NDArray[np.int64]
) -> Estimate:
    both = np.array([2 * len(photo) for photo in pairs])
    there = np.array([len(one) + len(other) for one, other in zip(first, last, strict=True)])
    drawn = there[draws].sum(axis=1)
    shares = np.divide(both[draws].sum(axis=1), drawn, out=np.ones(len(draws)), where=drawn > 0)
    return _interval(float(both.sum() / there.sum()) if there.sum() else 1.0, shares)


def _interval(value: float, resampled: NDArray[np.float64]) -> Estimate:
    return Estimate(value, *bootstrap_ends(resampled))


def _find_disagreements(
    rows: Sequence[SplitRow], first: Boxes, last: Boxes, pairs: Sequence[Sequence[BoxPair]]
) -> tuple[BoxDisagreement, ...]:
    """Return the photos with boxes that only one stage has, those first that have most."""
    found = [_disagreement(*photo) for photo in zip(rows, first, last, pairs, strict=True)]
    differing = [each for each in found if each.first_only or each.last_only]
    return tuple(sorted(differing, key=lambda each: -len(each.first_only) - len(each.last_only)))


def _disagreement(
    row: SplitRow, first: Sequence[Detection], last: Sequence[Detection], pairs: Sequence[BoxPair]
) -> BoxDisagreement:
    there = len(first) + len(last)
    kept, met = [pair.first for pair in pairs], [pair.other for pair in pairs]
    return BoxDisagreement(
        image=row.image,
        agreement=2 * len(pairs) / there if there else 1.0,
        shared=tuple(kept),
        first_only=tuple(box for box in first if box not in kept),
        last_only=tuple(box for box in last if box not in met),
    )
