"""What a run was made with."""

import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

from train.distribution import Distribution

_PACKAGES = ("edge-garment", "keras", "tensorflow", "jax", "torch", "numpy", "opencv-python-headless", "scikit-learn")


def start_backend() -> None:
    """Make the Keras backend look for its devices now, where its notices can be dropped."""
    keras.ops.zeros(1)


@contextmanager
def computing_in(policy: str) -> Iterator[None]:
    """Build layers that compute under a Keras dtype policy, say `mixed_bfloat16`, while the context lasts."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def describe_environment(distribution: Distribution) -> dict[str, Any]:
    """Return JSON-ready facts: versions, Keras backend, processor, devices."""
    return {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "keras_backend": keras.backend.backend(),
        "devices": distribution.devices,
        "processes": distribution.processes,
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
