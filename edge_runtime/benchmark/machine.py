"""What a benchmark ran on."""

import importlib.metadata
import platform
from pathlib import Path
from typing import Any, Final

from edge_runtime.backend import usable_cpus

_PACKAGES: Final = ("edge-garment", "ai-edge-litert", "tflite-runtime", "opencv-python-headless", "numpy")


def describe_machine() -> dict[str, Any]:
    """Return JSON-ready facts: processor, CPUs this process may use, system, versions."""
    return {
        "processor": _processor(),
        "cpus": usable_cpus(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
    }


def _processor() -> str:
    """Return the processor's name, or on ARM, where Linux has none for it, the board's or the architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        # Other systems have no such file.
        return platform.processor() or platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "Model"))]
    return named[-1] if named else platform.machine()


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
