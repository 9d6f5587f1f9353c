"""Standard output as Windows has it."""

import errno
import io
import os
import sys
from typing import Final

_ON_WINDOWS: Final = os.name == "nt"


def tells_of_no_reader(error: OSError) -> bool:
    """Tell whether an error of writing means that nobody reads the pipe any more."""
    # Windows has no number of its own for that; where it takes a file's name for invalid, the error has the name.
    without_reader = _ON_WINDOWS and error.errno == errno.EINVAL and error.filename is None
    return without_reader or isinstance(error, BrokenPipeError)


def escape_unshowable() -> None:
    """Have stdout show letters that its encoding lacks as escapes: what is redirected may get one of few letters."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")
