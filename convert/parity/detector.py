"""What the stages of a detector answered, held against each other."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from convert.box_pairs import Answers, PairedBoxes, pair_stages, report_boxes, share_agreement
from convert.detection_evaluation import collect_truth, compare_detections
from convert.parity.classifier import measure_drift
from convert.parity.report import BoxDisagreement, Change, Measurement
from edge_runtime.coco import count_with_boxes, resample_map, trace_curves
from edge_runtime.estimates import (
    BootstrapEstimate,
    Estimate,
    estimate_by_bootstrap,
    estimate_share,
    resample_photos,
)
from edge_runtime.spec import DetectionSpec
from edge_runtime.training_run import BoxRow, SplitRow


def measure_detector(
    stages: Mapping[str, Answers], rows: Sequence[SplitRow], boxes: Sequence[BoxRow], detection: DetectionSpec
) -> Measurement:
    """Measure each stage against the truth and against the first stage.

    Intervals are those of the bootstrap: photos are drawn with replacement, the same ones for all stages.

    Args:
        stages: Boxes of each photo by stage name, the Keras model first and the file for the device last.
        rows: The photos, in the same order.
        boxes: The true boxes, of these photos and of others.
        detection: Labels and reporting threshold.

    Raises:
        DataError: The photos have no box on them.
    """
    truth = collect_truth(rows, boxes)
    draws = resample_photos(len(rows))
    resampled = {stage: resample_map(truth, found, detection.labels, draws) for stage, found in stages.items()}
    paired = _pair_with_first(stages, detection.threshold)
    compared = compare_detections(stages, paired, truth, detection.labels, resampled)
    difference = estimate_by_bootstrap(
        compared[-1].map - compared[0].map,
        resampled[compared[-1].stage] - resampled[compared[0].stage],
        count_with_boxes(truth),
    )
    *_, last = paired.values()
    return Measurement(
        photos=len(rows),
        stages=compared,
        agreement=_estimate_agreement(last, draws),
        change=Change("mAP", difference, None),
        drifts=tuple(measure_drift(stage, both.scores) for stage, both in list(paired.items())[1:]),
        scores=last.scores,
        overlaps=last.overlaps,
        curves=trace_curves(truth, list(stages.values())[-1], detection.labels),
        disagreements=_find_disagreements(rows, last),
    )


def _pair_with_first(stages: Mapping[str, Answers], threshold: float) -> dict[str, PairedBoxes]:
    reported = {stage: report_boxes(answers, threshold) for stage, answers in stages.items()}
    first = next(iter(reported.values()))
    return {stage: pair_stages(first, boxes) for stage, boxes in reported.items()}


def _estimate_agreement(paired: PairedBoxes, draws: NDArray[np.int64]) -> Estimate | BootstrapEstimate | None:
    """Return the agreement with its bootstrap interval, or with Wilson's for photos where all draws agree alike."""
    value, resampled = paired.agreement, share_agreement(paired.counts[draws].sum(axis=1))
    if value is None:
        return None
    photos = int((paired.counts[:, 1] > 0).sum())
    if np.nanmin(resampled) < np.nanmax(resampled):
        return estimate_by_bootstrap(value, resampled, photos)
    # Photos that have all of it or nothing in common tell no more than so many tries that all come out alike.
    wilson = estimate_share(round(value * photos), photos)
    return Estimate(value, wilson.low, wilson.high)


def _find_disagreements(rows: Sequence[SplitRow], paired: PairedBoxes) -> tuple[BoxDisagreement, ...]:
    """Return the photos with boxes that only one stage has, those first that have most."""
    found = [_disagreement(row, paired, photo) for photo, row in enumerate(rows)]
    differing = [each for each in found if each.first_only or each.last_only]
    return tuple(sorted(differing, key=lambda each: -len(each.first_only) - len(each.last_only)))


def _disagreement(row: SplitRow, paired: PairedBoxes, photo: int) -> BoxDisagreement:
    pairs = paired.pairs[photo]
    kept, met = [pair.first for pair in pairs], [pair.other for pair in pairs]
    return BoxDisagreement(
        image=row.image,
        agreement=float(share_agreement(paired.counts[photo])),
        shared=tuple(kept),
        first_only=tuple(box for box in paired.first[photo] if box not in kept),
        last_only=tuple(box for box in paired.other[photo] if box not in met),
    )
