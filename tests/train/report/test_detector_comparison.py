import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("matplotlib", reason="needs the train extra")
pytest.importorskip("pycocotools", reason="needs the train extra")

from edge_runtime.errors import RunError
from train.cli import main
from train.report.comparison import find_incomparable
from train.report.detector_comparison import compare_detectors
from train.report.detector_run import read_detector_run

MakeRun = Callable[..., Path]


def test_a_gain_has_an_interval_of_the_same_photos(make_detector_run: MakeRun) -> None:
    # Shifted by 3 of 20 pixels the IoU is 17/23, so five of the ten thresholds are met.
    first, second = (read_detector_run(make_detector_run(f"{shift}", shift=shift, photos=24)) for shift in (0, 3))
    worths = [each.worth for each in compare_detectors([first, second]).runs]
    half = 51 / 101
    assert [worth.record["map"] for worth in worths] == pytest.approx([half, half / 2])
    assert [worth.record["map50"] for worth in worths] == pytest.approx([half, half])
    gain, low, high = worths[1].held_record.values()
    assert gain == pytest.approx(-half / 2)
    assert low is not None
    assert high is not None
    # The share of hats that are found varies with the photos drawn; that the second finds them worse does not.
    assert low < -half / 2 < high < 0
    assert worths[0].record["low"] < worths[1].record["high"]


def test_runs_on_other_photos_or_boxes_are_not_compared(make_detector_run: MakeRun) -> None:
    first, fewer, other = (
        read_detector_run(make_detector_run(name, **changes))
        for name, changes in {"first": {}, "fewer": {"photos": 6}, "other": {"width": 21}}.items()
    )
    comparison = compare_detectors([first, fewer, other])
    assert [each.shared for each in comparison.runs] == [8, 6, 0]
    assert [each.worth.held["gain [95 %]"] for each in comparison.runs] == ["-", "not comparable", "not comparable"]
    assert len(find_incomparable(comparison)) == 2


def test_the_command_writes_table_page_and_csv(make_detector_run: MakeRun, tmp_path: Path) -> None:
    runs = [str(make_detector_run("first", seed=0)), str(make_detector_run("second", shift=3, seed=1))]
    output, table = tmp_path / "out.html", tmp_path / "out.csv"
    result = CliRunner().invoke(main, ["compare", *runs, "-o", str(output), "--csv", str(table)])
    assert result.exit_code == 0, result.output
    header, first, second = result.stdout.splitlines()
    assert header.split()[:2] == ["run", "mAP"]
    # Eight photos are too few for an interval.
    assert first.startswith("first   0.505 [-]")
    assert "-0.252 [-]" in second
    assert second.endswith("seed=1")
    page = output.read_text()
    assert page.count("<svg") == 4
    assert "mAP; bars are 95 % intervals." in page
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [float(row["map50"]) for row in rows] == [51 / 101] * 2
    assert [(row["low"], row["high"], row["gain_low"], row["gain_high"]) for row in rows] == [("", "", "", "")] * 2


def test_runs_of_one_kind_are_compared_and_the_first_says_which(make_run: MakeRun, make_detector_run: MakeRun) -> None:
    classifier, detector = str(make_run("a")), str(make_detector_run("b"))
    for runs, kind in (((classifier, detector), "classify"), ((detector, classifier), "detect")):
        result = CliRunner().invoke(main, ["compare", *runs])
        assert result.exit_code == RunError.exit_code
        assert result.stderr.endswith(f"name runs of edge-train {kind}.\n")
        assert result.stdout == ""


def test_a_run_that_is_not_there_is_what_is_wrong(make_detector_run: MakeRun, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["compare", str(make_detector_run("a")), str(tmp_path / "absent")])
    assert result.exit_code == RunError.exit_code
    assert f"{tmp_path / 'absent'} is no directory" in result.stderr


def test_an_average_has_no_curve(make_detector_run: MakeRun, tmp_path: Path) -> None:
    first, average = make_detector_run("first"), make_detector_run("average", averaged=["a", "b"])
    header = (average / "metrics.csv").read_text().splitlines()[0]
    (average / "metrics.csv").write_text(header + "\n")
    output = tmp_path / "out.html"
    other = Path(shutil.copytree(average, tmp_path / "other"))
    for runs, figures in (((first, average), 4), ((average, other), 1)):
        result = CliRunner().invoke(main, ["compare", *map(str, runs), "-o", str(output)])
        assert result.exit_code == 0, result.output
        assert output.read_text().count("<svg") == figures
