"""`edge-train evaluate`."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_runtime.completion import complete_model
from edge_runtime.errors import DataError, ModelError
from edge_runtime.extras import require_extra
from edge_runtime.files import check_writable
from edge_runtime.quiet import quiet_opencv, quiet_stderr
from edge_runtime.training_run import Split
from train.commands.data_options import (
    COLUMN_OPTIONS,
    against_rename_option,
    classes_option,
    label_options,
    refuse_options,
    rename_option,
    splits_option,
    take_columns,
)
from train.commands.run_options import find_bundled

if TYPE_CHECKING:
    from edge_runtime.recognizer import Recognizer
    from train.data.boxes import BoxedPhoto
    from train.data.photos import Photo
    from train.report.classifier_gain import ClassifierWorth
    from train.report.detector_gain import DetectorWorth


@click.command(
    epilog="\b\nExample:\n"
    "  edge-train evaluate shop.tflite photos/ --rename Trousers=pants --rename Other=\n"
    "  edge-train evaluate new.tflite photos/ --splits splits.csv --split test --against old.tflite\n"
    "  edge-train evaluate new.tflite photos/ --against garment_classifier --against-rename Trousers=pants\n"
    "  edge-train evaluate garment_detector instances.json --json"
)
@click.argument("model", callback=find_bundled, shell_complete=complete_model)
@label_options
@classes_option
@rename_option
@splits_option
@click.option(
    "--split",
    type=click.Choice([split.value for split in Split]),
    help="Which photos to ask, as --splits or the folders of data that lie divided say.  [default: all]",
)
@click.option(
    "--against",
    metavar="OLD",
    callback=find_bundled,
    shell_complete=complete_model,
    help="Another .tflite file or bundled model of the same kind: is MODEL better than it on the same photos?",
)
@against_rename_option
@click.option(
    "--negatives",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of pictures that show no known garment: how many does a classifier reject?",
)
@click.option(
    "--answers",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV file to write a classifier's answer to each photo to.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def evaluate(model: str, against: str | None, as_json: bool, **arguments: Any) -> None:
    """Measure how good MODEL is on DATA, labelled photos of yours.

    MODEL is a .tflite file or the name of a bundled one (garment_classifier, garment_detector). Of a classifier, DATA
    is a folder with one sub-folder per class, or a CSV file; of a detector a COCO file, or a folder in the layout of
    YOLO or of Pascal VOC. Its photos are asked through the code that answers on a device.
    """
    _refuse_idle_options(against, arguments)
    require_extra("edge-train evaluate", "train", "PIL", "pycocotools", "sklearn", "tqdm", "yaml")
    quiet_opencv()
    _check_answers(arguments["answers"], (model, against, arguments["data"], arguments["splits"]))
    recognizers = _load(model, against)
    arguments["split"] = arguments["split"] and Split(arguments["split"])
    if recognizers[0].spec.detection is None:
        _evaluate_classifiers(recognizers, as_json, **arguments)
    else:
        refuse_options(Path(model), "a classifier", ("negatives", "answers"))
        _evaluate_detectors(recognizers, as_json, **arguments)


def _refuse_idle_options(against: str | None, arguments: Mapping[str, Any]) -> None:
    if arguments["splits"] is not None and arguments["split"] is None:
        raise click.UsageError("--splits says what photos serve for; name with --split which of them to ask.")
    if arguments["against_renames"] and against is None:
        raise click.UsageError("--against-rename says what OLD calls a class; name OLD with --against.")


def _evaluate_classifiers(
    recognizers: "Sequence[Recognizer]", as_json: bool, answers: Path | None, **arguments: Any
) -> None:
    from train.report.answers_file import write_answers
    from train.report.file_text import describe_classifier

    worth = _measure_classifiers(recognizers, **arguments)
    record = _record(recognizers, arguments["data"], arguments["split"], worth)
    _print(record, as_json, describe_classifier(worth))
    if answers is not None:
        # Last, so that a disk that fills keeps no figure from anybody.
        write_answers(answers, worth.predictions)


def _evaluate_detectors(recognizers: "Sequence[Recognizer]", as_json: bool, **arguments: Any) -> None:
    from train.report.file_text import describe_detector

    worth = _measure_detectors(recognizers, **arguments)
    record = _record(recognizers, arguments["data"], arguments["split"], worth)
    _print(record, as_json, describe_detector(worth))


def _print(record: Mapping[str, Any], as_json: bool, text: str) -> None:
    click.echo(json.dumps(record, indent=2) if as_json else f"{_head(record)}\n\n{text}")


def _check_answers(answers: Path | None, inputs: Iterable[str | Path | None]) -> None:
    """Refuse to replace what is read, and what cannot be written, before anything is asked."""
    if answers is None:
        return
    read = (Path(each) for each in inputs if each is not None)
    if answers.exists() and any(each.exists() and answers.samefile(each) for each in read):
        raise click.UsageError(f"--answers would replace {answers}, which is read; name another file.")
    check_writable(answers)


def _load(model: str, against: str | None) -> list["Recognizer"]:
    from edge_runtime.recognizer import Recognizer

    with quiet_stderr():
        recognizers = [Recognizer.load(path) for path in (model, against) if path is not None]
    tasks = [recognizer.spec.task for recognizer in recognizers]
    if len(set(tasks)) > 1:
        raise ModelError(
            f"{model} is for {tasks[0]} and {against} for {tasks[1]}, so neither can be better than the other; name "
            "two models of one kind."
        )
    return recognizers


def _record(
    recognizers: "Sequence[Recognizer]", data: Path, side: Split | None, worth: "ClassifierWorth | DetectorWorth"
) -> dict[str, Any]:
    """Return what is printed as JSON."""
    own, *others = (
        {"model": recognizer.spec.name, "model_sha256": recognizer.model_sha256} for recognizer in recognizers
    )
    against = others[0] | asdict(worth.against) if worth.against else None
    return own | {"data": str(data), "split": side} | asdict(worth.scores) | {"against": against}


def _head(record: Mapping[str, Any]) -> str:
    photos = f"the {record['split']} photos of {record['data']}" if record["split"] else record["data"]
    own = f"{record['model']} (sha256 {record['model_sha256']}) on {photos}"
    against = record["against"]
    return f"{own}\nOLD: {against['model']} (sha256 {against['model_sha256']})" if against else own


def _name_labels(recognizers: "Sequence[Recognizer]", renames: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Return what MODEL calls its own labels, and those of OLD."""
    from train.data.renames import rename_labels

    own, *others = (recognizer.spec.labels for recognizer in recognizers)
    return [own, *(rename_labels(labels, renames, own) for labels in others)]


def _measure_classifiers(
    recognizers: "Sequence[Recognizer]",
    data: Path,
    images: Path | None,
    renames: Mapping[str, str],
    against_renames: Mapping[str, str],
    negatives: Path | None,
    **arguments: Any,
) -> "ClassifierWorth":
    from train.classification.negatives import find_negatives
    from train.data.photos import read_photos
    from train.data.renames import match_classes, refuse_strangers
    from train.report.asked_photos import choose_photos, rename_photos
    from train.report.classifier_gain import measure_classifiers

    labels = _name_labels(recognizers, against_renames)
    photo_set = read_photos(data, take_columns(arguments), images, fewest_classes=1)
    refuse_options(data, "a YOLO data set of boxes", ("classes",))
    matched = match_classes(data, photo_set.labels, renames, recognizers[0].spec.labels)
    _refuse_idle_split(photo_set.photos, data, **arguments)
    chosen = choose_photos(data, photo_set, arguments["splits"], arguments["split"])
    renamed = rename_photos(data, chosen, matched)
    refuse_strangers(data, renamed.labels, labels[-1])
    halves = find_negatives(negatives)
    pictures = (*halves.training, *halves.held_out)
    return measure_classifiers(recognizers, labels, renamed, pictures)


def _measure_detectors(
    recognizers: "Sequence[Recognizer]",
    data: Path,
    images: Path | None,
    classes: Path | None,
    renames: Mapping[str, str],
    against_renames: Mapping[str, str],
    **arguments: Any,
) -> "DetectorWorth":
    from train.data.detection_formats import read_boxes
    from train.data.photos import check_readable
    from train.data.renames import match_classes, refuse_strangers
    from train.report.asked_photos import choose_boxed_photos
    from train.report.detector_gain import measure_detectors

    labels = _name_labels(recognizers, against_renames)
    box_set = read_boxes(data, images, classes)
    refuse_options(data, "photos with one label each", COLUMN_OPTIONS)
    there = (box.label for photo in box_set.photos for box in photo.boxes)
    matched = match_classes(data, there, renames, recognizers[0].spec.labels)
    if not any(matched.values()):
        raise DataError(f"{data} has no box left to measure on; leave out fewer classes with --rename.")
    _refuse_idle_split(box_set.photos, data, **arguments)
    chosen = choose_boxed_photos(data, box_set, arguments["splits"], arguments["split"])
    shown = {matched[box.label] for photo in chosen.photos for box in photo.boxes} - {""}
    refuse_strangers(data, shown, labels[-1])
    check_readable([chosen.images / photo.image for photo in chosen.photos])
    return measure_detectors(recognizers, labels, chosen, matched)


def _refuse_idle_split(
    photos: "Sequence[Photo | BoxedPhoto]", data: Path, splits: Path | None, split: Split | None, **_others: Any
) -> None:
    from train.data.sides import lie_divided

    if split is not None and splits is None and not lie_divided(photo.side for photo in photos):
        raise click.UsageError(
            f"Nothing says which photos of {data} are the {split} ones: name a split file with --splits, or leave "
            "--split away."
        )
