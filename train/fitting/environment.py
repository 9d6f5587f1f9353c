"""What a run was made with."""

import ctypes
import importlib.metadata
import logging
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

from train.fitting.devices import find_device
from train.fitting.distribution import Distribution
from train.networks.fused_batch_norm import fuse_batch_norms

_PACKAGES = ("edge-garment", "keras", "tensorflow", "jax", "torch", "numpy", "opencv-python-headless", "scikit-learn")


# From glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8
_NEVER = 2**31 - 1


def start_backend() -> None:
    """Set the process up for training, and let Keras look for its devices now, where notices can be dropped."""
    keep_freed_memory()
    fuse_batch_norms()
    keras.ops.zeros(1)
    # Each model that is asked for answers has a function of its own, which TensorFlow takes for one made over and over.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def keep_freed_memory() -> None:
    """Let glibc keep the memory that one step frees for the next one; other C libraries are left as they are.

    It hands large blocks back to the system at once, which has to find and clear them anew for every activation of
    every step: over a quarter of its time on a CPU (bench/training_step.py).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, _NEVER)
        mallopt(_M_ARENA_MAX, 1)


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
    """Return JSON-ready facts: versions, Keras backend, processor, what is computed on."""
    return {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "keras_backend": keras.backend.backend(),
        "device": find_device(),
        "devices": distribution.devices,
        "processes": distribution.processes,
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
