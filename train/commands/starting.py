"""Starting Keras for a command that needs it."""

import os

from edge_runtime.quiet import quiet_stderr


def start_keras() -> None:
    """Load Keras, which takes seconds, and let its backend look for devices; what they greet with is dropped."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with quiet_stderr():
        from train.fitting.environment import start_backend

        start_backend()
