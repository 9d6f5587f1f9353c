"""What sets several runs apart, in their arguments and in their worth, whatever they were trained for."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edge_runtime import tables
from edge_runtime.estimates import Estimate
from train.fitting.checkpoint import Epoch

_OWN_COLUMNS = ("architecture", "weights")
NOTHING = "-"
NOT_COMPARABLE = "not comparable"


class ReadRun(Protocol):
    """A finished run of any kind, read."""

    @property
    def path(self) -> Path:
        """The directory."""

    @property
    def arguments(self) -> dict[str, str]:
        """Resolved arguments by dotted name, as text."""

    @property
    def history(self) -> Sequence[Epoch]:
        """Its epochs, oldest first."""

    @property
    def minutes(self) -> float:
        """Time that the epochs took."""


@dataclass(frozen=True, slots=True, eq=False)
class Worth:
    """What was measured of a run on its validation photos.

    Attributes:
        headline: What runs are plotted by.
        measured: Cells of the table by column, of the run alone.
        held: Cells by column, of the run against the first one.
        record: What `measured` says, unrounded, by column of the CSV file.
        held_record: What `held` says, likewise.
    """

    headline: Estimate
    measured: Mapping[str, str]
    held: Mapping[str, str]
    record: Mapping[str, float | None]
    held_record: Mapping[str, float | None]


@dataclass(frozen=True, slots=True, eq=False)
class ComparedRun:
    """One line of a comparison.

    Attributes:
        name: Shortest name that tells the run from the others.
        run: The run.
        worth: What was measured.
        photos: How many validation photos it has.
        shared: How many of these are also the first run's.
        comparable: Whether its validation photos, and what is on them, are exactly the first run's.
        differences: Arguments that differ from the first run's; architecture and weights are left out.
    """

    name: str
    run: ReadRun
    worth: Worth
    photos: int
    shared: int
    comparable: bool
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


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Several runs, the first of which the others are held against.

    Attributes:
        runs: Two or more.
        headline: What `Worth.headline` is, in words.
        percent: Whether figures show it and the curves in percent.
        curves: Captions of plots by the attribute of an epoch that each shows.
        note: What the columns mean and do not mean.
    """

    runs: tuple[ComparedRun, ...]
    headline: str
    percent: bool
    curves: Mapping[str, str]
    note: str

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns of `rows`."""
        worth = self.runs[0].worth
        return (
            *("run", *worth.measured, "photos", "epochs", "minutes", "architecture", "weights"),
            *(*worth.held, "differs from the first"),
        )

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """Cells of the table."""
        return [
            (
                each.name,
                *each.worth.measured.values(),
                str(each.photos),
                str(len(each.run.history)),
                f"{each.run.minutes:.1f}",
                each.architecture,
                each.weights,
                *each.worth.held.values(),
                ", ".join(f"{name}={value}" for name, value in each.differences.items()) or NOTHING,
            )
            for each in self.runs
        ]


def compare_with_first(
    runs: Sequence[ReadRun], keys: Sequence[Sequence[Hashable]], worths: Sequence[Worth]
) -> tuple[ComparedRun, ...]:
    """Hold runs against the first of them.

    Args:
        runs: The runs.
        keys: What makes a validation photo the same in two runs, of each photo of each run.
        worths: What was measured of each run.
    """
    names = _name([run.path for run in runs])
    return tuple(
        ComparedRun(
            name=name,
            run=run,
            worth=worth,
            photos=len(own),
            shared=len(set(own) & set(keys[0])),
            comparable=are_same(own, keys[0]),
            differences=_differences(run.arguments, runs[0].arguments),
        )
        for name, run, own, worth in zip(names, runs, keys, worths, strict=True)
    )


def are_same(keys: Sequence[Hashable], others: Sequence[Hashable]) -> bool:
    """Tell whether two runs have the same validation photos, in any order."""
    return Counter(keys) == Counter(others)


def find_incomparable(comparison: Comparison) -> list[str]:
    """Return a sentence for each run whose validation photos or labels are not those of the first run."""
    first, *others = comparison.runs
    return [
        f"{each.name} is not comparable with {first.name}: of its {each.photos} validation photos, {each.shared} are "
        f"among the {first.photos} of {first.name} and labelled alike. Give all trainings the same --splits."
        for each in others
        if not each.comparable
    ]


def format_table(comparison: Comparison) -> str:
    """Return the table as aligned text."""
    return tables.format_table([comparison.header, *comparison.rows])


def format_csv(comparison: Comparison) -> str:
    """Return the comparison as CSV with unrounded numbers; shares are in [0, 1]."""
    records = [_record(each) for each in comparison.runs]
    return tables.format_csv(list(records[0]), (record.values() for record in records))


def _record(each: ComparedRun) -> dict[str, str | int | float | None]:
    return {
        "run": each.name,
        **each.worth.record,
        "photos": each.photos,
        "shared_photos": each.shared,
        "epochs": len(each.run.history),
        "minutes": each.run.minutes,
        "architecture": each.architecture,
        "weights": each.weights,
        **each.worth.held_record,
        "differences": "; ".join(f"{name}={value}" for name, value in each.differences.items()),
    }


def _differences(arguments: dict[str, str], first: dict[str, str]) -> dict[str, str]:
    names = [name for name in {**first, **arguments} if name not in _OWN_COLUMNS]
    return {name: arguments.get(name, NOTHING) for name in names if arguments.get(name) != first.get(name)}


def _name(paths: Sequence[Path]) -> list[str]:
    short = [path.resolve().name for path in paths]
    return short if len(set(short)) == len(short) else [str(path) for path in paths]
