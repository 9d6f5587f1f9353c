import json
from dataclasses import replace
from pathlib import Path

import pytest

from edge_runtime.benchmark import measuring
from edge_runtime.benchmark.comparison import compare
from edge_runtime.benchmark.job import STAGES, Job, Round
from edge_runtime.benchmark.report import Report, summarize
from edge_runtime.benchmark.table import format_report

_JOBS = [Job("model", ("a.avi",), threads, False, "cpu", 4, 1) for threads in (1, 2)]


def _round(wall_s: float, inference_ms: float = 8.0) -> Round:
    one = {"capture": 1.0, "preprocess": 0.5, "inference": inference_ms, "postprocess": 0.2, "loop": 0.3}
    times = {stage: [value] * 4 for stage, value in {**one, "end to end": sum(one.values())}.items()}
    return Round("tiny", "ab" * 32, "litert", times, wall_s, 0.02, 0.5, 90.0 + wall_s)


@pytest.fixture
def report() -> Report:
    # The machine is half as fast in the second round, and slower still in the third.
    rounds = [(_round(0.1), _round(0.05)), (_round(0.2), _round(0.1)), (_round(0.4), _round(0.2, 16.0))]
    return summarize(_JOBS, rounds, "a.avi", {"cpus": 2})


def test_ratios_are_taken_round_by_round(report: Report) -> None:
    one, two = report.figures
    assert (one.frames_per_s, two.frames_per_s) == (20, 40)
    assert (one.speed_up, two.speed_up) == (1, 2)


def test_percentiles_are_over_all_frames_of_all_rounds(report: Report) -> None:
    inference = report.figures[1].stages_ms["inference"]
    assert (inference.p50, inference.p99) == (8.0, 16.0)


def test_the_overhead_is_what_lies_outside_reading_and_the_model(report: Report) -> None:
    assert report.figures[0].overhead == pytest.approx(0.5 / 10.0)
    assert report.figures[0].cpu_ms == pytest.approx(5.0)
    assert report.figures[0].peak_rss_mb == 90.4


def test_on_an_edge_tpu_frames_are_answered_one_after_another(report: Report) -> None:
    assert not report.live
    jobs = [replace(job, delegate="edgetpu") for job in _JOBS]
    assert summarize(jobs, [(_round(0.1), _round(0.1))], "a.avi", {"cpus": 2}).live


def test_a_report_survives_json(report: Report) -> None:
    assert Report.from_dict(report.to_dict()) == report
    assert tuple(report.figures[0].stages_ms) == STAGES


def test_a_system_that_does_not_tell_the_memory_has_all_other_figures(
    report: Report, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert measuring._peak_rss_mb() > 0
    monkeypatch.setattr(measuring, "_STATUS", tmp_path / "status")
    assert measuring._peak_rss_mb() is None
    untold = summarize(
        _JOBS[:1], [(replace(_round(0.1), peak_rss_mb=None),)], "a.avi", {"processor": "M", "cpus": 2, "packages": {}}
    )
    assert json.loads(json.dumps(untold.to_dict()))["figures"][0]["peak_rss_mb"] is None
    assert format_report(untold).endswith(" -")
    figures = {ratio.figure for ratio in compare(report, untold).ratios}
    assert "frames/s" in figures
    assert "peak RSS MB" not in figures
