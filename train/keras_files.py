"""Reading Keras model files."""

from pathlib import Path

import keras

from edge_runtime.errors import RunError


def load_model(path: Path) -> keras.Model:
    """Load a model to be run, not to be compiled again.

    Raises:
        RunError: The file is missing, damaged, or has layers that Keras does not know.
    """
    try:
        return keras.models.load_model(path, compile=False)
    except (OSError, ValueError, TypeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise RunError(f"{path} does not load as a Keras model ({reason}); name a finished run.") from error
