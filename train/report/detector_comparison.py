"""Runs of detectors held against each other."""

from collections.abc import Sequence
from dataclasses import dataclass

from tqdm import tqdm

from edge_runtime.estimates import BootstrapEstimate
from train.report.comparison import NOT_COMPARABLE, NOTHING, Comparison, Worth, are_same, compare_with_first
from train.report.detector_run import FinishedDetectorRun
from train.report.resampled_map import ResampledMap, measure_map

_Key = tuple[str, tuple[tuple[str, tuple[float, ...]], ...]]

_CURVES = {
    "validation_map": "mAP on validation photos.",
    "validation_map50": "mAP50 on validation photos.",
    "loss": "Loss on training photos; losses of another kind do not compare.",
}
_NOTE = (
    "Gain: by how much mAP is higher than that of the first run. The intervals are those of the bootstrap: photos are "
    "drawn with replacement, the same ones for all runs of the same photos. There is none of fewer than 20 photos with "
    "boxes, and none where all draws come out alike; all are rough where classes have few boxes. Where those of two "
    "runs overlap, that of the gain may still tell the runs apart. It speaks for these two trainings, not for their "
    "recipes: another seed may turn it. With many runs, some gains lie beside 0 by chance. All take photos as "
    "independent."
)


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """A run's figures.

    Attributes:
        keys: What makes a photo the same in two runs, of each in an order that all runs share.
        precision: On its validation photos, in that order.
    """

    keys: list[_Key]
    precision: ResampledMap


def compare_detectors(runs: Sequence[FinishedDetectorRun]) -> Comparison:
    """Compare runs with the first of them."""
    measured = [_measure(run) for run in tqdm(runs, "measuring", unit="run", disable=None, leave=False)]
    worths = [_judge(each, measured[0]) for each in measured]
    compared = compare_with_first(runs, [each.keys for each in measured], worths)
    return Comparison(compared, headline="mAP", percent=False, curves=_CURVES, note=_NOTE)


def _measure(run: FinishedDetectorRun) -> _Measured:
    keys = _photo_keys(run)
    order = sorted(range(len(keys)), key=lambda index: keys[index])
    truth, found = [run.truth[index] for index in order], [run.found[index] for index in order]
    return _Measured([keys[index] for index in order], measure_map(truth, found, run.detection.labels))


def _judge(each: _Measured, first: _Measured) -> Worth:
    average, map50, gain = each.precision.estimate, each.precision.scores.map50, _gain(each, first)
    return Worth(
        headline=average.drawn,
        measured={"mAP [95 %]": _format(average, ""), "mAP50": f"{map50:.3f}"},
        held={"gain [95 %]": _verdict(gain, is_first=each is first)},
        record={"map": average.value, "low": average.low, "high": average.high, "map50": map50},
        held_record={
            "gain": gain.value if gain else None,
            "gain_low": gain.low if gain else None,
            "gain_high": gain.high if gain else None,
        },
    )


def _gain(each: _Measured, first: _Measured) -> BootstrapEstimate | None:
    return each.precision.gain_over(first.precision) if are_same(each.keys, first.keys) else None


def _verdict(gain: BootstrapEstimate | None, *, is_first: bool) -> str:
    if is_first:
        return NOTHING
    return NOT_COMPARABLE if gain is None else _format(gain, "+")


def _format(estimate: BootstrapEstimate, sign: str) -> str:
    interval = "-" if estimate.low is None else f"{estimate.low:{sign}.3f}, {estimate.high:{sign}.3f}"
    return f"{estimate.value:{sign}.3f} [{interval}]"


def _photo_keys(run: FinishedDetectorRun) -> list[_Key]:
    """Return what makes validation photos the same in two runs: content and boxes. File names may differ."""
    hashes = {row.image: row.sha256 for row in run.splits}
    return [
        (hashes[photo], tuple(sorted((box.label, box.box) for box in boxes)))
        for photo, boxes in zip(run.photos, run.truth, strict=True)
    ]
