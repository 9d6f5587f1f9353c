"""The `edge-train` command."""

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_runtime.cli_errors import ErrorGroup
from edge_runtime.extras import require_extra
from edge_runtime.quiet import quiet_stderr
from edge_runtime.training_run import TrainingRun

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


@main.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--run",
    "run",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Run directory; a run that was killed goes on when the same command is repeated.",
)
@click.option(
    "--images",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder that a CSV file's paths start from.  [default: its own, or images/ beside it]",
)
@click.option("--image-column", default="image", show_default=True, help="CSV column with the photo's path.")
@click.option(
    "--label-column",
    default="label",
    show_default=True,
    help="CSV column with the class name; rows where it is empty are left out.",
)
@click.option("--group-column", help="CSV column with what a split must never divide, for example the sender.")
@click.option("--architecture", type=click.Choice(["mobilenet_v2"]), default="mobilenet_v2", show_default=True)
@click.option(
    "--weights",
    default="imagenet",
    show_default=True,
    metavar="imagenet|none|FILE",
    help="Weights to start from: fetched by Keras, fresh, or a file: .keras of a run, .h5, or folded .npz.",
)
@click.option("--image-size", type=click.IntRange(32, 1024), default=224, show_default=True, help="Pixels.")
@click.option("--head-epochs", type=click.IntRange(0), default=1, show_default=True, help="Epochs with a frozen body.")
@click.option("--epochs", type=click.IntRange(0), default=12, show_default=True, help="Epochs of the whole network.")
@click.option("--batch-size", type=click.IntRange(1), default=32, show_default=True)
@click.option("--head-learning-rate", type=click.FloatRange(0, min_open=True), default=1e-3, show_default=True)
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True), default=5e-4, show_default=True)
@click.option("--label-smoothing", type=click.FloatRange(0, 1, max_open=True), default=0.1, show_default=True)
@click.option("--dropout", type=click.FloatRange(0, 1, max_open=True), default=0.2, show_default=True)
@click.option(
    "--validation-share",
    type=click.FloatRange(0, 0.5, min_open=True),
    default=0.15,
    show_default=True,
    help="Share of photos held out, whole groups at a time.",
)
@click.option(
    "--mixed-share",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Share of batches whose photos are blended by mixup or cutmix.",
)
@click.option(
    "--drawn-share",
    type=click.FloatRange(0, 1),
    default=0.05,
    show_default=True,
    help="Drawn garments per photo mixed into each epoch.",
)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--distribute",
    type=click.Choice(["none", "local", "cluster"]),
    default="none",
    show_default=True,
    help="Devices to share each batch: one, all of this machine, or those of all processes that Slurm, Open MPI or "
    "KERAS_DISTRIBUTION_* variables tell of (docs/distributed.md).",
)
def classify(data: Path, run: Path, distribute: str, **arguments: Any) -> None:
    """Fine-tune a classifier on DATA: a folder with one sub-folder per class, or a CSV file."""
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
    from train.classify import ClassifyOptions
    from train.data import Columns
    from train.training import Schedule

    columns = Columns(*(arguments.pop(f"{name}_column") for name in ("image", "label", "group")))
    schedule = Schedule(**{name: arguments.pop(name) for name in Schedule.__dataclass_fields__})
    return ClassifyOptions(data=data, columns=columns, schedule=schedule, **arguments)
