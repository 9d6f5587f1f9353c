"""What the stages of a classifier answered, held against each other."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from convert.evaluation import Scores, compare_stages
from convert.parity.report import Change, LabelDisagreement, Measurement, ScoreDrift
from edge_runtime.estimates import compare_paired, estimate_difference, estimate_share
from edge_runtime.results import Classification
from edge_runtime.training_run import SplitRow


def measure_classifier(stages: Mapping[str, Scores], rows: Sequence[SplitRow], labels: Sequence[str]) -> Measurement:
    """Measure each stage against the truth and against the first stage.

    Args:
        stages: (photos, labels) scores by stage name, the Keras model first and the file for the device last.
        rows: The photos, in the same order.
        labels: Class names, in the order of the scores.
    """
    targets = np.array([labels.index(row.label) for row in rows])
    first, *_, last = stages.values()
    right, still_right = first.argmax(axis=1) == targets, last.argmax(axis=1) == targets
    same = int((first.argmax(axis=1) == last.argmax(axis=1)).sum())
    return Measurement(
        photos=len(rows),
        stages=compare_stages(stages, targets, labels),
        agreement=estimate_share(same, len(rows)),
        change=Change("top-1", estimate_difference(right, still_right), compare_paired(right, still_right)),
        drifts=tuple(measure_drift(stage, _paired_scores(first, scores)) for stage, scores in list(stages.items())[1:]),
        scores=_paired_scores(first, last),
        overlaps=np.zeros(0),
        curves={},
        disagreements=_find_disagreements(first, last, rows, labels),
    )


def measure_drift(stage: str, pairs: NDArray[np.float64]) -> ScoreDrift:
    """Return how far the second column of (answers, 2) scores is from the first."""
    if not len(pairs):
        return ScoreDrift(stage, None, None, None)
    differences = np.abs(pairs[:, 1] - pairs[:, 0])
    return ScoreDrift(stage, float(differences.mean()), float(np.percentile(differences, 95)), float(differences.max()))


def _paired_scores(first: Scores, other: Scores) -> NDArray[np.float64]:
    """Return (photos, 2) scores of the label that the first stage gives."""
    rows, best = np.arange(len(first)), first.argmax(axis=1)
    return np.column_stack([first[rows, best], other[rows, best]]).astype(np.float64)


def _find_disagreements(
    first: Scores, last: Scores, rows: Sequence[SplitRow], labels: Sequence[str]
) -> tuple[LabelDisagreement, ...]:
    """Return the photos with different best labels, those first of which the Keras model was surest."""
    differing = np.flatnonzero(first.argmax(axis=1) != last.argmax(axis=1))
    surest = differing[np.argsort(-first[differing].max(axis=1), kind="stable")]
    return tuple(
        LabelDisagreement(rows[at].image, rows[at].label, _best(first[at], labels), _best(last[at], labels))
        for at in surest
    )


def _best(scores: NDArray[np.float32], labels: Sequence[str]) -> Classification:
    best = int(scores.argmax())
    return Classification(labels[best], float(scores[best]))
