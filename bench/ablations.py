"""Train a classifier in one way, and with one thing changed at a time. Writes a CSV file and prints Markdown.

python bench/negatives.py "$EDGE_GARMENT_DATA" negatives/
python bench/ablations.py "$EDGE_GARMENT_DATA/clothing/labels.csv" splits.csv runs/ docs/ablations.csv \
    --label-column class10 --group-column sender --teacher runs/teacher --negatives negatives/ \
    --weights "$EDGE_GARMENT_DATA/weights/mobilenet_v2_1.0_224_imagenet_folded.npz"

Every change is trained with the same seeds, and seeds differ in all that is drawn by chance. A command that was killed
goes on when it is repeated.
"""

import json
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import click
from tqdm import tqdm

from edge_runtime.files import write_text
from edge_runtime.tables import format_csv
from train.evaluation.predictions import Predictions

_UNCHANGED = "unchanged"
_AVERAGE = "average of the seeds"
_COMMON = ("--ema", 0.99, "--negative-share", 0.1, "--label-smoothing", 0.05)
_CHANGES: dict[str, tuple[object, ...]] = {
    _UNCHANGED: (),
    "no moving average": ("--ema", 0),
    "no pictures without a garment": ("--negative-share", 0),
    "no drawings": ("--drawn-share", 0),
    "half of the batches mixed": ("--mixed-share", 0.5),
    "rare classes more often": ("--balance", 0.5),
}
_TAUGHT = "a teacher"


@dataclass(frozen=True, slots=True)
class Row:
    """One training.

    Attributes:
        change: What was changed.
        seed: Of the training; -1 for the average of all seeds.
        top1: Accuracy on the validation photos, in [0, 1].
        macro: The same, each class counting alike.
        likelihood: Mean negative log-likelihood of the true label.
        calibration_error: Expected, in [0, 1].
        rejected: Share of pictures without a garment below the rejection threshold.
    """

    change: str
    seed: int
    top1: float
    macro: float
    likelihood: float
    calibration_error: float
    rejected: float


@click.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True))
@click.argument("splits", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("runs", type=click.Path(path_type=Path, file_okay=False))
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--label-column", default="label", show_default=True)
@click.option("--group-column", default="")
@click.option("--teacher", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True)
@click.option("--negatives", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True)
@click.option("--architecture", default="mobilenet_v2", show_default=True)
@click.option("--weights", default="imagenet", show_default=True)
@click.option("--image-size", default=96, show_default=True)
@click.option("--frozen-share", default=0.4, show_default=True)
@click.option("--epochs", default=5, show_default=True)
@click.option("--seeds", default=2, show_default=True)
def main(
    data: Path,
    splits: Path,
    runs: Path,
    output: Path,
    label_column: str,
    group_column: str,
    teacher: Path,
    seeds: int,
    **options: object,
) -> None:
    """Write what each change comes to on DATA, divided by SPLITS, to OUTPUT."""
    common = [data, "--label-column", label_column, "--splits", splits, *_COMMON]
    common += ["--group-column", group_column] if group_column else []
    common += [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]
    rows = []
    for seed in tqdm(range(seeds), "seeds", disable=None):
        for change, extra in {**_CHANGES, _TAUGHT: ("--teacher", teacher)}.items():
            run = runs / f"{change.replace(' ', '_')}_{seed}"
            _train("classify", *common, *extra, "--seed", seed, "-o", run)
            rows.append(_read(change, seed, run))
            write_text(output, format_csv([field.name for field in fields(Row)], map(astuple, rows)))
    rows.append(_average([runs / f"{_UNCHANGED}_{seed}" for seed in range(seeds)], runs / "average"))
    write_text(output, format_csv([field.name for field in fields(Row)], map(astuple, rows)))
    _print_table(rows)


def _train(*arguments: object) -> None:
    subprocess.run(["edge-train", *map(str, arguments)], check=True)


def _average(runs: Sequence[Path], output: Path) -> Row:
    _train("average", *runs, "-o", output)
    return _read(_AVERAGE, -1, output)


def _read(change: str, seed: int, run: Path) -> Row:
    scores = json.loads((run / "scores.json").read_text(encoding="utf-8"))
    answers = Predictions.read(run / "predictions.csv")
    return Row(
        change,
        seed,
        scores["top1"],
        scores["macro"],
        answers.likelihood,
        scores["ece"],
        scores["rejection"]["rejected_negatives"],
    )


def _print_table(rows: Sequence[Row]) -> None:
    click.echo("| what | top-1 | macro | NLL | rejected |\n| --- | ---: | ---: | ---: | ---: |")
    for change in dict.fromkeys(row.change for row in rows):
        own = [row for row in rows if row.change == change]
        top1, macro, likelihood, rejected = (
            statistics.mean(getattr(row, name) for row in own) for name in ("top1", "macro", "likelihood", "rejected")
        )
        each = ", ".join(f"{row.likelihood:.3f}" for row in own)
        click.echo(f"| {change} | {top1:.1%} | {macro:.1%} | {likelihood:.3f} ({each}) | {rejected:.1%} |")


if __name__ == "__main__":
    main()
