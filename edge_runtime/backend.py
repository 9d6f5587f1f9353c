"""Opening a TFLite interpreter: which package runs it, on how many threads, through which delegate."""

import importlib
import operator
import os
from dataclasses import dataclass
from enum import StrEnum
from types import ModuleType
from typing import Any, Final

from edge_runtime.errors import BackendError, ModelError
from edge_runtime.graph_check import check_graph

_PACKAGES = {"ai_edge_litert": "ai-edge-litert", "tflite_runtime": "tflite-runtime"}
_EDGETPU_LIBRARY = "libedgetpu.so.1"
_MOST_USEFUL_THREADS = 4

MOST_THREADS: Final = 256
"""What a machine that runs out of threads answers with is the end of the process, so no more than that are begun."""

EDGETPU_OP: Final = "edgetpu-custom-op"
"""Name of the one operation that stands for all that was compiled for the Edge TPU."""

EDGETPU_SUFFIX: Final = "_edgetpu.tflite"
"""How the name of a compiled file ends; that of the file for CPUs ends in `.tflite` alone."""


class DelegateName(StrEnum):
    """Where a model's operations run."""

    CPU = "cpu"
    EDGETPU = "edgetpu"


@dataclass(frozen=True, slots=True)
class Backend:
    """What really runs a model.

    Attributes:
        package: Distribution name of the interpreter.
        version: Its version.
        delegate: Where the operations run.
        threads: CPU threads given to the interpreter.
    """

    package: str
    version: str
    delegate: DelegateName
    threads: int

    def __str__(self) -> str:
        """Return one line for logs."""
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return f"{self.package} {self.version}, delegate {self.delegate.value}, {threads}"


def default_threads() -> int:
    """Return the CPUs this process may use, at most four: beyond that small models gain nothing."""
    return min(usable_cpus(), _MOST_USEFUL_THREADS)


def usable_cpus() -> int:
    """Return how many CPUs this process may use, or where the system does not tell, how many there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def open_interpreter(model: bytes, threads: int, delegate: DelegateName | str) -> tuple[Any, Backend]:
    """Open an interpreter on a model's bytes, allocate its tensors, and run it once.

    Args:
        model: A whole `.tflite` file.
        threads: CPU threads, from 1 to 256.
        delegate: Where to run, or its name; never replaced by another silently.

    Returns:
        The interpreter, ready to be invoked, and what it runs on.

    Raises:
        BackendError: No interpreter package, or the delegate is not to be had.
        ModelError: The model is damaged, or the interpreter refuses it.
        TypeError: The number of threads is not whole.
        ValueError: There are fewer threads than 1 or more than 256.
    """
    threads = as_whole("threads", threads)
    if threads < 1:
        raise ValueError(f"A model needs at least 1 thread, not {threads}.")
    if threads > MOST_THREADS:
        raise ValueError(f"A model takes at most {MOST_THREADS} threads, not {threads}.")
    delegate = _known_delegate(delegate)
    check_graph(model)
    module, package, version = _import_interpreter()
    delegates = [_load_edgetpu(module, model)] if delegate is DelegateName.EDGETPU else None
    try:
        interpreter = module.Interpreter(model_content=model, num_threads=threads, experimental_delegates=delegates)
        interpreter.allocate_tensors()
        # Some faults of a model show only when it runs, and are to be found here rather than at the first customer.
        interpreter.invoke()
    except SystemError as error:
        raise BackendError(f"{package} cannot work with this numpy; install numpy<2 beside it.") from error
    except (ValueError, RuntimeError) as error:
        raise _refusal(error) from error
    return interpreter, Backend(package, version, delegate, threads)


def as_whole(name: str, value: int) -> int:
    """Return a whole number of any type as an int.

    Raises:
        TypeError: It is not one; the message has the name of what was given.
    """
    try:
        return operator.index(value)
    except TypeError as error:
        raise TypeError(f"{name} has to be a whole number, not {value!r}.") from error


def _known_delegate(name: str) -> DelegateName:
    try:
        return DelegateName(name)
    except ValueError as error:
        raise BackendError(f"There is no delegate {name!r}; take one of {', '.join(DelegateName)}.") from error


def _import_interpreter() -> tuple[ModuleType, str, str]:
    """Return the module with the interpreter, and its distribution's name and version."""
    for name, package in _PACKAGES.items():
        try:
            # Asking importlib.metadata for the version would take 20 ms of the time to a first result.
            return importlib.import_module(f"{name}.interpreter"), package, importlib.import_module(name).__version__
        except ModuleNotFoundError:
            continue
    raise BackendError("No TFLite interpreter is installed; run: pip install ai-edge-litert")


def _load_edgetpu(module: ModuleType, model: bytes) -> Any:
    import ctypes

    try:
        # Loaded here first, because a delegate whose library is missing prints a traceback when it is collected.
        ctypes.CDLL(_EDGETPU_LIBRARY)
        loaded = module.load_delegate(_EDGETPU_LIBRARY)
    except OSError as error:
        raise BackendError(
            f"The Edge TPU library {_EDGETPU_LIBRARY} is not installed; install Coral's libedgetpu1-std, "
            "or run with --delegate cpu."
        ) from error
    except ValueError as error:
        raise BackendError(
            "No Edge TPU answers; plug the device in and check that your user may open it, or run with --delegate cpu."
        ) from error
    if EDGETPU_OP.encode() not in model:
        # The delegate would take nothing of it, and the CPU would do all the work unnoticed.
        raise BackendError(
            f"This model is not compiled for an Edge TPU; take its file *{EDGETPU_SUFFIX}, make that with "
            "edge-convert edgetpu, or run with --delegate cpu."
        )
    return loaded


def _refusal(error: Exception) -> BackendError | ModelError:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if EDGETPU_OP in str(error):
        return BackendError("This model is compiled for an Edge TPU; add --delegate edgetpu, or take its CPU file.")
    return ModelError(f"The TFLite interpreter refuses the model: {reason}; convert it again with edge-convert.")
