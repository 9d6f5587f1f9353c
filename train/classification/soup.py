"""Averaging the weights of several runs: one network that answers nearly as all of them together would.

Wortsman et al., "Model soups: averaging weights of multiple fine-tuned models improves accuracy without increasing
inference time", ICML 2022. It works for runs that started from the same weights, such as runs of several seeds.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import keras
import numpy as np

from edge_runtime.errors import DataError, RunError
from edge_runtime.files import write_text
from edge_runtime.spec import Task
from edge_runtime.training_run import Split, SplitRow, TrainingRun
from train.classification.encoding import Encoding
from train.classification.epoch import EpochRecord
from train.classification.finishing import finish_model
from train.classification.negatives import find_negatives
from train.data.splits import check_sides
from train.evaluation.predictions import Predictions, pool_predictions
from train.fitting.distribution import ONE_DEVICE
from train.fitting.environment import describe_environment
from train.fitting.training import write_metrics
from train.networks.keras_files import load_model

_USES = (Split.TEST, Split.VALIDATION, Split.TRAIN)
"""The more a use flatters what is measured on a photo, the later it stands."""


def average_runs(runs: Sequence[TrainingRun], output: TrainingRun) -> None:
    """Write the average of finished runs as a finished run, calibrated and measured like one.

    Args:
        runs: Of the same network on photos of the same folder; each weighs the same. Their splits may differ: a photo
            that one of them was trained on counts as a training photo of the average. Its threshold is then chosen on
            each run's own answers to what it held out.
        output: A fresh directory.

    Raises:
        RunError: A run is unfinished or damaged, or the output holds one already.
        DataError: The runs are of different networks, labels or folders, or no photo of a class was held out from all.
        OutputError: The output cannot be written.
    """
    if output.arguments_path.exists():
        raise RunError(f"{output.path} holds a run already; name a fresh directory.")
    _check_alike(runs)
    spec, rows, arguments = runs[0].read_spec(), _join_splits(runs), runs[0].read_arguments()
    check_sides(rows, spec.heads[0].labels)
    average = _average([load_model(run.model_path) for run in runs])
    validation = [row for row in rows if row.split is Split.VALIDATION]
    negatives = find_negatives(Path(arguments["negatives"]) if arguments["negatives"] else None)
    encoding = Encoding(runs[0].read_image_folder(), spec.heads[0].labels, spec.input)
    finish = finish_model(average, output, validation, encoding, negatives.held_out, _find_more(runs, len(validation)))
    output.write_splits(rows)
    write_text(output.path / "environment.json", json.dumps(describe_environment(ONE_DEVICE), indent=2) + "\n")
    write_metrics(output, EpochRecord, ())
    # Not before all could be read: what failed may be put right and repeated.
    output.write_arguments({**arguments, "averaged": [str(run.path) for run in runs]})
    head = replace(spec.heads[0], threshold=finish.rejection.threshold)
    averaged = [run.read_spec().provenance for run in runs]
    provenance = {**spec.provenance, "validation": asdict(finish), "averaged": averaged}
    output.write_spec(replace(spec, heads=(head,), provenance=provenance))


def _check_alike(runs: Sequence[TrainingRun]) -> None:
    first = runs[0]
    spec = first.read_spec()
    if spec.task is not Task.CLASSIFICATION:
        raise DataError(f"{first.path} is a run of a detector; only classifiers are averaged.")
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


def _join_splits(runs: Sequence[TrainingRun]) -> tuple[SplitRow, ...]:
    """Return each photo of any run with what the average of all runs may be said to have used it for."""
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


def _find_more(runs: Sequence[TrainingRun], photos: int) -> Predictions | None:
    """Return each run's answers to what it held out, where that is more than the photos that all held out.

    These may be so few that one or two would decide on the threshold.
    """
    answered = pool_predictions([Predictions.read(run.path / "predictions.csv") for run in runs])
    return answered if len(answered.images) > photos else None


def _average(models: Sequence[keras.Model]) -> keras.Model:
    """Put the mean of all models' weights, batch statistics included, into the first one."""
    models[0].set_weights(
        [np.mean(same, axis=0) for same in zip(*(model.get_weights() for model in models), strict=True)]
    )
    return models[0]
