"""The options of `edge-run` that say where results and events go."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from edge_runtime.cli import edge_run
from edge_runtime.errors import StreamError

_SECRET = "a secret of the test's own"


def _run(*arguments: str, **variables: str) -> Result:
    return CliRunner().invoke(edge_run, list(arguments), env=variables)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Two seconds of red, as a garment that settles."""
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    for _ in range(20):
        writer.write(np.full((48, 64, 3), (0, 0, 255), np.uint8))
    writer.release()
    return path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--webhook", "ftp://x/"], "no address that begins with https or http://"),
        (["--webhook", "http://user@x/"], "takes no user"),
        (["--webhook", "http://x/"], "needs a secret: set EDGE_WEBHOOK_SECRET"),
        (["--webhook", "http://x:99999/"], "no address"),
        (["--webhook", "http://x/\udcff"], "no address"),
        (["--mqtt", "http://x/"], "no address that begins with mqtt"),
        (["--mqtt", "mqtt://x/a/#"], "no topic of events"),
        (["--mqtt", "mqtt://x/\udcff"], "no address"),
        (["--mqtt", "mqtts://x", "--mqtt-ca", "/no/such/file"], "no certificate"),
        (["--mqtt", "mqtt://x", "--mqtt", "mqtt://x"], "given twice"),
        (["--mqtt", "mqtt://x", "--mqtt-password-file", "/no/such/file"], "cannot be read"),
        (["--web", "0.0.0.0:8080"], "needs a token: set EDGE_WEB_TOKEN"),
        (["--web", "till.shop:8080"], "needs a token"),
        (["--web", "99999"], "is not [HOST:]PORT"),
        (["--web", "nowhere"], "is not [HOST:]PORT"),
        (["--jsonl", "a", "--jsonl", "a"], "given twice"),
    ],
)
def test_wrong_options_are_told_before_a_frame_is_read(arguments: list[str], message: str) -> None:
    result = _run("--demo", "--check-config", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize("option", ["--webhook", "--mqtt"])
def test_a_password_on_the_command_line_is_refused_and_not_repeated(option: str) -> None:
    scheme = "http" if option == "--webhook" else "mqtt"
    result = _run("--demo", option, f"{scheme}://user:hunter2@x/")
    assert result.exit_code == 2
    assert "takes no password" in result.stderr
    assert "hunter2" not in result.output


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (["--webhook", "https://x/"], {"EDGE_WEBHOOK_SECRET": _SECRET}),
        (["--mqtt", "mqtts://user@x/till"], {"EDGE_MQTT_PASSWORD": _SECRET}),
        (["--web", "0.0.0.0:8080"], {"EDGE_WEB_TOKEN": _SECRET}),
        (["--web", "[::]:8080"], {"EDGE_WEB_TOKEN": _SECRET}),
        ([], {"EDGE_WEBHOOK": "https://x/ https://y/", "EDGE_WEBHOOK_SECRET": _SECRET, "EDGE_MQTT": "mqtt://x"}),
        (["--web", "8080"], {}),
    ],
)
def test_secrets_come_from_variables_and_are_never_printed(arguments: list[str], variables: dict[str, str]) -> None:
    assert _run("rtsp://shop/1", "--check-config", *arguments, **variables).exit_code == 0
    printed = _run("--demo", "--print-config", *arguments, **variables)
    assert printed.exit_code == 0
    assert _SECRET not in printed.output


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("short\n")
    arguments = ["rtsp://shop/1", "--check-config", "--webhook", "https://x/", "--webhook-secret-file", str(secret)]
    assert "shorter than 16 bytes" in _run(*arguments, EDGE_WEBHOOK_SECRET=_SECRET).stderr
    secret.write_text("")
    assert "is empty" in _run(*arguments).stderr
    secret.write_text("whsec_no base64 at all")
    assert "no base64" in _run(*arguments).stderr
    secret.write_text(f"{_SECRET}\n")
    assert _run(*arguments).exit_code == 0


@pytest.mark.parametrize("option", [["--events"], ["--mqtt", "mqtt://127.0.0.1:1"]])
@pytest.mark.parametrize("pictures", [["--demo"], ["{red}"], ["{red}", "{red}"]])
@pytest.mark.parametrize("check", [[], ["--check-config"]])
def test_events_of_unrelated_pictures_are_refused(
    pictures: list[str], option: list[str], check: list[str], red: Path
) -> None:
    result = _run(*(text.format(red=red) for text in pictures), *option, *check)
    assert result.exit_code == 2
    assert "give a video" in result.stderr


@pytest.mark.parametrize("option", ["--save", "--save-crops", "--jsonl"])
def test_an_empty_path_is_not_the_current_folder(option: str, tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(f'{option.removeprefix("--")} = ""')
    given = _run("--demo", "--check-config", option, "")
    assert (given.exit_code, "names no file and no folder" in given.stderr) == (2, True)
    read = _run("--demo", "--check-config", "--config", str(settings))
    assert (read.exit_code, "names no file and no folder" in read.stderr) == (17, True)


def test_garments_are_cut_out_of_each_of_several_pictures_and_of_a_video_beside_them(
    video: Path, red: Path, tiny_model: Path, tmp_path: Path
) -> None:
    crops = tmp_path / "crops"
    result = _run(str(red), str(video), str(red), "--model", str(tiny_model), "--save-crops", str(crops))
    assert result.exit_code == 0, result.output
    shapes = sorted(cv2.imread(str(crop)).shape for crop in crops.iterdir())
    assert shapes == [(30, 40, 3), (30, 40, 3), (48, 64, 3)]


def test_files_get_what_stdout_gets(video: Path, tiny_model: Path, tmp_path: Path) -> None:
    log, crops = tmp_path / "log.jsonl", tmp_path / "crops"
    arguments = [str(video), "--model", str(tiny_model), "--events", "--jsonl", str(log), "--save-crops", str(crops)]
    result = _run(*arguments)
    assert result.exit_code == 0, result.output
    assert log.read_text() == result.stdout
    kinds = [json.loads(line)["kind"] for line in result.stdout.splitlines()]
    assert kinds == ["appeared", "settled", "left"]
    (crop,) = crops.iterdir()
    assert json.loads(result.stdout.splitlines()[1])["id"] in crop.name
    assert cv2.imread(str(crop)).shape == (48, 64, 3)


def test_results_go_to_the_file_as_json_also_when_stdout_has_lines(tiny_model: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    result = _run("--demo", "--model", str(tiny_model), "--max-frames", "2", "--jsonl", str(log))
    assert result.exit_code == 0, result.output
    assert [json.loads(line)["frame"] for line in log.read_text().splitlines()] == [0, 1]


def test_saved_pictures_are_veiled(tiny_model: Path, tmp_path: Path) -> None:
    arguments = ["--demo", "--model", str(tiny_model), "--max-frames", "1", "--save-crops"]
    assert _run(*arguments, str(tmp_path / "clear")).exit_code == 0
    assert _run(*arguments, str(tmp_path / "veiled"), "--blur-outside").exit_code == 0
    clear, veiled = (cv2.imread(str(next((tmp_path / name).iterdir()))) for name in ("clear", "veiled"))
    assert cv2.Laplacian(veiled, cv2.CV_64F).var() < cv2.Laplacian(clear, cv2.CV_64F).var() / 2


def test_events_reach_a_webhook_and_wait_for_one_that_is_away(
    video: Path,
    tiny_model: Path,
    silent_port: int,
    tmp_path: Path,
) -> None:
    outbox = tmp_path / "outbox.db"
    arguments = [str(video), "--model", str(tiny_model), "--webhook", "http://127.0.0.1:1/", "--outbox", str(outbox)]
    # That the receiver is away is an event, too.
    for least, told in ((3, ["by the next run"]), (6, ["now", "by the next run"])):
        result = _run(*arguments, EDGE_WEBHOOK_SECRET=_SECRET)
        assert result.exit_code == 0, result.output
        said = re.findall(
            r"(\d+) events wait for http://127.0.0.1:1/ and are sent (now|by the next run),", result.stderr
        )
        assert [when for _, when in said] == told
        waiting, _ = said[-1]
        assert int(waiting) >= least
    other = _run(*arguments[:-3], f"http://127.0.0.1:{silent_port}/", *arguments[-2:], EDGE_WEBHOOK_SECRET=_SECRET)
    assert f"{waiting} events wait for http://127.0.0.1:1/ and are kept for a run that sends to it." in other.stderr


def test_options_that_load_opencv_leave_its_own_words_unsaid(silent_port: int, tmp_path: Path) -> None:
    """A stream that is not there makes OpenCV warn, once at each attempt."""
    address = f"http://127.0.0.1:{silent_port}/"
    command = [
        sys.executable,
        "-c",
        "from edge_runtime.cli import main; main()",
        "http://127.0.0.1:1/",
        "--timeout",
        "1",
    ]
    options = ["--roi", "0,0,1,1", "--webhook", address, "--outbox", str(tmp_path / "outbox.db")]
    environment = {**os.environ, "EDGE_WEBHOOK_SECRET": _SECRET}
    done = subprocess.run([*command, *options], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == StreamError.exit_code
    assert "WARN" not in done.stderr
