import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from convert.cli import main
from edge_runtime.errors import RunError


@pytest.mark.parametrize("words", [["RUN"], ["convert", "RUN"], ["--seed", "3", "RUN"]])
def test_a_run_without_a_command_is_converted(words: list[str], tmp_path: Path) -> None:
    """What is missing then is the option that only the conversion asks for."""
    result = CliRunner().invoke(main, [str(tmp_path) if word == "RUN" else word for word in words])
    assert result.exit_code == 2
    assert "Missing option '-o'" in result.stderr


def test_a_folder_that_is_no_run_is_told_before_tensorflow_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "convert.conversion", None)
    result = CliRunner().invoke(main, [str(tmp_path), "-o", str(tmp_path / "a.tflite")])
    assert result.exit_code == RunError.exit_code
    assert "has no model.json" in result.stderr


def test_help_lists_the_commands() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    listed = result.stdout.split("Commands:")[1].split()
    assert {"convert", "parity", "calibration", "inspect", "verify", "preflight", "edgetpu"} <= set(listed)


def test_no_arguments_show_the_help() -> None:
    result = CliRunner().invoke(main, [])
    assert result.exit_code == 2
    assert "Commands:" in result.output


@pytest.mark.parametrize(
    "words",
    [["convert", "own.keras", "-o", "a.tflite"], ["parity", "own.keras", "a.tflite"], ["calibration", "own.keras"]],
)
def test_a_model_by_itself_is_no_run(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.keras").touch()
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert "own.keras is a file, and RUN a directory that edge-train made" in result.stderr
