"""One run of `edge-convert`, from a run directory to a finished `.tflite` file."""

import dataclasses
import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from calibration_data import CalibrationSample, choose_photos, draw_calibration_images
from convert.detection_evaluation import KerasDetector, StagePrecision, measure_detector
from convert.detection_tail import append_postprocess
from convert.evaluation import StageAccuracy, compare_stages, iterate_frames, score_keras, score_tflite
from convert.export import load_keras_model, to_float_tflite, to_int8_tflite
from convert.metadata_writer import add_metadata
from edge_runtime.errors import DataError
from edge_runtime.files import check_writable, write_bytes, write_text
from edge_runtime.preprocess import Image, Preprocessor, normalize
from edge_runtime.spec import InputSpec, ModelSpec
from edge_runtime.training_run import Split, SplitRow, TrainingRun

Stages = tuple[StageAccuracy, ...] | tuple[StagePrecision, ...]

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
    """

    output: Path
    images: Path | None
    drawn: bool
    calibration_images: int
    seed: int
    license: str


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a conversion came to.

    Attributes:
        size: Bytes of the `.tflite` file.
        sha256: Its hash.
        stages: Accuracy or precision at each stage on the validation split; empty without photos.
        photos: Validation photos measured.
    """

    size: int
    sha256: str
    stages: Stages
    photos: int


def convert_run(run: TrainingRun, options: ConversionOptions) -> Conversion:
    """Quantise a run's best model to full int8, measure it, and write it with its metadata.

    Raises:
        RunError: The run directory is unfinished or damaged.
        DataError: Photos are missing.
        ConversionError: The model cannot be made full int8.
        OutputError: The file cannot be written.
    """
    check_writable(options.output)
    spec = dataclasses.replace(run.read_spec(), license=options.license)
    model = load_keras_model(run.model_path)
    images = _image_folder(run, options)
    sample = None if images is None else choose_photos(run.read_splits(), options.calibration_images, options.seed)
    if sample is None:
        log.info("calibrating on %d DRAWN garments, not photos", options.calibration_images)
    else:
        log.info("calibrating on %d training photos", len(sample.photos))
    network = to_int8_tflite(model, _calibration_images(sample, images, spec.input, options), spec.task)
    spec = _with_provenance(spec, calibration=_describe_calibration(run, sample, options))
    content = _finish(run, network, spec)
    stages: Stages = ()
    photos: tuple[SplitRow, ...] = ()
    if images is not None:
        photos = run.read_splits(Split.VALIDATION)
        stages = _measure(run, model, spec, content, photos, images)
        spec = _with_provenance(spec, measured=[asdict(stage) for stage in stages])
    finished = add_metadata(content, spec)
    write_bytes(options.output, finished)
    return Conversion(len(finished), hashlib.sha256(finished).hexdigest(), stages, len(photos))


def _image_folder(run: TrainingRun, options: ConversionOptions) -> Path | None:
    if options.drawn:
        return None
    images = options.images or Path(run.read_arguments()["images"])
    rows = run.read_splits()
    missing = [row.image for row in rows if not (images / row.image).is_file()]
    if missing:
        raise DataError(
            f"{len(missing)} of the run's {len(rows)} photos are not under {images}; "
            "name their folder with --images, or calibrate on drawn garments with --drawn."
        )
    return images


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


def _finish(run: TrainingRun, network: bytes, spec: ModelSpec) -> bytes:
    """Return a classifier as it is, and a detector's network with what makes boxes of its outputs."""
    return network if spec.detection is None else append_postprocess(network, run.read_anchors(), spec.detection)


def _measure(
    run: TrainingRun, model: keras.Model, spec: ModelSpec, int8: bytes, photos: Sequence[SplitRow], images: Path
) -> Stages:
    files = {
        "tflite float32": add_metadata(_finish(run, to_float_tflite(model), spec), spec),
        "tflite int8": add_metadata(int8, spec),
    }
    if spec.detection is not None:
        detector = KerasDetector(model, spec.input, spec.detection, run.read_anchors())
        return measure_detector(detector, files, photos, run.read_boxes(), images)
    first = "keras float32"
    stages = {first: score_keras(model, spec.input, iterate_frames(photos, images, first))}
    for stage, content in files.items():
        stages[stage] = score_tflite(content, iterate_frames(photos, images, stage))
    return compare_stages(stages, np.array([spec.heads[0].labels.index(row.label) for row in photos]))
