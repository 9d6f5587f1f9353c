"""The command `edge-convert parity`."""

import logging
import os
from pathlib import Path

import click

from convert.run_options import images_option, run_argument
from edge_runtime.extras import require_extra
from edge_runtime.options.numbers import FiniteRange
from edge_runtime.quiet import quiet_stderr
from edge_runtime.training_run import Split, TrainingRun

NEEDS = ("tensorflow", "keras", "matplotlib", "tqdm", "flatbuffers", "pycocotools")


def prepare(command: str) -> None:
    """Check that what measuring needs is installed, and set up logs before TensorFlow is imported.

    Raises:
        ExtraMissingError: Something is missing.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("tensorflow").setLevel(logging.WARNING)
    require_extra(command, "train", *NEEDS)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


@click.command(epilog="\b\nExample:\n  edge-convert parity runs/shop shop.tflite --min-parity 0.98")
@run_argument
@click.argument("model", type=click.Path(path_type=Path, dir_okay=False))
@images_option
@click.option(
    "--report",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for parity.json and parity.html.  [default: MODEL with the suffix .parity]",
)
@click.option(
    "--min-parity",
    type=FiniteRange(0, 1),
    help="Fail where fewer of its answers than this share are the Keras model's: of photos for a classifier, of boxes "
    "for a detector.",
)
@click.option(
    "--split",
    type=click.Choice([split.value for split in Split]),
    default=Split.VALIDATION.value,
    show_default=True,
    help="Which photos of the run to ask.",
)
def parity(
    run: Path, model: Path, images: Path | None, report: Path | None, min_parity: float | None, split: str
) -> None:
    """Does MODEL, a .tflite file made of RUN, answer like the Keras model of RUN?

    Asks both the same photos and writes the same report as a conversion does.
    """
    prepare("edge-convert parity")
    # TensorFlow takes seconds to import, and greets with a page of notices.
    with quiet_stderr():
        from convert.parity.checking import check_model
    from convert.stage_tables import format_stages

    folder = report or model.with_suffix(".parity")
    found = check_model(TrainingRun(run), model, images, folder, min_parity, Split(split))
    for line in format_stages(found.measurement.stages):
        click.echo(line)
    click.echo(f"{model}: sha256 {found.sha256[:12]}, measured on {found.measurement.photos} {found.split} photos")


def _parse_counts(_context: click.Context, _option: click.Parameter, value: str) -> tuple[int, ...]:
    counts = value.split(",")
    if not all(count.strip().isdecimal() and int(count) for count in counts):
        raise click.BadParameter(f"{value!r} is not a list of whole numbers from 1, such as 5,50,200.")
    return tuple(sorted(set(map(int, counts))))


@click.command(epilog="\b\nExample:\n  edge-convert calibration runs/shop -o calibration/")
@run_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for calibration.csv and calibration.svg.",
)
@images_option
@click.option(
    "--counts",
    callback=_parse_counts,
    metavar="N,N...",
    default="1,5,20,50,100,200",
    show_default=True,
    help="How many images to calibrate on.",
)
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True, help="Choices of photos for each count.")
def calibration(run: Path, output: Path, images: Path | None, counts: tuple[int, ...], seeds: int) -> None:
    """How does the int8 model of RUN depend on the photos that it is calibrated on?

    Converts it once for every count and choice: training photos, photos of one class alone, and drawn garments. Takes
    as long as that many conversions.
    """
    prepare("edge-convert calibration")
    with quiet_stderr():
        from convert.parity.calibration_writing import write_calibration

    for line in write_calibration(TrainingRun(run), images, output, counts, seeds):
        click.echo(line)
