"""`edge-train classify`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_runtime.extras import require_extra
from edge_runtime.options.numbers import FiniteRange
from edge_runtime.quiet import quiet_stderr
from edge_runtime.training_run import TrainingRun
from train.commands.data_options import (
    data_options,
    refuse_absent,
    refuse_idle_share,
    seed_option,
    splits_option,
    take_columns,
    validation_share_option,
)
from train.commands.run_options import architecture_option, max_minutes_option, run_option, weights_option
from train.commands.schedule_options import classifier_options, fitting_options

if TYPE_CHECKING:
    from train.classification.classify import ClassifyOptions


@click.command()
@data_options
@run_option
@architecture_option
@weights_option
@click.option("--image-size", type=click.IntRange(32, 1024), help="Pixels.  [default: the network's own]")
@click.option("--dropout", type=FiniteRange(0, 1, max_open=True), default=0.2, show_default=True)
@validation_share_option
@splits_option
@fitting_options(head_epochs=1, epochs=12, batch_size=32, head_learning_rate=1e-3, learning_rate=5e-4, ema=0.0)
@classifier_options
@max_minutes_option
@click.option(
    "--negatives",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of pictures that show no known garment: half are learnt from, half choose the rejection threshold.",
)
@click.option("--mixed-precision", is_flag=True, help="Compute in bfloat16, faster on recent GPUs.")
@click.option(
    "--distribute",
    type=click.Choice(["none", "local", "cluster"]),
    default="none",
    show_default=True,
    help="Devices to share each batch: one, all of this machine, or those of all processes that Slurm, Open MPI or "
    "KERAS_DISTRIBUTION_* variables tell of (docs/distributed.md).",
)
@seed_option
def classify(data: Path, run: Path, distribute: str, **arguments: Any) -> None:
    """Fine-tune a classifier on DATA: a folder with one sub-folder per class, or a CSV file.

    A folder may lie divided, with the folders of the classes in each of train, valid and test.
    """
    require_extra("edge-train", "train", "keras", "sklearn", "tqdm", "yaml")
    refuse_idle_share([data], arguments["splits"])
    refuse_absent([data])
    if distribute != "none":
        require_extra("edge-train --distribute", "distributed", "jax")
        os.environ.setdefault("KERAS_BACKEND", "jax")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Keras takes seconds to import, so only a command that trains pays for it; its backends greet with notices.
    with quiet_stderr():
        from train.classification.classify import train_classifier
        from train.fitting.distribution import distributed
        from train.fitting.environment import start_backend
        from train.report import report_if_possible

    with distributed(distribute) as distribution:
        with quiet_stderr():
            start_backend()
        trained = TrainingRun(run)
        train_classifier(_resolve(data, arguments), trained, distribution)
        distribution.on_chief(lambda: report_if_possible(trained))


def _resolve(data: Path, arguments: dict[str, Any]) -> "ClassifyOptions":
    from train.classification.classify import ClassifyOptions
    from train.classification.schedule import ClassifierSchedule
    from train.networks.architectures import ARCHITECTURES

    columns = take_columns(arguments)
    arguments["image_size"] = arguments["image_size"] or ARCHITECTURES[arguments["architecture"]].size
    if not arguments["teachers"]:
        arguments["distillation"] = 0.0
    schedule = ClassifierSchedule(**{name: arguments.pop(name) for name in ClassifierSchedule.__dataclass_fields__})
    return ClassifyOptions(data=data, columns=columns, schedule=schedule, **arguments)
