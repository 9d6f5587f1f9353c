"""Running a model's CPU file where its Edge TPU file finds no device, for those who ask for that."""

from pathlib import Path
from typing import Final

from edge_runtime.backend import EDGETPU_SUFFIX, DelegateName
from edge_runtime.errors import BackendError
from edge_runtime.recognizer import Recognizer

EDGETPU_OR_CPU: Final = "edgetpu-or-cpu"
"""Stands beside the names of delegates in `--delegate`."""

Loaded = tuple[Recognizer, str | None]
"""The recognizer, and why it runs on the CPU though an Edge TPU was asked for; None where it runs as asked for."""


def load_model(path: Path | None, delegate: str, threads: int, classifier: Recognizer | None = None) -> Loaded:
    """Open the model of `--model`.

    Args:
        path: Its file or bundled name; None for the bundled classifier.
        delegate: As `--delegate` says it.
        threads: As for `Recognizer`.
        classifier: As for `Recognizer`.

    Raises:
        EdgeGarmentError: As `load_edgetpu_or_cpu` or `Recognizer.load`.
    """
    if delegate == EDGETPU_OR_CPU:
        return load_edgetpu_or_cpu(path, threads, classifier)
    return Recognizer.load(path, threads=threads, delegate=DelegateName(delegate), classifier=classifier), None


def load_classifier(path: Path, delegate: str, threads: int) -> Loaded:
    """Open the model of `--classifier`, which need not be compiled where the CPU is allowed.

    Arguments and errors are those of `load_model`.
    """
    if delegate == EDGETPU_OR_CPU and not _is_compiled(path):
        reason = f"The name of --classifier {path} does not end in {EDGETPU_SUFFIX}, so it is a file for CPUs."
        return Recognizer.load(path, threads=threads), reason
    return load_model(path, delegate, threads)


def load_edgetpu_or_cpu(path: Path | None, threads: int | None, classifier: Recognizer | None = None) -> Loaded:
    """Open a model compiled for the Edge TPU, or the file it was compiled from where there is no Edge TPU.

    The two files are told apart by their names: `X_edgetpu.tflite` is compiled from `X.tflite` beside it.

    Args:
        path: The compiled file.
        threads: As for `Recognizer`.
        classifier: As for `Recognizer`.

    Raises:
        BackendError: The name is not that of a compiled file, or there is neither an Edge TPU nor the CPU file.
        ModelError: The file that is opened cannot be read or is not TFLite.
        MetadataError: Its metadata are missing or contradict its tensors.
    """
    if path is None or not _is_compiled(path):
        raise BackendError(f"--delegate {EDGETPU_OR_CPU} needs a --model whose name ends in {EDGETPU_SUFFIX}.")
    try:
        return Recognizer.load(path, threads=threads, delegate=DelegateName.EDGETPU, classifier=classifier), None
    except BackendError as error:
        cpu_file = _cpu_file(path)
        if not cpu_file.is_file():
            raise BackendError(f"{error} Its CPU file {cpu_file} is not there either.") from error
        return Recognizer.load(cpu_file, threads=threads, classifier=classifier), str(error)


def fallback_of(path: Path, delegate: str) -> Path | None:
    """Return the file that runs where there is no Edge TPU, whether it is there or not; None for no such file.

    Args:
        path: The model's file.
        delegate: As `--delegate` says it.
    """
    return _cpu_file(path) if delegate == EDGETPU_OR_CPU and _is_compiled(path) else None


def _is_compiled(path: Path) -> bool:
    return path.name.endswith(EDGETPU_SUFFIX)


def _cpu_file(path: Path) -> Path:
    return path.with_name(f"{path.name.removesuffix(EDGETPU_SUFFIX)}.tflite")
