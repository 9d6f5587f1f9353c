"""Fine-tuning: the fresh head first, then the whole network."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, fields, replace
from pathlib import Path

import keras
import numpy as np
from tensorboardX import SummaryWriter

from edge_runtime.files import write_text
from edge_runtime.spec import InputSpec
from edge_runtime.tables import format_csv
from edge_runtime.training_run import SplitRow, TrainingRun
from train.averaging import averaged_weights
from train.callbacks import EpochBounds, ProgressBar
from train.checkpoint import CheckpointFolder, EpochRecord, State
from train.dataset import Batches, ShuffledBatches
from train.distribution import ONE_DEVICE, Distribution
from train.metrics import Accuracy, measure_accuracy
from train.schedule import Phase, Schedule, phases, reason_to_stop

log = logging.getLogger(__name__)

_RANDOM_NUMBERS_PER_EPOCH = 2**20
_COLUMNS = tuple(field.name for field in fields(EpochRecord))


class Fitting:
    """Fits one classifier and keeps its run directory up to date after every epoch."""

    def __init__(
        self,
        model: keras.Model,
        classifier: keras.Model,
        run: TrainingRun,
        images: Path,
        labels: tuple[str, ...],
        spec: InputSpec,
        schedule: Schedule,
        max_minutes: float | None,
        distribution: Distribution = ONE_DEVICE,
    ) -> None:
        """Take up a run where its checkpoint stands.

        Args:
            model: What is fitted, from `build_training_model`.
            classifier: The part of it that is saved.
            run: Where to.
            images: Folder that the photos' paths start from.
            labels: Class names in the order of the output.
            spec: The input contract.
            schedule: How to fit.
            max_minutes: Time for all epochs together; None is no bound.
            distribution: The devices that share each batch.
        """
        self._model = model
        self._classifier = classifier
        self._run = run
        self._data = (images, labels, spec, schedule.batch_size, distribution.part)
        self._distribution = distribution
        self._schedule = schedule
        self._max_minutes = max_minutes
        self._checkpoints = CheckpointFolder(run.path)
        self._state = self._checkpoints.load()

    def fit(
        self, training: Sequence[SplitRow], validation: Sequence[SplitRow], negatives: Sequence[Path] = ()
    ) -> State:
        """Train what is left to train and return the state at the end.

        The best model by validation macro accuracy is `best.keras` in the checkpoint folder; `metrics.csv` tells of
        each epoch.
        """
        for phase in phases(self._schedule):
            if self._state.epochs_done(phase.name) < phase.epochs and self._goes_on():
                self._fit_phase(phase, training, validation, negatives)
        return self._state

    def _goes_on(self) -> bool:
        reason = reason_to_stop(self._state.history, self._schedule.patience, self._max_minutes)
        if reason is not None:
            log.info("training ends here: %s", reason)
        return reason is None

    def _fit_phase(
        self, phase: Phase, training: Sequence[SplitRow], validation: Sequence[SplitRow], negatives: Sequence[Path]
    ) -> None:
        done = self._state.epochs_done(phase.name)
        batches = ShuffledBatches(
            training,
            *self._data,
            negatives=negatives,
            schedule=self._schedule if phase.whole_network else replace(self._schedule, mixed_share=0.0),
            epoch=len(self._state.history),
        )
        self._prepare(phase, done, len(batches))
        validation_batches = Batches(self._distribution.pad(validation), *self._data)
        predictor = self._distribution.gathering(self._model)

        def measure() -> Accuracy:
            return self._measure(predictor, validation_batches, len(validation))

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
                    lambda epoch, loss, start: self._finish_epoch(phase, epoch, loss, start, measure),
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
        self._thaw(phase)
        ema = self._schedule.ema
        rate = keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=0.0,
            decay_steps=max(phase.epochs - 1, 1) * steps,
            warmup_target=phase.learning_rate,
            warmup_steps=steps if phase.whole_network else 1,
        )
        self._model.compile(
            optimizer=keras.optimizers.AdamW(
                rate, weight_decay=1e-4, use_ema=bool(ema), ema_momentum=ema, ema_overwrite_frequency=None
            ),
            loss=keras.losses.CategoricalCrossentropy(label_smoothing=self._schedule.label_smoothing),
            loss_weights=[1.0 - self._schedule.distillation],
        )
        self._model.optimizer.build(self._model.trainable_variables)

    def _thaw(self, phase: Phase) -> None:
        body = self._classifier.get_layer("body")
        body.trainable = phase.whole_network
        for layer in body.layers[: round(self._schedule.frozen_share * len(body.layers))]:
            layer.trainable = False

    def _seed(self, epoch: int) -> None:
        """Set augmentation and dropout to where an unbroken run has them; Keras does not save their counters."""
        # PyTorch's dropout draws from the global generator.
        keras.utils.set_random_seed(self._schedule.seed + len(self._state.history))
        for variable in self._model.non_trainable_variables:
            if "seed_generator" in variable.path:
                seed, _ = keras.ops.convert_to_numpy(variable)
                variable.assign([seed, epoch * _RANDOM_NUMBERS_PER_EPOCH])

    def _finish_epoch(
        self, phase: Phase, epoch: int, loss: float, start: float, measure: Callable[[], Accuracy]
    ) -> None:
        with averaged_weights(self._model):
            accuracy = measure()
            if accuracy.macro > self._state.best:
                self._distribution.on_chief(lambda: self._checkpoints.save_best(self._classifier))
        rate = float(keras.ops.convert_to_numpy(self._model.optimizer.learning_rate))
        seconds = self._distribution.agree(time.monotonic() - start)
        record = EpochRecord(phase.name, epoch + 1, loss, rate, accuracy.top1, accuracy.macro, seconds)
        self._state = self._state.followed_by(record)
        log.info(
            "%s %d/%d: loss %.4f, validation top-1 %.2f %%, macro %.2f %% (%.0f s)",
            *(phase.name, epoch + 1, phase.epochs, loss, 100 * accuracy.top1, 100 * accuracy.macro, seconds),
        )
        self._distribution.on_chief(self._write)
        self._model.stop_training = epoch + 1 < phase.epochs and not self._goes_on()

    def _write(self) -> None:
        self._checkpoints.save(self._model, self._state)
        write_text(self._run.path / "metrics.csv", format_csv(_COLUMNS, map(astuple, self._state.history)))
        step, record = len(self._state.history), self._state.history[-1]
        with SummaryWriter(str(self._run.path / "tensorboard"), purge_step=step, write_to_disk=True) as writer:
            for name in ("loss", "learning_rate", "validation_top1", "validation_macro"):
                writer.add_scalar(name, getattr(record, name), step)

    @staticmethod
    def _measure(predictor: keras.Model, batches: Batches, count: int) -> Accuracy:
        scores = predictor.predict(batches, verbose=0)[:count]
        return measure_accuracy(batches.targets[:count], np.argmax(scores, axis=1))
