"""Runs of classifiers held against each other."""

from collections.abc import Sequence

import numpy as np

from edge_runtime.estimates import Flags, PairedTest, compare_paired, estimate_share
from train.evaluation.metrics import measure_accuracy
from train.report.comparison import NOT_COMPARABLE, NOTHING, Comparison, Worth, are_same, compare_with_first
from train.report.runs import FinishedRun

_Keys = list[tuple[str, str]]

_CURVES = {
    "validation_top1": "Top-1 accuracy on validation photos.",
    "validation_macro": "Macro accuracy on validation photos.",
    "loss": "Loss on training photos; losses of different augmentation or smoothing do not compare.",
}
_NOTE = (
    "Won: photos that the run answers rightly and the first run wrongly; lost: the other way round. p: of the exact "
    "McNemar test on these photos, how likely a difference as large would be between equally good runs. It speaks for "
    "these two trainings, not for their recipes: another seed may turn it. With many runs, some come below 0.05 by "
    "chance. The intervals are Wilson ones, of each run alone; where two overlap, the paired test may still tell the "
    "runs apart. All take photos as independent."
)


def compare_classifiers(runs: Sequence[FinishedRun]) -> Comparison:
    """Compare runs with the first of them."""
    keys = [_photo_keys(run) for run in runs]
    worths = [_measure(run, own, runs[0], keys[0]) for run, own in zip(runs, keys, strict=True)]
    compared = compare_with_first(runs, keys, worths)
    return Comparison(compared, headline="Top-1 accuracy", percent=True, curves=_CURVES, note=_NOTE)


def _measure(run: FinishedRun, keys: _Keys, first: FinishedRun, first_keys: _Keys) -> Worth:
    top1 = estimate_share(int(run.right.sum()), len(run.right))
    macro = measure_accuracy(run.predictions.targets, run.predictions.answers).macro
    comparable = are_same(keys, first_keys)
    paired = compare_paired(_by_photo(first, first_keys), _by_photo(run, keys)) if comparable else None
    return Worth(
        headline=top1,
        measured={
            "top-1 % [95 %]": f"{100 * top1.value:.1f} [{100 * top1.low:.1f}, {100 * top1.high:.1f}]",
            "macro %": f"{100 * macro:.1f}",
        },
        held=_verdict(paired, is_first=run is first),
        record={"top1": top1.value, "low": top1.low, "high": top1.high, "macro": macro},
        held_record={
            "won": paired.only_second if paired else None,
            "lost": paired.only_first if paired else None,
            "p_value": paired.p_value if paired else None,
        },
    )


def _verdict(paired: PairedTest | None, *, is_first: bool) -> dict[str, str]:
    if is_first:
        return {"won:lost": NOTHING, "p": NOTHING}
    if paired is None:
        return {"won:lost": NOTHING, "p": NOT_COMPARABLE}
    return {"won:lost": f"{paired.only_second}:{paired.only_first}", "p": f"{paired.p_value:.2g}"}


def _photo_keys(run: FinishedRun) -> _Keys:
    """Return what makes validation photos the same in two runs: content and label. File names may differ."""
    return [(row.sha256, row.label) for row in run.validation]


def _by_photo(run: FinishedRun, keys: _Keys) -> Flags:
    """Return (photos,) whether each photo is answered rightly, in an order that all runs share."""
    order = sorted(range(len(keys)), key=lambda index: keys[index])
    return np.asarray(run.right[order])
