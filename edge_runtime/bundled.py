"""The models that come with the package."""

import os
from pathlib import Path
from typing import Final

CLASSIFIER: Final = "garment_classifier"
DETECTOR: Final = "garment_detector"
BUNDLED: Final = (CLASSIFIER, DETECTOR)


def find_model(model: str | os.PathLike[str] | None) -> Path:
    """Return the path of a model.

    Args:
        model: A path, the name of a bundled model, or None for the bundled classifier.
    """
    name = CLASSIFIER if model is None else os.fspath(model)
    if name in BUNDLED:
        # importlib.resources would take a megabyte to say the same.
        return Path(__file__).with_name("models") / f"{name}.tflite"
    return Path(name)
