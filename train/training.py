"""Fine-tuning: the fresh head first, then the whole network."""

import csv
import io
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import keras
import numpy as np

from edge_runtime.files import replacing, write_text
from edge_runtime.spec import InputSpec
from edge_runtime.training_run import SplitRow, TrainingRun
from train.augmentation import build_training_model
from train.callbacks import EpochBounds, ProgressBar
from train.checkpoint import CheckpointFolder, EpochRecord, State
from train.dataset import Batches, ShuffledBatches
from train.distribution import ONE_DEVICE, Distribution
from train.metrics import Accuracy, measure_accuracy

log = logging.getLogger(__name__)

_RANDOM_NUMBERS_PER_EPOCH = 2**20


@dataclass(frozen=True, slots=True)
class Schedule:
    """How a classifier is fitted.

    Attributes:
        head_epochs: Epochs with the body frozen.
        epochs: Epochs with the whole network.
        batch_size: Photos per step.
        head_learning_rate: Peak rate while the body is frozen.
        learning_rate: Peak rate for the whole network; one epoch of linear warm-up, then a cosine to zero.
        label_smoothing: Share of each target spread over all classes, in [0, 1).
        drawn_share: Drawings per photo added to each epoch.
        mixed_share: Share of batches whose images are blended by mixup or cutmix, in [0, 1].
        seed: Of shuffling and drawings.
    """

    head_epochs: int
    epochs: int
    batch_size: int
    head_learning_rate: float
    learning_rate: float
    label_smoothing: float
    drawn_share: float
    mixed_share: float
    seed: int


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch of training with the same layers and schedule."""

    name: str
    epochs: int
    learning_rate: float
    whole_network: bool


class Fitting:
    """Fits one classifier and keeps its run directory up to date after every epoch."""

    def __init__(
        self,
        classifier: keras.Model,
        run: TrainingRun,
        images: Path,
        labels: tuple[str, ...],
        spec: InputSpec,
        schedule: Schedule,
        distribution: Distribution = ONE_DEVICE,
    ) -> None:
        self._classifier = classifier
        self._model = build_training_model(classifier, spec)
        self._run = run
        self._data = (images, labels, spec, schedule.batch_size, distribution.part)
        self._distribution = distribution
        self._schedule = schedule
        self._checkpoints = CheckpointFolder(run.path / "checkpoint")
        self._state = self._checkpoints.load()

    def fit(self, training: Sequence[SplitRow], validation: Sequence[SplitRow]) -> State:
        """Train what is left to train and return the state at the end.

        The best model by validation macro accuracy is `model.keras` in the run directory, `metrics.csv` beside it.
        """
        schedule = self._schedule
        for phase in (
            Phase("head", schedule.head_epochs, schedule.head_learning_rate, whole_network=False),
            Phase("body", schedule.epochs, schedule.learning_rate, whole_network=True),
        ):
            if self._state.epochs_done(phase.name) < phase.epochs:
                self._fit_phase(phase, training, validation)
        return self._state

    def _fit_phase(self, phase: Phase, training: Sequence[SplitRow], validation: Sequence[SplitRow]) -> None:
        done = self._state.epochs_done(phase.name)
        batches = ShuffledBatches(
            training,
            *self._data,
            drawn_share=self._schedule.drawn_share,
            mixed_share=self._schedule.mixed_share if phase.whole_network else 0.0,
            seed=self._schedule.seed,
            epoch=len(self._state.history),
        )
        self._prepare(phase, done, len(batches))
        validation_batches = Batches(self._distribution.pad(validation), *self._data)
        predictor = self._distribution.gathering(self._model)
        self._model.fit(
            batches,
            initial_epoch=done,
            epochs=phase.epochs,
            # The data set orders itself by seed and epoch, so that a resumed run goes on as it would have.
            shuffle=False,
            verbose=0,
            callbacks=[
                ProgressBar(phase.name, phase.epochs, len(batches)),
                EpochBounds(
                    self._seed,
                    lambda: self._measure(predictor, validation_batches, len(validation)),
                    lambda epoch, loss, accuracy, seconds: self._record(phase, epoch, loss, accuracy, seconds),
                ),
            ],
        )

    def _prepare(self, phase: Phase, done: int, steps: int) -> None:
        """Compile and restore; optimizer state is taken over within a phase, never from one to the next."""
        if done:
            log.info("%s: going on after epoch %d of %d", phase.name, done, phase.epochs)
            self._compile(phase, steps)
            self._checkpoints.restore(self._model, self._state)
        else:
            self._checkpoints.restore(self._model, self._state)
            self._compile(phase, steps)

    def _compile(self, phase: Phase, steps: int) -> None:
        self._classifier.get_layer("body").trainable = phase.whole_network
        rate = keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=0.0,
            decay_steps=max(phase.epochs - 1, 1) * steps,
            warmup_target=phase.learning_rate,
            warmup_steps=steps if phase.whole_network else 1,
        )
        self._model.compile(
            optimizer=keras.optimizers.AdamW(rate, weight_decay=1e-4),
            loss=keras.losses.CategoricalCrossentropy(label_smoothing=self._schedule.label_smoothing),
        )
        self._model.optimizer.build(self._model.trainable_variables)

    def _seed(self, epoch: int) -> None:
        """Set augmentation and dropout to where an unbroken run has them; Keras does not save their counters."""
        # PyTorch's dropout draws from the global generator.
        keras.utils.set_random_seed(self._schedule.seed + len(self._state.history))
        for variable in self._model.non_trainable_variables:
            if "seed_generator" in variable.path:
                seed, _ = keras.ops.convert_to_numpy(variable)
                variable.assign([seed, epoch * _RANDOM_NUMBERS_PER_EPOCH])

    @staticmethod
    def _measure(predictor: keras.Model, batches: Batches, count: int) -> Accuracy:
        scores = predictor.predict(batches, verbose=0)[:count]
        return measure_accuracy(batches.targets[:count], np.argmax(scores, axis=1))

    def _record(self, phase: Phase, epoch: int, loss: float, accuracy: Accuracy, seconds: float) -> None:
        rate = float(keras.ops.convert_to_numpy(self._model.optimizer.learning_rate))
        record = EpochRecord(phase.name, epoch + 1, loss, rate, accuracy.top1, accuracy.macro, seconds)
        log.info(
            "%s %d/%d: loss %.4f, validation top-1 %.2f %%, macro %.2f %% (%.0f s)",
            *(phase.name, epoch + 1, phase.epochs, loss, 100 * accuracy.top1, 100 * accuracy.macro, seconds),
        )
        best, self._state = self._state.best, self._state.followed_by(record)
        self._distribution.on_chief(lambda: self._write(better=accuracy.macro > best))

    def _write(self, *, better: bool) -> None:
        if better:
            with replacing(self._run.model_path) as aside:
                self._classifier.save(aside)
        self._checkpoints.save(self._model, self._state)
        write_text(self._run.path / "metrics.csv", _as_csv(self._state.history))


def _as_csv(history: Sequence[EpochRecord]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(EpochRecord)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(record) for record in history)
    return text.getvalue()
