"""Options that do nothing without another one are refused; what the other one is comes from anywhere."""

import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from edge_runtime.cli import edge_run
from edge_runtime.options.companions import _COMPANIONS

_EVENTS = ["--events", "--save-crops", "--webhook", "--mqtt", "--web"]


def _checked(*arguments: str, **variables: str) -> Result:
    return CliRunner().invoke(edge_run, [*arguments, "--check-config"], env=variables)


@pytest.fixture
def config(tmp_path: Path) -> Callable[[str], str]:
    def write(text: str) -> str:
        path = tmp_path / "kiosk.toml"
        path.write_text(text)
        return str(path)

    return write


@pytest.fixture
def secret(tmp_path: Path) -> str:
    path = tmp_path / "secret"
    path.write_text("a secret of the test's own")
    return str(path)


_IDLE = {
    "width = 640": ["--camera"],
    "height = 480": ["--camera"],
    "fps = 5": ["--camera"],
    "timeout = 5": ["--camera", "the address of a stream"],
    "max-outage = 0": ["--camera", "the address of a stream"],
    "watch-model = true": ["--model"],
    "settle = 2": _EVENTS,
    "leave = 2": _EVENTS,
    "crops-limit = 5": ["--save-crops"],
    "jsonl-size = 5": ["--jsonl"],
    "blur-outside = true": ["--save", "--save-crops", "--web"],
    "webhook-secret-file = 'FILE'": ["--webhook"],
    "mqtt-password-file = 'FILE'": ["a user in the address of --mqtt"],
    "mqtt-ca = 'FILE'": ["an --mqtt address that begins with mqtts://"],
    "mqtt-discovery = true": ["--mqtt"],
    "outbox = 'FILE'": ["--webhook", "--mqtt"],
    "outbox-limit = 5": ["--webhook", "--mqtt"],
    "web-token-file = 'FILE'": ["--web"],
}


def test_each_pair_is_looked_at_here() -> None:
    assert [line.split()[0].replace("-", "_") for line in _IDLE] == list(_COMPANIONS)
    names = {parameter.name for parameter in edge_run.params}
    assert set(_COMPANIONS) | {each.name for several in _COMPANIONS.values() for each in several} <= names


@pytest.mark.parametrize(("line", "companions"), _IDLE.items())
def test_one_alone_is_refused_wherever_it_stands(
    line: str, companions: list[str], config: Callable[[str], str], secret: str
) -> None:
    line = line.replace("FILE", secret)
    key, value = (part.strip("' ") for part in line.split("="))
    given = [f"--{key}"] if value == "true" else [f"--{key}", value]
    variable = {f"EDGE_{key.replace('-', '_').upper()}": value}
    for result in (_checked("--demo", *given), _checked("--demo", **variable), _run_with(config(line))):
        assert result.exit_code == 2, result.output
        named = " or ".join(filter(None, [", ".join(companions[:-1]), companions[-1]]))
        assert f"Error: --{key} does nothing without {named}; give " in result.stderr


def _run_with(path: str) -> Result:
    return CliRunner().invoke(edge_run, ["--demo", "--config", path])


@pytest.mark.parametrize("key", ["settle", "leave", "timeout", "crops-limit", "jsonl-size", "outbox-limit"])
def test_a_default_is_no_setting_also_where_it_is_written_down(key: str, config: Callable[[str], str]) -> None:
    printed = CliRunner().invoke(edge_run, ["--demo", "--print-config"]).stdout
    assert re.search(rf"^{key} = \d", printed, re.MULTILINE)
    assert _checked("--config", config(printed)).exit_code == 0
    assert _checked("--demo", "--config", config("mqtt-discovery = false\nblur-outside = false")).exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["--camera", "0", "--width", "640", "--timeout", "5"],
        ["rtsp://shop/1", "--timeout", "5", "--max-outage", "0"],
        ["--demo", "--save", "out/", "--blur-outside"],
        ["--demo", "--web", "8080", "--blur-outside", "--settle", "2", "--web-token-file", "FILE"],
        ["--demo", "--save-crops", "out/", "--blur-outside", "--settle", "2", "--crops-limit", "5"],
        ["--camera", "0", "--events", "--settle", "2"],
        ["--camera", "0", "--mqtt", "mqtt://till@x", "--settle", "2", "--outbox", "o.db", "--mqtt-discovery"],
        ["--camera", "0", "--mqtt", "mqtt://a", "--mqtt", "mqtts://till@b", "--mqtt-password-file", "FILE"],
        ["--camera", "0", "--webhook", "https://x/", "--webhook-secret-file", "FILE", "--outbox-limit", "5"],
        ["--demo", "--jsonl", "out.jsonl", "--jsonl-size", "5"],
    ],
)
def test_one_with_its_companion_is_taken(arguments: list[str], secret: str) -> None:
    result = _checked(*(secret if text == "FILE" else text for text in arguments))
    assert result.exit_code == 0, result.output


def test_the_companion_may_stand_elsewhere(config: Callable[[str], str]) -> None:
    path = config("mqtt-discovery = true\nsettle = 2\n")
    assert _checked("--camera", "0", "--config", path, EDGE_MQTT="mqtt://x").exit_code == 0


def test_one_whose_companion_is_overruled_goes_with_it(config: Callable[[str], str]) -> None:
    path = config("camera = 0\nwidth = 640\ntimeout = 5\nevents = true\nsettle = 2\n")
    assert _checked("--demo", "--json", "--config", path).exit_code == 0
    for option in ("--width", "--settle"):
        result = _checked("--demo", "--json", "--config", path, option, "3")
        assert (result.exit_code, f"{option} does nothing" in result.stderr) == (2, True)


_OVERRULED = {
    "another source": ("sources = 'rtsp://kiosk/1'\ntimeout = 5\nmax-outage = 60\n", ["--demo"]),
    "another source of the same kind": ("sources = 'rtsp://kiosk/1'\ntimeout = 5\nmax-outage = 60\n", ["CLIP"]),
    "an open broker": (
        "camera = 0\nmqtt = 'mqtts://till@x'\nmqtt-ca = 'FILE'\nmqtt-password-file = 'FILE'\n",
        ["--mqtt", "mqtt://localhost"],
    ),
}


@pytest.mark.parametrize("kind", _OVERRULED)
def test_what_served_an_overruled_value_goes_with_it(
    kind: str, config: Callable[[str], str], secret: str, tmp_path: Path
) -> None:
    lines, arguments = _OVERRULED[kind]
    (clip := tmp_path / "clip.jpg").write_bytes(cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    given = [str(clip) if text == "CLIP" else text for text in arguments]
    result = _checked(*given, "--config", config(lines.replace("FILE", secret)))
    assert result.exit_code == 0, result.output


def test_a_stronger_no_is_an_answer_too(config: Callable[[str], str]) -> None:
    path = config("camera = 0\nevents = true\nsettle = 0.8\n")
    assert _checked("--config", path, EDGE_EVENTS="0").exit_code == 0
    result = _checked("--config", path, EDGE_EVENTS="0", EDGE_SETTLE="0.8")
    assert (result.exit_code, "--settle does nothing" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    "lines", ["camera = 0\nmqtt = 'mqtt://x'\nmqtt-ca = 'FILE'\n", "demo = true\nsources = []\ntimeout = 5\n"]
)
def test_one_idle_beside_its_companion_in_the_same_file_is_refused(
    lines: str, config: Callable[[str], str], secret: str
) -> None:
    result = _checked("--config", config(lines.replace("FILE", secret)))
    assert (result.exit_code, " does nothing without " in result.stderr) == (2, True)


def test_what_is_printed_counts_also_where_something_was_overruled(config: Callable[[str], str]) -> None:
    path = config("camera = 0\nwidth = 640\ntimeout = 5\nevents = true\nsettle = 2\n")
    printed = CliRunner().invoke(edge_run, ["--demo", "--json", "--config", path, "--print-config"]).stdout
    assert {
        "camera = []  # command line",
        "# width =  # not set",
        "timeout = 10.0  # default",
        "events = false  # command line",
        "settle = 0.6  # default",
    } <= set(printed.splitlines())
    assert _checked("--config", config(printed)).exit_code == 0


def test_addresses_that_nobody_can_take_apart_are_told_as_such(secret: str) -> None:
    result = _checked("--camera", "0", "--mqtt", "mqtt://[x", "--mqtt-ca", secret, "--mqtt-password-file", secret)
    assert (result.exit_code, "--mqtt" in result.stderr) == (2, True)
    assert "Traceback" not in result.output


def test_a_certificate_for_a_connection_without_encryption_is_refused(secret: str) -> None:
    result = _checked("--camera", "0", "--mqtt", "mqtt://till@x", "--mqtt-ca", secret)
    assert result.exit_code == 2
    assert "--mqtt-ca does nothing without an --mqtt address that begins with mqtts://" in result.stderr


def test_a_password_for_nobody_is_refused(secret: str) -> None:
    result = _checked("--camera", "0", "--mqtt", "mqtt://x", "--mqtt-password-file", secret)
    assert result.exit_code == 2
    assert "--mqtt-password-file does nothing without a user in the address of --mqtt" in result.stderr
