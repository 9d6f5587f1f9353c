"""The command as a user types it, with real processes on the tiny model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from edge_runtime.benchmark.cli import edge_bench
from edge_runtime.benchmark.job import STAGES


@pytest.fixture(scope="module")
def bench(tiny_model: Path) -> Callable[..., Result]:
    options = ("--frames", "12", "--warm-up", "2", "--rounds", "2")
    return lambda *arguments: CliRunner().invoke(edge_bench, [str(tiny_model), *map(str, arguments), *options])


@pytest.fixture(scope="module")
def report(bench: Callable[..., Result]) -> dict[str, Any]:
    result = bench("--threads", 2, "--threads", 1, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_it_says_what_was_measured_on_what(report: dict[str, Any]) -> None:
    assert (report["model"], report["rounds"], report["frames"]) == ("tiny", 2, 12)
    assert report["input"] == "a drawn video, 640 x 480 MJPEG"
    assert {"processor", "cpus", "platform", "python", "packages"} == set(report["machine"])
    assert [figures["threads"] for figures in report["figures"]] == [1, 2]


def test_stages_are_parts_of_the_whole(report: dict[str, Any]) -> None:
    for figures in report["figures"]:
        stages = figures["stages_ms"]
        assert set(stages) == set(STAGES)
        for times in stages.values():
            assert 0 < times["p50"] <= times["p95"] <= times["p99"]
        # A picture of 640 x 480 takes longer to decode than the tiny model to answer.
        assert stages["inference"]["p50"] < stages["capture"]["p50"] < stages["end to end"]["p50"]


def test_a_process_is_measured_from_its_start(report: dict[str, Any]) -> None:
    for figures in report["figures"]:
        # Importing OpenCV and numpy alone takes this long and this much.
        assert 0.1 < figures["cold_start_s"] < 60
        assert 40 < figures["peak_rss_mb"] < 400
        assert figures["cpu_ms"] > 0
        assert 0 < figures["overhead"] < 1
    assert report["figures"][0]["speed_up"] == 1


def test_an_earlier_report_gives_ratios_and_what_else_differs(
    bench: Callable[..., Result], report: dict[str, Any], red: Path, tmp_path: Path
) -> None:
    report["figures"][0]["frames_per_s"] = 1.0
    report["machine"]["processor"] = "Another"
    (tmp_path / "old.json").write_text(json.dumps(report))
    result = bench(red, "--threads", 1, "--compare", tmp_path / "old.json")
    assert result.exit_code == 0, result.stderr
    assert "Differs in processor: Another before" in result.stdout
    assert "Differs in threads: [1, 2] before, [1] now." in result.stdout
    (line,) = (line for line in result.stdout.splitlines() if "frames/s  " in line and line.endswith("x"))
    assert float(line.split()[-1].rstrip("x")) == pytest.approx(float(line.split()[-2]), rel=0.01)
    assert "in model" not in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("gone.mp4",), 3, "neither a file"),
        (("http://127.0.0.1:9/v",), 2, "record a video"),
        (("--compare", __file__), 2, "is no report of edge-bench"),
    ],
)
def test_errors_are_those_of_edge_run(
    bench: Callable[..., Result], arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    result = bench(*arguments)
    assert result.exit_code == code
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_a_model_that_is_not_there_is_code_seven(red: Path) -> None:
    result = CliRunner().invoke(edge_bench, ["gone.tflite", str(red)])
    assert result.exit_code == 7
    assert "gone.tflite" in result.stderr
