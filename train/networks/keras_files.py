"""Reading Keras model files."""

from pathlib import Path

import keras

from edge_runtime.errors import RunError
from edge_runtime.keras_archive import LOADING_ERRORS, explain_failure


def load_model(path: Path) -> keras.Model:
    """Load a model to be run, not to be compiled again.

    Raises:
        RunError: The file is missing, damaged, or has layers that Keras does not know.
    """
    try:
        return keras.models.load_model(path, compile=False)
    except LOADING_ERRORS as error:
        reason = explain_failure(path, error)
        raise RunError(f"{path} does not load as a Keras model ({reason}); name a finished run.") from error
