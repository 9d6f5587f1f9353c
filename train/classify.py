"""One run of `edge-train classify`, from photos to a finished run directory."""

import hashlib
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from edge_runtime.errors import RunError
from edge_runtime.files import write_text
from edge_runtime.preprocess import normalize
from edge_runtime.spec import HeadSpec, InputSpec, ModelSpec
from edge_runtime.training_run import Split, SplitRow, TrainingRun
from train.architectures import ARCHITECTURES, build_classifier
from train.data import Columns, PhotoSet, check_readable, read_photos
from train.dataset import Batches
from train.distribution import ONE_DEVICE, Distribution
from train.environment import describe_environment
from train.metrics import count_confusions, measure_accuracy
from train.predictions import Predictions
from train.splits import split_photos
from train.training import Fitting, Schedule
from train.weights import are_folded, unfold_batch_norms

log = logging.getLogger(__name__)

_STATISTICS_PHOTOS = 128
_SCORING_BATCH = 32


@dataclass(frozen=True, slots=True)
class ClassifyOptions:
    """The resolved arguments of a run.

    Attributes:
        data: Folder per class, or CSV file.
        images: Folder that the CSV file's paths start from; None finds it.
        columns: Columns of the CSV file.
        architecture: Key of `ARCHITECTURES`.
        image_size: Input height and width in pixels.
        weights: `imagenet`, `none`, or a weights file.
        dropout: Share of pooled features dropped in training.
        validation_share: Share of photos held out.
        schedule: How to fit.
    """

    data: Path
    images: Path | None
    columns: Columns
    architecture: str
    image_size: int
    weights: str
    dropout: float
    validation_share: float
    schedule: Schedule


def train_classifier(options: ClassifyOptions, run: TrainingRun, distribution: Distribution = ONE_DEVICE) -> None:
    """Train a classifier into a run directory, going on where an earlier call with the same options stopped.

    Of several processes the first alone writes; the others need to see what it writes.

    Raises:
        DataError: Photos or weights are missing, unreadable or contradictory.
        DistributionError: The devices cannot share the batches.
        RunError: The directory holds a run with other options.
        OutputError: The directory cannot be written.
    """
    keras.utils.set_random_seed(options.schedule.seed)
    photo_set = read_photos(options.data, options.columns, options.images)
    rows = _begin_together(options, photo_set, run, distribution)
    spec = ARCHITECTURES[options.architecture].input_spec(options.image_size)
    training = [row for row in rows if row.split is Split.TRAIN]
    validation = [row for row in rows if row.split is Split.VALIDATION]
    log.info(
        "%d photos of %d classes: %d to train on, %d of %d other groups to validate on",
        *(len(rows), len(photo_set.labels), len(training), len(validation), len({row.group for row in validation})),
    )
    distribution.check(len(training), options.schedule.batch_size)
    classifier = _build(options, photo_set, spec, training)
    with distribution.scope():
        classifier = distribution.place(classifier)
        data = (photo_set.images, photo_set.labels, spec, options.schedule)
        state = Fitting(classifier, run, *data, distribution).fit(training, validation)

    def finish() -> None:
        scores = _write_scores(run, validation, photo_set, spec)
        run.write_spec(_describe(options, photo_set, rows, spec, {**scores, "epochs": len(state.history)}))

    distribution.on_chief(finish)


def _build(options: ClassifyOptions, photo_set: PhotoSet, spec: InputSpec, training: list[SplitRow]) -> keras.Model:
    architecture = ARCHITECTURES[options.architecture]
    classifier = build_classifier(architecture, options.image_size, photo_set.labels, options.weights, options.dropout)
    if are_folded(options.weights):
        random = np.random.default_rng(options.schedule.seed)
        sample = [training[index] for index in random.permutation(len(training))[:_STATISTICS_PHOTOS]]
        pixels, _ = Batches(sample, photo_set.images, photo_set.labels, spec, len(sample))[0]
        unfold_batch_norms(classifier.get_layer("body"), normalize(pixels, spec))
    return classifier


def _begin_together(
    options: ClassifyOptions, photo_set: PhotoSet, run: TrainingRun, distribution: Distribution
) -> tuple[SplitRow, ...]:
    """Let the first process begin the run; the others then find it begun, and check that it is the same as theirs."""
    if distribution.process == 0:
        rows = _begin(options, photo_set, run, distribution)
        distribution.wait()
        return rows
    distribution.wait()
    if not run.arguments_path.exists():
        raise RunError(
            f"{run.path} of process {distribution.process} is not the one that process 0 writes to; "
            "name a folder that all machines share."
        )
    return _begin(options, photo_set, run, distribution)


def _begin(
    options: ClassifyOptions, photo_set: PhotoSet, run: TrainingRun, distribution: Distribution
) -> tuple[SplitRow, ...]:
    """Write what defines the run before anything is trained, or check that it is the same as before."""
    arguments = {**asdict(options), "data": str(options.data), "images": str(photo_set.images)}
    if run.arguments_path.exists():
        _check_same(run, arguments)
        return run.read_splits()
    check_readable(photo_set)
    rows = split_photos(photo_set, options.validation_share, options.schedule.seed)
    run.write_splits(rows)
    write_text(run.path / "environment.json", json.dumps(describe_environment(distribution), indent=2) + "\n")
    run.write_arguments(arguments)
    return rows


def _check_same(run: TrainingRun, arguments: dict[str, Any]) -> None:
    before = run.read_arguments()
    changed = [name for name, value in arguments.items() if before.get(name) != json.loads(json.dumps(value))]
    if changed:
        raise RunError(
            f"{run.path} holds a run with another {', '.join(changed)}; repeat its arguments to go on with it, "
            "or name a fresh directory."
        )
    log.info("going on with the run in %s", run.path)


def _write_scores(
    run: TrainingRun, validation: list[SplitRow], photo_set: PhotoSet, spec: InputSpec
) -> dict[str, float]:
    """Measure the best model once more, from its file, and write `predictions.csv` and `scores.json`."""
    model = keras.models.load_model(run.model_path)
    labels = photo_set.labels
    batches = Batches(validation, photo_set.images, labels, spec, _SCORING_BATCH)
    pixels = (batches[index][0] for index in range(len(batches)))
    probabilities = np.concatenate([model.predict_on_batch(normalize(batch, spec)) for batch in pixels])
    predictions = Predictions(labels, tuple(row.image for row in validation), batches.targets, probabilities)
    predictions.write(run.path / "predictions.csv")
    accuracy = asdict(measure_accuracy(predictions.targets, predictions.answers))
    confusions = count_confusions(predictions.targets, predictions.answers, len(labels))
    scores = {**accuracy, "labels": labels, "confusions": confusions}
    write_text(run.path / "scores.json", json.dumps(scores, indent=2) + "\n")
    log.info("best model: validation top-1 %.2f %%, macro %.2f %%", 100 * accuracy["top1"], 100 * accuracy["macro"])
    return accuracy


def _describe(
    options: ClassifyOptions,
    photo_set: PhotoSet,
    rows: tuple[SplitRow, ...],
    spec: InputSpec,
    scores: dict[str, float],
) -> ModelSpec:
    digest = hashlib.sha256("".join(sorted(row.sha256 for row in rows)).encode()).hexdigest()
    return ModelSpec(
        name=f"garment-{options.architecture}-{options.image_size}",
        version="1",
        input=spec,
        heads=(HeadSpec("garment", photo_set.labels),),
        provenance={
            "photos": len(rows),
            "photos_sha256": digest,
            "weights": Path(options.weights).name,
            "schedule": asdict(options.schedule),
            "validation": scores,
        },
    )
