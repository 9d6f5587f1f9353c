"""What a training computes on is said before its first epoch."""

import logging
import re
from pathlib import Path

import pytest

pytest.importorskip("keras", reason="needs the train extra")

from train.fitting import devices


@pytest.mark.parametrize(
    ("device", "driver", "sentence"),
    [
        ("GPU:0", True, "training on GPU:0 by tensorflow"),
        ("CPU:0", False, "training on CPU:0 by tensorflow"),
        ("CPU:0", True, "training on CPU:0 by tensorflow; it does not see this machine's GPU, for which docs/"),
    ],
)
def test_an_idle_gpu_is_told_of(
    device: str,
    driver: bool,
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(devices, "DRIVER_FILES", tmp_path)
    monkeypatch.setattr(devices, "find_device", lambda: device)
    if driver:
        (tmp_path / "nvidia0").touch()
    with caplog.at_level(logging.INFO):
        devices.tell_device()
    (message,) = caplog.messages
    assert message.startswith(sentence)
    assert ("GPU, for which" in message) == ("see" in sentence)


def test_the_device_has_the_backends_own_name() -> None:
    assert re.fullmatch(r"(cpu|gpu|cuda|tpu)\S*", devices.find_device().lower())
