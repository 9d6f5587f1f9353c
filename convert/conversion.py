"""One run of `edge-convert`, from a run directory to a finished `.tflite` file."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from calibration_data import choose_from_folder, choose_photos
from convert.calibration import Calibration, calibrate_on_drawings, calibrate_on_photos
from convert.detection_evaluation import StagePrecision
from convert.evaluation import StageAccuracy
from convert.metadata_writer import add_metadata
from convert.network import find_images, finish_network, load_network
from convert.parity.measurement import FLOAT_STAGE, Subject, build_report
from convert.parity.report import Measurement
from convert.parity.writing import PAGE_NAME, check_bound, remove_report, write_manifest, write_report
from convert.qat.lessons import Lessons, read_lessons
from convert.recipe import Counterpart, Recipe, find_counterpart
from convert.recipes.advice import warn_of_loss
from convert.recipes.attempts import LADDER, Attempt, Bounds, Outcome, try_recipes
from convert.recipes.building import Material, build_equalized, build_network
from edge_runtime.errors import DataError
from edge_runtime.files import check_writable, write_bytes
from edge_runtime.metadata.reading import model_sha256
from edge_runtime.spec import ModelSpec
from edge_runtime.training_run import TrainingRun


@dataclass(frozen=True, slots=True)
class ConversionOptions:
    """The arguments of a conversion.

    Attributes:
        output: The `.tflite` file to write.
        recipe: How it is made.
        max_drop: Instead, the first of several recipes is taken that loses no more of the Keras model's score, in
            [0, 1], and holds `min_parity`; None takes `recipe`.
        images: Folder of the run's photos; None takes the one that the run was trained from.
        drawn: Calibrate on drawn garments instead of training photos, and measure nothing.
        calibration: Folder of photos to calibrate on; None takes the run's training photos.
        calibration_images: How many images to calibrate on.
        qat_epochs: How often quantisation-aware training shows each training photo.
        seed: Seed of the calibration sample.
        license: Terms of the model, written into the file.
        model_version: What this version of the model is called, written into the file.
        report: Folder of the parity report.
        min_parity: Least agreement with the Keras model in [0, 1] with which the file is written; None for any.
    """

    output: Path
    recipe: Recipe
    max_drop: float | None
    images: Path | None
    drawn: bool
    calibration: Path | None
    calibration_images: int
    qat_epochs: int
    seed: int
    license: str
    model_version: str
    report: Path
    min_parity: float | None


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a conversion came to.

    Attributes:
        size: Bytes of the `.tflite` file.
        sha256: Its hash.
        measurement: What each stage answered to the validation photos; None without photos.
        attempts: What each recipe tried came to, where the best was looked for.
    """

    size: int
    sha256: str
    measurement: Measurement | None
    attempts: tuple[Attempt, ...]


def convert_run(run: TrainingRun, options: ConversionOptions) -> Conversion:
    """Convert a run's best model by a recipe, measure it, and write it with its metadata and a parity report.

    Raises:
        RunError: The run directory is unfinished or damaged, or its files are of several runs.
        DataError: Photos are missing.
        ConversionError: The model cannot be converted, or not made full int8.
        DropError: Every recipe that was tried costs too much or agrees too little; nothing is written.
        ParityError: The file answers too little like the Keras model; only the report is written.
        OutputError: The file or the report cannot be written.
    """
    check_writable(options.output)
    spec = dataclasses.replace(run.read_spec(), license=options.license, version=options.model_version)
    images = None if options.drawn else find_images(run, spec, options.images)
    model = load_network(run, spec)
    calibration = _calibrate(run, spec, images, options)
    if calibration.images:
        spec = _with_provenance(spec, calibration=calibration.facts)
    material = Material(model, spec.task, calibration.images, lambda: _read_lessons(run, images, spec, options))

    def make(recipe: Recipe) -> bytes:
        return finish_network(run, build_network(recipe, material), spec)

    if images is None:
        return _write_unmeasured(make(options.recipe), spec, options)
    check_writable(options.report / PAGE_NAME)
    outcome = _choose(Subject(run, model, spec, images, {}), make, options)
    finished = add_metadata(outcome.content, _describe(spec, outcome, options))
    _report(outcome, finished, _find_counterpart(outcome, material), options)
    write_bytes(options.output, finished)
    write_manifest(calibration.manifest, options.report)
    attempts = outcome.attempts if options.max_drop is not None else ()
    return Conversion(len(finished), model_sha256(finished), outcome.measurement, attempts)


def _write_unmeasured(content: bytes, spec: ModelSpec, options: ConversionOptions) -> Conversion:
    finished = add_metadata(content, _with_provenance(spec, recipe=options.recipe.name))
    write_bytes(options.output, finished)
    remove_report(options.report)
    return Conversion(len(finished), model_sha256(finished), None, ())


def _choose(subject: Subject, make: Callable[[Recipe], bytes], options: ConversionOptions) -> Outcome:
    if options.max_drop is None:
        # Where its answers are too few of the Keras model's, the report is to show them.
        outcome = try_recipes(subject, make, (options.recipe,), Bounds(math.inf))
        warn_of_loss(outcome.recipe, outcome.measurement.change)
        return outcome
    return try_recipes(subject, make, LADDER, Bounds(options.max_drop, options.min_parity))


def _describe(spec: ModelSpec, outcome: Outcome, options: ConversionOptions) -> ModelSpec:
    measured = [_describe_stage(stage) for stage in outcome.measurement.stages]
    facts: dict[str, Any] = {"recipe": outcome.recipe.name, "measured": measured}
    if options.max_drop is not None:
        facts["attempts"] = [asdict(attempt) for attempt in outcome.attempts]
    return _with_provenance(spec, **facts)


def _describe_stage(stage: StageAccuracy | StagePrecision) -> dict[str, Any]:
    """Return what a stage came to, without its classes: a device's file must not grow with them."""
    return {name: value for name, value in asdict(stage).items() if name != "labels"}


def _find_counterpart(outcome: Outcome, material: Material) -> bytes | None:
    """Return the float file whose layers the outcome's has rounded; None where there is none."""
    match find_counterpart(outcome.recipe.name):
        case Counterpart.TRAINED:
            return outcome.subject.files[FLOAT_STAGE]
        case Counterpart.EQUALIZED:
            return finish_network(outcome.subject.run, build_equalized(material), outcome.subject.spec)
        case Counterpart.NONE:
            return None


def _report(outcome: Outcome, finished: bytes, counterpart: bytes | None, options: ConversionOptions) -> None:
    report = build_report(outcome.subject, outcome.measurement, finished, options.min_parity, counterpart)
    write_report(report, options.report, outcome.subject.images)
    check_bound(report, options.report, f"{options.output} was not written")


def _calibrate(run: TrainingRun, spec: ModelSpec, images: Path | None, options: ConversionOptions) -> Calibration:
    if options.max_drop is None and not options.recipe.needs_photos:
        return Calibration([], {})
    if images is None:
        return calibrate_on_drawings(spec, options.calibration_images)
    rows, count, seed = run.read_splits(), options.calibration_images, options.seed
    if options.calibration is None:
        return calibrate_on_photos(spec, choose_photos(rows, images, count, seed))
    return calibrate_on_photos(spec, choose_from_folder(options.calibration, rows, count, seed))


def _read_lessons(run: TrainingRun, images: Path | None, spec: ModelSpec, options: ConversionOptions) -> Lessons:
    if images is None:
        raise DataError(f"The recipe {options.recipe.name} trains on the run's photos; leave --drawn away.")
    return read_lessons(run.read_splits(), images, spec, options.qat_epochs)


def _with_provenance(spec: ModelSpec, **facts: Any) -> ModelSpec:
    return dataclasses.replace(spec, provenance={**spec.provenance, **facts})
