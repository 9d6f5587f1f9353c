import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("matplotlib", reason="needs the train extra")

from edge_runtime.errors import DataError, RunError
from edge_runtime.training_run import TrainingRun
from train.cli import main
from train.evaluation.statistics import measure_classes
from train.report import page, report_if_possible
from train.report.figures import draw_classes, draw_confusions
from train.report.page import _draw_classes, build_report, find_mistakes
from train.report.runs import read_run

MakeRun = Callable[..., Path]
_VOID = {"meta", "img", "br"}


class Outline(HTMLParser):
    """Fails where tags do not match; keeps what a browser would load."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            self.open.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_report_is_one_well_formed_page_that_loads_nothing(make_run: MakeRun, photos: Path) -> None:
    text = build_report(read_run(make_run()))
    outline = Outline()
    outline.feed(text)
    assert outline.open == []
    assert all(source.startswith(("data:image/", "#")) for source in outline.sources)
    assert re.findall(r"url\((?!#)", text) == []
    assert "@import" not in text
    assert text.count("<svg") == 7


def test_a_report_states_the_figures(make_run: MakeRun, photos: Path) -> None:
    text = build_report(read_run(make_run()))
    assert "Training run run" in text
    # Three of four, Wilson; the mean of 2 of 2 hats and 1 of 2 shirts.
    assert "75.0 [30.1, 95.4] %" in text
    assert "of 2 groups" in text
    assert "kept: epoch 2" in text
    # Photos of scores 0.9, 0.6, 0.8 (right) and 0.7 (wrong), a bin each: (0.1 + 0.4 + 0.2 + 0.7) / 4.
    assert "(ECE) 35.0%" in text


def test_a_report_states_what_the_threshold_does(make_run: MakeRun, photos: Path) -> None:
    run = TrainingRun(make_run())
    rejection = {
        "threshold": 0.42,
        "accepted_right": 0.98,
        "rejected_wrong": 0.25,
        "rejected_negatives": 0.875,
        "negatives": 400,
    }
    run.write_spec(replace(run.read_spec(), provenance={"validation": {"rejection": rejection}}))
    text = build_report(read_run(run.path))
    assert "Below 0.42 the model reports nothing. That keeps 98.0% of the right answers" in text
    assert "25.0% of the wrong ones and 87.5% of 400 pictures that show none" in text


def test_a_report_says_whether_there_were_groups(make_run: MakeRun) -> None:
    path = make_run()
    assert "photos of groups that it was not trained on" in build_report(read_run(path))
    rows = TrainingRun(path).read_splits()
    TrainingRun(path).write_splits(replace(row, group=row.image) for row in rows)
    assert "Without groups each photo stood for itself" in build_report(read_run(path))


def test_the_surest_mistakes_come_first(make_run: MakeRun) -> None:
    mistakes = find_mistakes(read_run(make_run(scores=(0.9, 0.2, 0.6, 0.95))))
    assert [(each.image, each.true, each.given) for each in mistakes] == [
        ("3.png", "shirt", "hat"),
        ("1.png", "hat", "shirt"),
        ("2.png", "shirt", "hat"),
    ]
    assert mistakes[0].score == pytest.approx(0.95)
    assert mistakes[0].true_score == pytest.approx(0.05)


def test_mistakes_are_shown_as_pictures(make_run: MakeRun, photos: Path) -> None:
    text = build_report(read_run(make_run()))
    assert text.count('<img src="data:image/jpeg;base64,') == 1
    assert "could not be read" not in text


def test_a_report_without_photos_says_so(make_run: MakeRun, tmp_path: Path) -> None:
    text = build_report(read_run(make_run()))
    assert f"1 of these 1 photos could not be read under {tmp_path / 'photos'}" in text
    assert "<img" not in text


def test_photos_that_have_moved_are_found(make_run: MakeRun, photos: Path, tmp_path: Path) -> None:
    run = make_run()
    photos.rename(tmp_path / "elsewhere")
    output = tmp_path / "out.html"
    arguments = ["report", str(run), "-o", str(output), "--images", str(tmp_path / "elsewhere")]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    assert "<img" in output.read_text()


def test_a_folder_of_other_photos_leaves_the_report_as_it_was(make_run: MakeRun, photos: Path, tmp_path: Path) -> None:
    run = make_run()
    output = tmp_path / "out.html"
    output.write_text("with pictures")
    (tmp_path / "others").mkdir()
    result = CliRunner().invoke(main, ["report", str(run), "-o", str(output), "--images", str(tmp_path / "others")])
    assert result.exit_code == DataError.exit_code
    assert "none of the run's photos" in result.stderr
    assert output.read_text() == "with pictures"


def test_a_run_without_mistakes_has_a_report(make_run: MakeRun) -> None:
    assert "answers every validation photo rightly" in build_report(read_run(make_run(scores=(0.9, 0.9, 0.1, 0.1))))


def test_a_report_is_the_same_each_time(make_run: MakeRun) -> None:
    run = read_run(make_run())
    assert build_report(run) == build_report(run)


def test_class_names_of_any_script_and_with_markup_are_drawn() -> None:
    labels, confusions = ("<b>&$x$", "帽子"), [[1, 1], [0, 2]]
    for svg in (draw_confusions(labels, confusions), draw_classes(measure_classes(labels, confusions))):
        assert "&lt;b&gt;&amp;$x$" in svg
        assert "帽子" in svg
        assert "<b>" not in svg


def test_hundreds_of_classes_have_a_matrix_as_it_is_and_the_worst_by_name() -> None:
    """Drawn at the size of a page for each class, 200 took minutes and gigabytes, and 1,000 ended in MemoryError."""
    labels = [f"kind {number}" for number in range(300)]
    confusions = np.diag(np.arange(1, 301))
    confusions[7, 8] = 100
    svg = draw_confusions(labels, confusions)
    assert len(svg) < 500_000
    assert "kind" not in svg
    page = _draw_classes(measure_classes(labels, confusions))
    assert ("kind 7<" in page, "kind 8<" in page, "kind 299<" in page) == (True, True, False)
    assert "The 100 classes with the lowest F1" in page


def test_an_unfinished_run_ends_the_command(make_run: MakeRun) -> None:
    run = make_run()
    (run / "model.json").unlink()
    result = CliRunner().invoke(main, ["report", str(run)])
    assert result.exit_code == RunError.exit_code
    assert "not finished" in result.stderr
    assert not (run / "report.html").exists()


def test_training_ends_with_a_report(trained_run: TrainingRun) -> None:
    assert "Worst mistakes" in (trained_run.path / "report.html").read_text()


def test_a_report_that_fails_never_loses_a_run(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("no ink")

    monkeypatch.setattr(page, "write_report", fail)
    run = make_run()
    report_if_possible(TrainingRun(run))
    assert "no ink" in caplog.text
    assert f"edge-train report {run}" in caplog.text
