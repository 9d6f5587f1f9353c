"""Averaging the weights of several runs of classifiers."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from edge_runtime.training_run import Split, TrainingRun
from train.classification.encoding import Encoding
from train.classification.epoch import EpochRecord
from train.classification.finishing import finish_model
from train.classification.negatives import find_negatives
from train.data.splits import check_sides
from train.evaluation.predictions import Predictions, pool_predictions
from train.fitting.soup import average_weights, check_runs, join_splits, write_origin


def average_classifiers(runs: Sequence[TrainingRun], output: TrainingRun) -> None:
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
    check_runs(runs, output)
    spec, rows, arguments = runs[0].read_spec(), join_splits(runs), runs[0].read_arguments()
    check_sides(rows, spec.heads[0].labels)
    validation = [row for row in rows if row.split is Split.VALIDATION]
    negatives = find_negatives(Path(arguments["negatives"]) if arguments["negatives"] else None)
    encoding = Encoding(runs[0].read_image_folder(), spec.heads[0].labels, spec.input)
    average, more = average_weights(runs), _find_more(runs, len(validation))
    finish = finish_model(average, output, validation, encoding, negatives.held_out, more)
    # Not before all could be read: what failed may be put right and repeated.
    write_origin(output, runs, rows, EpochRecord)
    head = replace(spec.heads[0], threshold=finish.rejection.threshold)
    averaged = [run.read_spec().provenance for run in runs]
    provenance = {**spec.provenance, "validation": asdict(finish), "averaged": averaged}
    output.write_spec(replace(spec, heads=(head,), provenance=provenance))


def _find_more(runs: Sequence[TrainingRun], photos: int) -> Predictions | None:
    """Return each run's answers to what it held out, where that is more than the photos that all held out.

    These may be so few that one or two would decide on the threshold.
    """
    answered = pool_predictions([Predictions.read(run.path / "predictions.csv") for run in runs])
    return answered if len(answered.images) > photos else None
