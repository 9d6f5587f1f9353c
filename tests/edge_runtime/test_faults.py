"""Each fault of docs/faults.md, injected into a real run of `edge-run` on a real stream and real files."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from convert.metadata_writer import add_metadata
from edge_runtime.backend import EDGETPU_SUFFIX
from edge_runtime.metadata.reading import model_sha256
from edge_runtime.spec import ModelSpec

_ROOT = Path(__file__).parents[2]
_COMMAND = (sys.executable, "-m", "edge_runtime.cli")
_Start = Callable[..., subprocess.Popen[str]]
_Serve = Callable[..., str]


def _jpeg(level: int, height: int = 48, width: int = 64) -> bytes:
    return cv2.imencode(".jpg", np.full((height, width, 3), level, np.uint8))[1].tobytes()


def _read(process: subprocess.Popen[str], wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """Return the JSON lines of a process up to the first that is wanted."""
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(json.loads(line))
        if wanted(lines[-1]):
            return lines
    raise AssertionError(f"it never came: {lines[-3:]}, {process.communicate()[1]}")


def _stop(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 143, stderr
    assert "Traceback" not in stderr
    return stderr


def test_black_frames_make_no_garment_and_are_told(serve: _Serve, start: _Start) -> None:
    address = serve(pictures=[_jpeg(90)] * 2 + [_jpeg(3)] * 30, fps=40.0)
    process = start(address, "--events", "--threshold", 0.02)
    events = _read(process, lambda event: event["kind"] == "source_light")
    kinds = [event["kind"] for event in events]
    assert kinds[:3] == ["appeared", "left", "source_dark"]
    assert kinds[-1] == "source_light"
    _stop(process)


def test_a_corrupt_frame_is_left_out_and_the_next_one_answered(serve: _Serve, start: _Start) -> None:
    whole = _jpeg(90)
    address = serve(pictures=[whole, b"no picture", whole, whole[: len(whole) // 3], whole, b""])
    process = start(address, "--json")
    results = _read(process, lambda result: result["frame"] == 30)
    assert [result["frame"] for result in results] == list(range(31))
    assert "stopped sending" not in _stop(process)


def test_another_size_in_mid_stream_is_told_and_answered(serve: _Serve, start: _Start) -> None:
    process = start(serve(pictures=[_jpeg(90), _jpeg(120, 96, 128)]), "--json")
    results = _read(process, lambda result: result["frame"] == 30)
    assert {(result["width"], result["height"]) for result in results} == {(64, 48), (128, 96)}
    assert "sends 128 x 96 pixels now, 64 x 48 before." in _stop(process)


def test_another_size_that_opencv_may_hide_is_answered(serve: _Serve, start: _Start) -> None:
    # With a region OpenCV decodes, which may go on with the size that the stream began with.
    process = start(serve(pictures=[_jpeg(90), _jpeg(120, 96, 128)]), "--json", "--roi", "0,0,0.5,1")
    results = _read(process, lambda result: result["frame"] == 30)
    sizes = {(result["width"], result["height"]) for result in results}
    assert sizes <= {(32, 48), (64, 96)}
    assert ("sends 128 x 96 pixels now" in _stop(process)) == (len(sizes) == 2)


class TestModel:
    @pytest.fixture
    def model(self, tiny_model_bytes: bytes, tmp_path: Path) -> Path:
        path = tmp_path / "shop.tflite"
        path.write_bytes(tiny_model_bytes)
        return path

    @pytest.fixture
    def other_bytes(self, tiny_model_bytes: bytes, tiny_spec: ModelSpec) -> bytes:
        return add_metadata(tiny_model_bytes, ModelSpec("other", "2", tiny_spec.input, tiny_spec.heads))

    def _start(self, model: Path, *arguments: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*_COMMAND, *map(str, arguments), "--model", str(model), "--watch-model"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
        )

    def test_one_that_is_replaced_is_taken_over(self, serve: _Serve, model: Path, other_bytes: bytes) -> None:
        process = self._start(model, serve(), "--json")
        first = _read(process, lambda result: result["frame"] == 3)[-1]["model_sha256"]
        aside = model.with_name("new")
        aside.write_bytes(other_bytes)
        aside.replace(model)
        _read(process, lambda result: result["model_sha256"] == model_sha256(other_bytes) != first)
        assert "is taken over: other" in _stop(process)

    def test_so_is_the_cpu_file_of_a_compiled_one_that_finds_no_device(
        self, serve: _Serve, model: Path, other_bytes: bytes
    ) -> None:
        compiled = model.with_name(f"{model.stem}{EDGETPU_SUFFIX}")
        compiled.write_bytes(model.read_bytes())
        process = self._start(compiled, serve(), "--json", "--delegate", "edgetpu-or-cpu")
        _read(process, lambda result: result["frame"] == 3)
        aside = model.with_name("new")
        aside.write_bytes(other_bytes)
        aside.replace(model)
        _read(process, lambda result: result["model_sha256"] == model_sha256(other_bytes))
        assert "is taken over: other" in _stop(process)

    def test_half_of_one_is_refused_and_the_rest_taken_over(
        self, serve: _Serve, model: Path, other_bytes: bytes
    ) -> None:
        process = self._start(model, serve(), "--events", "--threshold", 0.02)
        _read(process, lambda event: event["kind"] == "appeared")
        # What is not written in one go, but in its place and with pauses, is the worst that a copy can do.
        with model.open("wb") as file:
            file.write(other_bytes[: len(other_bytes) // 2])
            file.flush()
            events = _read(process, lambda event: event["kind"] == "model_refused")
            file.write(other_bytes[len(other_bytes) // 2 :])
        events += _read(process, lambda event: event["kind"] == "model_reloaded")
        assert [event["kind"] for event in events if event["type"] == "health"] == ["model_refused", "model_reloaded"]
        _stop(process)


def test_a_full_disk_stops_one_sink_and_not_the_others(serve: _Serve, tiny_model: Path, tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        process = subprocess.Popen(
            [*_COMMAND, serve(), "--json", "--save", str(tmp_path / "seen"), "--model", str(tiny_model)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
        )
        deadline_s = time.monotonic() + 30
        # For longer than the first wait.
        while len(list(tmp_path.glob("seen/*.jpg"))) < 60:
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
        stderr = _stop(process)
    assert stderr.count("No space left on device") == 1
    assert "works again" not in stderr


def test_a_clock_that_jumps_changes_no_duration(
    serve: _Serve, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from edge_runtime.cli import edge_run

    true_time, calls = time.time, itertools.count()
    # Each look at the clock finds it an hour before or after the last one.
    monkeypatch.setattr(time, "time", lambda: true_time() + 3600 * (-1) ** next(calls))
    arguments = [serve(frames=60), "--events", "--threshold", "0.02", "--max-outage", "0", "--model", str(tiny_model)]
    with pytest.raises(SystemExit) as ended:
        edge_run(arguments)
    assert ended.value.code == 5
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["kind"] for event in events] == ["appeared", "settled", "left"]
    assert all(0 <= event["seen_s"] < 3 for event in events)
    stamps = [event["timestamp"] for event in events]
    assert max(stamps) - min(stamps) > 3000 or len(set(stamps)) == len(stamps)


_STUCK = """
import itertools, time
from edge_runtime import recognizer
answered, answer = itertools.count(), recognizer.Recognizer.recognize
def recognize(*arguments, **options):
    if next(answered) == 10:
        time.sleep(1000)
    return answer(*arguments, **options)
recognizer.Recognizer.recognize = recognize
from edge_runtime.cli import main
main()
"""


def test_a_model_that_never_returns_ends_the_process(serve: _Serve, tiny_model: Path, tmp_path: Path) -> None:
    arguments = [serve(), "--events", "--threshold", "0.99", "--save", str(tmp_path / "seen"), "--watchdog", "0.5"]
    done = subprocess.run(
        [sys.executable, "-c", _STUCK, *arguments, "--model", str(tiny_model)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
    )
    assert done.returncode == 18, done.stderr
    assert [json.loads(line)["kind"] for line in done.stdout.splitlines()] == ["inference_stuck"]
    assert "Error: The model has not answered for 0.5 s" in done.stderr
    assert len(list((tmp_path / "seen").iterdir())) == 10
