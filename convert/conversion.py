"""One run of `edge-convert`, from a run directory to a finished `.tflite` file."""

import dataclasses
import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from calibration_data import CalibrationSample, choose_photos, draw_calibration_images
from convert.evaluation import iterate_frames
from convert.export import load_keras_model, to_float_tflite, to_int8_tflite
from convert.metadata_writer import add_metadata
from convert.network import find_images, finish_network
from convert.parity.measurement import FLOAT_STAGE, INT8_STAGE, Subject, build_report, measure_stages
from convert.parity.report import Measurement
from convert.parity.writing import PAGE_NAME, check_bound, write_report
from edge_runtime.files import check_writable, write_bytes, write_text
from edge_runtime.preprocess import Image, Preprocessor, normalize
from edge_runtime.spec import InputSpec, ModelSpec
from edge_runtime.training_run import TrainingRun

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ConversionOptions:
    """The arguments of a conversion.

    Attributes:
        output: The `.tflite` file to write.
        images: Folder of the run's photos; None takes the one that the run was trained from.
        drawn: Calibrate on drawn garments instead of training photos, and measure nothing.
        calibration_images: How many images to calibrate on.
        seed: Seed of the calibration sample.
        license: Terms of the model, written into the file.
        report: Folder of the parity report.
        min_parity: Least agreement with the Keras model in [0, 1] with which the file is written; None for any.
    """

    output: Path
    images: Path | None
    drawn: bool
    calibration_images: int
    seed: int
    license: str
    report: Path
    min_parity: float | None


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a conversion came to.

    Attributes:
        size: Bytes of the `.tflite` file.
        sha256: Its hash.
        measurement: What each stage answered to the validation photos; None without photos.
    """

    size: int
    sha256: str
    measurement: Measurement | None


def convert_run(run: TrainingRun, options: ConversionOptions) -> Conversion:
    """Quantise a run's best model to full int8, measure it, and write it with its metadata and a parity report.

    Raises:
        RunError: The run directory is unfinished or damaged.
        DataError: Photos are missing.
        ConversionError: The model cannot be made full int8.
        ParityError: The file answers too little like the Keras model; only the report is written.
        OutputError: The file or the report cannot be written.
    """
    check_writable(options.output)
    spec = dataclasses.replace(run.read_spec(), license=options.license)
    model = load_keras_model(run.model_path)
    images = None if options.drawn else find_images(run, options.images)
    sample = None if images is None else choose_photos(run.read_splits(), options.calibration_images, options.seed)
    if sample is None:
        log.info("calibrating on %d DRAWN garments, not photos", options.calibration_images)
    else:
        log.info("calibrating on %d training photos", len(sample.photos))
    network = to_int8_tflite(model, _calibration_images(sample, images, spec.input, options), spec.task)
    spec = _with_provenance(spec, calibration=_describe_calibration(run, sample, options))
    content = finish_network(run, network, spec)
    measurement = None
    if images is None:
        finished = add_metadata(content, spec)
    else:
        check_writable(options.report / PAGE_NAME)
        subject = Subject(run, model, spec, images, _stage_files(run, model, spec, content))
        measurement = measure_stages(subject)
        spec = _with_provenance(spec, measured=[asdict(stage) for stage in measurement.stages])
        finished = add_metadata(content, spec)
        _report(subject, measurement, finished, options)
    write_bytes(options.output, finished)
    return Conversion(len(finished), hashlib.sha256(finished).hexdigest(), measurement)


def _report(subject: Subject, measurement: Measurement, finished: bytes, options: ConversionOptions) -> None:
    report = build_report(subject, measurement, finished, options.min_parity)
    write_report(report, options.report, subject.images)
    check_bound(report, options.report, f"{options.output} was not written")


def _calibration_images(
    sample: CalibrationSample | None, images: Path | None, spec: InputSpec, options: ConversionOptions
) -> list[NDArray[np.float32]]:
    frames: Iterator[Image]
    if sample is None or images is None:
        frames = draw_calibration_images(options.calibration_images)
    else:
        frames = iterate_frames(sample.photos, images, "calibrating")
    preprocess = Preprocessor(spec)
    return [normalize(preprocess(frame), spec) for frame in frames]


def _describe_calibration(
    run: TrainingRun, sample: CalibrationSample | None, options: ConversionOptions
) -> dict[str, Any]:
    if sample is None:
        return {"source": "drawn", "images": options.calibration_images}
    manifest = json.dumps(sample.to_manifest(), indent=1) + "\n"
    write_text(run.path / "calibration.json", manifest)
    return {
        "source": "photos",
        "images": len(sample.photos),
        "manifest_sha256": hashlib.sha256(manifest.encode()).hexdigest(),
    }


def _with_provenance(spec: ModelSpec, **facts: Any) -> ModelSpec:
    return dataclasses.replace(spec, provenance={**spec.provenance, **facts})


def _stage_files(run: TrainingRun, model: keras.Model, spec: ModelSpec, int8: bytes) -> dict[str, bytes]:
    return {
        FLOAT_STAGE: add_metadata(finish_network(run, to_float_tflite(model), spec), spec),
        INT8_STAGE: add_metadata(int8, spec),
    }
