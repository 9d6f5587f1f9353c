"""Running a model's CPU file where its Edge TPU file finds no device, for those who ask for that."""

from pathlib import Path

from edge_runtime.backend import EDGETPU_SUFFIX, DelegateName
from edge_runtime.errors import BackendError
from edge_runtime.recognizer import Recognizer


def load_edgetpu_or_cpu(
    path: Path | None, threads: int | None, classifier: Recognizer | None = None
) -> tuple[Recognizer, str | None]:
    """Open a model compiled for the Edge TPU, or the file it was compiled from where there is no Edge TPU.

    The two files are told apart by their names: `X_edgetpu.tflite` is compiled from `X.tflite` beside it.

    Args:
        path: The compiled file.
        threads: As for `Recognizer`.
        classifier: As for `Recognizer`.

    Returns:
        The recognizer, and why it runs on the CPU; None where it runs on an Edge TPU.

    Raises:
        BackendError: The name is not that of a compiled file, or there is neither an Edge TPU nor the CPU file.
        ModelError: The file that is opened cannot be read or is not TFLite.
        MetadataError: Its metadata are missing or contradict its tensors.
    """
    if path is None or not path.name.endswith(EDGETPU_SUFFIX):
        raise BackendError(f"--delegate edgetpu-or-cpu needs a --model whose name ends in {EDGETPU_SUFFIX}.")
    try:
        return Recognizer.load(path, threads=threads, delegate=DelegateName.EDGETPU, classifier=classifier), None
    except BackendError as error:
        cpu_file = path.with_name(f"{path.name.removesuffix(EDGETPU_SUFFIX)}.tflite")
        if not cpu_file.is_file():
            raise BackendError(f"{error} Its CPU file {cpu_file} is not there either.") from error
        return Recognizer.load(cpu_file, threads=threads, classifier=classifier), str(error)
