"""Fine-tuning, whatever the network is for: the fresh head first, then the whole network."""

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import astuple, fields
from typing import Any, Generic, Protocol, TypeVar

import keras
from tensorboardX import SummaryWriter

from edge_runtime.errors import EdgeGarmentError, RunError
from edge_runtime.files import write_text
from edge_runtime.tables import format_csv
from edge_runtime.training_run import TrainingRun
from train.fitting.averaging import averaged_weights
from train.fitting.callbacks import EpochBounds, ProgressBar
from train.fitting.checkpoint import CheckpointFolder, Epoch, Record, State
from train.fitting.devices import tell_device
from train.fitting.distribution import ONE_DEVICE, Distribution
from train.fitting.schedule import Phase, Schedule, phases, reason_to_stop, say_left

log = logging.getLogger(__name__)

_RANDOM_NUMBERS_PER_EPOCH = 2**20


_Recorded_co = TypeVar("_Recorded_co", bound=Epoch, covariant=True)


class EpochBatches(Protocol):
    """Training data, a `keras.utils.PyDataset`, that is drawn anew for each epoch.

    Attributes:
        failure: Why a photo could not be read, if one could not.
    """

    failure: EdgeGarmentError | None

    def __len__(self) -> int:
        """Return the number of batches, the same in every epoch."""

    def begin_epoch(self, epoch: int) -> None:
        """Become the data of an epoch, which counts over all phases.

        Keras's own `on_epoch_end` does not tell the epoch, and is called once more before the first one.
        """


class FittingTask(Protocol[_Recorded_co]):
    """What sets one kind of network apart while it is fitted: its data, its loss, and how good it is."""

    @property
    def record(self) -> type[_Recorded_co]:
        """The dataclass that tells of one epoch."""

    def batches(self, phase: Phase, epoch: int) -> EpochBatches:
        """Return the training data of a phase, as they are in an epoch, which counts over all phases."""

    def losses(self) -> dict[str, Any]:
        """Return the arguments of `keras.Model.compile` that say what is minimised."""

    def measure(self) -> dict[str, float]:
        """Return what the model, as it is now, is worth on the validation photos, by name of the record's field."""


class Fitting(Generic[Record]):
    """Fits one network and keeps its run directory up to date after every epoch."""

    def __init__(
        self,
        task: FittingTask[Record],
        model: keras.Model,
        saved: keras.Model,
        run: TrainingRun,
        schedule: Schedule,
        max_minutes: float | None,
        distribution: Distribution = ONE_DEVICE,
    ) -> None:
        """Take up a run where its checkpoint stands.

        Args:
            task: Data, loss and measure.
            model: What is fitted.
            saved: The part of it that is saved; its layer `body` is frozen in the first phase.
            run: Where to.
            schedule: How to fit.
            max_minutes: Time for all epochs together; None is no bound.
            distribution: The devices that share each batch.
        """
        self._task = task
        self._model = model
        self._saved = saved
        self._run = run
        self._distribution = distribution
        self._schedule = schedule
        self._max_minutes = max_minutes
        self._checkpoints = CheckpointFolder(run.path)
        self._state = self._checkpoints.load(task.record)

    def fit(self) -> State[Record]:
        """Train what is left to train and return the state at the end.

        The model with the best score is `best.keras` in the checkpoint folder; `metrics.csv` tells of each epoch.
        """
        left = [phase for phase in phases(self._schedule) if self._state.epochs_done(phase.name) < phase.epochs]
        if left and self._distribution.parallel is None:
            tell_device()
        for phase in left:
            if self._goes_on():
                self._fit_phase(phase)
        if not self._state.history:
            raise RunError("There is no epoch to train; give --epochs or --head-epochs more than 0.")
        return self._state

    def _goes_on(self) -> bool:
        reason = reason_to_stop(self._state.history, self._schedule.patience, self._max_minutes)
        if reason is not None:
            log.info("training ends here: %s", reason)
        return reason is None

    def _fit_phase(self, phase: Phase) -> None:
        done = self._state.epochs_done(phase.name)
        batches = self._task.batches(phase, len(self._state.history))
        self._prepare(phase, done, len(batches))
        try:
            self._fit_epochs(phase, batches, done)
        except Exception as error:
            # Keras's backends wrap what goes wrong in their reading threads, each in errors of its own.
            if batches.failure is None:
                raise
            raise batches.failure from error

    def _fit_epochs(self, phase: Phase, batches: EpochBatches, done: int) -> None:
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
                    lambda epoch: self._begin_epoch(batches, epoch),
                    lambda epoch, loss, start: self._finish_epoch(phase, epoch, loss, start),
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
        warmup_steps = steps if phase.whole_network else 1
        rate = keras.optimizers.schedules.CosineDecay(
            # From zero, the first step would change nothing; with few photos it may be the only one of its epoch.
            initial_learning_rate=phase.learning_rate / warmup_steps,
            decay_steps=max(phase.epochs * steps - warmup_steps, 1),
            warmup_target=phase.learning_rate,
            warmup_steps=warmup_steps,
        )
        self._model.compile(
            optimizer=keras.optimizers.AdamW(
                rate, weight_decay=1e-4, use_ema=bool(ema), ema_momentum=ema, ema_overwrite_frequency=None
            ),
            **self._task.losses(),
        )
        self._model.optimizer.build(self._model.trainable_variables)

    def _thaw(self, phase: Phase) -> None:
        body = self._saved.get_layer("body")
        body.trainable = phase.whole_network
        for layer in body.layers[: round(self._schedule.frozen_share * len(body.layers))]:
            layer.trainable = False

    def _begin_epoch(self, batches: EpochBatches, epoch: int) -> None:
        batches.begin_epoch(len(self._state.history))
        self._seed(epoch)

    def _seed(self, epoch: int) -> None:
        """Set augmentation and dropout to where an unbroken run has them; Keras does not save their counters."""
        # PyTorch's dropout draws from the global generator. On TensorFlow nothing does, and setting its seed would make
        # it optimise its graphs anew, each epoch.
        if keras.backend.backend() == "torch":
            keras.utils.set_random_seed(self._schedule.seed + len(self._state.history))
        for variable in self._model.non_trainable_variables:
            if "seed_generator" in variable.path:
                seed, _ = keras.ops.convert_to_numpy(variable)
                variable.assign([seed, epoch * _RANDOM_NUMBERS_PER_EPOCH])

    def _finish_epoch(self, phase: Phase, epoch: int, loss: float, start: float) -> None:
        if not math.isfinite(loss):
            raise RunError(
                f"The training has diverged: the loss of {phase.name} {epoch + 1} is {loss}. "
                "Train into a fresh directory with a lower --learning-rate or --head-learning-rate."
            )
        rate = float(keras.ops.convert_to_numpy(self._model.optimizer.learning_rate))
        with averaged_weights(self._model):
            measured = self._task.measure()
            seconds = self._distribution.agree(time.monotonic() - start)
            facts = {"phase": phase.name, "epoch": epoch + 1, "loss": loss, "learning_rate": rate, "seconds": seconds}
            record = self._task.record(**facts, **measured)
            if record.score > self._state.best:
                self._distribution.on_chief(lambda: self._checkpoints.save_best(self._saved))
        self._state = self._state.followed_by(record)
        taken = [record.seconds for record in self._state.history]
        left = say_left(phase, epoch + 1, taken, self._max_minutes)
        came_to = f"loss {loss:.4f}, {record.quality} ({seconds:.0f} s{left})"
        log.info("%s %d/%d: %s", phase.name, epoch + 1, phase.epochs, came_to)
        self._distribution.on_chief(lambda: self._write(measured))
        self._model.stop_training = epoch + 1 < phase.epochs and not self._goes_on()

    def _write(self, measured: dict[str, float]) -> None:
        self._checkpoints.save(self._model, self._state)
        write_metrics(self._run, self._task.record, self._state.history)
        step, record = len(self._state.history), self._state.history[-1]
        with SummaryWriter(str(self._run.path / "tensorboard"), purge_step=step, write_to_disk=True) as writer:
            for name in ("loss", "learning_rate", *measured):
                writer.add_scalar(name, getattr(record, name), step)


def write_metrics(run: TrainingRun, record: type[Epoch], history: Sequence[Epoch]) -> None:
    """Write a run's `metrics.csv`, a line per epoch.

    Args:
        run: Where to.
        record: The dataclass of an epoch.
        history: Oldest first.
    """
    columns = [field.name for field in fields(record)]
    write_text(run.path / "metrics.csv", format_csv(columns, map(astuple, history)))
