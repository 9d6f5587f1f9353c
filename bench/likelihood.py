"""Print the mean negative log-likelihood of the true label on the validation photos, of runs and of their mean answer.

python bench/likelihood.py runs/first runs/second
"""

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from train.predictions import Predictions

_LEAST = 1e-6


@click.command()
@click.argument("runs", type=click.Path(path_type=Path, exists=True, file_okay=False), nargs=-1, required=True)
def main(runs: Sequence[Path]) -> None:
    """Print a line per run, and one for the mean of all runs' scores; RUNS have the same split and labels."""
    predictions = [Predictions.read(run / "predictions.csv") for run in runs]
    first = predictions[0]
    if any((each.images, each.labels) != (first.images, first.labels) for each in predictions):
        raise click.UsageError("The runs have other validation photos or labels; name runs of one split.")
    for run, each in zip(runs, predictions, strict=True):
        click.echo(f"{run.name}: {_likelihood(each.scores, first.targets):.4f}")
    mean = np.mean([each.scores for each in predictions], axis=0)
    click.echo(f"mean of the scores: {_likelihood(mean, first.targets):.4f}")


def _likelihood(scores: NDArray[np.float32], targets: NDArray[np.int64]) -> float:
    chosen = scores[np.arange(len(targets)), targets]
    return float(-np.log(np.maximum(chosen, _LEAST)).mean())


if __name__ == "__main__":
    main()
