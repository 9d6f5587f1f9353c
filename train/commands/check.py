"""`edge-train check`."""

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_runtime.completion import complete_model
from edge_runtime.errors import FindingsError
from edge_runtime.extras import require_extra
from edge_runtime.files import write_text
from edge_runtime.quiet import quiet_opencv
from train.commands.data_options import (
    COLUMN_OPTIONS,
    classes_option,
    data_options,
    image_size_option,
    refuse_options,
    splits_option,
    take_columns,
)
from train.commands.run_options import find_bundled
from train.commands.starting import start_keras

if TYPE_CHECKING:
    from train.check.findings import Report
    from train.data.boxes import BoxSet

log = logging.getLogger(__name__)
_OF_LABELS = ("model", *COLUMN_OPTIONS)
# As the trainings have it where nobody says otherwise.
_LABEL_SIZE, _BOX_SIZE = 224, 320


@click.command(
    epilog="\b\nExample:\n"
    "  edge-train check photos/ --model imagenet -o check/\n"
    "  edge-train check photos/ --splits splits.csv --json\n"
    "  edge-train check instances.json --splits splits.csv -o check/"
)
@data_options
@splits_option
@classes_option
@click.option(
    "--model",
    metavar="imagenet|MODEL|FILE|RUN",
    shell_complete=complete_model,
    callback=find_bundled,
    help="What judges the labels: ImageNet weights fetched by Keras, a bundled model (garment_classifier), a .tflite "
    "file of edge-convert, MobileNetV2 weights in another file, or a run over other photos (one over these photos has "
    "learnt their wrong labels too).",
)
@image_size_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for check.json and check.html, a page with the photos to look at.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def check(output: Path | None, as_json: bool, **arguments: Any) -> None:
    """Look DATA over before training: a folder with one sub-folder per class, a CSV file, or boxes.

    Boxes are a COCO file, or a folder in the layout of YOLO (images, labels, classes.txt) or of Pascal VOC
    (Annotations, JPEGImages).

    Ends with code 15 where something is found that spoils a training: photos that cannot be read, one photo under
    different labels, a leak across the split, a class that cannot be divided, a box outside its photo.
    """
    require_extra("edge-train check", "train", "keras", "PIL", "sklearn", "tqdm", "yaml")
    quiet_opencv()
    from train.check.page import render_page
    from train.check.summary import summarize

    report, examples = _look(arguments)
    text = json.dumps(report.to_dict(), indent=2)
    if output is not None:
        write_text(output / "check.json", text + "\n")
        write_text(output / "check.html", render_page(report, examples))
        log.info("wrote %s", output / "check.html")
    click.echo(text if as_json else summarize(report))
    _fail_on_errors(report)


def _look(arguments: dict[str, Any]) -> "tuple[Report, BoxSet | None]":
    """Check boxes or labels, whichever the data are; return boxes to show as well."""
    from train.data.detection_formats import holds_boxes

    boxed = holds_boxes(arguments["data"])
    arguments["image_size"] = arguments["image_size"] or (_BOX_SIZE if boxed else _LABEL_SIZE)
    if boxed:
        from train.check.box_survey import BoxCheckOptions, check_boxes

        refuse_options(arguments["data"], "photos with one label each", _OF_LABELS)
        return check_boxes(BoxCheckOptions(**{name: arguments[name] for name in BoxCheckOptions.__dataclass_fields__}))
    from train.check.survey import CheckOptions, check_photos

    refuse_options(arguments["data"], "a YOLO data set of boxes", ("classes",))
    del arguments["classes"]
    if arguments["model"] is not None:
        start_keras()
    return check_photos(CheckOptions(columns=take_columns(arguments), **arguments)), None


def _fail_on_errors(report: "Report") -> None:
    from train.check.findings import Severity

    errors = report.count(Severity.ERROR)
    if errors:
        raise FindingsError(f"Errors in {report.data} that would spoil a training: {errors}; correct what is listed.")
