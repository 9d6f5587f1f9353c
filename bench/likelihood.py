"""Print top-1, macro accuracy and the mean negative log-likelihood of the true label, of runs and of their mean answer.

python bench/likelihood.py runs/first runs/second
python bench/likelihood.py runs/former --photos runs/first

Each run answers its own validation photos. The mean is over the runs that held a photo out, and over all photos that
any run did, so students of the two splits of `bench/folds.py` answer every photo without having seen its sender. What
it comes to by class follows, as Markdown.
"""

from collections.abc import Sequence, Set
from pathlib import Path

import click

from train.evaluation.metrics import count_confusions, measure_accuracy
from train.evaluation.predictions import Predictions, pool_predictions
from train.evaluation.statistics import measure_classes


@click.command()
@click.argument("runs", type=click.Path(path_type=Path, exists=True, file_okay=False), nargs=-1, required=True)
@click.option("--photos", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Only those of this run.")
def main(runs: Sequence[Path], photos: Path | None) -> None:
    """Print a line per run, and one for the mean of all runs' scores; RUNS have the same labels."""
    predictions = [_read(run) for run in runs]
    if photos is not None:
        wanted = set(_read(photos).images)
        predictions = [_choose(each, wanted) for each in predictions]
    if any(each.labels != predictions[0].labels for each in predictions):
        raise click.UsageError("The runs have other labels; name runs of one data set.")
    for run, each in zip(runs, predictions, strict=True):
        click.echo(f"{run.name}: {_describe(each)}")
    pooled = pool_predictions(predictions)
    click.echo(f"mean of the scores: {_describe(pooled)}")
    _print_classes(pooled)


def _print_classes(answers: Predictions) -> None:
    confusions = count_confusions(answers.targets, answers.answers, len(answers.labels))
    click.echo("\n| class | photos | recall | precision |\n| --- | ---: | ---: | ---: |")
    for quality in measure_classes(answers.labels, confusions):
        recall, precision = (f"{each.value:.1%}" if each else "" for each in (quality.recall, quality.precision))
        click.echo(f"| {quality.label} | {quality.photos} | {recall} | {precision} |")


def _read(run: Path) -> Predictions:
    return Predictions.read(run / "predictions.csv")


def _choose(answers: Predictions, images: Set[str]) -> Predictions:
    """Return the answers to some of the photos."""
    chosen = [index for index, image in enumerate(answers.images) if image in images]
    kept = tuple(answers.images[index] for index in chosen)
    return Predictions(answers.labels, kept, answers.targets[chosen], answers.scores[chosen])


def _describe(answers: Predictions) -> str:
    accuracy = measure_accuracy(answers.targets, answers.answers)
    return (
        f"{len(answers.images)} photos, top-1 {accuracy.top1:.1%}, macro {accuracy.macro:.1%}, {answers.likelihood:.4f}"
    )


if __name__ == "__main__":
    main()
