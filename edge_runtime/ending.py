"""How a command's process ends."""

import os
import sys
from typing import NoReturn

import click


def run_process(command: click.Command, name: str) -> NoReturn:
    """Run a command with the arguments of this process, and end the process with its exit code.

    Where OpenCV was loaded, neither Python nor native libraries are taken down first. Threads may still be in OpenCV
    or FFmpeg: one that a camera or a sink holds, or one that Python has joined before its last native lines were done.
    A thread that comes back from there while its interpreter or its library's data are being destroyed aborts the
    process or ends it with SIGSEGV, and one that holds a stream's lock keeps it for ever. Nothing is lost by that:
    every line is flushed as it is written, and sinks close their files before the command returns.
    """
    try:
        command(prog_name=name)
    except SystemExit as ended:
        if "cv2" in sys.modules:
            os._exit(_exit_code(ended))
        raise
    raise AssertionError("click ends a command by SystemExit")


def _exit_code(ended: SystemExit) -> int:
    if ended.code is None:
        return 0
    return ended.code if isinstance(ended.code, int) else 1
