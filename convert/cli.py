"""The `edge-convert` command."""

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_runtime.cli_errors import ErrorCommand
from edge_runtime.extras import require_extra
from edge_runtime.quiet import quiet_stderr
from edge_runtime.training_run import TrainingRun

if TYPE_CHECKING:
    from convert.conversion import Conversion


@click.command(
    cls=ErrorCommand,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExample:\n  edge-convert runs/shop -o shop.tflite",
)
@click.version_option(package_name="edge-garment")
@click.argument("run", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The .tflite file to write."
)
@click.option(
    "--images", type=click.Path(path_type=Path, file_okay=False), help="Folder of the run's photos, if they have moved."
)
@click.option("--drawn", is_flag=True, help="Calibrate on drawn garments, without photos; nothing is measured then.")
@click.option(
    "--calibration-images",
    type=click.IntRange(1),
    default=200,
    show_default=True,
    help="How many training photos, equal shares of each class, int8 ranges are measured on.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Which of the possible calibration samples.")
@click.option("--license", default="", help="Terms of the model, written into the file.")
def main(run: Path, **arguments: Any) -> None:
    """Quantise the model of RUN, a directory made by edge-train, to a full-int8 .tflite file.

    Prints what it measured on the run's validation photos: accuracy with its 95 % interval at each stage, agreement
    with the Keras model, and size.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("tensorflow").setLevel(logging.WARNING)
    require_extra("edge-convert", "train", "tensorflow", "keras", "scipy", "tqdm", "flatbuffers")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # TensorFlow takes seconds to import, so only a real conversion pays for it; it greets with a page of notices.
    with quiet_stderr():
        from convert.conversion import ConversionOptions, convert_run

    options = ConversionOptions(**arguments)
    _print(convert_run(TrainingRun(run), options), options.output)


def _print(conversion: "Conversion", output: Path) -> None:
    if conversion.stages:
        click.echo(f"{'stage':<16}{'top-1':>8}  {'95 % interval':<16}{'macro':>8}{'agreement':>11}{'drift':>9}")
    for stage in conversion.stages:
        interval = f"{100 * stage.low:.1f} - {100 * stage.high:.1f} %"
        click.echo(
            f"{stage.stage:<16}{100 * stage.top1:>6.1f} %  {interval:<16}{100 * stage.macro:>6.1f} %"
            f"{100 * stage.agreement:>9.1f} %{stage.drift:>9.4f}"
        )
    measured = f"measured on {conversion.photos} validation photos" if conversion.stages else "not measured"
    click.echo(f"{output}: {conversion.size / 1e6:.2f} MB, sha256 {conversion.sha256[:12]}, {measured}")
