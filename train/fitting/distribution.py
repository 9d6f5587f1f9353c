"""Training on more than one device: all of one machine, or those of several.

The engine is Keras's `DataParallel` on JAX. JAX compiles one step of the *whole* batch and divides it among the
devices, so batch statistics, augmentation and the mean loss are those of one device; only the order of sums differs.
"""

import atexit
import contextlib
import logging
import os
import random
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import keras
import numpy as np

from edge_runtime.errors import DistributionError
from train.fitting.batches import WHOLE, Part

log = logging.getLogger(__name__)

T = TypeVar("T")


@keras.saving.register_keras_serializable("edge_garment")
class _Gather(keras.layers.Layer):  # type: ignore[misc]
    """Gives every device the rows of all devices, so that each process can read the whole of an output."""

    def __init__(self, parallel: keras.distribution.DataParallel) -> None:
        super().__init__()
        self._parallel = parallel

    def call(self, outputs: Any) -> Any:
        layout = keras.distribution.TensorLayout([None] * len(outputs.shape), self._parallel.device_mesh)
        return keras.distribution.distribute_tensor(outputs, layout)


@dataclass(frozen=True, slots=True)
class Distribution:
    """The devices that a training runs on.

    Attributes:
        parallel: Keras's own view of them; None is one device, whatever the backend takes by default.
        part: The rows of each batch that this process feeds to its devices.
        devices: Number of devices, of all processes together.
        processes: Number of processes, one or more per machine.
        process: This one, counted from zero.
    """

    parallel: keras.distribution.DataParallel | None = None
    part: Part = WHOLE
    devices: int = 1
    processes: int = 1
    process: int = 0

    def check(self, photos: int, batch_size: int) -> None:
        """Refuse batches that the devices cannot share equally.

        Raises:
            DistributionError: The batch size is no multiple of the devices, or there is not one whole batch.
        """
        if batch_size % self.devices:
            raise DistributionError(
                f"Batches of {batch_size} cannot be shared equally by {self.devices} devices; "
                f"choose a --batch-size that is a multiple of {self.devices}."
            )
        if self.devices > 1 and photos < batch_size:
            raise DistributionError(
                f"{photos} training photos do not fill one batch of {batch_size}; train them with --distribute none."
            )

    def scope(self) -> contextlib.AbstractContextManager[None]:
        """Make models, optimizers and data that are made inside live on all devices."""
        scope: contextlib.AbstractContextManager[None] = (
            self.parallel.scope() if self.parallel else contextlib.nullcontext()
        )
        return scope

    def place(self, model: keras.Model) -> keras.Model:
        """Return the model on all devices, with the first process's weights; to be called inside the scope."""
        if self.parallel is None:
            return model
        from jax.experimental import multihost_utils

        # Layers draw their seeds from Python's generator; those made after the copy are to get what they always get.
        state = random.getstate()
        copy = keras.models.clone_model(model)
        random.setstate(state)
        values = [keras.ops.convert_to_numpy(variable) for variable in model.variables]
        for variable, value in zip(copy.variables, multihost_utils.broadcast_one_to_all(values), strict=True):
            variable.assign(value)
        return copy

    def gathering(self, model: keras.Model) -> keras.Model:
        """Return a model sharing the weights, whose `predict` gives each process the answers to all rows."""
        if self.parallel is None:
            return model
        return keras.Model(model.inputs, _Gather(self.parallel)(model.output))

    def pad(self, items: Sequence[T]) -> Sequence[T]:
        """Repeat the last item until the devices can share the items equally."""
        return [*items, *[items[-1]] * (-len(items) % self.devices)]

    def on_chief(self, action: Callable[[], None]) -> None:
        """Let the first process act, outside the scope, and the others wait until it has."""
        if self.process == 0:
            with _no_scope():
                action()
        self.wait()

    def agree(self, value: float) -> float:
        """Return the first process's value in all, so that clocks cannot lead them apart."""
        if self.processes == 1:
            return value
        from jax.experimental import multihost_utils

        return float(multihost_utils.broadcast_one_to_all(np.float32(value)))

    def wait(self) -> None:
        """Wait until all processes have come here."""
        if self.processes > 1:
            from jax.experimental import multihost_utils

            multihost_utils.sync_global_devices("edge-train")


ONE_DEVICE = Distribution()


@contextlib.contextmanager
def distributed(choice: str) -> Iterator[Distribution]:
    """Yield the devices to train on, and end all processes where one fails.

    Args:
        choice: `none` (one device), `local` (all devices of this machine), or `cluster` (those of all processes that
            Slurm, Open MPI, Kubernetes or the variables `KERAS_DISTRIBUTION_*` tell of).

    Raises:
        DistributionError: The backend cannot do it, the processes do not find each other, or one of them ended.
    """
    distribution = _join(choice)
    try:
        yield distribution
        distribution.wait()
    except BaseException as error:
        if distribution.processes > 1:
            _leave_without_goodbye(error)
        if distribution.processes > 1 and _is_of_jax(error):
            raise DistributionError(
                f"Process {distribution.process} lost the others ({_first_line(error)}); see which of them failed, "
                "and repeat the command in all to go on after the last whole epoch."
            ) from error
        raise


@contextlib.contextmanager
def _no_scope() -> Iterator[None]:
    # Even to save, Keras makes a variable; inside the scope that waits for all processes to make it.
    scope = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(scope)


def _join(choice: str) -> Distribution:
    if choice == "none":
        return ONE_DEVICE
    if keras.backend.backend() != "jax":
        raise DistributionError(
            f"More than one device needs the JAX backend, and this is {keras.backend.backend()}; "
            "set KERAS_BACKEND=jax, or use --distribute none."
        )
    # Which backends JAX looks for in vain is of no use to a reader.
    logging.getLogger("jax").setLevel(logging.WARNING)
    if choice == "cluster":
        _connect()
    distribution = _describe_devices()
    log.info("training on %d devices of %d processes", distribution.devices, distribution.processes)
    if distribution.process:
        log.info("process %d follows process 0, which reports", distribution.process)
        logging.getLogger("train").setLevel(logging.WARNING)
    return distribution


def _connect() -> None:
    import jax

    # JAX's own handler of SIGTERM would take note of it, and never end the process.
    jax.config.update("jax_enable_preemption_service", False)
    # Without a seed Keras would agree on one over the network; training sets its own.
    keras.utils.set_random_seed(0)
    try:
        keras.distribution.initialize()
    except (ValueError, RuntimeError) as error:
        raise DistributionError(
            f"The processes of the cluster do not find each other ({_first_line(error)}); start them by Slurm or "
            "Open MPI, or set KERAS_DISTRIBUTION_JOB_ADDRESSES, _NUM_PROCESSES and _PROCESS_ID in each."
        ) from error


def _describe_devices() -> Distribution:
    import jax

    owners = [device.process_index for device in jax.devices()]
    process = jax.process_index()
    start = owners.index(process)
    return Distribution(
        # Batches come divided already.
        keras.distribution.DataParallel(auto_shard_dataset=False),
        Part(start, start + owners.count(process), len(owners)),
        len(owners),
        jax.process_count(),
        process,
    )


def is_lost_connection(error: BaseException) -> bool:
    """Tell whether a connection broke while a result was fetched: the library that lost it raises a ValueError."""
    return isinstance(error, ValueError) and any(library in str(error) for library in ("Gloo", "NCCL"))


def _is_of_jax(error: BaseException) -> bool:
    import jax

    return is_lost_connection(error) or isinstance(error, jax.errors.JaxRuntimeError)


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0].rstrip(".")


def _leave_without_goodbye(error: BaseException) -> None:
    """End this process as soon as its error is told: JAX's orderly end waits for processes that wait for this one."""
    code = DistributionError.exit_code if _is_of_jax(error) else _exit_code(error)

    def leave() -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    atexit.register(leave)


def _exit_code(error: BaseException) -> int:
    if isinstance(error, KeyboardInterrupt):
        return 128 + signal.SIGINT
    if isinstance(error, SystemExit) and isinstance(error.code, int):
        return error.code
    return int(getattr(error, "exit_code", 1))
