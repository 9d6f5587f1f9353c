"""Runs Coral's `edgetpu_compiler`, which Google gives away as a program for x86-64 Debian only."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from convert.metadata_writer import add_metadata
from edge_runtime.backend import EDGETPU_OP, EDGETPU_SUFFIX
from edge_runtime.errors import ConversionError, MetadataError, ModelError
from edge_runtime.files import write_bytes
from edge_runtime.metadata.reading import read_detector_outputs, read_spec
from edge_runtime.model_file import read_model

_COMPILER: Final = "edgetpu_compiler"
_MAPPED: Final = "Mapped to Edge TPU"
# The compiler gives up by itself after 180 seconds.
_TIMEOUT_S: Final = 600

_VERSION: Final = re.compile(r"^Edge TPU Compiler version (\S+)", re.MULTILINE)
_FAILURE: Final = re.compile(r"^(?:Compilation failed: |ERROR: |Internal compiler error\. )(.+)", re.MULTILINE)
_STREAMED: Final = re.compile(r"^Off-chip memory used for streaming uncached model parameters: (\S+)", re.MULTILINE)
_OPERATION: Final = re.compile(r"^([A-Z][\w-]+) +(\d+) +(\S.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class MappedOperations:
    """Operations of one kind and one fate.

    Attributes:
        kind: `CONV_2D` ...
        count: How many.
        status: The compiler's own words.
    """

    kind: str
    count: int
    status: str

    @property
    def mapped(self) -> bool:
        """Whether they run on the Edge TPU."""
        return self.status == _MAPPED


@dataclass(frozen=True, slots=True)
class CompilerLog:
    """What the compiler said.

    Attributes:
        version: Of the compiler.
        operations: By kind and status.
        streamed: Weights that do not fit on the chip and are sent for every frame, as the compiler writes sizes.
    """

    version: str
    operations: tuple[MappedOperations, ...]
    streamed: str

    @property
    def mapped(self) -> int:
        """How many operations run on the Edge TPU."""
        return sum(each.count for each in self.operations if each.mapped)

    @property
    def total(self) -> int:
        """How many operations there are."""
        return sum(each.count for each in self.operations)


def compile_model(model: Path) -> tuple[Path, CompilerLog]:
    """Compile a model for the Edge TPU, into a file beside it whose name ends in `_edgetpu.tflite`.

    The compiled file carries the description of the one it was made from.

    Raises:
        ConversionError: There is no compiler here, or it fails, or nothing of the model runs on the Edge TPU.
        ModelError: The file cannot be read.
        OutputError: The compiled file cannot be written.
    """
    content = read_model(model)
    describe = _read_description(content)
    program = shutil.which(_COMPILER)
    if program is None:
        raise ConversionError(
            f"{model} was NOT compiled, as {_COMPILER} is not installed; install Coral's package edgetpu-compiler on "
            "an x86-64 Debian and repeat there. On CPUs the file runs as it is."
        )
    with tempfile.TemporaryDirectory() as folder:
        log = parse_log(_run(program, model, Path(folder)))
        compiled = _compiled_file(model, Path(folder), log)
    output = model.with_name(f"{model.stem}{EDGETPU_SUFFIX}")
    write_bytes(output, describe(compiled))
    return output, log


def parse_log(text: str) -> CompilerLog:
    """Read what the compiler printed with `-s`."""
    version, streamed = _VERSION.search(text), _STREAMED.search(text)
    rows = (MappedOperations(kind, int(count), status) for kind, count, status in _OPERATION.findall(text))
    return CompilerLog(version[1] if version else "unknown", tuple(rows), streamed[1] if streamed else "unknown")


def _run(program: str, model: Path, folder: Path) -> str:
    command = [program, "-s", "-o", str(folder), str(model.absolute())]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_S, check=False, cwd=folder
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConversionError(f"{model} was NOT compiled, as {program} did not finish ({error}).") from error
    text = done.stdout + done.stderr
    failure = _FAILURE.search(text)
    if done.returncode or failure:
        reason = failure[1].strip() if failure else f"exit code {done.returncode}"
        raise ConversionError(
            f"{model} was NOT compiled, as {_COMPILER} failed ({reason}); see edge-convert preflight {model}."
        )
    return text


def _compiled_file(model: Path, folder: Path, log: CompilerLog) -> bytes:
    files = list(folder.glob("*_edgetpu.tflite"))
    if not files:
        raise ConversionError(f"{model} was NOT compiled, as {_COMPILER} {log.version} wrote no file.")
    content = files[0].read_bytes()
    if EDGETPU_OP.encode() not in content:
        raise ConversionError(
            f"{model} was NOT compiled, as none of it would run on an Edge TPU; see edge-convert preflight {model}."
        )
    return content


def _read_description(model: bytes) -> Callable[[bytes], bytes]:
    """Return what gives the compiled model the original's metadata and packed files, which the compiler may drop."""
    try:
        spec = read_spec(model)
    except (MetadataError, ModelError):
        return lambda compiled: compiled
    if spec.detection is None:
        return partial(add_metadata, spec=spec)
    places = read_detector_outputs(model)
    return partial(add_metadata, spec=spec, detector_outputs=sorted(places, key=lambda output: places[output]))
