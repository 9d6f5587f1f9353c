import builtins
import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from edge_runtime.errors import DataError, ExtraMissingError
from train.cli import main


def test_missing_data_is_one_sentence(tmp_path: Path) -> None:
    pytest.importorskip("keras", reason="needs the train extra")
    result = CliRunner().invoke(main, ["classify", str(tmp_path / "none"), "-o", str(tmp_path / "run")])
    assert result.exit_code == DataError.exit_code
    assert result.stderr.startswith("Error: ")
    assert "does not exist" in result.stderr
    assert not (tmp_path / "run").exists()


def test_missing_extra_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "keras" else find(name))
    result = CliRunner().invoke(main, ["classify", str(tmp_path), "-o", str(tmp_path / "run")])
    assert result.exit_code == ExtraMissingError.exit_code
    assert "pip install 'edge-garment[train]'" in result.stderr


def test_weights_that_cannot_be_fetched_say_what_to_do(
    drawn_photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keras = pytest.importorskip("keras", reason="needs the train extra")

    def refuse(*_: Any, **__: Any) -> None:
        raise builtins.Exception("URL fetch failure")

    monkeypatch.setattr(keras.applications, "MobileNetV2", refuse)
    result = CliRunner().invoke(main, ["classify", str(drawn_photos), "-o", str(tmp_path / "run")])
    assert result.exit_code == DataError.exit_code
    assert "name the file in the place of imagenet" in result.stderr


@pytest.mark.parametrize("command", ["classify", "detect"])
def test_weights_that_are_not_there_are_told_before_photos_are_read(command: str, tmp_path: Path) -> None:
    pytest.importorskip("keras", reason="needs the train extra")
    arguments = [command, str(tmp_path), "-o", str(tmp_path / "run"), "--weights", "nosuch.keras"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == DataError.exit_code
    assert "no weights file nosuch.keras; give imagenet, none, the name of a bundled model" in result.stderr


@pytest.mark.parametrize("command", ["classify", "detect"])
def test_a_mistyped_path_is_told_before_what_trains_is_loaded(command: str, tmp_path: Path) -> None:
    pytest.importorskip("keras", reason="needs the train extra")
    program = f"""
import sys
from train.cli import main
try:
    main([{command!r}, "nosuch", "-o", "run"])
finally:
    print("keras" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (DataError.exit_code, "False\n")
    assert "nosuch does not exist" in done.stderr
