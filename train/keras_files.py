"""Reading Keras model files."""

import textwrap
import zipfile
from pathlib import Path

import keras

from edge_runtime.errors import RunError

MODEL_SUFFIX = ".keras"
_LONGEST_REASON = 200


def load_model(path: Path) -> keras.Model:
    """Load a model to be run, not to be compiled again.

    Raises:
        RunError: The file is missing, damaged, or has layers that Keras does not know.
    """
    try:
        return keras.models.load_model(path, compile=False)
    except (OSError, ValueError, TypeError) as error:
        reason = explain_failure(path, error)
        raise RunError(f"{path} does not load as a Keras model ({reason}); name a finished run.") from error


def explain_failure(path: Path, error: Exception) -> str:
    """Return why a file does not load, in a few words; Keras lists all layers, and calls what is damaged missing."""
    if not path.is_file():
        return "there is no such file"
    if path.suffix == MODEL_SUFFIX and not zipfile.is_zipfile(path):
        return "it is damaged, or no Keras model"
    lines = str(error).strip().splitlines()
    return textwrap.shorten(lines[0] if lines else repr(error), _LONGEST_REASON, placeholder=" ...")
