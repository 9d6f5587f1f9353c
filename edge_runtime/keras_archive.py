"""What is wrong with a Keras model file that does not load; needs no Keras."""

import textwrap
import zipfile
import zlib
from pathlib import Path
from typing import Final

MODEL_SUFFIX: Final = ".keras"
LOADING_ERRORS: Final = (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile, zlib.error)
"""What Keras raises of a file that is missing, damaged or not its own."""

_LONGEST_REASON: Final = 200


def explain_failure(path: Path, error: Exception) -> str:
    """Return why a file does not load, in a few words; Keras lists all layers, and calls what is damaged missing."""
    if not path.is_file():
        return "there is no such file"
    if path.suffix == MODEL_SUFFIX and not zipfile.is_zipfile(path):
        return "it is damaged, or no Keras model"
    lines = str(error).strip().splitlines()
    return textwrap.shorten(lines[0] if lines else repr(error), _LONGEST_REASON, placeholder=" ...")
