"""Telling a user which extra a command needs, before anything heavy is imported."""

import importlib.util
import sys

from edge_runtime.errors import ExtraMissingError


def require_extra(command: str, extra: str, *modules: str) -> None:
    """Check that the modules of an extra can be imported.

    Raises:
        ExtraMissingError: One is missing; the text says what to install.
    """
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        raise ExtraMissingError(
            f"{command} needs {', '.join(missing)}, not installed here; run: {sys.executable} -m pip install "
            f"'edge-garment[{extra}]'"
        )
