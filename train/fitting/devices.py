"""What a training computes on, which is said, so that nobody waits days for a processor beside an idle GPU."""

import logging
from pathlib import Path
from typing import Final

import keras

log = logging.getLogger(__name__)

DRIVER_FILES: Final = Path("/dev")
"""Where Linux has a file `nvidia0` for the first GPU of that maker whose driver is loaded."""


def find_device() -> str:
    """Return what the backend computes on, by its own name: `CPU:0`, `GPU:0` or `cuda:0`."""
    return str(keras.ops.zeros(1).device).rpartition("device:")[2]


def tell_device() -> None:
    """Say what is computed on, and of a GPU that the backend does not see where it says what to do."""
    device = find_device()
    idle = "cpu" in device.lower() and (DRIVER_FILES / "nvidia0").exists()
    hint = "; it does not see this machine's GPU, for which docs/training.md says what to install" if idle else ""
    log.info("training on %s by %s%s", device, keras.backend.backend(), hint)
