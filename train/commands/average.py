"""`edge-train average`."""

import logging
from pathlib import Path

import click

from edge_runtime.extras import require_extra
from edge_runtime.spec import Task
from edge_runtime.training_run import TrainingRun
from train.commands.starting import start_keras

log = logging.getLogger(__name__)


@click.command(epilog="\b\nExample:\n  edge-train average runs/seed0 runs/seed1 runs/seed2 -o runs/average")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN RUN...")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True, help="Run directory to write."
)
def average(runs: tuple[Path, ...], output: Path) -> None:
    """Average the weights of finished runs that differ in their seed or schedule only: a "model soup".

    The average often answers better than each of them, at the cost of one. Train them with the same --weights and on
    the same data. Where their --splits differ, it is measured on the photos that none of them was trained on. Detectors
    also need the same anchors, which the same training boxes bring.
    """
    if len(runs) < 2:
        raise click.UsageError("Name at least two run directories to average.")
    if len({run.resolve() for run in runs}) < len(runs):
        raise click.UsageError("A run is named twice, and would count twice; name each once.")
    require_extra("edge-train average", "train", "keras")
    start_keras()
    from train.classification.soup import average_classifiers
    from train.detection.soup import average_detectors
    from train.report import report_if_possible

    each, averaged = [TrainingRun(run) for run in runs], TrainingRun(output)
    average = average_classifiers if each[0].read_spec().task is Task.CLASSIFICATION else average_detectors
    average(each, averaged)
    report_if_possible(averaged)
    log.info("wrote %s", output)
