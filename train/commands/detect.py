"""`edge-train detect`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_runtime.extras import require_extra
from edge_runtime.training_run import TrainingRun
from train.commands.data_options import (
    box_images_option,
    classes_option,
    labels_option,
    refuse_absent,
    refuse_idle_share,
    seed_option,
    splits_option,
    validation_share_option,
)
from train.commands.run_options import architecture_option, max_minutes_option, run_option, weights_option
from train.commands.schedule_options import fitting_options
from train.commands.starting import start_keras

if TYPE_CHECKING:
    from train.detection.detect import DetectOptions

_COARSEST_BODY_STRIDE = 32


def _check_size(_context: click.Context, _parameter: click.Parameter, size: int) -> int:
    if size % _COARSEST_BODY_STRIDE:
        raise click.BadParameter(f"must be a multiple of {_COARSEST_BODY_STRIDE}")
    return size


@click.command(
    epilog="\b\nExample:\n"
    "  edge-train detect instances.json -o runs/found\n"
    "  edge-convert runs/found -o found.tflite\n"
    "  edge-run --model found.tflite --camera 0"
)
@click.argument("data", nargs=-1, required=True, type=click.Path(path_type=Path))
@run_option
@click.option(
    "--validation",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DATA",
    help="Data set to measure on; may be repeated.  [default: a share of DATA]",
)
@validation_share_option
@splits_option
@box_images_option
@classes_option
@labels_option
@architecture_option
@weights_option
@click.option(
    "--head",
    type=click.Choice(["ssd", "ssdlite"]),
    default="ssdlite",
    show_default=True,
    help="Plain or separable convolutions around the body.",
)
@click.option("--fpn/--no-fpn", default=True, show_default=True, help="Whether a feature pyramid joins the levels.")
@click.option(
    "--image-size",
    type=click.IntRange(64, 1024),
    default=320,
    show_default=True,
    callback=_check_size,
    help="Pixels, a multiple of 32.",
)
@click.option(
    "--loss",
    type=click.Choice(["varifocal", "focal", "mining"]),
    default="varifocal",
    show_default=True,
    help="Of the scores: varifocal makes them tell how well boxes fit, mining takes the hardest negatives.",
)
@click.option(
    "--fit-anchors",
    type=click.IntRange(0, 6),
    default=6,
    show_default=True,
    help="Shapes of anchors per cell fitted to the boxes; 0 takes the usual ones.",
)
@fitting_options(head_epochs=1, epochs=30, batch_size=8, head_learning_rate=1e-3, learning_rate=1e-3, ema=0.99)
@max_minutes_option
@seed_option
def detect(run: Path, **arguments: Any) -> None:
    """Fine-tune a detector on DATA, one or more data sets with the same classes.

    Each is a COCO file, or a folder in the layout of YOLO (images, labels, classes.txt) or of Pascal VOC
    (Annotations, JPEGImages). Photos without a box teach what is no object. A YOLO folder that lies divided, into
    train, valid and test, is learnt from and measured on as it lies.
    """
    require_extra("edge-train detect", "train", "keras", "pycocotools", "tqdm", "yaml")
    _refuse_idle_options(arguments)
    refuse_absent((*arguments["data"], *arguments["validation"]))
    start_keras()
    from train.detection.detect import train_detector
    from train.report import report_if_possible

    trained = TrainingRun(run)
    train_detector(_resolve(arguments), trained)
    report_if_possible(trained)


def _refuse_idle_options(arguments: dict[str, Any]) -> None:
    refuse_idle_share(arguments["data"], arguments["splits"], arguments["validation"])
    if arguments["splits"] is not None and arguments["validation"]:
        raise click.UsageError("--splits says which photos of DATA are held out; leave --validation away.")


def _resolve(arguments: dict[str, Any]) -> "DetectOptions":
    from train.detection.detect import DetectOptions
    from train.detection.network import Layout
    from train.fitting.schedule import Schedule

    layout = Layout(separable=arguments.pop("head") == "ssdlite", pyramid=arguments.pop("fpn"))
    schedule = Schedule(**{name: arguments.pop(name) for name in Schedule.__dataclass_fields__})
    return DetectOptions(layout=layout, schedule=schedule, **arguments)
