"""What a program imports from `edge_runtime`."""

import re
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

import edge_runtime
from edge_runtime.drawing import draw_garment

ROOT = Path(__file__).parents[2]
_EXAMPLE = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
_PROGRAM = """
import cv2
import numpy as np

from edge_runtime import DelegateName, Recognizer, decode_picture
from edge_runtime.sources import Frame

recognizer = Recognizer.load(delegate=DelegateName.CPU)
image = cv2.imread("photo.jpg")
assert image is not None
recognizer.recognize(image)
recognizer.scores(image)
recognizer.detect(decode_picture(b""))
Frame(image, "mine", 0, 0.0, 0.0)
from edge_runtime import Recogniser
"""


def test_everything_that_is_listed_is_there() -> None:
    assert set(edge_runtime._LATE) < set(edge_runtime.__all__)
    for name in edge_runtime.__all__:
        assert getattr(edge_runtime, name).__name__ == name
    assert set(edge_runtime.__all__) < set(dir(edge_runtime))


def test_nothing_else_is_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Recogniser'"):
        edge_runtime.Recogniser  # noqa: B018


def test_the_example_of_the_readme_runs(
    bundled_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bundled_model.exists()
    cv2.imwrite(str(tmp_path / "photo.jpg"), draw_garment("dress", 0))
    monkeypatch.chdir(tmp_path)
    exec(_EXAMPLE[0], {})
    assert capsys.readouterr().out.startswith("dress 0.")


def test_a_type_checker_takes_what_opencv_gives_and_no_wrong_name(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="needs the dev extra")
    program = tmp_path / "program.py"
    program.write_text(_EXAMPLE[0] + _PROGRAM)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", str(program)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert len(errors) == 1, done.stdout
    assert 'has no attribute "Recogniser"' in errors[0]
