"""What `edge-run` makes of cameras, streams and frames."""

import fcntl
import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import Result

_BLUE, _RED = (255, 0, 0), (0, 0, 255)


def _labels(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [json.loads(line)["classifications"][0]["label"] for line in result.stdout.splitlines()]


@pytest.fixture
def two_coloured(tmp_path: Path) -> Path:
    """Red on the left (a dress to the tiny model), blue on the right (shorts), 40 pixels wide and 20 high."""
    image = np.full((20, 40, 3), _RED, np.uint8)
    image[:, 20:] = _BLUE
    path = tmp_path / "two.png"
    cv2.imwrite(str(path), image)
    return path


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Ten frames of red, then ten of blue."""
    path = tmp_path / "two.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for index in range(20):
        writer.write(np.full((48, 64, 3), _RED if index < 10 else _BLUE, np.uint8))
    writer.release()
    return path


class TestFrames:
    @pytest.mark.parametrize(
        ("options", "colour"),
        [
            (("--roi", "0,0,20,20"), _RED),
            (("--roi", "0.5,0,0.5,1"), _BLUE),
            (("--mirror", "--roi", "0,0,20,20"), _BLUE),
            (("--rotate", 90, "--roi", "0,0,20,20"), _RED),
            (("--rotate", 270, "--roi", "0,0,20,20"), _BLUE),
        ],
    )
    def test_the_region_is_of_the_turned_and_mirrored_frame(
        self, options: tuple[object, ...], colour: object, two_coloured: Path, invoke: Callable[..., Result]
    ) -> None:
        result = invoke(two_coloured, "--json", *options)
        assert _labels(result) == ["dress" if colour is _RED else "shorts"]
        (line,) = result.stdout.splitlines()
        assert (json.loads(line)["width"], json.loads(line)["height"]) == (20, 20)

    def test_a_region_outside_is_code_three(self, two_coloured: Path, invoke: Callable[..., Result]) -> None:
        result = invoke(two_coloured, "--roi", "400,0,20,20")
        assert result.exit_code == 3
        assert "--roi lies outside the picture" in result.stderr

    def test_what_stands_still_is_answered_once(self, video: Path, invoke: Callable[..., Result]) -> None:
        result = invoke(video, "--json", "--skip-still")
        assert _labels(result) == ["dress", "shorts"]
        assert "18 frames without motion" in result.stderr

    def test_a_file_can_be_taken_at_a_rate(self, video: Path, invoke: Callable[..., Result]) -> None:
        start_s = time.monotonic()
        assert len(_labels(invoke(video, "--json", "--max-fps", 40))) == 20
        assert time.monotonic() - start_s > 0.45

    def test_events_replace_frames(self, video: Path, invoke: Callable[..., Result]) -> None:
        result = invoke(video, "--events", "--settle", 0.3)
        events = [json.loads(line) for line in result.stdout.splitlines()]
        assert [(event["kind"], event["label"]) for event in events] == [
            (kind, label) for label in ("dress", "shorts") for kind in ("appeared", "settled", "left")
        ]


class TestUsage:
    @pytest.mark.parametrize(
        "arguments",
        [
            ("--demo", "--width", "640"),
            ("http://host/v", "--fps", "5"),
            ("http://host/v", "http://host/v"),
            ("--camera", "1", "--camera", "1"),
            ("--demo", "--roi", "1,2,3"),
            ("http://127.0.0.1:9/v", "--timeout", "3000000"),
            ("--demo", "--rotate", "45"),
            ("--demo", "--json", "--events"),
            ("--demo", "--events"),
            ("--demo", "--max-fps", "0"),
        ],
    )
    def test_what_makes_no_sense_is_a_usage_error(
        self, arguments: tuple[str, ...], invoke: Callable[..., Result]
    ) -> None:
        result = invoke(*arguments)
        assert result.exit_code == 2
        assert "Traceback" not in result.stderr


class TestStreams:
    def test_two_streams_are_answered_side_by_side(
        self, serve: Callable[..., str], start: Callable[..., subprocess.Popen[str]]
    ) -> None:
        addresses = [serve(), serve()]
        stdout, stderr = start(*addresses, "--json", "--max-frames", 20).communicate(timeout=60)
        sources = [json.loads(line)["source"] for line in stdout.splitlines()]
        assert len(sources) == 20, stderr
        assert min(sources.count(address) for address in addresses) >= 4

    def test_a_stream_that_dies_is_told_and_opened_again(
        self, serve: Callable[..., str], start: Callable[..., subprocess.Popen[str]]
    ) -> None:
        process = start(serve(frames=5), "--events", "--threshold", 0.99)
        assert process.stdout
        kinds = [json.loads(process.stdout.readline())["kind"] for _ in range(3)]
        assert kinds == ["source_lost", "source_back", "source_lost"]
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate(timeout=30)
        assert process.returncode == 143
        assert "stopped sending frames" in stderr
        assert "is back after" in stderr

    def test_a_reader_that_stops_reading_holds_up_nothing_and_the_process_ends(
        self, serve: Callable[..., str], start: Callable[..., subprocess.Popen[str]], tmp_path: Path
    ) -> None:
        process = start(serve(), "--json", "--save", tmp_path / "seen")
        assert process.stdout
        # Some twenty lines, instead of two hundred.
        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4096)
        deadline_s = time.monotonic() + 60
        while len(list((tmp_path / "seen").glob("*.jpg"))) < 60:
            assert time.monotonic() < deadline_s
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 143
        _, stderr = process.communicate()
        assert "stdout is busy" in stderr
        assert "Traceback" not in stderr
        assert "Fatal" not in stderr


class TestCameras:
    def test_a_device_file_names_a_camera(self, invoke: Callable[..., Result]) -> None:
        result = invoke("--camera", "/dev/v4l/by-id/gone")
        assert result.exit_code == 4
        assert "Error: camera:/dev/v4l/by-id/gone cannot be opened" in result.stderr

    @pytest.mark.parametrize("camera", ["-1", "front", "1.5", "video0"])
    def test_what_is_neither_number_nor_device_is_a_usage_error(
        self, camera: str, invoke: Callable[..., Result]
    ) -> None:
        result = invoke("--camera", camera)
        assert result.exit_code == 2
        assert "is neither a number" in result.stderr
