"""Averaging the weights of several runs: one network that answers nearly as all of them together would.

Wortsman et al., "Model soups: averaging weights of multiple fine-tuned models improves accuracy without increasing
inference time", ICML 2022. It works for runs that started from the same weights, such as runs of several seeds.
"""

import json
from collections.abc import Sequence
from dataclasses import replace

import keras
import numpy as np

from edge_runtime.errors import DataError, RunError
from edge_runtime.files import write_text
from edge_runtime.training_run import Split, SplitRow, TrainingRun
from train.fitting.checkpoint import Epoch
from train.fitting.distribution import ONE_DEVICE
from train.fitting.environment import describe_environment
from train.fitting.training import write_metrics
from train.networks.keras_files import load_model

_USES = (Split.TEST, Split.VALIDATION, Split.TRAIN)
"""The more a use flatters what is measured on a photo, the later it stands."""


def check_runs(runs: Sequence[TrainingRun], output: TrainingRun) -> None:
    """Check that runs are alike, and that their average may be written.

    Raises:
        RunError: A run is unfinished or damaged, or the output holds one already.
        DataError: The runs are of different tasks, networks, labels or folders.
    """
    if output.arguments_path.exists():
        raise RunError(f"{output.path} holds a run already; name a fresh directory.")
    first = runs[0]
    spec = first.read_spec()
    for run in runs[1:]:
        other = run.read_spec()
        if (other.name, other.input, other.task, other.labels) != (spec.name, spec.input, spec.task, spec.labels):
            raise DataError(
                f"{run.path} has another network, image size or classes than {first.path}; average like runs."
            )
        if run.read_image_folder() != first.read_image_folder():
            raise DataError(
                f"{run.path} was trained on photos of another folder than {first.path}, so nobody can tell which of "
                "them both held out; average runs of the same data."
            )


def join_splits(runs: Sequence[TrainingRun]) -> tuple[SplitRow, ...]:
    """Return each photo of any run with what the average of all runs may be said to have used it for.

    Raises:
        RunError: A run is damaged.
        DataError: A photo has another label, group or content in one run than in another.
    """
    joined: dict[str, SplitRow] = {}
    for run in runs:
        for row in run.read_splits():
            known = joined.setdefault(row.image, row)
            if replace(known, split=row.split) != row:
                raise DataError(
                    f"{row.image} has another label, group or content in {run.path} than in a run named before it; "
                    "average runs of the same data."
                )
            joined[row.image] = replace(known, split=max(known.split, row.split, key=_USES.index))
    return tuple(joined.values())


def average_weights(runs: Sequence[TrainingRun]) -> keras.Model:
    """Return the network of like runs with the mean of all weights, batch statistics included.

    Raises:
        RunError: A model cannot be read.
    """
    models = [load_model(run.model_path) for run in runs]
    models[0].set_weights(
        [np.mean(same, axis=0) for same in zip(*(model.get_weights() for model in models), strict=True)]
    )
    return models[0]


def write_origin(
    output: TrainingRun, runs: Sequence[TrainingRun], rows: Sequence[SplitRow], epoch: type[Epoch]
) -> None:
    """Write what makes a directory the run that averages others: photos, arguments, environment, and no epoch.

    Args:
        output: The run to write.
        runs: What it is the average of; the arguments are the first one's.
        rows: All photos.
        epoch: The dataclass of an epoch.

    Raises:
        OutputError: The output cannot be written.
    """
    output.write_splits(rows)
    write_text(output.path / "environment.json", json.dumps(describe_environment(ONE_DEVICE), indent=2) + "\n")
    write_metrics(output, epoch, ())
    output.write_arguments({**runs[0].read_arguments(), "averaged": [str(run.path) for run in runs]})
