"""The `edge-train` command."""

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_runtime.cli_errors import ErrorGroup
from edge_runtime.extras import require_extra
from edge_runtime.options.numbers import FiniteRange
from edge_runtime.quiet import quiet_stderr
from edge_runtime.training_run import TrainingRun
from train.catalogue import read_catalogue
from train.check.cli import check
from train.compositing.command import compose
from train.crops_command import crops
from train.data_options import data_options, seed_option, take_columns, validation_share_option
from train.detection.command import detect
from train.report.cli import compare, report
from train.run_options import architecture_option, max_minutes_option, run_option, weights_option
from train.schedule_options import classifier_options, fitting_options
from train.soup_command import average
from train.split_command import refuse_share_with_splits, split, splits_option

if TYPE_CHECKING:
    from train.classify import ClassifyOptions


@click.group(
    cls=ErrorGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExample:\n"
    "  edge-train classify photos/ -o runs/shop\n"
    "  edge-convert runs/shop -o shop.tflite\n"
    "  edge-run --model shop.tflite --camera 0",
)
@click.version_option(package_name="edge-garment")
def main() -> None:
    """Train models that recognise garments."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")


@main.command(name="list")
def list_architectures() -> None:
    """List the networks that can be trained, with what each costs.

    Times are those of the int8 model, in times of mobilenet_v2 on one thread, measured in one run.
    """
    click.echo(f"{'name':<32}{'input':>6}{'M param':>9}{'M MAC':>7}{'int8 MB':>9}{'time':>7}  as int8")
    for row in read_catalogue():
        click.echo(
            f"{row.name:<32}{row.size:>6}{row.parameters / 1e6:>9.2f}{row.macs / 1e6:>7.0f}{row.int8_bytes / 1e6:>9.2f}"
            f"{row.relative_ms:>7.2f}  {row.int8}"
        )


@main.command()
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
    """Fine-tune a classifier on DATA: a folder with one sub-folder per class, or a CSV file."""
    refuse_share_with_splits(arguments)
    require_extra("edge-train", "train", "keras", "sklearn", "tqdm")
    if distribute != "none":
        require_extra("edge-train --distribute", "distributed", "jax")
        os.environ.setdefault("KERAS_BACKEND", "jax")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Keras takes seconds to import, so only a command that trains pays for it; its backends greet with notices.
    with quiet_stderr():
        from train.classify import train_classifier
        from train.distribution import distributed
        from train.environment import start_backend

    with distributed(distribute) as distribution:
        with quiet_stderr():
            start_backend()
        train_classifier(_resolve(data, arguments), TrainingRun(run), distribution)


def _resolve(data: Path, arguments: dict[str, Any]) -> "ClassifyOptions":
    from train.architectures import ARCHITECTURES
    from train.classify import ClassifyOptions
    from train.schedule import ClassifierSchedule

    columns = take_columns(arguments)
    arguments["image_size"] = arguments["image_size"] or ARCHITECTURES[arguments["architecture"]].size
    if not arguments["teachers"]:
        arguments["distillation"] = 0.0
    schedule = ClassifierSchedule(**{name: arguments.pop(name) for name in ClassifierSchedule.__dataclass_fields__})
    return ClassifyOptions(data=data, columns=columns, schedule=schedule, **arguments)


main.add_command(average)
main.add_command(check)
main.add_command(compose)
main.add_command(crops)
main.add_command(detect)
main.add_command(split)
main.add_command(report)
main.add_command(compare)
