"""Print top-1, macro accuracy and the mean negative log-likelihood of the true label, of runs and of their mean answer.

python bench/likelihood.py runs/first runs/second

Each run answers its own validation photos. The mean is over the runs that held a photo out, and over all photos that
any run did, so students of the two splits of `bench/folds.py` answer every photo without having seen its sender.
"""

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from train.predictions import Predictions, pool_predictions

_LEAST = 1e-6


@click.command()
@click.argument("runs", type=click.Path(path_type=Path, exists=True, file_okay=False), nargs=-1, required=True)
def main(runs: Sequence[Path]) -> None:
    """Print a line per run, and one for the mean of all runs' scores; RUNS have the same labels."""
    predictions = [Predictions.read(run / "predictions.csv") for run in runs]
    if any(each.labels != predictions[0].labels for each in predictions):
        raise click.UsageError("The runs have other labels; name runs of one data set.")
    for run, each in zip(runs, predictions, strict=True):
        click.echo(f"{run.name}: {_describe(each)}")
    click.echo(f"mean of the scores: {_describe(pool_predictions(predictions))}")


def _describe(answers: Predictions) -> str:
    macro = np.mean([answers.right[answers.targets == label].mean() for label in np.unique(answers.targets)])
    chosen = answers.scores[np.arange(len(answers.targets)), answers.targets]
    likelihood = -np.log(np.maximum(chosen, _LEAST)).mean()
    return f"{len(chosen)} photos, top-1 {answers.right.mean():.1%}, macro {macro:.1%}, {likelihood:.4f}"


if __name__ == "__main__":
    main()
