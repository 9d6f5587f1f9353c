import os
import shutil
import stat
import textwrap
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from convert.cli import main
from convert.edgetpu.compiler import MappedOperations, parse_log
from edge_runtime.errors import ConversionError
from edge_runtime.metadata.reading import read_detector_outputs, read_spec

LOG = """\
Edge TPU Compiler version 16.0.384591198
Started a compilation timeout timer of 180 seconds.

Model compiled successfully in 1354 ms.

Input model: tiny.tflite
Input size: 5.10MiB
Output model: tiny_edgetpu.tflite
Output size: 6.28MiB
On-chip memory used for caching model parameters: 6.03MiB
On-chip memory remaining for caching model parameters: 1.21MiB
Off-chip memory used for streaming uncached model parameters: 41.75KiB
Number of Edge TPU subgraphs: 1
Total number of operations: 143
Operation log: tiny_edgetpu.log

Model successfully compiled but not all operations are supported by the Edge TPU. A percentage of the model will \
instead run on the CPU, which is slower. For details, visit g.co/coral/model-reqs.
Number of operations that will run on Edge TPU: 139
Number of operations that will run on CPU: 4

Operator                       Count      Status

CONV_2D                        139        Mapped to Edge TPU
RESIZE_BILINEAR                3          Operation is otherwise supported, but not mapped due to some unspecified \
limitation
DEQUANTIZE                     1          Operation is working on an unsupported data type
Compilation child process completed within timeout period.
Compilation succeeded!
"""


def test_the_log_is_read() -> None:
    log = parse_log(LOG)
    assert (log.version, log.streamed, log.mapped, log.total) == ("16.0.384591198", "41.75KiB", 139, 143)
    assert log.operations[0] == MappedOperations("CONV_2D", 139, "Mapped to Edge TPU")
    assert not log.operations[1].mapped


@pytest.fixture
def model(tiny_model_bytes: bytes, tmp_path: Path) -> Path:
    file = tmp_path / "tiny.tflite"
    file.write_bytes(tiny_model_bytes)
    return file


def install_compiler(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a stand-in for Coral's compiler first on the path; it is called as `edgetpu_compiler -s -o DIR MODEL`."""
    program = folder / "bin" / "edgetpu_compiler"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n" + textwrap.dedent(script))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (folder / "log.txt").write_text(LOG)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")


def compile_with(model: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Result:
    install_compiler(model.parent, monkeypatch, script)
    return CliRunner().invoke(main, ["edgetpu", str(model)])


@pytest.mark.skipif(shutil.which("edgetpu_compiler") is not None, reason="Coral's compiler is installed")
def test_without_the_compiler_it_is_said_that_nothing_was_compiled(model: Path) -> None:
    result = CliRunner().invoke(main, ["edgetpu", str(model)])
    assert result.exit_code == ConversionError.exit_code
    assert "was NOT compiled" in result.stderr
    assert not (model.parent / "tiny_edgetpu.tflite").exists()


def test_a_compiled_file_lies_beside_the_model_and_says_the_same(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in drops the packed files, as a compiler may, and marks the file as compiled."""
    content = model.read_bytes()
    (model.parent / "compiled").write_bytes(content[: content.index(b"PK\x03\x04")] + b"edgetpu-custom-op")
    script = f"cp {model.parent}/compiled $3/tiny_edgetpu.tflite; cat {model.parent}/log.txt"
    result = compile_with(model, monkeypatch, script)
    assert result.exit_code == 0, result.output
    assert "139 of 143 operations on the Edge TPU, 41.75KiB of weights" in result.stdout
    assert read_spec((model.parent / "tiny_edgetpu.tflite").read_bytes()) == read_spec(model.read_bytes())


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'ERROR: Attempting to use a delegate that only supports static-sized tensors'; exit 1", "static-sized"),
        ("echo 'Internal compiler error. Aborting!'; exit 1", "Aborting!"),
        ("exit 3", "exit code 3"),
        ("echo 'Edge TPU Compiler version 16.0'", "wrote no file"),
        ("cp $4 $3/tiny_edgetpu.tflite", "none of it would run"),
    ],
)
def test_a_failure_leaves_nothing_behind(
    script: str, reason: str, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = compile_with(model, monkeypatch, script)
    assert result.exit_code == ConversionError.exit_code
    assert "was NOT compiled" in result.stderr
    assert reason in result.stderr
    assert not (model.parent / "tiny_edgetpu.tflite").exists()


def test_a_detectors_outputs_keep_their_order(
    swapped_detector_bytes: bytes, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.write_bytes(swapped_detector_bytes)
    (model.parent / "compiled").write_bytes(swapped_detector_bytes + b"edgetpu-custom-op")
    result = compile_with(
        model, monkeypatch, f"cp {model.parent}/compiled $3/tiny_edgetpu.tflite; cat {model.parent}/log.txt"
    )
    assert result.exit_code == 0, result.output
    compiled = (model.parent / "tiny_edgetpu.tflite").read_bytes()
    assert read_detector_outputs(compiled) == read_detector_outputs(swapped_detector_bytes)
    assert read_spec(compiled) == read_spec(swapped_detector_bytes)
