"""Garments that come and go in a rendered video, through the command and the bundled model."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from edge_runtime.cli import edge_run
from edge_runtime.drawing import draw_garment

_HEIGHT, _WIDTH = 240, 320
_FPS = 10


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of pants, two of a black picture, two of a dress, each swaying a little."""
    path = tmp_path_factory.mktemp("video") / "counter.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), _FPS, (_WIDTH, _HEIGHT))
    for garment in ("pants", None, "dress"):
        black = np.zeros((_HEIGHT, _WIDTH, 3), np.uint8)
        picture = black if garment is None else draw_garment(garment, 0, (_HEIGHT, _WIDTH))
        for index in range(2 * _FPS):
            writer.write(np.roll(picture, round(4 * np.sin(index)), axis=1))
    writer.release()
    return path


def _events(*arguments: object) -> list[dict[str, object]]:
    result = CliRunner().invoke(edge_run, [*map(str, arguments), "--events"])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_each_garment_appears_settles_and_leaves_once(bundled_model: Path, video: Path) -> None:
    assert bundled_model.exists()
    # Nothing but garments reaches 0.9: the black picture does not.
    events = _events(video, "--threshold", 0.9)
    assert [(event["kind"], event["label"], event["track"]) for event in events] == [
        ("appeared", "pants", 0),
        ("settled", "pants", 0),
        ("left", "pants", 0),
        ("appeared", "dress", 1),
        ("settled", "dress", 1),
        ("left", "dress", 1),
    ]
    assert [event["sequence"] for event in events] == list(range(6))
    # Durations are those of the video, however fast it was answered.
    assert events[2]["seen_s"] == pytest.approx(1.9, abs=0.25)
    # Seen twice, sure after 0.6 s, and gone for a second; the end of the video ends all.
    assert [event["video_s"] for event in events] == pytest.approx([0.1, 0.6, 2.9, 4.1, 4.6, 5.9], abs=0.25)


def test_a_still_scene_settles_without_further_answers(bundled_model: Path, tmp_path: Path) -> None:
    assert bundled_model.exists()
    path = tmp_path / "still.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), _FPS, (_WIDTH, _HEIGHT))
    picture = draw_garment("pants", 0, (_HEIGHT, _WIDTH))
    for _ in range(2 * _FPS):
        writer.write(picture)
    writer.release()
    assert [event["kind"] for event in _events(path, "--skip-still")] == ["appeared", "settled", "left"]
