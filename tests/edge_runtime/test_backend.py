import ctypes.util
import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from edge_runtime.backend import DelegateName, default_threads, open_interpreter
from edge_runtime.errors import BackendError, ModelError

ROOT = Path(__file__).parents[2]


def test_the_backend_says_what_really_runs(tiny_model_bytes: bytes) -> None:
    _, backend = open_interpreter(tiny_model_bytes, 1, DelegateName.CPU)
    assert backend.package in ("ai-edge-litert", "tflite-runtime")
    assert str(backend) == f"{backend.package} {backend.version}, delegate cpu, 1 thread"


def test_threads_stay_between_one_and_four() -> None:
    assert 1 <= default_threads() <= 4


def test_without_an_interpreter_the_message_says_what_to_install(
    tiny_model_bytes: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str, *_: Any) -> ModuleType:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", refuse)
    with pytest.raises(BackendError, match="pip install ai-edge-litert"):
        open_interpreter(tiny_model_bytes, 1, DelegateName.CPU)


def test_a_damaged_model_is_a_model_error(tiny_model_bytes: bytes) -> None:
    with pytest.raises(ModelError, match="damaged"):
        open_interpreter(tiny_model_bytes[:64] + bytes(len(tiny_model_bytes) - 64), 1, DelegateName.CPU)


def test_a_delegate_is_known_by_its_name(tiny_model_bytes: bytes) -> None:
    _, backend = open_interpreter(tiny_model_bytes, 1, "cpu")
    assert backend.delegate is DelegateName.CPU
    assert "delegate cpu" in str(backend)


def test_an_unknown_delegate_is_said_with_those_there_are(tiny_model_bytes: bytes) -> None:
    with pytest.raises(BackendError, match=r"no delegate 'gpu'; take one of cpu, edgetpu\."):
        open_interpreter(tiny_model_bytes, 1, "gpu")


@pytest.mark.parametrize("threads", [0, -1])
def test_too_few_threads_are_said(tiny_model_bytes: bytes, threads: int) -> None:
    with pytest.raises(ValueError, match=f"at least 1 thread, not {threads}"):
        open_interpreter(tiny_model_bytes, threads, DelegateName.CPU)


@pytest.mark.parametrize("threads", [257, 100_000])
def test_more_threads_than_a_machine_may_have_are_said(tiny_model_bytes: bytes, threads: int) -> None:
    with pytest.raises(ValueError, match=f"at most 256 threads, not {threads}"):
        open_interpreter(tiny_model_bytes, threads, DelegateName.CPU)


def test_half_a_thread_is_not_the_fault_of_the_model(tiny_model_bytes: bytes) -> None:
    with pytest.raises(TypeError, match=r"threads has to be a whole number, not 1\.5"):
        open_interpreter(tiny_model_bytes, 1.5, DelegateName.CPU)


_WITHOUT_LIBRARY = pytest.mark.skipif(
    ctypes.util.find_library("edgetpu") is not None, reason="an Edge TPU library is installed"
)


@_WITHOUT_LIBRARY
def test_an_edge_tpu_by_its_name_is_not_replaced_by_the_cpu(tiny_model_bytes: bytes) -> None:
    with pytest.raises(BackendError, match="The Edge TPU library"):
        open_interpreter(tiny_model_bytes, 1, "edgetpu")


@_WITHOUT_LIBRARY
def test_a_missing_edge_tpu_library_is_one_sentence(tiny_model: Path) -> None:
    command = ["--demo", "--delegate", "edgetpu", "--model", str(tiny_model)]
    done = subprocess.run(
        [sys.executable, "-m", "edge_runtime.cli", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == BackendError.exit_code
    assert done.stderr.startswith("Error: The Edge TPU library")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif("EDGE_GARMENT_DATA" not in os.environ, reason="EDGE_GARMENT_DATA does not name the data")
def test_a_model_compiled_for_the_edge_tpu_asks_for_its_delegate() -> None:
    file = Path(os.environ["EDGE_GARMENT_DATA"]) / "weights" / "mobilenet_v1_0.25_128_quant_edgetpu.tflite"
    with pytest.raises(BackendError, match="--delegate edgetpu"):
        open_interpreter(file.read_bytes(), 1, DelegateName.CPU)
