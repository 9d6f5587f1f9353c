import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("matplotlib", reason="needs the train extra")

from edge_runtime.errors import RunError
from train.cli import main
from train.report.classifier_comparison import compare_classifiers
from train.report.comparison import find_incomparable
from train.report.comparison_page import build_comparison
from train.report.runs import read_run

MakeRun = Callable[..., Path]


def test_runs_are_paired_photo_by_photo(make_run: MakeRun) -> None:
    first = read_run(make_run("first"))
    second = read_run(make_run("second", scores=(0.9, 0.1, 0.1, 0.1)))
    # The first alone has photo 1 right, the second alone photo 3.
    assert compare_classifiers([first, second]).runs[1].worth.held_record == {"won": 1, "lost": 1, "p_value": 1.0}


def test_renamed_photos_are_still_the_same(make_run: MakeRun) -> None:
    first, second = read_run(make_run("first")), read_run(make_run("second", prefix="moved/"))
    assert find_incomparable(compare_classifiers([first, second])) == []


@pytest.mark.parametrize(
    ("changes", "shared"),
    [
        ({"labels": ("hat", "hat", "shirt"), "scores": (0.9, 0.6, 0.2)}, 3),
        ({"labels": ("hat", "hat", "shirt", "hat")}, 3),
    ],
    ids=["fewer photos", "another label"],
)
def test_runs_on_other_photos_are_not_compared(make_run: MakeRun, changes: dict[str, object], shared: int) -> None:
    first, second = read_run(make_run("first")), read_run(make_run("second", **changes))
    compared = compare_classifiers([first, second])
    assert set(compared.runs[1].worth.held_record.values()) == {None}
    (sentence,) = find_incomparable(compared)
    assert sentence.startswith("second is not comparable with first")
    assert f"{shared} are among the 4" in sentence
    page = build_comparison(compared)
    assert sentence in page
    assert "second (other photos)" in page


def test_only_what_differs_is_listed(make_run: MakeRun) -> None:
    first = read_run(make_run("first", image_size=224, schedule={"seed": 0, "epochs": 2}))
    second = read_run(make_run("second", image_size=224, schedule={"seed": 1, "epochs": 2}, dropout=0.5))
    assert compare_classifiers([first, second]).runs[1].differences == {"schedule.seed": "1", "dropout": "0.5"}
    page = build_comparison(compare_classifiers([first, second]))
    assert "schedule.seed" in page
    assert "schedule.epochs" not in page


def test_the_command_writes_table_page_and_csv(make_run: MakeRun, tmp_path: Path) -> None:
    runs = [str(make_run("first")), str(make_run("second", scores=(0.9, 0.6, 0.2, 0.3)))]
    output, table = tmp_path / "out.html", tmp_path / "out.csv"
    result = CliRunner().invoke(main, ["compare", *runs, "-o", str(output), "--csv", str(table)])
    assert result.exit_code == 0, result.output
    header, first, second = result.stdout.splitlines()
    assert header.startswith("run")
    assert first.startswith("first   75.0 [30.1, 95.4]")
    assert second.split()[-3:] == ["1:0", "1", "-"]
    assert output.read_text().count("<svg") == 4
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [float(row["top1"]) for row in rows] == [0.75, 1.0]
    assert [row["p_value"] for row in rows] == ["1.0", "1.0"]
    assert (rows[1]["won"], rows[1]["lost"], rows[1]["weights"]) == ("1", "0", "b.npz")


def test_runs_of_one_name_are_told_apart_by_path(make_run: MakeRun) -> None:
    paths = [make_run("a/run"), make_run("b/run")]
    compared = compare_classifiers([read_run(path) for path in paths])
    assert [each.name for each in compared.runs] == [str(path) for path in paths]


def test_one_run_alone_is_a_usage_error(make_run: MakeRun) -> None:
    result = CliRunner().invoke(main, ["compare", str(make_run())])
    assert result.exit_code == 2
    assert "at least two" in result.stderr


def test_a_missing_run_ends_the_command(make_run: MakeRun, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["compare", str(make_run()), str(tmp_path / "absent")])
    assert result.exit_code == RunError.exit_code
    assert result.stdout == ""
