"""Which engines there are on this machine, and how each is run."""

import functools
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from convert.engines.browser import find_browser, run_in_browser
from convert.engines.job import EngineError

TIMEOUT_S: Final = 1800.0
_INTERPRETER: Final = Path(__file__).with_name("run_interpreter.py")
_MEDIAPIPE: Final = Path(__file__).with_name("run_mediapipe.py")
# Root folder, script and job are its arguments. What is mounted is seen by this command alone, and gone with it. The
# processor is a Raspberry Pi 5's: with the one that qemu 7.2 takes by itself, XNNPACK computes nonsense.
_ENTER_ROOT: Final = (
    'mount -t proc proc "$0/proc" && mount -t sysfs sysfs "$0/sys" && mount --bind "$0/cpuinfo" "$0/proc/cpuinfo" && '
    'exec chroot "$0" /usr/bin/qemu-aarch64-static -cpu cortex-a76 /usr/bin/python3 "$1" "$2"'
)


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Where a user says the engines are.

    Attributes:
        tflite_runtime: A Python with tflite-runtime.
        mediapipe: A Python with mediapipe.
        litert_js: A folder of npm's with @litertjs/core.
        arm64: Root folder of an arm64 Linux with Python and ai-edge-litert.
    """

    tflite_runtime: Path | None = None
    mediapipe: Path | None = None
    litert_js: Path | None = None
    arm64: Path | None = None


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine.

    Attributes:
        name: For people.
        run: Does the job in a folder; None where the engine is not here.
        hint: What would bring it here.
        by_metadata: Whether it answers as the metadata have it, with scores from their thresholds on and boxes in whole
            pixels, rather than with raw outputs.
    """

    name: str
    run: Callable[[Path], None] | None
    hint: str = ""
    by_metadata: bool = False


def find_engines(options: EngineOptions) -> tuple[Engine, ...]:
    """Return the reference, ai-edge-litert, and then every other engine, here or not."""
    return (
        Engine("ai-edge-litert", _python_engine(_INTERPRETER, _own_python("ai_edge_litert")), "install ai-edge-litert"),
        Engine(
            "tflite-runtime",
            _python_engine(_INTERPRETER, options.tflite_runtime),
            "give --tflite-runtime a Python that has it",
        ),
        Engine(
            "MediaPipe Tasks",
            _python_engine(_MEDIAPIPE, options.mediapipe or _own_python("mediapipe")),
            "give --mediapipe a Python that has it",
            by_metadata=True,
        ),
        Engine(
            "LiteRT.js",
            _browser_engine(options.litert_js),
            "install Chromium and @litertjs/core by npm, and give --litert-js the folder",
        ),
        Engine("arm64", _arm64_engine(options.arm64), "make a root folder with bench/setup_arm64.sh for --arm64"),
    )


def _own_python(module: str) -> Path | None:
    return Path(sys.executable) if importlib.util.find_spec(module) is not None else None


def _python_engine(script: Path, python: Path | None) -> Callable[[Path], None] | None:
    return None if python is None else functools.partial(_run, [str(python), str(script)])


def _browser_engine(packages: Path | None) -> Callable[[Path], None] | None:
    browser = find_browser()
    if packages is None or browser is None:
        return None
    return functools.partial(run_in_browser, browser=browser, packages=packages.absolute(), timeout_s=TIMEOUT_S)


def _arm64_engine(root: Path | None) -> Callable[[Path], None] | None:
    return None if root is None else functools.partial(_run_in_root, root)


def _run_in_root(root: Path, folder: Path) -> None:
    """Do the job in another system's root folder; its programs see nothing outside it, so the job is copied."""
    if not (root / "tmp").is_dir():
        raise EngineError(f"{root} is no root folder of an arm64 Linux")
    with tempfile.TemporaryDirectory(dir=root / "tmp") as inside:
        job = Path(inside) / "job"
        shutil.copytree(folder, job)
        shutil.copy(_INTERPRETER, inside)
        seen = Path("/tmp", Path(inside).name)
        enter = ["unshare", "--mount", "sh", "-c", _ENTER_ROOT, str(root.absolute())]
        _run([*enter, str(seen / _INTERPRETER.name)], seen / "job")
        shutil.copytree(job, folder, dirs_exist_ok=True)


def _run(command: Sequence[str], folder: Path) -> None:
    # Another Python must not find this one's modules.
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    try:
        done = subprocess.run(
            [*command, str(folder)], env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineError(f"{command[0]} did not run ({error})") from error
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise EngineError(lines[-1])
