"""One run of `edge-train detect`, from photos with boxes to a finished run directory."""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import RunError
from edge_runtime.files import write_bytes
from edge_runtime.spec import DetectionSpec, InputSpec, ModelSpec
from edge_runtime.training_run import Split, TrainingRun
from train.data.photos import check_readable
from train.detection.anchor_fitting import fit_levels
from train.detection.anchors import Anchors, Level, choose_pyramid_levels, choose_ssd_levels, make_anchors
from train.detection.data import DetectionData, read_data
from train.detection.dataset import SampleReader
from train.detection.finishing import DetectorFinish, finish_detector
from train.detection.measuring import read_inputs
from train.detection.necks import plan_cells
from train.detection.network import Layout, build_detector, build_training_detector
from train.detection.pictures import draw_samples
from train.detection.run_files import BATCH_NAME
from train.detection.taking_over import take_over_folded_neck, take_over_neck
from train.detection.task import DetectorTask
from train.fitting.beginning import goes_on, write_beginning
from train.fitting.checkpoint import CheckpointFolder
from train.fitting.schedule import Schedule
from train.fitting.training import Fitting
from train.networks.architectures import ARCHITECTURES, build_body
from train.networks.keras_files import load_model
from train.networks.tflite_weights import read_convolutions
from train.networks.weights import (
    are_folded,
    are_of_a_run,
    are_of_tflite,
    check_weights,
    list_batch_norms,
    unfold_batch_norms,
)

log = logging.getLogger(__name__)

_STATISTICS_PHOTOS = 128
_LABELS_PER_BOX = 3
"""More bring next to nothing: see docs/detection.md."""
_SHOWN_SAMPLES, _SHOWN_COLUMNS = 16, 4


@dataclass(frozen=True, slots=True)
class DetectOptions:
    """The resolved arguments of a run.

    Attributes:
        data: Data sets to learn from.
        validation: Data sets to measure on; empty holds a share of the photos out.
        labels: Class names, boxes of others being left out; empty for those of the first data set.
        architecture: Key of `ARCHITECTURES`.
        layout: Which kind of detector.
        image_size: Input height and width in pixels, a multiple of 32.
        weights: `imagenet`, `none`, or a weights file, for the body; a detector's for what is behind it, too.
        loss: Key of `train.detection.losses.SCORE_LOSSES`.
        fit_anchors: Shapes of anchors per cell that are fitted to the boxes; 0 takes the usual ones.
        validation_share: Share of photos held out.
        schedule: How to fit.
        max_minutes: Time for all epochs together; None is no bound.
        images: Folder of the photos of COCO files; None finds it.
        classes: Class names of YOLO data sets; None takes their own.
        splits: Split file that says which photos are held out; None draws them, or takes `validation`.
    """

    data: tuple[Path, ...]
    validation: tuple[Path, ...]
    labels: tuple[str, ...]
    architecture: str
    layout: Layout
    image_size: int
    weights: str
    loss: str
    fit_anchors: int
    validation_share: float
    schedule: Schedule
    max_minutes: float | None = None
    images: Path | None = None
    classes: Path | None = None
    splits: Path | None = None


def train_detector(options: DetectOptions, run: TrainingRun) -> None:
    """Train a detector into a run directory, going on where an earlier call with the same options stopped.

    Raises:
        DataError: Photos, boxes or weights are missing, unreadable or contradictory.
        RunError: The directory holds a run with other options.
        OutputError: The directory cannot be written.
    """
    check_weights(options.weights)
    keras.utils.set_random_seed(options.schedule.seed)
    data = read_data(
        options.data,
        options.validation,
        options.labels,
        options.validation_share,
        options.schedule.seed,
        images=options.images,
        classes=options.classes,
        splits=options.splits,
    )
    levels = _choose_levels(options, data)
    anchors = make_anchors(levels)
    _begin(options, data, anchors, run)
    spec = ARCHITECTURES[options.architecture].input_spec(options.image_size)
    detection = DetectionSpec(data.labels, labels_per_box=min(_LABELS_PER_BOX, len(data.labels)))
    detector = _build(options, data, levels, spec)
    task = DetectorTask(detector, data, anchors, spec, detection, options.loss, options.schedule)
    _write_batch_picture(task, data.labels, run)
    training = build_training_detector(detector, spec)
    state = Fitting(task, training, detector, run, options.schedule, options.max_minutes).fit()
    best = load_model(CheckpointFolder(run.path).best_path)
    read = SampleReader(data.images, data.labels)
    finish = finish_detector(best, run, data.of(Split.VALIDATION), read, anchors, spec, detection)
    run.write_spec(_describe(options, data, spec, detection, finish, len(state.history)))


def _choose_levels(options: DetectOptions, data: DetectionData) -> tuple[Level, ...]:
    cells = plan_cells(options.image_size, pyramid=options.layout.pyramid)
    usual = choose_pyramid_levels(cells) if options.layout.pyramid else choose_ssd_levels(cells)
    return fit_levels(_box_shapes(data), usual, options.fit_anchors) if options.fit_anchors else usual


def _box_shapes(data: DetectionData) -> NDArray[np.float32]:
    """Return (boxes, 2) heights and widths of the training boxes as shares of their photos."""
    shapes = [
        ((box.y_max - box.y_min) / photo.height, (box.x_max - box.x_min) / photo.width)
        for photo in data.of(Split.TRAIN)
        for box in photo.boxes
    ]
    return np.array(shapes, np.float32)


def _begin(options: DetectOptions, data: DetectionData, anchors: Anchors, run: TrainingRun) -> None:
    """Write what defines the run before anything is trained, or check that it is the same as before."""
    arguments = json.loads(json.dumps({**asdict(options), "images": data.images}, default=str))
    training, validation, test = (data.of(split) for split in Split)
    log.info(
        "%d photos with %d boxes of %d classes to train on, %d to validate on%s; %d anchors",
        *(len(training), sum(len(photo.boxes) for photo in training), len(data.labels), len(validation)),
        *(f", {len(test)} held back" if test else "", len(anchors)),
    )
    if goes_on(run, arguments):
        if run.read_splits() != data.rows or list(run.read_boxes()) != data.box_rows:
            raise RunError(
                f"The photos, their boxes or the split have changed since {run.path} began, or another version divided "
                "them; train into a fresh directory."
            )
        _check_anchors(run, anchors)
        return
    check_readable([data.images / row.image for row in data.rows])
    run.write_boxes(data.box_rows)
    run.write_anchors(anchors)
    write_beginning(run, data.rows, arguments)


def _check_anchors(run: TrainingRun, anchors: Anchors) -> None:
    """Refuse a run whose anchors would be others now: what it has learnt, and its file of anchors, are of those."""
    before = run.read_anchors()
    if before.shape != anchors.shape or not np.allclose(before, anchors, atol=1e-5):
        raise RunError(
            f"{run.path} began with other anchors than are made now, by another version or for other boxes; "
            "train into a fresh directory."
        )


def _build(options: DetectOptions, data: DetectionData, levels: Sequence[Level], spec: InputSpec) -> keras.Model:
    body = build_body(ARCHITECTURES[options.architecture], options.image_size, options.weights)
    sample = _read_sample(options, data, spec) if are_folded(options.weights) else None
    if sample is not None:
        unfold_batch_norms(body, list_batch_norms(body), sample)
    detector = build_detector(body, len(data.labels), levels, options.layout)
    if are_of_a_run(options.weights):
        taken = take_over_neck(detector, load_model(Path(options.weights)))
        log.info("%d layers behind the body begin as in %s", taken, options.weights)
    if sample is not None and are_of_tflite(options.weights):
        norms = take_over_folded_neck(detector, read_convolutions(Path(options.weights).read_bytes()))
        if norms:
            unfold_batch_norms(detector, norms, sample)
        log.info("%d batch norms and their convolutions behind the body begin as in %s", len(norms), options.weights)
    return detector


def _read_sample(options: DetectOptions, data: DetectionData, spec: InputSpec) -> NDArray[np.float32]:
    """Return normalised training photos to take statistics on."""
    random = np.random.default_rng(options.schedule.seed)
    training = data.of(Split.TRAIN)
    sample = [training[index] for index in random.permutation(len(training))[:_STATISTICS_PHOTOS]]
    return np.stack(list(read_inputs(sample, SampleReader(data.images, data.labels), spec)))


def _write_batch_picture(task: DetectorTask, labels: Sequence[str], run: TrainingRun) -> None:
    """Show what the network sees; wrong boxes are found sooner by looking than by training."""
    sheet = draw_samples(task.show_samples(_SHOWN_SAMPLES), labels, _SHOWN_COLUMNS)
    write_bytes(run.path / BATCH_NAME, cv2.imencode(".jpg", sheet)[1].tobytes())


def _describe(
    options: DetectOptions,
    data: DetectionData,
    spec: InputSpec,
    detection: DetectionSpec,
    finish: DetectorFinish,
    epochs: int,
) -> ModelSpec:
    digest = hashlib.sha256("".join(sorted(row.sha256 for row in data.rows)).encode()).hexdigest()
    kind = ("ssdlite" if options.layout.separable else "ssd") + ("_fpn" if options.layout.pyramid else "")
    return ModelSpec(
        name=f"garment-{kind}-{options.architecture}-{options.image_size}",
        version="1",
        input=spec,
        heads=(),
        detection=replace(detection, threshold=finish.threshold),
        provenance={
            "photos": len(data.rows),
            "photos_sha256": digest,
            "weights": Path(options.weights).name,
            "schedule": asdict(options.schedule),
            "epochs": epochs,
            "validation": asdict(finish),
        },
    )
