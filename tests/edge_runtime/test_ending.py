import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
# Two threads that are in OpenCV nearly all the time, as those of cameras that nobody could stop are.
_COMMAND = """
import sys, threading, time
import click, cv2, numpy
from edge_runtime.ending import run_process

picture = numpy.zeros((64, 64, 3), numpy.uint8)

def work():
    while True:
        cv2.resize(picture, (32, 32))

@click.command()
def command():
    for _ in range(2):
        threading.Thread(target=work, daemon=True).start()
    time.sleep(0.05)
    click.echo("done")
    sys.exit({code})

run_process(command, "name")
"""


@pytest.mark.parametrize(("code", "seen"), [("7", 7), ("None", 0)])
def test_threads_within_native_code_do_not_crash_the_end(code: str, seen: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _COMMAND.format(code=code)], capture_output=True, text=True, check=False, cwd=_ROOT
    )
    assert (done.returncode, done.stdout) == (seen, "done\n")
