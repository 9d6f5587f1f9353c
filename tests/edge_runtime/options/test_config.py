"""Flag over variable over file over default."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edge_runtime.cli import edge_run
from edge_runtime.errors import ModelError


@pytest.fixture
def config(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "kiosk.toml"
        path.write_text(text)
        return path

    return write


def _settings(*arguments: object, **variables: str) -> dict[str, object]:
    result = CliRunner().invoke(edge_run, [*map(str, arguments), "--print-config"], env=variables)
    assert result.exit_code == 0, result.output
    return tomllib.loads(result.stdout)


def _checked(*arguments: object, **variables: str) -> Result:
    return CliRunner().invoke(edge_run, [*map(str, arguments), "--check-config"], env=variables)


def test_the_order_is_flag_variable_file_default(config: Callable[[str], Path]) -> None:
    path = config("top-k = 4\nmax-fps = 4\nsettle = 4\n")
    settings = _settings("--config", path, "--top-k", 2, EDGE_TOP_K="3", EDGE_MAX_FPS="3")
    assert (settings["top-k"], settings["max-fps"], settings["settle"], settings["leave"]) == (2, 3.0, 4.0, 1.0)


def test_origins_are_printed(config: Callable[[str], Path]) -> None:
    arguments = ["--config", str(config("top-k = 4\n")), "--mirror", "--print-config"]
    lines = CliRunner().invoke(edge_run, arguments, env={"EDGE_JSON": "1"}).stdout.splitlines()
    assert {
        "top-k = 4  # file",
        "mirror = true  # command line",
        "json = true  # environment",
        "leave = 1.0  # default",
        "# save =  # not set",
    } <= set(lines)


def test_what_is_printed_is_a_file_that_says_the_same(config: Callable[[str], Path]) -> None:
    given = ["a b.mp4", "--rotate", 90, "--roi", "0,0,0.5,1", "--max-fps", 12.5, "--save", 'out "1"/', "--events"]
    settings = _settings(*given)
    lines = CliRunner().invoke(edge_run, [*map(str, given), "--print-config"]).stdout
    assert _settings("--config", config(lines)) == settings
    assert settings["sources"] == ["a b.mp4"]


def test_passwords_are_not_printed() -> None:
    assert _settings("rtsp://me:secret@shop/1")["sources"] == ["rtsp://me:***@shop/1"]


def test_a_file_alone_is_enough_to_run(config: Callable[[str], Path], tiny_model: Path) -> None:
    path = config(f'demo = true\njson = true\ntop-k = 1\nmax-frames = 2\nmodel = "{tiny_model}"\n')
    for arguments, variables in ((["--config", str(path)], {}), ([], {"EDGE_CONFIG": str(path)})):
        result = CliRunner().invoke(edge_run, arguments, env=variables)
        assert result.exit_code == 0, result.output
        assert [len(json.loads(line)["classifications"]) for line in result.stdout.splitlines()] == [1, 1]


def test_several_cameras_can_be_set_anywhere(config: Callable[[str], Path]) -> None:
    assert _settings("--camera", 0, "--camera", 2)["camera"] == [0, 2]
    assert _settings(EDGE_CAMERA="0 2")["camera"] == [0, 2]
    assert _settings("--config", config("camera = [0, 2]"))["camera"] == [0, 2]
    assert _settings("--config", config("camera = 1"))["camera"] == [1]
    assert _settings(EDGE_SOURCES="http://a/1 http://a/2")["sources"] == ["http://a/1", "http://a/2"]


def test_a_stronger_source_takes_the_place_of_a_weaker_one(config: Callable[[str], Path]) -> None:
    path = config('sources = ["http://shop/1"]\nevents = true\n')
    settings = _settings("--config", path, "--json", EDGE_CAMERA="3")
    assert (settings["sources"], settings["camera"]) == ([], [3])
    assert (settings["events"], settings["json"]) == (False, True)
    assert _settings("--config", path, "--demo", EDGE_CAMERA="3")["camera"] == []
    assert _checked("--config", config('sources = ["a.mp4"]\ndemo = true\n')).exit_code == 2


class TestFaults:
    def test_each_is_named_with_line_and_key(self, config: Callable[[str], Path]) -> None:
        path = config(
            "# a kiosk\n"
            "top-k = 0\n"
            "topk = 3\n"
            'json = "yes"\n'
            "max-fps = true\n"
            "timeout = nan\n"
            "roi = [0.1, 0.1, 0.5, 0.5]\n"
            "rotate = 45\n"
            'camera = ["front"]\n'
            "settle.after = 3\n"
            "[mqtt]\n"
            'host = "a"\n'
        )
        result = _checked("--config", path)
        assert result.exit_code == 17
        lines = result.stderr.splitlines()
        assert lines[0].startswith(f"Error: {path}, line 2: top-k: 0 is not in the range")
        named = [line.removeprefix("Error: ").removeprefix(f"{path}, line ").split(": ")[:2] for line in lines]
        assert named == [
            ["2", "top-k"],
            ["3", "topk"],
            ["4", "json"],
            ["5", "max-fps"],
            ["6", "timeout"],
            ["7", "roi"],
            ["8", "rotate"],
            ["9", "camera"],
            ["10", "settle"],
            ["11", "mqtt"],
        ]
        assert "did you mean top-k?" in lines[1]

    def test_what_is_no_toml_is_named_with_its_line(self, config: Callable[[str], Path]) -> None:
        result = _checked("--config", config("top-k = 3\nmirror = yes\n"))
        assert result.exit_code == 17
        assert "line 2" in result.stderr

    def test_a_file_that_cannot_be_read_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
        for path in (tmp_path / "gone.toml", tmp_path, tmp_path / "binary.toml"):
            result = _checked("--config", path)
            assert result.exit_code == 17
            assert str(path) in result.stderr
            assert "Traceback" not in result.stderr

    def test_they_end_a_run_too(self, config: Callable[[str], Path]) -> None:
        assert CliRunner().invoke(edge_run, ["--demo", "--config", str(config("nonsense = 1"))]).exit_code == 17

    def test_a_wrong_variable_is_a_usage_error(self) -> None:
        result = _checked("--demo", EDGE_TOP_K="many")
        assert result.exit_code == 2
        assert "EDGE_TOP_K: 'many'" in result.stderr

    def test_other_peoples_variables_are_let_alone(self) -> None:
        result = _checked("--demo", EDGE_VERSION="1.2", EDGE_GARMENT_DATA="/data", EDGE_PRINT_CONFIG="x")
        assert result.exit_code == 0
        assert result.stderr == "All settings are well.\n"

    def test_no_frame_is_taken(self, tmp_path: Path) -> None:
        result = _checked("--demo", "--save", tmp_path / "out")
        assert (result.exit_code, result.stdout) == (0, "")
        assert not (tmp_path / "out").exists()


def test_a_wrong_variable_is_told_by_its_name() -> None:
    result = _checked("--demo", EDGE_MAX_FPS="abc")
    assert result.exit_code == 2
    assert "Invalid value for EDGE_MAX_FPS: 'abc' is not a valid number." in result.stderr
    assert "Invalid value for '--max-fps'" in _checked("--demo", "--max-fps", "abc").stderr


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (["gone.mp4"], 3),
        (["ftp://shop/1"], 3),
        (["--demo", "--save", "out.xyz"], 10),
        (["--camera", "0", "--save", "out.png"], 10),
        (["--camera", "0", "--save", "out.png", "--max-frames", "1"], 0),
        (["--camera", "0", "--events"], 0),
    ],
)
def test_checking_says_of_sources_and_of_what_is_saved_what_a_run_would_say(
    arguments: list[str], exit_code: int
) -> None:
    checked = _checked(*arguments)
    assert checked.exit_code == exit_code, checked.output
    if exit_code:
        assert CliRunner().invoke(edge_run, arguments).stderr.splitlines()[-1] == checked.stderr.splitlines()[-1]


def test_checking_reads_the_models(tmp_path: Path, tiny_model: Path) -> None:
    assert _checked("--demo", "--model", tiny_model).exit_code == 0
    (tmp_path / "notes.tflite").write_text("no model")
    for option, file in (("--model", "missing.tflite"), ("--model", "notes.tflite"), ("--classifier", "notes.tflite")):
        result = _checked("--demo", option, tmp_path / file)
        assert result.exit_code == ModelError.exit_code, result.output
    for model, classifier in (("garment_classifier",) * 2, ("garment_detector",) * 2):
        assert _checked("--demo", "--model", model, "--classifier", classifier).exit_code == ModelError.exit_code
    assert _checked("--demo", "--classifier", "garment_classifier").exit_code == ModelError.exit_code
