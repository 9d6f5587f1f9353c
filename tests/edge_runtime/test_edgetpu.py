"""What is said where an Edge TPU is asked for and something is missing."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from convert.metadata_writer import add_metadata
from edge_runtime.backend import EDGETPU_OP, EDGETPU_SUFFIX
from edge_runtime.benchmark.job import Job
from edge_runtime.errors import BackendError, ModelError
from edge_runtime.fallback import EDGETPU_OR_CPU, fallback_of, load_edgetpu_or_cpu
from edge_runtime.metadata.reading import read_spec

ROOT = Path(__file__).parents[2]
# The two functions of a delegate's library; with a device, the first would return a delegate.
NO_DEVICE = """\
void *tflite_plugin_create_delegate(char **keys, char **values, int count, void (*report)(const char *)) {
    report("no device");
    return 0;
}
void tflite_plugin_destroy_delegate(void *delegate) {}
"""
# A delegate that takes no operation: the layout of TfLiteDelegate in LiteRT's C API.
IDLE_DEVICE = """\
struct delegate { void *data; int (*prepare)(void *, void *); void *more[4]; long long flags; void *rest[8]; };
static int prepare(void *context, void *delegate) { return 0; }
static struct delegate idle = {0, prepare};
void *tflite_plugin_create_delegate(char **keys, char **values, int count, void (*report)(const char *)) {
    return &idle;
}
void tflite_plugin_destroy_delegate(void *delegate) {}
"""


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each stand-in of Coral's library: `none` has no library, the others are named after the device."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler to make a stand-in for Coral's library")
    folder = tmp_path_factory.mktemp("libraries")
    for name, source in (("none", None), ("no_device", NO_DEVICE), ("idle", IDLE_DEVICE)):
        (folder / name).mkdir()
        if source is not None:
            (folder / f"{name}.c").write_text(source)
            command = [compiler, "-shared", "-fPIC", "-o", str(folder / name / "libedgetpu.so.1")]
            subprocess.run([*command, str(folder / f"{name}.c")], check=True)
    return folder


@pytest.fixture(scope="module")
def compiled() -> Path:
    if "EDGE_GARMENT_DATA" not in os.environ:
        pytest.skip("EDGE_GARMENT_DATA does not name the data")
    return Path(os.environ["EDGE_GARMENT_DATA"]) / "weights" / f"mobilenet_v1_0.25_128_quant{EDGETPU_SUFFIX}"


@pytest.fixture
def detector(tiny_detector_bytes: bytes, tmp_path: Path) -> Path:
    """A compiled detector's file, as far as its name and the operation's name in it go, and the CPU file beside it."""
    (tmp_path / "found.tflite").write_bytes(tiny_detector_bytes)
    path = tmp_path / f"found{EDGETPU_SUFFIX}"
    path.write_bytes(add_metadata(tiny_detector_bytes, replace(read_spec(tiny_detector_bytes), name=EDGETPU_OP)))
    return path


def run_module(library: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LD_LIBRARY_PATH": str(library), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", f"edge_runtime.{module}", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def edge_run(library: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_module(library, "cli", "--demo", "--max-frames", "1", *arguments)


@pytest.mark.parametrize(
    ("library", "delegate", "sentence"),
    [
        ("none", "edgetpu", "The Edge TPU library libedgetpu.so.1 is not installed"),
        ("no_device", "edgetpu", "No Edge TPU answers"),
        ("none", "cpu", "This model is compiled for an Edge TPU; add --delegate edgetpu"),
    ],
)
def test_three_things_that_may_be_missing_are_told_apart(
    libraries: Path, compiled: Path, library: str, delegate: str, sentence: str
) -> None:
    done = edge_run(libraries / library, "--model", str(compiled), "--delegate", delegate)
    assert done.returncode == BackendError.exit_code
    assert done.stderr.startswith(f"Error: {sentence}")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_model_that_is_not_compiled_does_not_run_on_the_cpu_unnoticed(libraries: Path, tiny_model: Path) -> None:
    done = edge_run(libraries / "idle", "--model", str(tiny_model), "--delegate", "edgetpu")
    assert done.returncode == BackendError.exit_code
    assert "not compiled for an Edge TPU" in done.stderr


@pytest.mark.parametrize("library", ["none", "no_device"])
def test_the_cpu_file_runs_when_that_is_asked_for_and_said(libraries: Path, compiled: Path, library: str) -> None:
    done = edge_run(libraries / library, "--model", str(compiled), "--delegate", "edgetpu-or-cpu")
    assert done.returncode == 0, done.stderr
    assert "Running on the CPU instead of an Edge TPU." in done.stderr
    assert "delegate cpu" in done.stderr
    assert done.stdout.count("\n") == 1


@pytest.mark.parametrize(("library", "runs"), [("idle", "edgetpu"), ("none", "cpu")])
def test_a_classifier_for_cpus_runs_there_behind_a_compiled_detector(
    libraries: Path, detector: Path, tiny_model: Path, library: str, runs: str
) -> None:
    models = ("--model", str(detector), "--classifier", str(tiny_model))
    done = edge_run(libraries / library, *models, "--delegate", "edgetpu-or-cpu")
    assert done.returncode == 0, done.stderr
    assert f"instead of an Edge TPU. The name of --classifier {tiny_model} does not end in" in done.stderr
    running = re.findall(r"^Model (tiny|edgetpu).*, delegate (\w+)", done.stderr, re.MULTILINE)
    assert [delegate for _, delegate in running] == ["cpu", runs]


def test_the_benchmark_answers_one_frame_after_another_as_edge_run_does(
    libraries: Path, detector: Path, red: Path
) -> None:
    job = Job(str(detector), (str(red),), 2, False, "edgetpu", frames=2, warm_up=1)
    done = run_module(libraries / "idle", "benchmark.measuring", job.to_json(), "0")
    assert done.returncode == 0, done.stderr
    assert "delegate edgetpu, 2 threads" in done.stdout


def test_a_compiled_model_alone_has_a_file_for_the_cpu(detector: Path) -> None:
    cpu_file = detector.with_name("found.tflite")
    assert fallback_of(detector, EDGETPU_OR_CPU) == cpu_file
    assert fallback_of(detector, "edgetpu") is None
    assert fallback_of(cpu_file, EDGETPU_OR_CPU) is None


def test_without_a_cpu_file_there_is_no_fallback(libraries: Path, compiled: Path, tmp_path: Path) -> None:
    alone = tmp_path / compiled.name
    shutil.copyfile(compiled, alone)
    done = edge_run(libraries / "none", "--model", str(alone), "--delegate", "edgetpu-or-cpu")
    assert done.returncode == BackendError.exit_code
    assert "mobilenet_v1_0.25_128_quant.tflite is not there" in done.stderr


def test_the_name_has_to_tell_the_two_files_apart(tiny_model: Path) -> None:
    for path in (None, tiny_model):
        with pytest.raises(BackendError, match=r"ends in _edgetpu\.tflite"):
            load_edgetpu_or_cpu(path, None)


def test_a_missing_file_is_not_a_missing_device(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        load_edgetpu_or_cpu(tmp_path / "x_edgetpu.tflite", None)
