"""One run of `edge-train classify`, from photos to a finished run directory."""

import hashlib
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np

from edge_runtime.errors import DataError, RunError
from edge_runtime.preprocess import normalize
from edge_runtime.spec import HeadSpec, ModelSpec
from edge_runtime.training_run import Split, SplitRow, TrainingRun
from train.classification.augmentation import build_training_model
from train.classification.dataset import Batches
from train.classification.distillation import load_teachers
from train.classification.encoding import Encoding
from train.classification.epoch import EpochRecord
from train.classification.finishing import Finish, finish_model
from train.classification.head import Sample, take_over_head
from train.classification.negatives import Negatives, find_negatives
from train.classification.schedule import ClassifierSchedule
from train.classification.task import ClassifierTask
from train.data.kept_sides import keep_sides
from train.data.photos import Columns, PhotoSet, check_readable, read_photos
from train.data.split_file import match_splits, read_splits
from train.data.splits import split_photos
from train.fitting.beginning import goes_on, write_beginning
from train.fitting.checkpoint import CheckpointFolder, State
from train.fitting.distribution import ONE_DEVICE, Distribution
from train.fitting.environment import computing_in
from train.fitting.training import Fitting
from train.networks.architectures import ARCHITECTURES, build_classifier
from train.networks.keras_files import load_model
from train.networks.weights import are_folded, are_of_a_run, check_weights, list_batch_norms, unfold_batch_norms

log = logging.getLogger(__name__)

_SAMPLE_PHOTOS = 128


@dataclass(frozen=True, slots=True)
class ClassifyOptions:
    """The resolved arguments of a run.

    Attributes:
        data: Folder per class, or CSV file.
        images: Folder that the CSV file's paths start from; None finds it.
        columns: Columns of the CSV file.
        architecture: Key of `ARCHITECTURES`.
        image_size: Input height and width in pixels.
        weights: `imagenet`, `none`, or a weights file; of a model that knows labels of these the head serves, too.
        dropout: Share of pooled features dropped in training.
        validation_share: Share of photos held out.
        schedule: How to fit.
        teachers: Run directories of models whose answers are learnt beside the labels.
        negatives: Folder of pictures that show no known garment; half are learnt from, half choose the threshold.
        mixed_precision: Whether to compute in bfloat16 where that is safe.
        max_minutes: Time for all epochs together; None is no bound.
        splits: Split file to take instead of drawing a split; None draws one.
    """

    data: Path
    images: Path | None
    columns: Columns
    architecture: str
    image_size: int
    weights: str
    dropout: float
    validation_share: float
    schedule: ClassifierSchedule
    teachers: tuple[Path, ...] = ()
    negatives: Path | None = None
    mixed_precision: bool = False
    max_minutes: float | None = None
    splits: Path | None = None


def train_classifier(options: ClassifyOptions, run: TrainingRun, distribution: Distribution = ONE_DEVICE) -> None:
    """Train a classifier into a run directory, going on where an earlier call with the same options stopped.

    Of several processes the first alone writes; the others need to see what it writes.

    Raises:
        DataError: Photos or weights are missing, unreadable or contradictory.
        DistributionError: The devices cannot share the batches.
        RunError: The directory holds a run with other options.
        OutputError: The directory cannot be written.
    """
    check_weights(options.weights)
    keras.utils.set_random_seed(options.schedule.seed)
    negatives = find_negatives(options.negatives)
    photo_set = read_photos(options.data, options.columns, options.images)
    rows = _begin_together(options, photo_set, negatives, run, distribution)
    architecture = ARCHITECTURES[options.architecture]
    encoding = Encoding(photo_set.images, photo_set.labels, architecture.input_spec(options.image_size))
    state = _fit(options, run, rows, encoding, negatives, distribution)
    distribution.on_chief(lambda: _finish(options, run, rows, encoding, negatives, len(state.history)))


def _fit(
    options: ClassifyOptions,
    run: TrainingRun,
    rows: tuple[SplitRow, ...],
    encoding: Encoding,
    negatives: Negatives,
    distribution: Distribution,
) -> State[EpochRecord]:
    training, validation, test = (_of(rows, split) for split in Split)
    log.info(
        "%d photos of %d classes: %d to train on, %d of %d other groups to validate on%s",
        *(len(rows), len(encoding.labels), len(training), len(validation), len({row.group for row in validation})),
        f", {len(test)} held back" if test else "",
    )
    distribution.check(len(training), options.schedule.batch_size)
    classifier = _build(options, encoding, training)
    with distribution.scope():
        classifier = distribution.place(classifier)
        teachers = load_teachers(options.teachers, encoding.labels, encoding.input)
        placed = [distribution.place(teacher) for teacher in teachers]
        model = build_training_model(classifier, encoding.input, placed)
        task = ClassifierTask(model, training, validation, negatives.training, encoding, options.schedule, distribution)
        return Fitting(task, model, classifier, run, options.schedule, options.max_minutes, distribution).fit()


def _finish(
    options: ClassifyOptions,
    run: TrainingRun,
    rows: tuple[SplitRow, ...],
    encoding: Encoding,
    negatives: Negatives,
    epochs: int,
) -> None:
    best = _load_best(options, run, encoding.labels)
    finish = finish_model(best, run, _of(rows, Split.VALIDATION), encoding, negatives.held_out)
    run.write_spec(_describe(options, rows, encoding, finish, epochs))


def _of(rows: tuple[SplitRow, ...], split: Split) -> list[SplitRow]:
    return [row for row in rows if row.split is split]


def _build(options: ClassifyOptions, encoding: Encoding, training: list[SplitRow]) -> keras.Model:
    architecture = ARCHITECTURES[options.architecture]
    with computing_in("mixed_bfloat16" if options.mixed_precision else "float32"):
        classifier = build_classifier(
            architecture, options.image_size, encoding.labels, options.weights, options.dropout
        )
    if are_folded(options.weights) or are_of_a_run(options.weights):
        _take_over(classifier, options, encoding, training)
    return classifier


def _take_over(classifier: keras.Model, options: ClassifyOptions, encoding: Encoding, training: list[SplitRow]) -> None:
    """Finish what loading weights into the body began, which training photos are needed for."""
    random = np.random.default_rng(options.schedule.seed)
    chosen = [training[index] for index in random.permutation(len(training))[:_SAMPLE_PHOTOS]]
    pixels, targets = Batches(chosen, encoding, len(chosen))[0]
    sample = Sample(normalize(pixels, encoding.input), targets)
    if are_folded(options.weights):
        body = classifier.get_layer("body")
        unfold_batch_norms(body, list_batch_norms(body), sample.images)
    take_over_head(classifier, encoding.labels, options.weights, sample)


def _load_best(options: ClassifyOptions, run: TrainingRun, labels: tuple[str, ...]) -> keras.Model:
    """Load the best model of a fitted run, as float32 whatever it was computed in."""
    best = load_model(CheckpointFolder(run.path).best_path)
    if not options.mixed_precision:
        return best
    architecture = ARCHITECTURES[options.architecture]
    plain = build_classifier(architecture, options.image_size, labels, "none", options.dropout)
    plain.set_weights(best.get_weights())
    return plain


def _begin_together(
    options: ClassifyOptions, photo_set: PhotoSet, negatives: Negatives, run: TrainingRun, distribution: Distribution
) -> tuple[SplitRow, ...]:
    """Let the first process begin the run; the others then find it begun, and check that it is the same as theirs."""
    if distribution.process == 0:
        rows = _begin(options, photo_set, negatives, run, distribution)
        distribution.wait()
        return rows
    distribution.wait()
    if not run.arguments_path.exists():
        raise RunError(
            f"{run.path} of process {distribution.process} is not the one that process 0 writes to; "
            "name a folder that all machines share."
        )
    return _begin(options, photo_set, negatives, run, distribution)


def _begin(
    options: ClassifyOptions, photo_set: PhotoSet, negatives: Negatives, run: TrainingRun, distribution: Distribution
) -> tuple[SplitRow, ...]:
    """Write what defines the run before anything is trained, or check that it is the same as before."""
    folders = {"images": photo_set.images.resolve(), "negatives": options.negatives and options.negatives.resolve()}
    arguments = json.loads(json.dumps({**asdict(options), **folders}, default=str))
    if goes_on(run, arguments, distribution):
        rows = _check_photos_same(run, photo_set)
        if options.splits is not None and distribution.process == 0:
            _check_split_same(options.splits, run, photo_set, rows)
        return rows
    check_readable((*photo_set.files, *negatives.training, *negatives.held_out))
    rows = _divide(options, photo_set)
    write_beginning(run, rows, arguments, distribution)
    return rows


def _check_photos_same(run: TrainingRun, photo_set: PhotoSet) -> tuple[SplitRow, ...]:
    try:
        return read_splits(run.splits_path, photo_set)
    except DataError as error:
        message = f"The photos have changed since {run.path} began; train into a fresh directory. {error}"
        raise RunError(message) from error


def _check_split_same(splits: Path, run: TrainingRun, photo_set: PhotoSet, rows: tuple[SplitRow, ...]) -> None:
    hashes = {row.image: row.sha256 for row in rows}
    if match_splits(splits, photo_set.photos, hashes) != rows:
        raise RunError(f"{splits} has changed since {run.path} began; train into a fresh directory.")


def _divide(options: ClassifyOptions, photo_set: PhotoSet) -> tuple[SplitRow, ...]:
    if options.splits is not None:
        return read_splits(options.splits, photo_set)
    if photo_set.lies_divided:
        return keep_sides(photo_set, options.validation_share, options.schedule.seed)
    return split_photos(photo_set, options.validation_share, options.schedule.seed)


def _describe(
    options: ClassifyOptions,
    rows: tuple[SplitRow, ...],
    encoding: Encoding,
    finish: Finish,
    epochs: int,
) -> ModelSpec:
    digest = hashlib.sha256("".join(sorted(row.sha256 for row in rows)).encode()).hexdigest()
    return ModelSpec(
        name=f"garment-{options.architecture}-{options.image_size}",
        version="1",
        input=encoding.input,
        heads=(HeadSpec("garment", encoding.labels, finish.rejection.threshold),),
        provenance={
            "photos": len(rows),
            "photos_sha256": digest,
            "weights": Path(options.weights).name,
            "teachers": [path.name for path in options.teachers],
            "schedule": asdict(options.schedule),
            "epochs": epochs,
            "validation": asdict(finish),
        },
    )
