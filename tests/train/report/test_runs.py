from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("sklearn", reason="needs the train extra")

from edge_runtime.errors import RunError
from edge_runtime.training_run import TrainingRun
from train.report.runs import read_run

MakeRun = Callable[..., Path]


def test_a_run_is_read_whole(make_run: MakeRun) -> None:
    run = read_run(make_run(schedule={"seed": 3}, images_column=None))
    assert run.right.tolist() == [True, True, True, False]
    assert run.confidence.tolist() == pytest.approx([0.9, 0.6, 0.8, 0.7])
    assert (run.best_epoch, run.minutes) == (1, 2.5)
    assert (run.arguments["schedule.seed"], run.arguments["images_column"]) == ("3", "none")
    assert run.environment["packages.keras"] == "3.15"


@pytest.mark.parametrize("name", ["predictions.csv", "model.json"])
def test_an_unfinished_run_is_refused(make_run: MakeRun, name: str) -> None:
    path = make_run()
    (path / name).unlink()
    with pytest.raises(RunError, match=f"not finished, it has no {name}; repeat"):
        read_run(path)


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"has no run\.json"):
        read_run(tmp_path)
    with pytest.raises(RunError, match="is no directory"):
        read_run(tmp_path / "absent")


@pytest.mark.parametrize(
    ("name", "before", "after", "complaint"),
    [
        ("metrics.csv", "0.9", "much", "cannot be read"),
        ("metrics.csv", ",seconds", ",hours", "cannot be read"),
        ("environment.json", "{", "", "cannot be read"),
        ("predictions.csv", "0.900000", "", "cannot be read"),
        ("predictions.csv", "0.900000", "nan", "no score"),
        ("predictions.csv", "1.png", "9.png", "different photos"),
        ("predictions.csv", "1.png,hat", "1.png,shirt", "different photos or labels"),
        ("splits.csv", "validation", "train", "no validation photo"),
        ("model.json", '"shirt"', '"skirt"', "different classes"),
    ],
)
def test_damage_is_named(make_run: MakeRun, name: str, before: str, after: str, complaint: str) -> None:
    path = make_run()
    text = (path / name).read_text()
    assert before in text
    (path / name).write_text(text.replace(before, after))
    with pytest.raises(RunError, match=complaint):
        read_run(path)


def test_a_run_without_epochs_is_refused(make_run: MakeRun) -> None:
    path = make_run()
    (path / "metrics.csv").write_text((path / "metrics.csv").read_text().splitlines()[0])
    with pytest.raises(RunError, match="no epoch"):
        read_run(path)


def test_what_a_detector_left_behind_makes_no_detector_of_a_classifier(make_run: MakeRun) -> None:
    run = TrainingRun(make_run())
    run.anchors_path.touch()
    assert read_run(run.path).spec.name == "tiny"
    run.write_arguments({**run.read_arguments(), "layout": {"separable": True, "pyramid": True}})
    with pytest.raises(RunError, match="run of a detector"):
        read_run(run.path)
