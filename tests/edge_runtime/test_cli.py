import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from click.testing import CliRunner, Result

from edge_runtime.benchmark.drawn import draw_video
from edge_runtime.cli import edge_run

_ROOT = Path(__file__).parents[2]
_COMMAND = [sys.executable, "-m", "edge_runtime.cli"]


def _error(result: Result) -> str:
    """Return the one sentence of a command that failed."""
    lines = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.stderr
    return lines[0]


class TestAnswers:
    def test_a_picture_is_one_line_and_stderr_says_what_runs(self, invoke: Callable[..., Result], red: Path) -> None:
        result = invoke(red, "--threads", 1)
        assert result.exit_code == 0
        assert re.search(r"red\.png +dress +8\d\.\d% ", result.stdout)
        assert re.fullmatch(r"Model tiny 1, sha256 [0-9a-f]{12}, .+, delegate cpu, 1 thread\n", result.stderr)

    def test_files_are_answered_several_at_once_and_streams_one_by_one(
        self, invoke: Callable[..., Result], red: Path, serve: Callable[..., str]
    ) -> None:
        assert "1 thread for each of 3 frames at once" in invoke(red, "--threads", 3).stderr
        assert ", 3 threads\n" in invoke(serve(), "--threads", 3, "--max-frames", 1).stderr

    def test_json_is_all_that_stdout_gets(self, invoke: Callable[..., Result], red: Path) -> None:
        (line,) = invoke(red, "--json", "--top-k", 2).stdout.splitlines()
        values = json.loads(line)
        assert [answer["label"] for answer in values["classifications"]] == ["dress", "hat"]
        assert (values["source"], values["frame"], values["width"], values["height"]) == (str(red), 0, 40, 30)
        assert set(values["times_ms"]) == {"capture", "preprocess", "inference", "postprocess"}
        assert re.fullmatch("[0-9a-f]{64}", values["model_sha256"])

    def test_frames_are_counted_over_the_whole_run(self, invoke: Callable[..., Result], red: Path) -> None:
        lines = invoke(red, red, "--json").stdout.splitlines()
        assert [json.loads(line)["frame"] for line in lines] == [0, 1]

    def test_the_threshold_can_be_raised(self, invoke: Callable[..., Result], red: Path) -> None:
        assert "nothing above the threshold" in invoke(red, "--threshold", 0.99).stdout

    def test_the_demo_draws_and_answers_ten(self, invoke: Callable[..., Result], tmp_path: Path) -> None:
        result = invoke("--demo", "--save", tmp_path / "out")
        assert result.exit_code == 0
        assert len(result.stdout.splitlines()) == len(list((tmp_path / "out").iterdir())) == 10

    def test_saved_frames_are_whole(self, invoke: Callable[..., Result], tmp_path: Path) -> None:
        video = draw_video(tmp_path / "drawn.avi")
        results = [
            json.loads(invoke(video, "--max-frames", 1, "--json", *options).stdout)
            for options in ([], ["--save", tmp_path / "out.avi"])
        ]
        assert {(result["width"], result["height"]) for result in results} == {(640, 480)}
        assert cv2.VideoCapture(str(tmp_path / "out.avi")).read()[1].shape == (480, 640, 3)

    def test_frames_can_be_limited(self, invoke: Callable[..., Result]) -> None:
        assert len(invoke("--demo", "--max-frames", 3).stdout.splitlines()) == 3

    def test_the_bundled_model_is_the_default(self, bundled_model: Path) -> None:
        result = CliRunner().invoke(edge_run, ["--demo", "--json"])
        assert result.exit_code == 0
        answers = [json.loads(line) for line in result.stdout.splitlines()]
        right = [answer["source"].split(":")[1] == answer["classifications"][0]["label"] for answer in answers]
        assert bundled_model.exists()
        assert sum(right) >= 5


class TestErrors:
    def test_no_source_shows_examples(self, invoke: Callable[..., Result]) -> None:
        result = invoke()
        assert result.exit_code == 2
        assert all(example in result.stderr for example in ("photo.jpg", "--camera 0", "--demo"))

    @pytest.mark.parametrize(
        "arguments",
        [
            ("--demo", "--camera", "0"),
            ("a.jpg", "--demo"),
            ("a.jpg", "--camera", "0"),
            ("a.jpg", "http://host/v"),
            ("--demo", "--top-k", "0"),
            ("--demo", "--threshold", "1.5"),
        ],
    )
    def test_contradictions_are_usage_errors(self, arguments: tuple[str, ...], invoke: Callable[..., Result]) -> None:
        result = invoke(*arguments)
        assert result.exit_code == 2
        _error(result)

    def test_each_error_ends_with_its_code(self, invoke: Callable[..., Result], red: Path, tmp_path: Path) -> None:
        (tmp_path / "text.jpg").write_text("no picture")
        (tmp_path / "text.mp4").write_text("no video")
        cases = {
            ("gone.jpg",): 3,
            (tmp_path / "text.mp4",): 3,
            ("http://127.0.0.1:9/v",): 5,
            (tmp_path / "text.jpg",): 6,
            (red, "--save", red): 10,
            (red, "--save", "out.xyz"): 10,
            (red, "--save", "/proc/none/out"): 10,
        }
        results = {arguments: invoke(*arguments) for arguments in cases}
        assert {arguments: result.exit_code for arguments, result in results.items()} == cases
        for result in results.values():
            _error(result)

    @pytest.mark.skipif(Path("/dev/video63").exists(), reason="there is a camera of this number")
    def test_no_camera_is_code_four(self, invoke: Callable[..., Result]) -> None:
        result = invoke("--camera", 63)
        assert result.exit_code == 4
        assert "check that it is plugged in" in _error(result)

    def test_a_missing_model_is_code_seven(self, red: Path) -> None:
        result = CliRunner().invoke(edge_run, [str(red), "--model", "gone.tflite"])
        assert result.exit_code == 7
        assert "gone.tflite" in _error(result)

    def test_bad_pictures_among_good_ones_are_named_and_code_six(
        self, invoke: Callable[..., Result], red: Path
    ) -> None:
        (red.parent / "text.jpg").write_text("no picture")
        result = invoke(red.parent)
        assert result.exit_code == 6
        assert len(result.stdout.splitlines()) == 1
        assert f"Skipped: {red.parent / 'text.jpg'} is not a picture" in result.stderr
        assert _error(result) == "Error: 1 of 2 pictures could not be read; each is named above."

    @pytest.mark.parametrize("pattern", [".", "*"])
    def test_pictures_of_a_kind_that_is_not_read_are_told_of_once(
        self, pattern: str, invoke: Callable[..., Result], red: Path
    ) -> None:
        for name in ("a.HEIC", "b.heif", "._c.HEIC", "d.txt"):
            (red.parent / name).write_bytes(b"picture")
        result = invoke(red.parent / pattern)
        assert (result.exit_code, len(result.stdout.splitlines())) == (0, 1)
        expected = f"2 pictures, the first {red.parent / 'a.HEIC'}, are of a kind that is not read and left out;"
        assert result.stderr.count(expected) == 1


class TestProcess:
    def test_help_is_instant(self) -> None:
        start_s = time.monotonic()
        done = subprocess.run([*_COMMAND, "--help"], capture_output=True, text=True, check=True, cwd=_ROOT)
        # A quarter of it on an idle machine; the rest is for a busy one.
        assert time.monotonic() - start_s < 1.2
        assert "Examples:" in done.stdout

    def test_help_imports_nothing_heavy(self) -> None:
        code = "import sys, edge_runtime.cli; print({'cv2', 'numpy', 'ai_edge_litert'} & set(sys.modules))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=_ROOT)
        assert done.stdout.strip() == "set()"

    @pytest.mark.parametrize("arguments", [("/no/file.jpg",), ("http://127.0.0.1:9/v",), ("text.mp4",), ("text.jpg",)])
    def test_a_user_sees_our_lines_only(
        self, arguments: tuple[str, ...], start: Callable[..., subprocess.Popen[str]], tmp_path: Path
    ) -> None:
        for name in ("text.mp4", "text.jpg"):
            (tmp_path / name).write_text("neither")
        process = start(*(tmp_path / text if text.startswith("text") else text for text in arguments))
        stdout, stderr = process.communicate(timeout=60)
        assert stdout == ""
        assert [line.split()[0] for line in stderr.splitlines() if not line.startswith("Model ")] == ["Error:"]

    def test_a_reader_that_leaves_ends_it_quietly(self, start: Callable[..., subprocess.Popen[str]]) -> None:
        process = start("--demo", "--json")
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.wait(60) == 0
        assert process.stderr.read().count("\n") == 1

    def test_without_a_reader_of_stderr_it_goes_on(
        self, start: Callable[..., subprocess.Popen[str]], serve: Callable[..., str]
    ) -> None:
        process = start(serve(frames=5), "--json", "--max-frames", 12)
        assert process.stdout
        assert process.stderr
        process.stderr.readline()
        process.stderr.close()
        assert process.stdout.read().count("\n") == 12
        assert process.wait(60) == 0

    def test_without_a_reader_of_stderr_an_error_keeps_its_code(
        self, start: Callable[..., subprocess.Popen[str]], tmp_path: Path
    ) -> None:
        process = start(tmp_path / "missing.jpg")
        assert process.stderr
        process.stderr.close()
        assert process.wait(60) == 3

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_a_signal_ends_it_with_a_video_that_plays(
        self,
        number: signal.Signals,
        start: Callable[..., subprocess.Popen[str]],
        serve: Callable[..., str],
        tmp_path: Path,
    ) -> None:
        process = start(serve(), "--json", "--save", tmp_path / "out.mp4")
        assert process.stdout
        for _ in range(20):
            process.stdout.readline()
        process.send_signal(number)
        _, stderr = process.communicate(timeout=60)
        assert process.returncode == 128 + number
        assert "Traceback" not in stderr
        capture = cv2.VideoCapture(str(tmp_path / "out.mp4"))
        # While saving is slower than the stream, frames are left out of the video.
        assert capture.get(cv2.CAP_PROP_FRAME_COUNT) >= 10
        assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]

    def test_a_stream_that_dies_keeps_its_answers(
        self, start: Callable[..., subprocess.Popen[str]], serve: Callable[..., str]
    ) -> None:
        stdout, stderr = start(serve(frames=10, fps=20.0), "--json", "--max-outage", 0).communicate(timeout=60)
        assert stdout.count("\n") >= 5
        assert "stopped sending frames" in stderr

    def test_a_server_that_never_answers_ends_in_time(
        self, start: Callable[..., subprocess.Popen[str]], silent_port: int
    ) -> None:
        process = start(f"http://127.0.0.1:{silent_port}/v", "--timeout", 0.5)
        _, stderr = process.communicate(timeout=30)
        assert process.returncode == 5
        assert "did not answer within 0.5 s" in stderr
