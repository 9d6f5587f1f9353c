"""What bash completes, by the very functions that click gives it."""

import shutil
import subprocess
from pathlib import Path

import pytest

_BASH = shutil.which("bash")
_SCRIPT = """
eval "$(_{variable}_COMPLETE=bash_source {command})"
COMP_WORDS=({line} "$1") COMP_CWORD={at}
_{function}_completion {command} 2> errors
echo "${{COMPREPLY[@]}}"
grep -o "compopt" errors | head -1
"""


@pytest.mark.skipif(_BASH is None, reason="needs bash")
@pytest.mark.parametrize(
    ("line", "typed", "expected"),
    [
        ("edge-run --model", "garment_c", "garment_classifier"),
        ("edge-run", "--max-f", "--max-fps --max-frames"),
        ("edge-bench", "garment_", "garment_classifier garment_detector"),
        ("edge-convert", "par", "parity"),
        ("edge-convert inspect", "garment_d", "garment_detector"),
        ("edge-train classify photos --weights", "garment_c", "garment_classifier"),
        ("edge-train evaluate", "garment_d", "garment_detector"),
    ],
)
def test_names_are_completed(line: str, typed: str, expected: str, tmp_path: Path) -> None:
    assert _complete(line, typed, tmp_path).splitlines()[0] == expected


@pytest.mark.skipif(_BASH is None, reason="needs bash")
@pytest.mark.parametrize(
    "line", ["edge-run", "edge-run --model", "edge-bench", "edge-convert", "edge-convert parity", "edge-train evaluate"]
)
def test_files_are_left_to_the_shell(line: str, tmp_path: Path) -> None:
    """It has an option for that, `compopt -o default`, which works within a completion only, and complains here."""
    assert _complete(line, "shop", tmp_path).splitlines() == ["", "compopt"]


def _complete(line: str, typed: str, folder: Path) -> str:
    command = line.split(maxsplit=1)[0]
    function = command.replace("-", "_")
    script = _SCRIPT.format(
        variable=function.upper(), function=function, command=command, line=line, at=len(line.split())
    )
    done = subprocess.run(
        ["bash", "-c", script, "bash", typed], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.stdout
