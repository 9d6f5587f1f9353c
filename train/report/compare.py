"""What sets several runs apart, in their arguments and in their worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_runtime import tables
from edge_runtime.estimates import Estimate, Flags, PairedTest, compare_paired, estimate_share
from train.evaluation.metrics import measure_accuracy
from train.report.runs import FinishedRun

HEADER = (
    "run",
    "top-1 % [95 %]",
    "macro %",
    "photos",
    "epochs",
    "minutes",
    "architecture",
    "weights",
    "won:lost",
    "p",
    "differs from the first",
)
_OWN_COLUMNS = ("architecture", "weights")


@dataclass(frozen=True, slots=True, eq=False)
class ComparedRun:
    """One line of a comparison.

    Attributes:
        name: Shortest name that tells the run from the others.
        run: The run.
        top1: Accuracy on its validation photos.
        macro: Mean over classes of the share answered rightly, in [0, 1].
        shared: How many of its validation photos are also the first run's.
        comparable: Whether its validation photos and their labels are exactly the first run's.
        paired: Against the first run; None where the two are not comparable.
        differences: Arguments that differ from the first run's; architecture and weights are left out.
    """

    name: str
    run: FinishedRun
    top1: Estimate
    macro: float
    shared: int
    comparable: bool
    paired: PairedTest | None
    differences: dict[str, str]

    @property
    def title(self) -> str:
        """Its name, in figures that show it beside the others."""
        return self.name if self.comparable else f"{self.name} (other photos)"

    @property
    def architecture(self) -> str:
        """The network."""
        return self.run.arguments.get("architecture", "?")

    @property
    def weights(self) -> str:
        """The weights that it started from, a file by its name alone."""
        return Path(self.run.arguments.get("weights", "?")).name


def compare_runs(runs: Sequence[FinishedRun]) -> tuple[ComparedRun, ...]:
    """Compare runs with the first of them."""
    names = _name([run.path for run in runs])
    first = runs[0]
    return tuple(_compare(name, run, first) for name, run in zip(names, runs, strict=True))


def find_incomparable(compared: Sequence[ComparedRun]) -> list[str]:
    """Return a sentence for each run whose validation photos or labels are not those of the first run."""
    first = compared[0]
    return [
        f"{each.name} is not comparable with {first.name}: of its {len(each.run.validation)} validation photos, "
        f"{each.shared} are among the {len(first.run.validation)} of {first.name} with the same label. "
        "Train both with the same photos, --seed and --validation-share."
        for each in compared
        if not each.comparable
    ]


def make_rows(compared: Sequence[ComparedRun]) -> list[tuple[str, ...]]:
    """Return the cells of the table below `HEADER`."""
    return [
        (
            each.name,
            f"{100 * each.top1.value:.1f} [{100 * each.top1.low:.1f}, {100 * each.top1.high:.1f}]",
            f"{100 * each.macro:.1f}",
            str(len(each.run.validation)),
            str(len(each.run.history)),
            f"{each.run.minutes:.1f}",
            each.architecture,
            each.weights,
            *_verdict(each, compared[0]),
            ", ".join(f"{name}={value}" for name, value in each.differences.items()) or "-",
        )
        for each in compared
    ]


def _verdict(each: ComparedRun, first: ComparedRun) -> tuple[str, str]:
    if each is first:
        return "-", "-"
    if each.paired is None:
        return "-", "not comparable"
    return f"{each.paired.only_second}:{each.paired.only_first}", f"{each.paired.p_value:.2g}"


def format_table(compared: Sequence[ComparedRun]) -> str:
    """Return the table as aligned text."""
    lines = [HEADER, *make_rows(compared)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def format_csv(compared: Sequence[ComparedRun]) -> str:
    """Return the comparison as CSV with unrounded numbers; shares are in [0, 1]."""
    records = [_record(each) for each in compared]
    return tables.format_csv(list(records[0]), (record.values() for record in records))


def _record(each: ComparedRun) -> dict[str, str | int | float | None]:
    paired = each.paired
    return {
        "run": each.name,
        "top1": each.top1.value,
        "low": each.top1.low,
        "high": each.top1.high,
        "macro": each.macro,
        "photos": len(each.run.validation),
        "shared_photos": each.shared,
        "epochs": len(each.run.history),
        "minutes": each.run.minutes,
        "architecture": each.architecture,
        "weights": each.weights,
        "won": paired.only_second if paired else None,
        "lost": paired.only_first if paired else None,
        "p_value": paired.p_value if paired else None,
        "differences": "; ".join(f"{name}={value}" for name, value in each.differences.items()),
    }


def _compare(name: str, run: FinishedRun, first: FinishedRun) -> ComparedRun:
    keys, first_keys = _photo_keys(run), _photo_keys(first)
    comparable = sorted(keys) == sorted(first_keys)
    return ComparedRun(
        name=name,
        run=run,
        top1=estimate_share(int(run.right.sum()), len(run.right)),
        macro=measure_accuracy(run.predictions.targets, run.predictions.answers).macro,
        shared=len(set(keys) & set(first_keys)),
        comparable=comparable,
        paired=compare_paired(_by_photo(first, first_keys), _by_photo(run, keys)) if comparable else None,
        differences=_differences(run.arguments, first.arguments),
    )


def _photo_keys(run: FinishedRun) -> list[tuple[str, str]]:
    """Return what makes validation photos the same in two runs: content and label. File names may differ."""
    return [(row.sha256, row.label) for row in run.validation]


def _by_photo(run: FinishedRun, keys: list[tuple[str, str]]) -> Flags:
    """Return (photos,) whether each photo is answered rightly, in an order that all runs share."""
    order = sorted(range(len(keys)), key=lambda index: keys[index])
    return np.asarray(run.right[order])


def _differences(arguments: dict[str, str], first: dict[str, str]) -> dict[str, str]:
    names = [name for name in {**first, **arguments} if name not in _OWN_COLUMNS]
    return {name: arguments.get(name, "-") for name in names if arguments.get(name) != first.get(name)}


def _name(paths: Sequence[Path]) -> list[str]:
    short = [path.resolve().name for path in paths]
    return short if len(set(short)) == len(short) else [str(path) for path in paths]
