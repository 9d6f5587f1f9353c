"""Loading tf-keras and the model optimisation toolkit, which works on tf-keras models alone, beside Keras 3."""

import os
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

from edge_runtime.extras import require_extra
from edge_runtime.quiet import quiet_stderr

_SWITCH: Final = "TF_USE_LEGACY_KERAS"


@dataclass(frozen=True, slots=True)
class Toolkit:
    """The modules of the extra `qat`.

    Attributes:
        keras: tf-keras.
        quantization: `tensorflow_model_optimization.quantization.keras`.
    """

    keras: ModuleType
    quantization: Any


def check_toolkit() -> None:
    """Check, before any long work, that the extra `qat` is installed.

    Raises:
        ExtraMissingError: It is not.
    """
    require_extra("The recipe int8-qat", "qat", "tensorflow_model_optimization", "tf_keras")


def load_toolkit() -> Toolkit:
    """Import the modules of the extra `qat`."""
    kept = os.environ.get(_SWITCH)
    try:
        with quiet_stderr():
            import tensorflow_model_optimization as optimization
            import tf_keras

            # Its parts are loaded when they are first named.
            quantization = optimization.quantization.keras
    finally:
        # The toolkit sets it for the whole process, and processes started later would get tf-keras for Keras.
        if kept is None:
            os.environ.pop(_SWITCH, None)
        else:
            os.environ[_SWITCH] = kept
    return Toolkit(tf_keras, quantization)
